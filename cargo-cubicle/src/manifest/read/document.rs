//! Reads the document's top level, and the tables that are not cubicles.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::cubicle;
use super::reader::{Entry, Reader, quoted};
use crate::diagnostics::{Code, Finding, Fix, Level};
use crate::manifest::located::Located;
use crate::manifest::policy::{Exception, LintRule, Policy, Sight, Variant, Window};
use crate::manifest::schema;
use crate::manifest::words::{Access, Isolation};
use crate::similar::similar;

/// The only version of the format.
const SCHEMA: i64 = 1;

/// Where mistakes were made, so that what they left out is not reported a second
/// time as missing.
#[derive(Default)]
pub struct Doubts {
    /// `cubicle` itself is no table.
    pub cubicle_tables: bool,
    /// The cubicles in whose tables something was wrong.
    pub cubicles: BTreeSet<String>,
}

/// Reads a whole document into a policy. What is wrong is in the reader's
/// findings; the policy then lacks it.
pub fn read(reader: &mut Reader, document: &DeTable, policy: &mut Policy) -> Doubts {
    let mut doubts = Doubts::default();
    let mut table = reader.known_keys::<schema::Manifest>(document, "the manifest");
    read_schema(reader, table.get("schema"), "the manifest");
    if let Some(entry) = table.get("isolation")
        && let Some(isolation) = reader.word::<Isolation>(entry)
    {
        policy.isolation = isolation;
    }
    if let Some(entry) = table.get("dumps")
        && let Some(dumps) = reader.boolean(entry)
    {
        policy.dumps = dumps;
    }
    if let Some(entry) = table.get("cubicle") {
        doubts.cubicle_tables = !entry.value.get_ref().is_table();
        for entry in reader.map(entry) {
            let name = name(reader, entry, "cubicle");
            // A warning left nothing out.
            let mistakes = |reader: &Reader| {
                let findings = reader.findings.iter();
                findings
                    .filter(|finding| finding.level == Level::Deny)
                    .count()
            };
            let before = mistakes(reader);
            let cubicle = cubicle::read(reader, name, entry);
            if mistakes(reader) > before {
                doubts.cubicles.insert(entry.name().to_owned());
            }
            policy.cubicles.insert(entry.name().to_owned(), cubicle);
        }
    }
    if let Some(entry) = table.get("window") {
        for entry in reader.map(entry) {
            if let Some(window) = read_window(reader, entry) {
                policy.windows.insert(entry.name().to_owned(), window);
            }
        }
    }
    if let Some(entry) = table.get("variant") {
        for entry in reader.map(entry) {
            if let Some(variant) = read_variant(reader, entry) {
                policy.variants.insert(entry.name().to_owned(), variant);
            }
        }
    }
    if let Some(entry) = table.get("lint") {
        read_lint(reader, entry, policy);
    }
    table.close();
    doubts
}

/// Reads the key that every file must have. `what` names the file in messages.
pub fn read_schema(reader: &mut Reader, entry: Option<Entry>, what: &str) {
    match entry {
        None => reader.error_with_help(
            reader.beginning(),
            format!("{what} does not say which `schema` it follows"),
            "",
            format!("begin the file with `schema = {SCHEMA}`"),
        ),
        Some(entry) => {
            if let Some(version) = reader.integer(entry)
                && version.value != SCHEMA
            {
                reader.error(
                    version.span,
                    format!("schema {} is not known", version.value),
                    format!("this version of the tool knows schema {SCHEMA}"),
                );
            }
        }
    }
}

/// A name that the user gives to a cubicle, a window or a variant. One that is
/// not well-formed is reported and then used all the same, so that the rest of
/// its table is looked at.
fn name(reader: &mut Reader, entry: Entry, what: &str) -> Located<String> {
    let name = entry.name();
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase());
    let rest = bytes.all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
    if !(first && rest) {
        reader.error_with_help(
            entry.key_span(),
            format!("{} cannot be the name of a {what}", quoted(name)),
            "",
            "names are lower-case letters, digits, `-` and `_`, and begin with a letter",
        );
    }
    Located::new(name.to_owned(), entry.key_span())
}

/// Reads a map from cubicle names to accesses: `sees` and `guests`.
pub fn read_sights(reader: &mut Reader, entry: Entry) -> BTreeMap<String, Sight> {
    let mut sights = BTreeMap::new();
    for entry in reader.map(entry) {
        if let Some(access) = reader.word::<Access>(entry) {
            let cubicle = Located::new(entry.name().to_owned(), entry.key_span());
            sights.insert(entry.name().to_owned(), Sight { cubicle, access });
        }
    }
    sights
}

