//! A report as text, in the look of cargo's errors.

use std::fs;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use camino::{Utf8Path, Utf8PathBuf};
use cubicle_abi::plan::WINDOW_PREFIX;

use super::images::Position;
use super::record::{Access, Kind, Mechanism, Outcome, Place, Record};
use super::report::{Memory, Report, Step};
use crate::plan::system_calls;

/// The name by which the runtime calls the monitor as an owner of memory.
const MONITOR: &str = "monitor";

/// How reports are to look.
#[derive(Debug, Clone, Default)]
pub struct Style {
    /// Whether with a terminal's colours.
    pub colour: bool,
    /// Paths below it are shown relative to it.
    pub root: Option<Utf8PathBuf>,
}

impl Report {
    /// The whole report, without a newline at its end.
    pub fn render(&self, style: &Style) -> String {
        let renderer = if style.colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let level = match self.record.outcome {
            Some(Outcome::Error) => Level::WARNING,
            _ => Level::ERROR,
        };
        let mut group = Group::with_title(level.primary_title(title(self)));
        match source(&self.position) {
            Some((text, span)) => {
                let name = self
                    .position
                    .function
                    .as_ref()
                    .map(|name| format!("in `{name}`"));
                let path = self
                    .position
                    .file
                    .as_deref()
                    .map(|path| shown(path, style).to_string());
                let mark = AnnotationKind::Primary.span(span).label(name);
                let line = self.position.line.unwrap_or(1) as usize;
                group = group.element(
                    Snippet::source(text)
                        .line_start(line)
                        .path(path)
                        .annotation(mark),
                );
            }
            None => {
                if let Some(place) = self.place(style) {
                    group = group.element(Origin::path(place));
                }
            }
        }
        for (name, text) in self.facts(style) {
            group = group.element(Level::NOTE.with_name(name).message(text));
        }
        renderer.render(&[group])
    }

    /// The position in one line, where there is no source to show.
    fn place(&self, style: &Style) -> Option<String> {
        let place = described(&self.position, style);
        let (Some(instruction), None) = (self.record.instruction, &self.position.file) else {
            return place;
        };
        let place = place.unwrap_or_else(|| "code that has no name".into());
        let whose = match &self.record.cubicle {
            Some(cubicle) => format!("`{cubicle}`: "),
            None => String::new(),
        };
        Some(format!("{whose}{place}, at {instruction}"))
    }

    /// What follows the position, each with what it is about.
    fn facts(&self, style: &Style) -> Vec<(&'static str, String)> {
        let mut facts = Vec::new();
        facts.extend(memory(&self.record, self.memory.as_ref()).map(|text| ("memory", text)));
        if !self.calls.is_empty() {
            let lines: Vec<String> = self.calls.iter().map(|step| call(step, style)).collect();
            facts.push(("calls", lines.join("\n")));
        }
        if !self.record.detail.is_empty() {
            facts.push(("note", self.record.detail.clone()));
        }
        if self.record.outcome == Some(Outcome::Error) {
            facts.push(("outcome", "the call answers an error".to_owned()));
        }
        if self.record.outcome == Some(Outcome::Restart) {
            let text = match self.calls.last() {
                Some(call) => format!(
                    "`{}` returns what `fault` says for it in the manifest, and the cubicle starts anew",
                    call.function
                ),
                None => "the cubicle starts anew".to_owned(),
            };
            facts.push(("outcome", text));
        }
        facts.extend(cause(&self.record).map(|text| ("note", text)));
        facts.extend(foreign_free(self).map(|text| ("help", text)));
        if let (Kind::Lend, Some(call)) = (self.record.kind, self.calls.last()) {
            let text = format!(
                "what is lent stands in the manifest under `[cubicle.{}.function.{}]`",
                call.to, call.function
            );
            facts.push(("help", text));
        }
        facts.extend(self.missing.iter().map(|reason| ("note", reason.clone())));
        facts
    }
}

