//! Messages for people, on stderr and in cargo's look.

use crate::capture::diagnostic::{self, Level};
use clap::builder::styling::{AnsiColor, Style};

const ERROR: Style = AnsiColor::BrightRed.on_default().bold();
const NOTE: Style = AnsiColor::BrightCyan.on_default().bold();

/// An error with its causes, as cargo prints them.
pub fn error(error: &anyhow::Error) {
    let message = error.to_string();
    let mut rendered = format!("{ERROR}error{ERROR:#}: {message}");
    for cause in error.chain().skip(1) {
        rendered += &format!("\n  {NOTE}caused by{NOTE:#}: {cause}");
    }
    let first_line = message.lines().next().unwrap_or_default();
    diagnostic::emit(Level::Error, None, first_line, &rendered);
}

pub fn note(text: &str) {
    anstream::eprintln!("{NOTE}note{NOTE:#}: {text}");
}
