//! Reads one `[cubicle.NAME]` table.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::de::DeValue;

use super::document::{missing, read_sights};
use super::function;
use super::reader::{Entry, Reader, Table, quoted};
use crate::diagnostics::Finding;
use crate::manifest::located::Located;
use crate::manifest::policy::{CSources, Cubicle, Files, SYSCALL_GROUPS, SymbolPattern};
use crate::manifest::schema;
use crate::manifest::size::{self, GIB, MIB, PAGE};
use crate::manifest::words::{Denied, GateKind, OnFault, Rodata};
use crate::similar::similar;

/// Reads the table. Whatever is wrong in it is reported and left out.
pub fn read(reader: &mut Reader, name: Located<String>, entry: Entry) -> Cubicle {
    let span = name.span.clone();
    let mut cubicle = defaults(name);
    let what = format!("cubicle {}", quoted(&cubicle.name));
    let Some(mut table) = reader.table::<schema::Cubicle>(entry.value, span, &what) else {
        return cubicle;
    };
    cubicle.main = table.get("main").and_then(|entry| reader.boolean(entry));
    cubicle.kind = table.get("kind").and_then(|entry| reader.word(entry));
    cubicle.crates = strings(reader, table.get("crates"));
    let sources = table.get("c").and_then(|entry| c_sources(reader, entry));
    cubicle.c.extend(sources);
    cubicle.objects = patterns(reader, table.get("objects"));
    cubicle.libs = strings(reader, table.get("libs"));
    cubicle.interfaces = strings(reader, table.get("interfaces"));
    cubicle.callers = strings(reader, table.get("callers"));
    cubicle.exports = table.get("exports").map(|entry| exports(reader, entry));
    if let Some(entry) = table.get("sees") {
        cubicle.sees = read_sights(reader, entry);
    }
    sizes(reader, &mut table, &mut cubicle);
    set(
        &mut cubicle.gate,
        table.get("gate").and_then(|entry| reader.word(entry)),
    );
    set(
        &mut cubicle.scrub_vectors,
        table
            .get("scrub-vectors")
            .and_then(|entry| reader.boolean(entry)),
    );
    cubicle.syscalls = strings(reader, table.get("syscalls"));
    check_syscalls(reader, &cubicle.syscalls);
    set(
        &mut cubicle.denied,
        table.get("denied").and_then(|entry| reader.word(entry)),
    );
    cubicle.files = table.get("files").and_then(|entry| files(reader, entry));
    set(
        &mut cubicle.rodata,
        table.get("rodata").and_then(|entry| reader.word(entry)),
    );
    set(
        &mut cubicle.on_fault,
        table.get("on-fault").and_then(|entry| reader.word(entry)),
    );
    set(
        &mut cubicle.restarts,
        table
            .get("restarts")
            .and_then(|entry| restarts(reader, entry)),
    );
    if let Some(entry) = table.get("function") {
        cubicle.functions = function::read_all(reader, entry);
    }
    table.close();
    cubicle
}

fn defaults(name: Located<String>) -> Cubicle {
    let span = name.span.clone();
    Cubicle {
        name,
        main: None,
        kind: None,
        crates: Vec::new(),
        c: Vec::new(),
        objects: Vec::new(),
        libs: Vec::new(),
        interfaces: Vec::new(),
        callers: Vec::new(),
        exports: None,
        sees: BTreeMap::new(),
        memory: Located::new(GIB, span.clone()),
        stack: Located::new(MIB, span.clone()),
        gate: Located::new(GateKind::Checked, span.clone()),
        scrub_vectors: Located::new(true, span.clone()),
        syscalls: Vec::new(),
        denied: Located::new(Denied::Error, span.clone()),
        files: None,
        rodata: Located::new(Rodata::Public, span.clone()),
        on_fault: Located::new(OnFault::Abort, span.clone()),
        restarts: Located::new(DEFAULT_RESTARTS, span),
        handles: BTreeSet::new(),
        functions: BTreeMap::new(),
    }
}

/// Restarts a minute: one a second means that nothing else happens any longer.
const DEFAULT_RESTARTS: u32 = 60;

