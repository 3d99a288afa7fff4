//! The reference as a document: what the code knows of commands, manifests, rules and statuses.

use std::fmt::Write;

use clap::{Arg, CommandFactory};
use serde_json::Value;

use super::arguments::Arguments;
use super::status::STATUSES;
use crate::diagnostics::{Code, Level};
use crate::manifest;
use crate::plan::system_calls::GROUPS;

/// The document, in Markdown.
pub fn reference() -> String {
    let mut text = String::from(
        "# Reference\n\nWritten by the tool from its own code (a test keeps it fresh). What the keys of a manifest mean together is in \
         [MANIFEST.md](MANIFEST.md).\n",
    );
    commands(&mut text);
    manifest(&mut text);
    groups(&mut text);
    rules(&mut text);
    statuses(&mut text);
    text
}

/// The options of cargo's commands are those of the command that has no others.
const COMMON: &str = "build";

fn commands(text: &mut String) {
    let tool = Arguments::command();
    let takes_cargos = |command: &&clap::Command| {
        let mut arguments = command.get_arguments();
        arguments.any(|one| one.get_id() == "cargo")
    };
    let cargos: Vec<String> = tool
        .get_subcommands()
        .filter(takes_cargos)
        .map(|command| format!("`{}`", command.get_name()))
        .collect();
    let common: Vec<&Arg> = tool
        .find_subcommand(COMMON)
        .map_or_else(Vec::new, |command| shown(command, &[]));
    let _ = writeln!(
        text,
        "\n## Commands\n\n{} take cargo's own flags, too, and these:\n",
        cargos.join(", ")
    );
    flags(text, &common);
    for command in tool.get_subcommands() {
        let _ = writeln!(
            text,
            "\n### `cargo cubicle {}`\n\n{}.",
            command.get_name(),
            command
                .get_about()
                .map(ToString::to_string)
                .unwrap_or_default()
        );
        let own = shown(command, &common);
        if !own.is_empty() {
            text.push('\n');
            flags(text, &own);
        }
    }
}

/// A command's arguments but for cargo's and those.
fn shown<'a>(command: &'a clap::Command, without: &[&Arg]) -> Vec<&'a Arg> {
    let left_out = |one: &&Arg| without.iter().any(|other| other.get_id() == one.get_id());
    let arguments = command.get_arguments().filter(|one| !one.is_hide_set());
    arguments
        .filter(|one| one.get_id() != "cargo" && !left_out(one))
        .collect()
}

fn flags(text: &mut String, arguments: &[&Arg]) {
    *text += "| flag | |\n| --- | --- |\n";
    for one in arguments {
        let takes = one.get_action().takes_values();
        let mut names: Vec<String> = Vec::new();
        names.extend(one.get_short().map(|name| format!("-{name}")));
        names.extend(one.get_long().map(|name| format!("--{name}")));
        let value = one.get_value_names().filter(|_| takes);
        let value = value.and_then(|names| names.first());
        let words = [Some(names.join(", ")), value.map(ToString::to_string)];
        let words: Vec<String> = words.into_iter().flatten().collect();
        let possible = one.get_possible_values();
        let possible: Vec<String> = possible
            .iter()
            .filter(|_| takes)
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        let help = one.get_help().map(ToString::to_string).unwrap_or_default();
        let separator = if possible.is_empty() { "" } else { ": " };
        let _ = writeln!(
            text,
            "| `{}` | {}{separator}{} |",
            cell(words.join(" ").trim()),
            cell(&help),
            possible.join(", ")
        );
    }
}

/// Tables of the schema, the document's own first.
fn manifest(text: &mut String) {
    let schema: Value = serde_json::from_str(&manifest::json_schema()).unwrap_or_default();
    let _ = writeln!(
        text,
        "\n## Keys of `Cubicle.toml`\n\nEditors read the same from [Cubicle.schema.json](Cubicle.schema.json)."
    );
    table(text, "The manifest", &schema);
    let tables = schema["$defs"].as_object().into_iter().flatten();
    for (name, table_) in tables {
        if table_.get("properties").is_some() {
            table(text, name, table_);
        }
    }
}

fn table(text: &mut String, name: &str, schema: &Value) {
    let about = schema["description"].as_str().unwrap_or_default();
    let about = about.replace('\n', " ");
    let _ = writeln!(
        text,
        "\n### {name}\n\n{about}\n\n| key | value | |\n| --- | --- | --- |"
    );
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (key, value) in schema["properties"].as_object().into_iter().flatten() {
        let needed = match required.contains(&key.as_str()) {
            true => "Required. ",
            false => "",
        };
        let about = value["description"].as_str().unwrap_or_default();
        let _ = writeln!(
            text,
            "| `{key}` | {} | {needed}{} |",
            cell(&kind(value)),
            cell(about)
        );
    }
}

/// What a value may be, in words.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap_or(name);
        return format!("[{name}](#{})", name.to_lowercase());
    }
    let words = |name: &str| schema[name].as_array().cloned().unwrap_or_default();
    let choices = words("enum");
    if !choices.is_empty() {
        let choices: Vec<String> = choices.iter().map(|one| format!("`{one}`")).collect();
        return choices.join(", ");
    }
    let ways = [words("anyOf"), words("oneOf"), words("allOf")].concat();
    if !ways.is_empty() {
        let ways: Vec<String> = ways.iter().map(kind).filter(|way| way != "null").collect();
        return ways.join(" or ");
    }
    if let Some(constant) = schema.get("const") {
        return format!("`{constant}`");
    }
    match schema["type"].as_str() {
        Some("array") => format!("list of {}", kind(&schema["items"])),
        Some("object") => match schema.get("additionalProperties") {
            Some(inner) if inner.is_object() => format!("table of {}", kind(inner)),
            _ => "table".to_owned(),
        },
        Some(other) => other.to_owned(),
        None => "any".to_owned(),
    }
}

fn groups(text: &mut String) {
    *text += "\n## Groups of system calls\n\nWhich calls are in each: [MANIFEST.md](MANIFEST.md#system-calls).\n\n| group | |\n| --- | --- |\n";
    for group in GROUPS {
        let _ = writeln!(text, "| `{}` | {} |", group.name, cell(group.summary));
    }
}

fn rules(text: &mut String) {
    *text += "\n## Lint rules\n\n| code | name | level | finds |\n| --- | --- | --- | --- |\n";
    for code in Code::all() {
        let rule = code.rule();
        let level = match rule.default_level {
            Level::Deny => "deny",
            Level::Warn => "warn",
        };
        let _ = writeln!(
            text,
            "| [{0}](lints/{0}.md) | `{1}` | {level} | {2} |",
            rule.code,
            rule.name,
            cell(rule.finds)
        );
    }
}

fn statuses(text: &mut String) {
    *text += "\n## Exit statuses\n\n| status | of | meaning |\n| --- | --- | --- |\n";
    for status in STATUSES {
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            status.number, status.of, status.meaning
        );
    }
    *text += "\n`run` and `test` return the program's own status. A crash that concerns no border ends the program with its own signal, as it would end plainly.\n";
}

/// One line, in which nothing ends a cell.
fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}
