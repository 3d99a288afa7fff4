//! In cargo's look, on standard error.

use super::Results;
use crate::diagnostics::Level;

pub fn print(results: &Results) {
    for shown in &results.shown {
        anstream::eprintln!("{}\n", shown.found.rendered.trim_end());
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
