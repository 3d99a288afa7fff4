//! Interface files: what is known about the functions of a library, written down
//! once and named by the manifests of many programs.
//!
//! The project's own come first, `manifests/NAME.toml` beside the manifest, then
//! those that the tool carries inside. What the manifest itself says about a
//! function stands, key by key and argument by argument.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use toml::de::DeTable;

use super::function::{Function, Interface};
use super::located::Located;
use super::policy::{InterfaceText, Policy};
use super::read::{self, quoted};
use super::{LONGEST, too_long};
use crate::diagnostics::{Finding, Findings};
use crate::similar::similar;

/// The folder of a project's interface files, beside its manifest.
pub const FOLDER: &str = "manifests";

/// The interface files that come with the tool: names and texts, sorted.
pub const EMBEDDED: [(&str, &str); 2] = [
    ("sqlite3", include_str!("../../../manifests/sqlite3.toml")),
    ("zlib", include_str!("../../../manifests/zlib.toml")),
];

/// Reads every interface file that the policy's cubicles name, and adds what
/// they say to their functions.
pub(super) fn load(policy: &mut Policy, findings: &mut Findings) {
    let mut files: BTreeMap<String, Interface> = BTreeMap::new();
    let mut names: Vec<Located<String>> = policy
        .cubicles
        .values()
        .flat_map(|cubicle| cubicle.interfaces.iter().cloned())
        .collect();
    names.sort_by_key(|name| name.span.start);
    for name in names {
        if files.contains_key(&name.value) {
            continue;
        }
        let interface = read(&name, policy, findings);
        files.insert(name.value, interface);
    }
    for cubicle in policy.cubicles.values_mut() {
        for name in &cubicle.interfaces {
            let interface = &files[&name.value];
            let handles = interface.handles.iter().map(|name| name.value.clone());
            cubicle.handles.extend(handles);
            for (symbol, known) in &interface.functions {
                match cubicle.functions.get_mut(symbol) {
                    Some(function) => complete(function, known),
                    None => drop(cubicle.functions.insert(symbol.clone(), known.clone())),
                }
            }
        }
    }
}

/// Adds what an interface file knows to what stands already.
fn complete(function: &mut Function, known: &Function) {
    fn fill<T: Clone>(own: &mut Option<T>, known: &Option<T>) {
        if own.is_none() {
            own.clone_from(known);
        }
    }
    fill(&mut function.signature, &known.signature);
    fill(&mut function.gate, &known.gate);
    fill(&mut function.result, &known.result);
    fill(&mut function.errno, &known.errno);
    fill(&mut function.fault, &known.fault);
    fill(&mut function.may_unwind, &known.may_unwind);
    for (path, argument) in &known.args {
        let own = function.args.entry(path.clone());
        own.or_insert_with(|| argument.clone());
    }
}

/// Reads one file, and keeps its text in the policy.
fn read(name: &Located<String>, policy: &mut Policy, findings: &mut Findings) -> Interface {
    let (file, text, own) = match find(name, policy) {
        Ok(found) => found,
        Err(finding) => {
            findings.push(finding.at(policy.place(&name.span, "")));
            return Interface::default();
        }
    };
    // One behind the texts that are there already.
    let last = policy.interfaces.last();
    let end = last.map_or(policy.text.len(), |last| last.start + last.text.len());
    let start = end + 1;
    let interface = parse(&file, &text, start, findings);
    policy.interfaces.push(InterfaceText {
        file,
        text: text.into(),
        start,
        own,
    });
    interface
}

/// What an interface file's text says. `start` is where it
/// begins in the space of offsets that all texts share.
pub(super) fn parse(
    file: &Utf8Path,
    text: &str,
    start: usize,
    findings: &mut Findings,
) -> Interface {
    if text.len() > LONGEST {
        findings.push(too_long(file, "interface file"));
        return Interface::default();
    }
    // The parser counts from the beginning of what it is given: so it is given
    // the text at its place, behind blanks, which mean nothing in TOML. A byte
    // order mark would mean something there.
    let content = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = " ".repeat(start + text.len() - content.len()) + content;
    let mut reader = read::Reader::new(file, start);
    let (document, errors) = DeTable::parse_recoverable(&text);
    let interface = if errors.is_empty() {
        read::read_interface(&mut reader, document.get_ref())
    } else {
        reader.syntax_errors(&errors);
        Interface::default()
    };
    findings.extend(reader.findings);
    interface
}

/// The file's path as it is shown, its text, and whether it is the project's.
fn find(name: &str, policy: &Policy) -> Result<(Utf8PathBuf, String, bool), Finding> {
    let mut letters = name.bytes();
    if !letters.all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-')) {
        let message = format!("{} cannot be the name of an interface file", quoted(name));
        return Err(Finding::error(message)
            .help("names are lower-case letters, digits, `-` and `_`, without `.toml`"));
    }
    let folder = policy.file.with_file_name(FOLDER);
    let path = folder.join(name).with_extension("toml");
    match std::fs::read_to_string(&path) {
        Ok(text) => return Ok((path, text, true)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            let message = format!("cannot read the interface file `{path}`");
            return Err(Finding::error(message).help(error.to_string()));
        }
    }
    if let Some((_, text)) = EMBEDDED.iter().find(|(known, _)| *known == name) {
        let file = format!("cargo-cubicle/{FOLDER}/{name}.toml");
        return Ok((file.into(), (*text).to_owned(), false));
    }
    let own = names_in(&folder);
    let known = own.iter().map(String::as_str);
    let known: Vec<&str> = known
        .chain(EMBEDDED.iter().map(|(name, _)| *name))
        .collect();
    let message = format!("there is no interface file called {}", quoted(name));
    let mut finding = Finding::error(message);
    if let Some(near) = similar(name, known.iter().copied()) {
        finding = finding.help(format!("there is one called {}", quoted(near)));
    }
    let list = |names: Vec<String>| match names.as_slice() {
        [] => "none".to_owned(),
        names => names.join(", "),
    };
    let own = list(own.iter().map(|name| quoted(name)).collect());
    let embedded = list(EMBEDDED.iter().map(|(name, _)| quoted(name)).collect());
    Err(finding.help(format!(
        "in `{folder}`: {own}; with the tool come: {embedded}"
    )))
}

/// The names of the interface files in a folder, sorted; none if it is not there.
fn names_in(folder: &Utf8Path) -> Vec<String> {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.into_path())
        .filter(|path| path.extension() == Some("toml"))
        .filter_map(|path| path.file_stem().map(str::to_owned))
        .collect();
    names.sort();
    names
}
