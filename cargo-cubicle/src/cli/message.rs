//! Messages for people, on stderr and in cargo's look.

use clap::builder::styling::{AnsiColor, Style};

const ERROR: Style = AnsiColor::BrightRed.on_default().bold();
const NOTE: Style = AnsiColor::BrightCyan.on_default().bold();

/// An error with its causes, as cargo prints them.
pub fn error(error: &anyhow::Error) {
    anstream::eprintln!("{ERROR}error{ERROR:#}: {error}");
    for cause in error.chain().skip(1) {
        anstream::eprintln!("  {NOTE}caused by{NOTE:#}: {cause}");
    }
}

pub fn note(text: &str) {
    anstream::eprintln!("{NOTE}note{NOTE:#}: {text}");
}
