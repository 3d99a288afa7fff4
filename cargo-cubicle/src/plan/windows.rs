//! Keyed windows: their keys and slots, and the globals that live in them.
//!
//! A window takes the number, key, slot and arena behind those of the cubicles, as
//! if it were one that nobody runs. Each of its globals gets whole pages of its
//! slot. Their addresses are decided here, before anything is linked, so that the
//! owner's image and its guests' can be linked side by side.

use std::collections::BTreeMap;

use cubicle_abi::layout::{SLOT_SIZE, page_up, slot};
use cubicle_abi::rights::{Rights, cubicle_key};
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, SymbolKind};

use super::Cubicle;
use crate::assign::{ArchiveError, Assignment, each_member, map_file};
use crate::diagnostics::{Code, Finding, Findings};
use crate::manifest::{self, Access, Located, Policy};

/// One keyed window.
#[derive(Debug)]
pub struct Window {
    pub name: String,
    pub key: u32,
    /// Number of the cubicle that owns it.
    pub owner: usize,
    /// First address of its slot, and the first behind it.
    pub base: u64,
    pub end: u64,
    /// As many bytes as may be allocated in it.
    pub memory: u64,
    /// By name.
    pub globals: BTreeMap<String, Global>,
}

/// A global that lives in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Global {
    /// Where its section goes: whole pages from there on are its own.
    pub place: u64,
    /// The symbol's own address.
    pub address: u64,
    /// The input file as linker scripts name it, and the section in it.
    pub file: String,
    pub section: String,
}

/// Rights of cubicle `name`, with what windows add to them.
pub fn widen(policy: &Policy, name: &str, cubicles: usize, mut rights: Rights) -> Rights {
    for (number, window) in policy.windows.values().enumerate() {
        let key = cubicle_key(cubicles + number);
        let access = if window.owner.value == name {
            Some(Access::ReadWrite)
        } else {
            window.guests.get(name).map(|guest| guest.access.value)
        };
        rights = match access {
            Some(Access::ReadWrite) => rights.writing(key),
            Some(Access::Read) => rights.reading(key),
            None => rights,
        };
    }
    rights
}

/// All windows of a policy, ordered by name, with a place for each of their globals.
/// What cannot be placed is in `findings`.
///
/// # Errors
/// If an object or archive cannot be read.
pub fn resolve(
    policy: &Policy,
    cubicles: &[Cubicle],
    assignment: &Assignment,
    findings: &mut Findings,
) -> Result<Vec<Window>, ArchiveError> {
    let mut windows = Vec::new();
    for (index, (name, declared)) in policy.windows.iter().enumerate() {
        let owner = cubicles
            .iter()
            .position(|cubicle| cubicle.name == declared.owner.value);
        let Some(owner) = owner else {
            continue;
        };
        let number = cubicles.len() + index;
        let mut window = Window {
            name: name.clone(),
            key: cubicle_key(number),
            owner,
            base: slot(number),
            end: slot(number) + SLOT_SIZE,
            memory: cubicles[owner].memory,
            globals: BTreeMap::new(),
        };
        let mut next = window.base;
        for symbol in &declared.symbols {
            let problem = match find(symbol, &cubicles[owner].name, assignment)? {
                None => {
                    let message = format!(
                        "cubicle `{}` defines no variable `{}`",
                        declared.owner.value, symbol.value
                    );
                    Finding::of_rule(Code::CUB013, message)
                }
                Some(Err(problem)) => problem,
                Some(Ok(found)) if found.size > window.end - next => Finding::error(format!(
                    "window `{name}` has no room for `{}`: its variables take more than {SLOT_SIZE} bytes",
                    symbol.value
                )),
                Some(Ok(found)) => {
                    let global = Global {
                        place: next,
                        address: next + found.offset,
                        file: found.file,
                        section: found.section,
                    };
                    next += page_up(found.size.max(1));
                    window.globals.insert(symbol.value.clone(), global);
                    continue;
                }
            };
            findings.push(problem.at(policy.place(&symbol.span, "placed here")));
        }
        windows.push(window);
    }
    Ok(windows)
}

