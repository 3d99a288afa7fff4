//! CUB016: what a program may do that `Cubicle.lock` does not list.

use camino::Utf8Path;

use crate::authority::Program;
use crate::authority::compare::{Holder, Line, compare};
use crate::authority::lock_file::Lock;
use crate::diagnostics::{Code, Finding, Findings, Place};
use crate::manifest::Policy;

/// How exactly the file has to say what is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exactness {
    /// Whatever is granted is listed. An optimised build may need less.
    NothingMore,
    /// And whatever is listed is granted.
    Same,
}

/// Compares what `program` may do with what was accepted.
pub fn check(
    lock: &Lock,
    path: &Utf8Path,
    program: &str,
    now: &Program,
    policy: Option<&Policy>,
    exactness: Exactness,
) -> Findings {
    let file = path.file_name().unwrap_or(path.as_str());
    let nothing = Program::default();
    let difference = compare(lock.program.get(program).unwrap_or(&nothing), now);
    let about = |line: &Line, words: String, help: &str| {
        Finding::of_rule(Code::CUB016, format!("program `{program}`: {words}"))
            .at(place(line, path, policy))
            .help(help)
    };
    let widened = difference.widened.iter().map(|line| {
        let words = format!("{}, which {file} does not list", has(line));
        about(line, words, "if that is meant, accept it with `cargo cubicle lint --accept`; the file's change is what reviewers see")
    });
    let narrowed = difference.narrowed.iter().map(|line| {
        let words = format!("{file} lists {}, which is not so any longer", said(line));
        about(
            line,
            words,
            "take it out with `cargo cubicle lint --accept`, so that it cannot come back unseen",
        )
    });
    match exactness {
        Exactness::NothingMore => widened.collect(),
        Exactness::Same => widened.chain(narrowed).collect(),
    }
}

/// The lock file has a program that there is none of.
pub fn no_such_program(path: &Utf8Path, name: &str) -> Finding {
    let file = path.file_name().unwrap_or(path.as_str());
    Finding::of_rule(
        Code::CUB016,
        format!("{file} lists the program `{name}`, which there is not any longer"),
    )
    .at(Place::note(format!("in `{path}`")))
    .help("take it out with `cargo cubicle lint --accept`")
}

/// `cubicle app`: in the manifest, where the holder is described; else the lock file.
fn place(line: &Line, path: &Utf8Path, policy: Option<&Policy>) -> Place {
    let span = policy.and_then(|policy| match &line.holder {
        Some(Holder::Cubicle(name)) => Some(policy.cubicles.get(name)?.name.span.clone()),
        Some(Holder::Window(name)) => Some(policy.windows.get(name)?.name.span.clone()),
        None => None,
    });
    match (policy, span) {
        (Some(policy), Some(span)) => policy.place(&span, ""),
        (Some(policy), None) => Place::line(policy.file.clone(), 1, ""),
        (None, _) => Place::note(format!("in `{path}`")),
    }
}

/// What a line grants, as the beginning of a sentence.
fn has(line: &Line) -> String {
    let text = &line.text;
    let Some(holder) = &line.holder else {
        return format!("`{text}` weakens the protection");
    };
    match line.kind {
        "calls" => format!("{holder} may call `{text}`"),
        "callbacks" => format!("{holder} may call the function passed as `{text}`"),
        "lent" => format!("{holder} is lent `{text}`"),
        "sees" => format!("{holder} sees the memory of `{text}`"),
        "files" => format!("{holder} reaches files: `{text}`"),
        "system-calls" => format!("{holder} may make the system call `{text}`"),
        "guests" => format!("{holder} has the guest `{text}`"),
        "symbols" => format!("{holder} holds `{text}`"),
        "weakened" => format!("{holder} is protected less: `{text}`"),
        kind => format!("{holder} has the {kind} `{text}`"),
    }
}

fn said(line: &Line) -> String {
    match &line.holder {
        Some(holder) => format!("`{}` under `{}` of {holder}", line.text, line.kind),
        None => format!("`{}` under `{}`", line.text, line.kind),
    }
}
