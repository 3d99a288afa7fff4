//! In cargo's look, on standard error.

use crate::diagnostics::{Level, render};
use crate::lint::results::Results;

pub fn print(results: &Results) {
    for shown in &results.shown {
        anstream::eprint!("{}", render([&shown.finding], &results.texts, true));
    }
    let (denied, warned) = (results.count(Level::Deny), results.count(Level::Warn));
    let programs = counted(results.programs, "program");
    let words = match (denied, warned) {
        (0, 0) => format!("{programs}, no findings"),
        (0, warned) => format!("{programs}, {}", counted(warned, "warning")),
        (denied, 0) => format!("{programs}, {}", counted(denied, "error")),
        (denied, warned) => format!(
            "{programs}, {} and {}",
            counted(denied, "error"),
            counted(warned, "warning")
        ),
    };
    anstream::eprintln!("{:>12} {words}", "Linted");
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
