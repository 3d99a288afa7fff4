//! Definitions and references of objects and archives.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use object::{Object, ObjectSymbol, SymbolKind};

use crate::assign::{ArchiveError, each_member, map_file};

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
    pub weak: bool,
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
        let bytes = map_file(path)?;
        if bytes.starts_with(b"!<") {
            drop(bytes);
            return each_member(path, |_, data| {
                self.add_object(data);
                Ok(())
            });
        }
        self.add_object(&bytes);
        Ok(())
    }

    fn add_object(&mut self, bytes: &[u8]) {
        let Ok(object) = object::File::parse(bytes) else {
            return;
        };
        for symbol in object.symbols() {
            if !symbol.is_global() {
                continue;
            }
            let Ok(name) = symbol.name() else {
                continue;
            };
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
                weak: symbol.is_weak(),
            };
            self.definitions
                .entry(name.to_owned())
                .and_modify(|old| {
                    if old.weak {
                        *old = definition;
                    }
                })
                .or_insert(definition);
        }
    }
}

/// Is it a symbol of Rust's own ABI? `_R…` is v0 mangling, `_ZN…17h…E` the
/// older one.
pub fn is_rust_abi(name: &str) -> bool {
    name.starts_with("_R") || name.starts_with("_ZN") && name.contains("17h") && name.ends_with('E')
}