fn read_window(reader: &mut Reader, entry: Entry) -> Option<Window> {
    let name = name(reader, entry, "window");
    let what = format!("window {}", quoted(&name));
    let mut table = reader.table::<schema::Window>(entry.value, entry.key_span(), &what)?;
    let owner = table.get("owner").map(|entry| reader.string(entry));
    if owner.is_none() {
        missing(reader, entry.key_span(), &what, "owner");
    }
    let guests = table.get("guests");
    let sights = guests.map_or_else(BTreeMap::new, |entry| read_sights(reader, entry));
    match guests {
        None => missing(reader, entry.key_span(), &what, "guests"),
        Some(guests) => {
            if matches!(guests.value.get_ref(), DeValue::Table(table) if table.is_empty()) {
                reader.error(guests.span(), format!("{what} has no guests"), "");
            }
        }
    }
    let symbols = table
        .get("symbols")
        .map_or_else(Vec::new, |entry| reader.strings(entry));
    table.close();
    Some(Window {
        name,
        owner: owner??,
        guests: sights,
        symbols,
    })
}

fn read_variant(reader: &mut Reader, entry: Entry) -> Option<Variant> {
    let name = name(reader, entry, "variant");
    let what = format!("variant {}", quoted(&name));
    let mut table = reader.table::<schema::Variant>(entry.value, entry.key_span(), &what)?;
    let merge = table.get("merge");
    table.close();
    let Some(merge) = merge else {
        missing(reader, entry.key_span(), &what, "merge");
        return None;
    };
    let mut groups = Vec::new();
    for value in reader.array(merge) {
        let group = reader.strings(Entry {
            key: merge.key,
            value,
        });
        if matches!(value.get_ref(), DeValue::Array(items) if items.len() < 2) {
            reader.error(
                value.span(),
                "a group to merge needs two cubicles or more",
                "",
            );
        }
        groups.push(group);
    }
    Some(Variant {
        name,
        merge: groups,
    })
}

fn read_lint(reader: &mut Reader, entry: Entry, policy: &mut Policy) {
    for entry in reader.map(entry) {
        let name = entry.name();
        if let Some(code) = Code::from_name(name) {
            if let Some(rule) = read_lint_rule(reader, entry) {
                policy.lint.insert(code, rule);
            }
            continue;
        }
        let place = reader.place(entry.key_span(), "");
        let finding = Finding::error(format!("no lint rule is called {}", quoted(name))).at(place);
        let near = Code::from_code(name)
            .map(Code::name)
            .or_else(|| similar(name, Code::all().map(Code::name)));
        reader.findings.push(match near {
            Some(near) => finding
                .help(format!("there is one called {}", quoted(near)))
                .fix(Fix::Rename(near.to_owned())),
            None => finding.help("rules are written by name, such as `unused-entry`"),
        });
    }
}

/// A level, or a table with one and with exceptions.
fn read_lint_rule(reader: &mut Reader, entry: Entry) -> Option<LintRule> {
    if !matches!(entry.value.get_ref(), DeValue::Table(_)) {
        let level = Some(reader.word(entry)?);
        return Some(LintRule {
            level,
            ..LintRule::default()
        });
    }
    let what = quoted(entry.name());
    let mut table = reader.table::<schema::LintRule>(entry.value, entry.span(), &what)?;
    let mut rule = LintRule {
        level: table.get("level").and_then(|entry| reader.word(entry)),
        ..LintRule::default()
    };
    for entry in table
        .get("except")
        .map(|entry| reader.map(entry))
        .unwrap_or_default()
    {
        let name = Located::new(entry.name().to_owned(), entry.key_span());
        let Some(reason) = reader.string(entry) else {
            continue;
        };
        if reason.trim().is_empty() {
            reader.error_with_help(
                reason.span.clone(),
                format!("the exception for {} has no reason", quoted(&name)),
                "",
                "say why this is left alone: whoever reads the manifest will ask",
            );
            continue;
        }
        rule.except
            .insert(name.value.clone(), Exception { name, reason });
    }
    table.close();
    Some(rule)
}

/// Reports a key that a table must have.
pub fn missing(reader: &mut Reader, span: Range<usize>, what: &str, key: &str) {
    reader.error(span, format!("{what} has no `{key}`"), "");
}