/// The window that holds `symbol` of cubicle number `owner`.
pub fn holding<'a>(windows: &'a [Window], owner: usize, symbol: &str) -> Option<(&'a Window, u64)> {
    windows
        .iter()
        .filter(|window| window.owner == owner)
        .find_map(|window| Some((window, window.globals.get(symbol)?.address)))
}

/// May cubicle `name` refer to what is in a window?
pub fn admits(window: &manifest::Window, name: &str) -> bool {
    window.owner.value == name || window.guests.contains_key(name)
}

/// Where a global is defined.
struct Found {
    file: String,
    section: String,
    /// Of the symbol in its section, and of the section, bytes.
    offset: u64,
    size: u64,
}

/// The definition of a global among what the owner's image is linked from, or why
/// it cannot be placed.
fn find(
    symbol: &Located<String>,
    owner: &str,
    assignment: &Assignment,
) -> Result<Option<Result<Found, Finding>>, ArchiveError> {
    let Some(inputs) = assignment.images.get(owner) else {
        return Ok(None);
    };
    for path in inputs.owned() {
        let bytes = map_file(path)?;
        let mut found = None;
        if bytes.starts_with(b"!<") {
            each_member(path, |member, data| {
                if found.is_none() {
                    found = definition(&symbol.value, &format!("{path}:{member}"), data);
                }
                Ok(())
            })?;
        } else {
            found = definition(&symbol.value, path.as_str(), &bytes);
        }
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The definition of `name` in an object, if it is there.
fn definition(name: &str, file: &str, data: &[u8]) -> Option<Result<Found, Finding>> {
    let object = object::File::parse(data).ok()?;
    let symbol = object
        .symbols()
        .find(|symbol| symbol.is_global() && !symbol.is_undefined() && symbol.name() == Ok(name))?;
    let cannot = |why: &str, help: &str| {
        let finding = Finding::error(format!("`{name}` cannot be placed in a window: {why}"));
        Some(Err(finding.help(help.to_owned())))
    };
    match symbol.kind() {
        SymbolKind::Text => return cannot("it is a function", "functions run in their cubicle"),
        SymbolKind::Tls => {
            return cannot(
                "it is thread-local",
                "each cubicle has thread-locals of its own",
            );
        }
        _ => {}
    }
    let section = symbol
        .section_index()
        .and_then(|index| object.section_by_index(index).ok());
    let Some(section) = section else {
        return cannot(
            "it is a common symbol, which has no place yet",
            "compile it with `-fno-common`, or give it an initial value",
        );
    };
    let writable = matches!(section.flags(), SectionFlags::Elf { sh_flags, .. }
        if sh_flags.contains(object::elf::SHF_WRITE));
    if !writable {
        return cannot(
            "it is a constant",
            "constants can be read by every cubicle anyway",
        );
    }
    let own = section.name().unwrap_or_default();
    let same_name = object.sections().filter(|other| other.name() == Ok(own));
    let others = object.symbols().filter(|other| {
        other.section_index() == Some(section.index())
            && !matches!(other.kind(), SymbolKind::Section | SymbolKind::File)
            && other.address() != symbol.address()
            && !other.name().unwrap_or_default().is_empty()
    });
    let neighbours: Vec<String> = others
        .filter_map(|other| Some(format!("`{}`", other.name().ok()?)))
        .take(3)
        .collect();
    if same_name.count() > 1 || !neighbours.is_empty() {
        let why = match neighbours.as_slice() {
            [] => format!("there are several sections `{own}`"),
            _ => format!("it shares section `{own}` with {}", neighbours.join(", ")),
        };
        return cannot(
            &why,
            "compile it with `-fdata-sections`, so that each variable gets a section of its own",
        );
    }
    Some(Ok(Found {
        file: file.to_owned(),
        section: own.to_owned(),
        offset: symbol.address(),
        size: section.size(),
    }))
}