fn restarts(reader: &mut Reader, entry: Entry) -> Option<Located<u32>> {
    let number = reader.integer(entry)?;
    match u32::try_from(number.value) {
        Ok(count) if count > 0 => Some(number.map(|_| count)),
        _ => {
            reader.error_with_help(
                number.span,
                "`restarts` must be at least 1",
                "",
                "a cubicle that is never to be restarted has `on-fault = \"abort\"`",
            );
            None
        }
    }
}

fn set<T>(target: &mut Located<T>, value: Option<Located<T>>) {
    if let Some(value) = value {
        *target = value;
    }
}

fn strings(reader: &mut Reader, entry: Option<Entry>) -> Vec<Located<String>> {
    entry.map_or_else(Vec::new, |entry| reader.strings(entry))
}

/// A list of glob patterns of files.
fn patterns(reader: &mut Reader, entry: Option<Entry>) -> Vec<Located<String>> {
    let mut list = strings(reader, entry);
    list.retain(|pattern| compile(reader, pattern).is_some());
    list
}

fn compile(reader: &mut Reader, pattern: &Located<String>) -> Option<glob::Pattern> {
    match glob::Pattern::new(pattern) {
        Ok(compiled) => Some(compiled),
        Err(reason) => {
            reader.error(
                pattern.span.clone(),
                format!("{} is no glob pattern", quoted(pattern)),
                reason.msg,
            );
            None
        }
    }
}

fn exports(reader: &mut Reader, entry: Entry) -> Vec<Located<SymbolPattern>> {
    let mut list = Vec::new();
    for text in reader.strings(entry) {
        if let Some(pattern) = compile(reader, &text) {
            list.push(text.map(|_| SymbolPattern(pattern)));
        }
    }
    list
}

fn c_sources(reader: &mut Reader, entry: Entry) -> Option<CSources> {
    let mut table = reader.table::<schema::CSources>(entry.value, entry.span(), "`c`")?;
    let files = table.get("files");
    let sources = CSources {
        files: patterns(reader, files),
        include: strings(reader, table.get("include")),
        define: table
            .get("define")
            .map_or_else(BTreeMap::new, |entry| define(reader, entry)),
        flags: table
            .get("flags")
            .map_or_else(Vec::new, |entry| reader.strings_as_written(entry)),
    };
    table.close();
    match files {
        None => missing(reader, entry.key_span(), "`c`", "files"),
        Some(files) => {
            if matches!(files.value.get_ref(), DeValue::Array(items) if items.is_empty()) {
                reader.error(files.span(), "`files` is empty", "");
            }
        }
    }
    Some(sources)
}

fn files(reader: &mut Reader, entry: Entry) -> Option<Files> {
    let mut table = reader.table::<schema::Files>(entry.value, entry.span(), "`files`")?;
    let files = Files {
        span: entry.span(),
        read: places(reader, table.get("read")),
        write: places(reader, table.get("write")),
    };
    table.close();
    Some(files)
}

/// Paths, without a slash at their end.
fn places(reader: &mut Reader, entry: Option<Entry>) -> Vec<Located<String>> {
    let mut places = Vec::new();
    for place in strings(reader, entry) {
        let absolute = place.starts_with('/');
        let inside = place.trim_matches('/');
        let plain = inside == "." && !absolute
            || inside.split('/').all(|part| {
                !matches!(part, "." | "..") && (!part.is_empty() || place.value == "/")
            });
        let help = if place.starts_with('~') || place.contains('$') {
            "the environment has no say in it; write the path itself"
        } else if place.contains(['*', '?', '[']) {
            "list the folder: what is in it belongs to it"
        } else if !plain || place.contains('\0') {
            "write it without `.`, `..` and empty parts; \".\" alone is the directory in which the \
             program starts"
        } else {
            let root = if absolute { "/" } else { "" };
            let text = format!("{root}{inside}");
            places.push(place.map(|_| text));
            continue;
        };
        reader.error_with_help(
            place.span.clone(),
            format!("{} is no place of files", quoted(&place)),
            "",
            help,
        );
    }
    places
}

