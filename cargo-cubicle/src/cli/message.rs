//! Messages for people, on stderr and in cargo's look.

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
    let causes: String = error
        .chain()
        .skip(1)
        .map(|cause| format!("\n  {NOTE}caused by{NOTE:#}: {cause}"))
        .collect();
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
