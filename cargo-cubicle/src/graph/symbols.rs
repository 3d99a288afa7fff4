//! Definitions and references of objects and archives.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use object::{Object, ObjectSymbol, SectionFlags, SymbolFlags, SymbolKind};

use crate::assign::{ArchiveError, each_object};

/// What a set of objects defines and refers to.
#[derive(Debug, Default)]
pub struct Symbols {
    pub definitions: BTreeMap<String, Definition>,
    pub references: BTreeSet<String>,
}

/// What a symbol stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    pub kind: Kind,
    pub binding: Binding,
    /// Only the linker knows where a call of it leads: the image chooses when it
    /// starts (STT_GNU_IFUNC), or it is the default one of several versions.
    pub indirect: bool,
}

/// How a definition stands to others of the same symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Binding {
    /// There can be only one.
    Strong,
    /// Without an initial value (`-fcommon`): one variable with all others.
    Common,
    /// Gives way to a strong one.
    Weak,
    /// One of many that are alike: an instance of a template, an inline function.
    Instance,
}

/// The kinds of symbols that matter at a border.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Function,
    Variable,
    ThreadLocal,
}

impl Symbols {
    /// Adds those of an object or archive.
    ///
    /// # Errors
    /// If it cannot be read. Members that are no ELF objects are passed over.
    pub fn add(&mut self, path: &Utf8Path) -> Result<(), ArchiveError> {
        each_object(path, |_, data| self.add_object(data))
    }

    /// Definitions that another cubicle's may replace: those that yield to a strong one in
    /// a program of one piece.
    pub fn yielding(&self) -> impl Iterator<Item = &String> {
        self.definitions
            .iter()
            .filter(|(name, definition)| {
                matches!(definition.binding, Binding::Weak | Binding::Common) && !is_rust_abi(name)
            })
            .map(|(name, _)| name)
    }

    /// Adds those of the object in `bytes`; none if it is none.
    pub fn add_object(&mut self, bytes: &[u8]) {
        let Ok(object) = object::File::parse(bytes) else {
            return;
        };
        for symbol in object.symbols() {
            if !symbol.is_global() {
                continue;
            }
            let Ok(full_name) = symbol.name() else {
                continue;
            };
            let name = unversioned(full_name);
            if symbol.is_undefined() {
                if !self.references.contains(name) {
                    self.references.insert(name.to_owned());
                }
                continue;
            }
            let kind = match symbol.kind() {
                SymbolKind::Text => Kind::Function,
                SymbolKind::Tls => Kind::ThreadLocal,
                SymbolKind::Data => Kind::Variable,
                // Assembly may say nothing; its section does.
                _ => match symbol.section_index().and_then(|index| {
                    use object::ObjectSection;
                    object
                        .section_by_index(index)
                        .ok()
                        .map(|section| section.kind())
                }) {
                    Some(object::SectionKind::Text) => Kind::Function,
                    _ => Kind::Variable,
                },
            };
            let definition = Definition {
                kind,
                binding: binding(&object, &symbol),
                indirect: is_chosen(&symbol) || name != full_name,
            };
            self.definitions
                .entry(name.to_owned())
                .and_modify(|old| {
                    if definition.binding < old.binding {
                        *old = definition;
                    }
                })
                .or_insert(definition);
        }
    }
}

fn binding<'data>(object: &object::File<'data>, symbol: &impl ObjectSymbol<'data>) -> Binding {
    use object::ObjectSection;
    if symbol.is_common() {
        return Binding::Common;
    }
    let section = symbol
        .section_index()
        .and_then(|index| object.section_by_index(index).ok());
    let grouped = section.is_some_and(|section| {
        matches!(section.flags(), SectionFlags::Elf { sh_flags, .. }
            if sh_flags.contains(object::elf::SHF_GROUP))
    });
    match (grouped, symbol.is_weak()) {
        (true, _) => Binding::Instance,
        (false, true) => Binding::Weak,
        (false, false) => Binding::Strong,
    }
}

fn is_chosen<'data>(symbol: &impl ObjectSymbol<'data>) -> bool {
    matches!(symbol.flags(), SymbolFlags::Elf { st_info, .. }
        if st_info.0 & 0xf == object::elf::STT_GNU_IFUNC.0)
}

/// What a reference without a version means: `f@@V2` is the default version of `f`, and
/// `f@V1` another function.
pub fn unversioned(name: &str) -> &str {
    name.split_once("@@").map_or(name, |(name, _)| name)
}

/// Does a reference mean another version than the default one?
pub fn is_version(name: &str) -> bool {
    name.contains('@')
}

/// Is it a symbol of Rust's own ABI? `_R…` is v0 mangling, `_ZN…17h…E` the
/// older one.
pub fn is_rust_abi(name: &str) -> bool {
    name.starts_with("_R") || name.starts_with("_ZN") && name.contains("17h") && name.ends_with('E')
}

/// Is it an instance of generic code? A debug build takes instances from any
/// crate that happens to have one; each image can have a copy of its own. In v0
/// mangling an instance ends with the crate that made it, behind what is a
/// complete name already.
pub fn is_instance(name: &str) -> bool {
    if !name.starts_with("_R") {
        return false;
    }
    let name = name.split_once('.').map_or(name, |(name, _)| name);
    name.rmatch_indices(['C', 'B']).any(|(at, _)| {
        at > 2 && is_crate(&name[at..]) && rustc_demangle::try_demangle(&name[..at]).is_ok()
    })
}

/// A crate as v0 mangling writes it: `C`, a disambiguator and a name with its
/// length, or a back reference to one, `B`.
fn is_crate(text: &str) -> bool {
    let base_62 = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if let Some(reference) = text.strip_prefix('B') {
        return reference.strip_suffix('_').is_some_and(base_62);
    }
    let Some(rest) = text.strip_prefix('C') else {
        return false;
    };
    let rest = match rest.strip_prefix('s') {
        Some(disambiguated) => match disambiguated.split_once('_') {
            Some((number, rest)) if base_62(number) => rest,
            _ => return false,
        },
        None => rest,
    };
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let name = rest[digits..].strip_prefix('_').unwrap_or(&rest[digits..]);
    rest[..digits].parse() == Ok(name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_are_told_from_items() {
        // `<alloc::vec::Vec<i64>>::len` made by `engine`; the same by a back
        // reference; and items: `engine::foo`, and a method of `engine::Foo`.
        for instance in [
            "_RNvMs_NtCsdaEHqVT3abC_5alloc3vecINtB4_3VecxE3lenCs4fqI2P2rA04_6engine",
            "_RINvNtCs4fqI2P2rA04_6engine3map5applyxEB4_",
        ] {
            assert!(is_instance(instance), "{instance}");
        }
        for item in [
            "_RNvCs4fqI2P2rA04_6engine3foo",
            "_RNvMCs4fqI2P2rA04_6engineNtB2_3Foo3new",
            "engine_descend",
        ] {
            assert!(!is_instance(item), "{item}");
        }
    }
}
