//! One JSON document. docs/LINT.md says what it holds; a change that a reader could
//! stumble over raises [`VERSION`].

use serde_json::{Value, json};

use crate::diagnostics::Level;
use crate::lint::position::Position;
use crate::lint::results::{Results, Shown};

const VERSION: u32 = 1;

pub fn document(results: &Results) -> Value {
    let findings: Vec<Value> = results
        .shown
        .iter()
        .map(|shown| finding(shown, results))
        .collect();
    json!({
        "version": VERSION,
        "programs": results.programs,
        "errors": results.count(Level::Deny),
        "warnings": results.count(Level::Warn),
        "findings": findings,
    })
}

fn finding(shown: &Shown, results: &Results) -> Value {
    let finding = &shown.finding;
    let places: Vec<Value> = results
        .places(shown)
        .map(|(file, position, label)| {
            let file = file.map(|file| results.relative(file).unwrap_or(file));
            json!({ "file": file, "position": position.map(of_position), "label": label })
        })
        .collect();
    json!({
        "code": finding.code.map(|code| code.as_str()),
        "name": finding.code.map(|code| code.name()),
        "level": level(finding.level),
        "message": finding.message,
        "places": places,
        "help": finding.helps,
        "programs": shown.programs,
    })
}

fn of_position(position: Position) -> Value {
    match position.columns {
        Some(columns) => json!({
            "line": position.line,
            "column": columns.start,
            "end_line": columns.end_line,
            "end_column": columns.end,
        }),
        None => json!({ "line": position.line }),
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Deny => "error",
        Level::Warn => "warning",
    }
}
