//! Messages from within the compiler wrapper, in the form cargo expects there.
//!
//! cargo asks rustc for its messages as JSON, shows the rendered text in them,
//! repeats warnings when the crate is fresh, and passes all of it on under
//! `--message-format json`. A failure without any such message looks to cargo
//! like a broken compiler, and it prints the whole command line.

use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

/// How serious a message is, in rustc's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Error,
    Warning,
    Note,
}

#[derive(Serialize)]
struct Message<'a> {
    #[serde(rename = "$message_type")]
    kind: &'static str,
    message: &'a str,
    code: Option<Code<'a>>,
    level: Level,
    spans: [(); 0],
    children: [(); 0],
    rendered: &'a str,
}

#[derive(Serialize)]
struct Code<'a> {
    code: &'a str,
    explanation: Option<&'a str>,
}

static AS_JSON: AtomicBool = AtomicBool::new(false);

/// From now on messages are written as JSON, as cargo asked rustc to do.
pub(crate) fn write_json() {
    AS_JSON.store(true, Ordering::Relaxed);
}

/// Shows a message. `message` is its first line without the level, `code` a rule
/// (`CUB001`) if it belongs to one, `rendered` the whole text as people see it,
/// which may hold colours: who prints it in the end removes them where they are
/// not wanted.
pub fn emit(level: Level, code: Option<&str>, message: &str, rendered: &str) {
    let rendered = format!("{}\n", rendered.trim_end());
    if !AS_JSON.load(Ordering::Relaxed) {
        anstream::eprint!("{rendered}");
        return;
    }
    let message = Message {
        kind: "diagnostic",
        message,
        code: code.map(|code| Code {
            code,
            explanation: None,
        }),
        level,
        spans: [],
        children: [],
        rendered: &rendered,
    };
    let text = serde_json::to_string(&message).expect("it holds only strings");
    eprintln!("{text}");
}
