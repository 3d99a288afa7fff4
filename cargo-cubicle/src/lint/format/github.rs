//! Workflow commands of GitHub Actions: an annotation for each finding.

use std::fmt::Write;

use crate::diagnostics::Level;
use crate::lint::results::Results;

pub fn commands(results: &Results) -> String {
    let mut text = String::new();
    for shown in &results.shown {
        let finding = &shown.finding;
        let level = match finding.level {
            Level::Deny => "error",
            Level::Warn => "warning",
        };
        let (file, position) = results.primary(shown);
        let _ = write!(text, "::{level} file={}", property(file.as_str()));
        if let Some(position) = position {
            let _ = write!(text, ",line={}", position.line);
            if let Some(columns) = position.columns {
                let _ = write!(text, ",col={}", columns.start);
                let _ = write!(text, ",endLine={}", columns.end_line);
            }
        }
        let title = match finding.code {
            Some(code) => format!("{code} {}", code.name()),
            None => "cargo cubicle".to_owned(),
        };
        let mut message = finding.message.clone();
        for help in &finding.helps {
            let _ = write!(message, "\nhelp: {help}");
        }
        let _ = writeln!(text, ",title={}::{}", property(&title), data(&message));
    }
    text
}

/// What ends a message or a command is written as a percent code.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// In a property, so is what separates properties.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
