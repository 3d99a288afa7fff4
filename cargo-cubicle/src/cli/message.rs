//! Messages for people, on stderr and in cargo's look.

use std::ffi::OsString;

use anstream::ColorChoice;

use crate::capture::CaptureError;
use crate::capture::diagnostic::{self, Level};
use clap::builder::styling::{AnsiColor, Style};

const ERROR: Style = AnsiColor::BrightRed.on_default().bold();
const NOTE: Style = AnsiColor::BrightCyan.on_default().bold();

/// An error with its causes, as cargo prints them.
pub fn error(error: &anyhow::Error) {
    if let Some(CaptureError::Libraries(findings)) = error.downcast_ref() {
        findings.iter().for_each(|finding| emit(finding, ""));
        return;
    }
    let mut causes = String::new();
    let mut said = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Some errors end with their cause's words.
        if !said.ends_with(&cause) {
            causes += &format!("\n  {NOTE}caused by{NOTE:#}: {cause}");
        }
        said = cause;
    }
    emit(&error.to_string(), &causes);
}

fn emit(message: &str, causes: &str) {
    let rendered = format!("{ERROR}error{ERROR:#}: {message}{causes}");
    let first_line = message.lines().next().unwrap_or_default();
    diagnostic::emit(Level::Error, None, first_line, &rendered);
}

pub fn note(text: &str) {
    anstream::eprintln!("{NOTE}note{NOTE:#}: {text}");
}

/// Looks for cargo's `--color`, else for its variable, and keeps to it from now on.
pub fn choose_colour(flags: &[OsString]) -> Option<bool> {
    let mut chosen = std::env::var("CARGO_TERM_COLOR").ok();
    let mut flags = flags.iter().filter_map(|flag| flag.to_str());
    while let Some(flag) = flags.next() {
        match flag.strip_prefix("--color") {
            Some("") => chosen = flags.next().map(str::to_owned),
            Some(rest) if rest.starts_with('=') => chosen = Some(rest[1..].to_owned()),
            _ => {}
        }
    }
    let colour = match chosen.as_deref() {
        Some("always") => Some(true),
        Some("never") => Some(false),
        _ => None,
    };
    use_colour(colour);
    colour
}

/// Keeps to a choice; without one, the stream decides.
pub fn use_colour(colour: Option<bool>) {
    match colour {
        Some(true) => ColorChoice::Always.write_global(),
        Some(false) => ColorChoice::Never.write_global(),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_about_colour_counts() {
        let choose = |line: &str| {
            let flags: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            choose_colour(&flags)
        };
        assert_eq!(choose("-q --color never --color=always"), Some(true));
        assert_eq!(choose("--color=always --color never"), Some(false));
        assert_eq!(choose("--color auto --colors=always"), None);
        ColorChoice::Auto.write_global();
    }
}
