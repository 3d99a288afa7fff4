//! Checked access to a parsed TOML document. Every mistake becomes a finding at
//! its place, and reading goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use camino::Utf8Path;
use schemars::JsonSchema;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::diagnostics::{Finding, Findings, Fix, Place};
use crate::manifest::extent::{ArgumentPath, Extent};
use crate::manifest::located::Located;
use crate::manifest::schema;
use crate::manifest::words::Word;
use crate::similar::similar;

/// Keys that permit something: a guess is not enough to write one of these.
const PERMITTING: [&str; 6] = ["callers", "sees", "syscalls", "files", "guests", "callback"];

pub type Key<'i> = Spanned<DeString<'i>>;
pub type Val<'i> = Spanned<DeValue<'i>>;

/// A name in backticks, cut short and without control characters: names come
/// from the user, and messages stay on one line.
pub fn quoted(name: &str) -> String {
    let mut short = String::new();
    for letter in name.chars().take(64) {
        if letter.is_control() {
            short.extend(letter.escape_unicode());
        } else {
            short.push(letter);
        }
    }
    if name.chars().nth(64).is_some() {
        short.push('…');
    }
    format!("`{short}`")
}

/// Collects what is wrong while a document is read.
pub struct Reader<'p> {
    file: &'p Utf8Path,
    /// Where the file's text begins in the space of offsets that all texts share.
    start: usize,
    pub findings: Findings,
}

/// One key of a table with its value.
#[derive(Clone, Copy)]
pub struct Entry<'d, 'i> {
    pub key: &'d Key<'i>,
    pub value: &'d Val<'i>,
}

impl Entry<'_, '_> {
    pub fn name(&self) -> &str {
        self.key.get_ref()
    }

    pub fn key_span(&self) -> Range<usize> {
        self.key.span()
    }

    pub fn span(&self) -> Range<usize> {
        self.value.span()
    }
}

/// A table whose keys are all known.
pub struct Table<'d, 'i> {
    entries: BTreeMap<&'d str, Entry<'d, 'i>>,
    known: &'static [String],
    asked: BTreeSet<&'static str>,
}

impl<'d, 'i> Table<'d, 'i> {
    /// The entry of a key that the schema has for this table.
    pub fn get(&mut self, key: &'static str) -> Option<Entry<'d, 'i>> {
        debug_assert!(self.known.iter().any(|known| known == key), "{key}");
        self.asked.insert(key);
        self.entries.get(key).copied()
    }

    /// States that all keys were asked for, so that no key the schema allows can
    /// be forgotten here. It depends on the program alone, not on its input.
    pub fn close(self) {
        debug_assert!(self.known.iter().all(|key| self.asked.contains(&**key)));
    }
}

impl<'p> Reader<'p> {
    pub fn new(file: &'p Utf8Path, start: usize) -> Self {
        Reader {
            file,
            start,
            findings: Findings::new(),
        }
    }

    pub fn place(&self, span: Range<usize>, label: impl Into<String>) -> Place {
        Place::span(
            self.file,
            span.start - self.start..span.end - self.start,
            label,
        )
    }

    /// The span of the text's beginning: for what is wrong with the whole.
    pub fn beginning(&self) -> Range<usize> {
        self.start..self.start
    }

    /// Reports what the parser says about a text that is no TOML.
    pub fn syntax_errors(&mut self, errors: &[toml::de::Error]) {
        for error in errors {
            let span = error.span().unwrap_or_else(|| self.beginning());
            self.error(span, error.message(), "");
        }
    }

    /// Reports a mistake without a remedy.
    pub fn error(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
    ) {
        let place = self.place(span, label);
        self.findings.push(Finding::error(message).at(place));
    }

    /// Reports a mistake and what to do about it.
    pub fn error_with_help(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        let place = self.place(span, label);
        self.findings
            .push(Finding::error(message).at(place).help(help));
    }