/// What happened, in one sentence.
fn title(report: &Report) -> String {
    let record = &report.record;
    let who = match &record.cubicle {
        Some(cubicle) => format!("cubicle `{cubicle}`"),
        None => "the program".to_owned(),
    };
    match record.kind {
        Kind::Access => format!("{who} {}", did(report)),
        Kind::Crash => {
            let signal = signal(record.signal);
            match record.address {
                Some(_) => format!("{who} crashed ({signal}): it {}", did(report)),
                None => format!("{who} crashed ({signal})"),
            }
        }
        Kind::Gate => format!("{who} used a gate otherwise than by calling it"),
        Kind::SystemCall => match record.call {
            Some(number) => format!("{who} was denied the system call {}", call_name(number)),
            None => format!("{who} made a system call that it may not make"),
        },
        Kind::Instruction => format!("{who} executed an instruction that it may not execute"),
        Kind::Abort => format!("{who} ended itself"),
        Kind::Lend => match report.calls.last() {
            Some(call) => format!(
                "{who} called `{}` of cubicle `{}` with an argument that cannot be lent",
                call.function, call.to
            ),
            None => format!("{who} made a call with an argument that cannot be lent"),
        },
        Kind::Callback => {
            let address = record
                .address
                .map_or(String::new(), |address| format!(" {address}"));
            let whose = belongs(record);
            match report.calls.last() {
                Some(call) if Some(&call.from) == record.cubicle.as_ref() => format!(
                    "{who} called `{}` of cubicle `{}` with{address} as a callback{whose}",
                    call.function, call.to
                ),
                Some(call) => format!(
                    "{who} returned{address} as a callback from `{}`{whose}",
                    call.function
                ),
                None => format!("{who} passed{address} as a callback{whose}"),
            }
        }
    }
}

/// What was done with the address, and whose it is.
fn did(report: &Report) -> String {
    let record = &report.record;
    let bytes = match report.width {
        Some(1) => " 1 byte".to_owned(),
        Some(width) => format!(" {width} bytes"),
        None => String::new(),
    };
    let did = match record.access {
        Some(Access::Write) if bytes.is_empty() => "wrote to memory".to_owned(),
        Some(Access::Write) => format!("wrote{bytes}"),
        Some(Access::Read) if bytes.is_empty() => "read memory".to_owned(),
        Some(Access::Read) => format!("read{bytes}"),
        Some(Access::Execute) => "tried to execute code".to_owned(),
        None => "touched memory".to_owned(),
    };
    let at = record
        .address
        .map_or(String::new(), |address| format!(" at {address}"));
    format!("{did}{at}{}", belongs(record))
}

/// A signal's name, for those that a program brings upon itself.
fn signal(number: i32) -> String {
    let name = match number {
        libc::SIGILL => "SIGILL",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGSYS => "SIGSYS",
        _ => return format!("signal {number}"),
    };
    name.to_owned()
}

fn call_name(number: i64) -> String {
    let name = u32::try_from(number).ok().and_then(system_calls::name);
    match name {
        Some(name) => format!("`{name}`"),
        None => format!("{number}"),
    }
}

fn belongs(record: &Record) -> String {
    match record.owner.as_deref() {
        _ if record.place == Some(Place::Unmapped) => ", where there is nothing".to_owned(),
        Some(MONITOR) => ", which belongs to the monitor".to_owned(),
        Some(owner) if Some(owner) == record.cubicle.as_deref() => match record.kind {
            Kind::Callback => String::new(),
            _ => ", which is its own but not open to that".to_owned(),
        },
        Some(owner) => match owner.strip_prefix(WINDOW_PREFIX) {
            Some(window) => format!(", which is in the keyed window `{window}`"),
            None => format!(", which belongs to cubicle `{owner}`"),
        },
        None => ", which belongs to no cubicle".to_owned(),
    }
}

