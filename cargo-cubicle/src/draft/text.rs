//! Drafts as text that is a part of a manifest.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Confidence, Draft, Entry, Ready};
use crate::manifest::{Direction, Lend, Unit};

/// Lines of comment are not longer, characters.
const WIDTH: usize = 100;

impl Draft {
    /// The tables, each entry with a comment that says why, and how sure it is.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for ready in &self.ready {
            let Ready {
                cubicle,
                name,
                described,
                called,
                ..
            } = ready;
            let _ = writeln!(text, "\n[cubicle.{cubicle}]");
            let words = format!(
                "a ready-made interface describes {described} of the {called} functions that others call"
            );
            comment(&mut text, &words);
            let _ = writeln!(text, "interfaces = [\"{name}\"]");
        }
        let mut table = None;
        let mut said = BTreeMap::new();
        for entry in &self.entries {
            if table != Some((&entry.cubicle, &entry.function)) {
                table = Some((&entry.cubicle, &entry.function));
                let name = name(&entry.function);
                let _ = writeln!(text, "\n[cubicle.{}.function.{name}]", entry.cubicle);
            }
            let reason = why(entry);
            match said.get(&reason) {
                Some(function) if *function == &entry.function => {}
                // What was explained at length need not be again.
                Some(function) if reason.len() > WIDTH => {
                    comment(&mut text, &format!("as in `{function}`"));
                }
                _ => comment(&mut text, &reason),
            }
            said.entry(reason).or_insert(&entry.function);
            let _ = writeln!(text, "{} = {}", entry.key, entry.value);
        }
        if !self.remarks.is_empty() {
            text.push('\n');
        }
        for remark in &self.remarks {
            comment(&mut text, remark);
        }
        text.trim_start().to_owned()
    }
}

fn why(entry: &Entry) -> String {
    let sure = match entry.confidence {
        Confidence::Sure => "",
        Confidence::Likely => " (likely)",
        Confidence::Guess => " (a guess)",
    };
    let replaces = match entry.replaces {
        true => "in place of the entry that is there: ",
        false => "",
    };
    format!("{replaces}{}{sure}", entry.why)
}

fn comment(text: &mut String, words: &str) {
    let mut line = String::from("#");
    for word in words.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(text, "{line}");
            line = String::from("#");
        }
        let _ = write!(line, " {word}");
    }
    let _ = writeln!(text, "{line}");
}

/// A path as a key.
pub fn key(path: &str) -> String {
    name(path)
}

fn name(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    match !name.is_empty() && name.bytes().all(bare) {
        true => name.to_owned(),
        false => toml::Value::String(name.to_owned()).to_string(),
    }
}

pub fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "in",
        Direction::Out => "out",
        Direction::InOut => "inout",
    }
}

/// An extent and what belongs to it, as they stand in a manifest, each behind a comma.
pub fn extent(lend: &Lend) -> String {
    use crate::manifest::Extent;
    let value = |extent: &Extent| match extent {
        Extent::Constant(number) => number.to_string(),
        other => format!("\"{other}\""),
    };
    let key = match lend.unit {
        Unit::Bytes => "bytes",
        Unit::Elements => "count",
    };
    let mut text = format!(", {key} = {}", value(&lend.extent));
    if let Some(used) = &lend.used {
        let _ = write!(text, ", used = {}", value(used));
    }
    if lend.negative.is_some() {
        text += ", negative = \"cstr\"";
    }
    text
}