fn define(reader: &mut Reader, entry: Entry) -> BTreeMap<String, Located<String>> {
    let mut macros = BTreeMap::new();
    for entry in reader.map(entry) {
        let name = entry.name();
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !name.bytes().all(letters) || !name.starts_with(|first: char| !first.is_ascii_digit()) {
            reader.error(
                entry.key_span(),
                format!("{} cannot be the name of a macro", quoted(name)),
                "",
            );
        }
        match entry.value.get_ref() {
            // A macro may well be defined as nothing.
            DeValue::String(value) => {
                let value = Located::new(value.to_string(), entry.span());
                macros.insert(name.to_owned(), value);
            }
            other => {
                let what = format!("the value of {}", quoted(name));
                reader.wrong_type(entry.span(), &what, "a string", other);
            }
        }
    }
    macros
}

fn sizes(reader: &mut Reader, table: &mut Table, cubicle: &mut Cubicle) {
    // An arena is 64 GiB of addresses; the rest of it is for stacks, TLS and the
    // guard distance to the next one. Less than a mebibyte does not start a libc.
    let memory = table.get("memory");
    set(
        &mut cubicle.memory,
        memory.and_then(|entry| bounded(reader, entry, MIB, 48 * GIB)),
    );
    // glibc's own minimum for a thread's stack is 16 KiB (PTHREAD_STACK_MIN).
    let stack = table.get("stack");
    set(
        &mut cubicle.stack,
        stack.and_then(|entry| bounded(reader, entry, 16 << 10, GIB)),
    );
    if cubicle.stack.value >= cubicle.memory.value {
        let (span, limit) = match stack {
            Some(_) => (cubicle.stack.span.clone(), cubicle.memory.value),
            None => (cubicle.memory.span.clone(), cubicle.memory.value),
        };
        reader.error(
            span,
            "a stack does not fit into the cubicle's memory",
            format!(
                "stacks of {} in an arena of {}",
                size::show(cubicle.stack.value),
                size::show(limit)
            ),
        );
    }
}

fn bounded(reader: &mut Reader, entry: Entry, least: u64, most: u64) -> Option<Located<u64>> {
    let what = quoted(entry.name());
    if let DeValue::Integer(_) = entry.value.get_ref() {
        reader.error_with_help(
            entry.span(),
            format!("{what} has no unit"),
            "",
            "write it as a string with K, M or G, such as \"256M\"",
        );
        return None;
    }
    let text = reader.string(entry)?;
    let Some(bytes) = size::parse(&text) else {
        reader.error_with_help(
            text.span,
            format!("{} is not a size", quoted(&text.value)),
            "",
            "a size is digits and K, M or G, such as \"256M\"",
        );
        return None;
    };
    let complain = |reader: &mut Reader, span: Range<usize>, reason: String| {
        reader.error(span, format!("{what} cannot be {}", quoted(&text)), reason);
    };
    if !(least..=most).contains(&bytes) {
        let reason = format!("from {} to {}", size::show(least), size::show(most));
        complain(reader, text.span.clone(), reason);
        return None;
    }
    if !bytes.is_multiple_of(PAGE) {
        complain(reader, text.span.clone(), "not a multiple of 4K".to_owned());
        return None;
    }
    Some(Located::new(bytes, text.span))
}

/// Groups come from a fixed list. Single names are looked up when the plan is
/// made, where the table of system calls is.
fn check_syscalls(reader: &mut Reader, names: &[Located<String>]) {
    for name in names {
        if name.starts_with('@') {
            if SYSCALL_GROUPS.contains(&name.as_str()) {
                continue;
            }
            let place = reader.place(name.span.clone(), "");
            let mut finding =
                Finding::error(format!("{} is no group of system calls", quoted(name))).at(place);
            if let Some(near) = similar(name, SYSCALL_GROUPS) {
                finding = finding.help(format!("there is one called {}", quoted(near)));
            }
            let groups = SYSCALL_GROUPS.map(quoted).join(", ");
            reader
                .findings
                .push(finding.help(format!("the groups are {groups}")));
            continue;
        }
        let well_formed = name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if !well_formed {
            reader.error_with_help(
                name.span.clone(),
                format!("{} cannot be the name of a system call", quoted(name)),
                "",
                "groups begin with `@`; single calls are written as in the kernel's table, such as \
                 `getpid`",
            );
        }
    }
}