/// What lives at the address.
fn memory(record: &Record, named: Option<&Memory>) -> Option<String> {
    let kind = match record.place? {
        Place::Heap => "heap",
        Place::Stack => "stack",
        Place::Data => "data",
        Place::Constants => "constants",
        Place::Text => "code",
        Place::Frame => "gate frame",
        Place::Monitor => "memory",
        Place::Unmapped => return None,
    };
    let whose = match record.owner.as_deref() {
        Some(MONITOR) => "the monitor's ".to_owned(),
        // The line above has named the window.
        Some(owner) if owner.starts_with(WINDOW_PREFIX) => "the window's ".to_owned(),
        Some(owner) => format!("`{owner}`'s "),
        None => String::new(),
    };
    let what = match named {
        Some(Memory {
            name,
            offset,
            beyond: false,
        }) => format!(": `{name}` (+{offset})"),
        Some(Memory {
            name,
            offset: 0,
            beyond: true,
        }) => format!(": just behind `{name}`"),
        Some(Memory {
            name,
            offset,
            beyond: true,
        }) => format!(": {offset} bytes behind `{name}`"),
        None => String::new(),
    };
    Some(format!("{whose}{kind}{what}"))
}

fn call(step: &Step, style: &Style) -> String {
    let site = match described(&step.position, style) {
        Some(site) => format!(" {site}"),
        None => String::new(),
    };
    format!("{}{site} -> {} `{}`", step.from, step.to, step.function)
}

/// What stopped it.
fn cause(record: &Record) -> Option<String> {
    let means = match record.mechanism {
        Mechanism::Pku => "protection keys",
        Mechanism::Pagetable => "page tables",
        Mechanism::StandIn => {
            return Some(
                "nothing is protected in a benchmark build, where a stand-in replaces WRPKRU"
                    .to_owned(),
            );
        }
    };
    match (record.kind, record.key) {
        // The outcome says it.
        (Kind::Crash, _) if record.outcome == Some(Outcome::Restart) => None,
        (Kind::Crash, _) => {
            Some("no border was crossed: the program ends as it would without cubicles".to_owned())
        }
        (Kind::Access, Some(key)) => Some(format!("stopped by {means} (key {key})")),
        (Kind::Access, None) => Some(format!("stopped by {means}")),
        _ => None,
    }
}

/// What an allocator that faults in another cubicle's memory was doing there: it
/// reads the header in front of what it is given.
fn foreign_free(report: &Report) -> Option<String> {
    /// glibc's functions that are given allocated memory, and what they consist of,
    /// without the prefixes of their many names.
    const FREES: [&str; 7] = [
        "free",
        "cfree",
        "int_free",
        "munmap_chunk",
        "realloc",
        "int_realloc",
        "reallocarray",
    ];
    let record = &report.record;
    let (cubicle, owner) = (record.cubicle.as_deref()?, record.owner.as_deref()?);
    let function = report.position.function.as_deref()?.trim_start_matches('_');
    let function = function.strip_prefix("libc_").unwrap_or(function);
    let foreign = record.kind == Kind::Access && owner != cubicle && owner != MONITOR;
    (foreign && FREES.contains(&function)).then(|| {
        let what = match function.contains("realloc") {
            true => "`realloc`",
            false => "`free`",
        };
        format!(
            "memory of cubicle `{owner}` was given to {what} of cubicle `{cubicle}`: each cubicle has a heap of its own, so let the one that allocated memory free it, by a function that the other one calls"
        )
    })
}

/// A position in one line: `file:line in `function``, or what there is of it.
fn described(position: &Position, style: &Style) -> Option<String> {
    let place = position.file.as_deref().map(|file| {
        let file = shown(file, style);
        position
            .line
            .map_or(file.to_string(), |line| format!("{file}:{line}"))
    });
    match (&position.function, place) {
        (Some(function), Some(place)) => Some(format!("{place} in `{function}`")),
        (Some(function), None) => Some(format!("`{function}`")),
        (None, place) => place,
    }
}

fn shown<'path>(path: &'path Utf8Path, style: &Style) -> &'path Utf8Path {
    style
        .root
        .as_deref()
        .and_then(|root| path.strip_prefix(root).ok())
        .unwrap_or(path)
}

/// The line of source, if it can still be read, and the part of it to mark: all
/// but its indentation, as compilers disagree on where in a line things happen.
fn source(position: &Position) -> Option<(String, std::ops::Range<usize>)> {
    let text = fs::read_to_string(position.file.as_deref()?).ok()?;
    let line = text
        .lines()
        .nth(position.line?.checked_sub(1)? as usize)?
        .trim_end();
    let start = line.len() - line.trim_start().len();
    (start < line.len()).then(|| (line.to_owned(), start..line.len()))
}