    /// Opens a table described by `T`, and reports the keys it does not have.
    /// `what` names the table in messages.
    pub fn table<'d, 'i, T: JsonSchema>(
        &mut self,
        value: &'d Val<'i>,
        span: Range<usize>,
        what: &str,
    ) -> Option<Table<'d, 'i>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(self.known_keys::<T>(table, what)),
            other => {
                self.wrong_type(span, what, "a table", other);
                None
            }
        }
    }

    /// The same for a table that is already known to be one.
    pub fn known_keys<'d, 'i, T: JsonSchema>(
        &mut self,
        table: &'d DeTable<'i>,
        what: &str,
    ) -> Table<'d, 'i> {
        let known = schema::keys_of::<T>();
        let mut entries = BTreeMap::new();
        for (key, value) in table {
            let name: &str = key.get_ref();
            if known.iter().any(|known| known == name) {
                entries.insert(name, Entry { key, value });
                continue;
            }
            let near = similar(name, known.iter().map(String::as_str));
            let help = match near {
                Some(near) => format!("a key with a similar name exists: {}", quoted(near)),
                None => format!(
                    "the keys of {what} are {}",
                    known
                        .iter()
                        .map(|key| quoted(key))
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            };
            let mut finding = Finding::error(format!("unknown key {} in {what}", quoted(name)))
                .at(self.place(key.span(), ""))
                .help(help);
            finding.fix = near
                .filter(|near| !PERMITTING.contains(near))
                .map(|near| Fix::Rename(near.to_owned()));
            self.findings.push(finding);
        }
        Table {
            entries,
            known,
            asked: BTreeSet::new(),
        }
    }

    /// The entries of a table whose keys are names that the user chose.
    pub fn map<'d, 'i>(&mut self, entry: Entry<'d, 'i>) -> Vec<Entry<'d, 'i>> {
        match entry.value.get_ref() {
            DeValue::Table(table) => table
                .iter()
                .map(|(key, value)| Entry { key, value })
                .collect(),
            other => {
                self.wrong_type(entry.span(), &quoted(entry.name()), "a table", other);
                Vec::new()
            }
        }
    }

    pub fn string(&mut self, entry: Entry) -> Option<Located<String>> {
        self.string_value(entry.value, &quoted(entry.name()))
    }

    fn string_value(&mut self, value: &Val, what: &str) -> Option<Located<String>> {
        match value.get_ref() {
            DeValue::String(text) if text.is_empty() => {
                self.error(value.span(), format!("{what} is empty"), "");
                None
            }
            DeValue::String(text) => Some(Located::new(text.to_string(), value.span())),
            other => {
                self.wrong_type(value.span(), what, "a string", other);
                None
            }
        }
    }

    /// A list of strings. What occurs twice is dropped with a warning.
    pub fn strings(&mut self, entry: Entry) -> Vec<Located<String>> {
        let mut list: Vec<Located<String>> = Vec::new();
        let mut first: BTreeMap<String, Range<usize>> = BTreeMap::new();
        for item in self.strings_as_written(entry) {
            match first.get(&item.value) {
                Some(before) => {
                    let finding = Finding::warning(format!("{} is listed twice", quoted(&item)))
                        .at(self.place(item.span, "again here"))
                        .at(self.place(before.clone(), "first here"));
                    self.findings.push(finding);
                }
                None => {
                    first.insert(item.value.clone(), item.span.clone());
                    list.push(item);
                }
            }
        }
        list
    }

    /// A list of strings in which order and repetition matter.
    pub fn strings_as_written(&mut self, entry: Entry) -> Vec<Located<String>> {
        let what = format!("an item of {}", quoted(entry.name()));
        self.array(entry)
            .into_iter()
            .filter_map(|value| self.string_value(value, &what))
            .collect()
    }

    /// The items of a list of anything.
    pub fn array<'d, 'i>(&mut self, entry: Entry<'d, 'i>) -> Vec<&'d Val<'i>> {
        match entry.value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            other => {
                self.wrong_type(entry.span(), &quoted(entry.name()), "a list", other);
                Vec::new()
            }
        }
    }

    pub fn boolean(&mut self, entry: Entry) -> Option<Located<bool>> {
        match entry.value.get_ref() {
            DeValue::Boolean(truth) => Some(Located::new(*truth, entry.span())),
            other => {
                self.wrong_type(entry.span(), &quoted(entry.name()), "true or false", other);
                None
            }
        }
    }

    pub fn integer(&mut self, entry: Entry) -> Option<Located<i64>> {
        match entry.value.get_ref() {
            DeValue::Integer(number) => {
                match i64::from_str_radix(number.as_str(), number.radix()) {
                    Ok(number) => Some(Located::new(number, entry.span())),
                    Err(_) => {
                        self.error(
                            entry.span(),
                            format!("{} does not fit in 64 bits", quoted(entry.name())),
                            "",
                        );
                        None
                    }
                }
            }
            other => {
                self.wrong_type(entry.span(), &quoted(entry.name()), "a number", other);
                None
            }
        }
    }

    /// One word out of those that `W` knows.
    pub fn word<W: Word>(&mut self, entry: Entry) -> Option<Located<W>> {
        let text = self.string(entry)?;
        if let Some((_, word)) = W::WORDS.iter().find(|(word, _)| *word == text.value) {
            return Some(Located::new(*word, text.span));
        }
        let words: Vec<&str> = W::WORDS.iter().map(|(word, _)| *word).collect();
        let choices: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        let place = self.place(text.span.clone(), "");
        let mut finding = Finding::error(format!("{} is not {}", quoted(&text), W::KIND)).at(place);
        if let Some(near) = similar(&text, words.iter().copied()) {
            finding = finding.help(format!("there is one called {}", quoted(near)));
        }
        self.findings
            .push(finding.help(format!("possible values: {}", choices.join(", "))));
        None
    }

    /// An extent: a number of at least 1, or a string in the small language.
    pub fn extent(&mut self, entry: Entry) -> Option<Located<Extent>> {
        match entry.value.get_ref() {
            DeValue::String(text) => match Extent::parse(text) {
                Ok(extent) => Some(Located::new(extent, entry.span())),
                Err(reason) => {
                    self.error_with_help(
                        entry.span(),
                        format!("{} is no extent", quoted(text)),
                        reason.to_string(),
                        "an extent is a number, an argument or field, `*path`, `path*path`, \
                         `cstr` or `sizeof`",
                    );
                    None
                }
            },
            DeValue::Integer(_) => {
                let number = self.integer(entry)?;
                match u64::try_from(number.value) {
                    Ok(bytes) if bytes > 0 => Some(number.map(|_| Extent::Constant(bytes))),
                    _ => {
                        self.error(
                            entry.span(),
                            format!("{} must be at least 1", quoted(entry.name())),
                            "",
                        );
                        None
                    }
                }
            }
            other => {
                let what = quoted(entry.name());
                self.wrong_type(entry.span(), &what, "a number or a string", other);
                None
            }
        }
    }

    /// The path of an argument.
    pub fn path(&mut self, text: &str, span: Range<usize>) -> Option<Located<ArgumentPath>> {
        match ArgumentPath::parse(text) {
            Ok(path) => Some(Located::new(path, span)),
            Err(reason) => {
                self.error_with_help(
                    span,
                    format!("{} does not name an argument", quoted(text)),
                    reason.to_string(),
                    "arguments are written as `name`, `\"#1\"`, `\"name.field\"` or `\"name[].field\"`",
                );
                None
            }
        }
    }

    pub fn wrong_type(&mut self, span: Range<usize>, what: &str, wanted: &str, found: &DeValue) {
        let found = match found {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.error(
            span,
            format!("{what} must be {wanted}"),
            format!("this is {found}"),
        );
    }
}
