//! Signatures from DWARF, versions 2 to 5, of an object file or a linked
//! image.
//!
//! The debug information of a component is written by whatever compiler its
//! author used, and may be damaged: everything here answers with an error or
//! with an unknown type, never with a panic, and one bad unit does not hide
//! the others.
//!
//! What DWARF cannot say: a packed struct whose members happen to lie where
//! an ordinary struct would have them looks like the ordinary struct. The two
//! are passed alike unless a member wants an alignment of 16.

mod functions;
mod pointees;
mod sections;
mod types;
mod units;

use super::signature::Signature;
use std::collections::BTreeMap;

/// Why debug information could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum DwarfError {
    /// Not an ELF file, or a damaged one.
    #[error("this is not a readable ELF file: {0}")]
    Object(#[from] object::Error),
    /// One of its sections cannot be read.
    #[error("the debug information is damaged: {0}")]
    Contents(#[from] super::contents::ContentsError),
    /// Not for x86-64.
    #[error("this ELF file is not for x86-64")]
    Machine,
    /// The table of units is damaged.
    #[error("the debug information is damaged: {0}")]
    Dwarf(#[from] gimli::Error),
}

/// The signatures in the debug information of one file.
#[derive(Clone, Debug, Default)]
pub struct DebugInfo {
    functions: BTreeMap<String, Function>,
    split: Vec<String>,
    problems: Vec<String>,
    units: usize,
}

#[derive(Clone, Debug)]
struct Function {
    signature: Signature,
    version: u16,
}

/// What debug information says about one symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// The signature of its definition.
    Found(&'a Signature),
    /// Nothing, but some of the debug information of this file lies in
    /// `.dwo` files (`-gsplit-dwarf`, `split-debuginfo`), which are not read.
    Split,
    /// The file has no debug information.
    NoDebugInfo,
    /// The file has debug information, which does not define the symbol.
    Unknown,
}

impl DebugInfo {
    /// Reads the signatures of all external functions that `bytes`, an ELF
    /// object or image, defines. C++ functions have their mangled name.
    ///
    /// # Errors
    /// If it is not an x86-64 ELF file, or its units cannot even be listed.
    pub fn read(bytes: &[u8]) -> Result<Self, DwarfError> {
        Self::read_those(bytes, |_| true)
    }

    /// As [`DebugInfo::read`], but only of the symbols that `wanted` says: the
    /// debug information of a Rust image holds thousands of others.
    ///
    /// # Errors
    /// As [`DebugInfo::read`].
    pub fn read_those(bytes: &[u8], wanted: impl Fn(&str) -> bool) -> Result<Self, DwarfError> {
        let sections = sections::Sections::load(bytes)?;
        let dwarf = sections.dwarf();
        let mut info = DebugInfo::default();
        let units = units::Units::read(&dwarf, &mut info.problems)?;
        info.units = units.len();
        info.split = units.split();
        functions::collect(&units, &sections, &wanted, &mut info);
        Ok(info)
    }

    /// The signature of every function read, by symbol. An alias
    /// (`__attribute__((alias))`) has the signature of what it stands for.
    pub fn signatures(&self) -> BTreeMap<String, Signature> {
        self.functions
            .iter()
            .map(|(name, function)| (name.clone(), function.signature.clone()))
            .collect()
    }

    /// What is known about one symbol, and if nothing is, why.
    pub fn find(&self, symbol: &str) -> Answer<'_> {
        match self.functions.get(symbol) {
            Some(function) => Answer::Found(&function.signature),
            None if !self.split.is_empty() => Answer::Split,
            None if self.units == 0 => Answer::NoDebugInfo,
            None => Answer::Unknown,
        }
    }

    /// The DWARF version (2 to 5) of the unit that defines a symbol.
    pub fn version(&self, symbol: &str) -> Option<u16> {
        self.functions.get(symbol).map(|function| function.version)
    }

    /// The `.dwo` files that hold the rest of this file's debug information.
    pub fn split(&self) -> &[String] {
        &self.split
    }

    /// What was damaged and has been passed over.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}
