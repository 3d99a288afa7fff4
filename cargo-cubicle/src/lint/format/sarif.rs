//! SARIF 2.1.0 (OASIS). Section numbers are of that standard.

use camino::Utf8Path;
use serde_json::{Value, json};

use crate::diagnostics::{Code, Level};
use crate::lint::position::Position;
use crate::lint::results::{Results, Shown};

/// What paths are relative to (3.14.14).
const ROOT: &str = "SRCROOT";

pub fn document(results: &Results) -> Value {
    let rules: Vec<Value> = Code::all().map(rule).collect();
    let found: Vec<Value> = results
        .shown
        .iter()
        .map(|shown| result(shown, results))
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "cargo-cubicle",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": found,
        }],
    })
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "name": code.name(),
        "shortDescription": { "text": code.rule().finds },
        "defaultConfiguration": { "level": level(code.default_level()) },
    })
}

fn result(shown: &Shown, results: &Results) -> Value {
    let finding = &shown.finding;
    let mut message = finding.message.clone();
    for help in &finding.helps {
        message.push_str("\nhelp: ");
        message.push_str(help);
    }
    let (file, position) = results.primary(shown);
    let mut value = json!({
        "level": level(finding.level),
        "message": { "text": message },
        "locations": [location(&file, position, None)],
        "partialFingerprints": { "cubicleFinding/v1": fingerprint(shown, &file) },
    });
    let related: Vec<Value> = results
        .places(shown)
        .filter_map(|(place, at, label)| {
            let place = results.relative(place?)?;
            ((place, at) != (&file, position)).then(|| location(place, at, Some(label)))
        })
        .collect();
    if !related.is_empty() {
        value["relatedLocations"] = related.into();
    }
    if let Some(code) = finding.code {
        let index = Code::all().position(|one| one == code);
        value["ruleId"] = code.as_str().into();
        value["ruleIndex"] = index.into();
    }
    value
}

fn location(file: &Utf8Path, position: Option<Position>, label: Option<&str>) -> Value {
    let mut physical = json!({
        "artifactLocation": { "uri": uri(file), "uriBaseId": ROOT },
    });
    if let Some(position) = position {
        physical["region"] = match position.columns {
            Some(columns) => json!({
                "startLine": position.line,
                "startColumn": columns.start,
                "endLine": columns.end_line,
                "endColumn": columns.end,
            }),
            None => json!({ "startLine": position.line }),
        };
    }
    let mut location = json!({ "physicalLocation": physical });
    if let Some(label) = label.filter(|label| !label.is_empty()) {
        location["message"] = json!({ "text": label });
    }
    location
}

/// A relative path as a URI reference (3.10.1): what is not unreserved is escaped.
fn uri(file: &Utf8Path) -> String {
    file.as_str()
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                (byte as char).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// The same for the same finding although lines above it have come or gone: FNV-1a of
/// rule, file and words.
fn fingerprint(shown: &Shown, file: &Utf8Path) -> String {
    let finding = &shown.finding;
    let code = finding.code.map_or("", Code::as_str);
    let words = [code, file.as_str(), finding.message.as_str()].join("\0");
    let hash = words.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Deny => "error",
        Level::Warn => "warning",
    }
}
