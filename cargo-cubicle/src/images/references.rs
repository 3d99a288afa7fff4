//! What of a finished image really refers to others: the relocations that the
//! linker kept. References that died with unused code are not among them.

use std::collections::BTreeMap;

use object::read::elf::ElfFile64;
use object::{
    Endianness, Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionFlags, SymbolIndex,
    SymbolSection,
};

/// A place in an image that holds the address of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// Address of the place.
    pub place: u64,
    /// In executable text.
    pub text: bool,
}

/// For each import of `image` (by name), the places that refer to it.
///
/// # Errors
/// If the image cannot be read.
pub fn references(
    image: &[u8],
    imports: &super::Imports,
) -> Result<BTreeMap<String, Vec<Reference>>, object::Error> {
    let elf = ElfFile64::<Endianness>::parse(image)?;
    // By address: linkers write `f@V1` of an object as `f`.
    let wanted: BTreeMap<u64, &str> = imports
        .0
        .iter()
        .map(|import| (import.address, import.symbol.as_str()))
        .collect();
    let mut indices = BTreeMap::new();
    for symbol in elf.symbols() {
        if symbol.section() != SymbolSection::Absolute {
            continue;
        }
        if let Some(import) = wanted.get(&symbol.address())
            && let Ok(name) = symbol.name()
            && without_version(name) == without_version(import)
        {
            indices.insert(symbol.index().0, (*import).to_owned());
        }
    }
    let mut found: BTreeMap<String, Vec<Reference>> = BTreeMap::new();
    each_relocation(&elf, |reference, symbol| {
        if let Some(name) = indices.get(&symbol.0) {
            found.entry(name.clone()).or_default().push(reference);
        }
    });
    for places in found.values_mut() {
        places.sort();
        places.dedup();
    }
    Ok(found)
}

/// Hands over every place in what is loaded that refers to a symbol. Debug information and unwinding tables refer to
/// symbols, too, but call nobody.
pub fn each_relocation<'data>(
    file: &impl Object<'data>,
    mut each: impl FnMut(Reference, SymbolIndex),
) {
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
            continue;
        };
        if !sh_flags.contains(object::elf::SHF_ALLOC) || section.name() == Ok(".eh_frame") {
            continue;
        }
        let text = sh_flags.contains(object::elf::SHF_EXECINSTR);
        for (place, relocation) in section.relocations() {
            if let RelocationTarget::Symbol(symbol) = relocation.target() {
                each(Reference { place, text }, symbol);
            }
        }
    }
}

fn without_version(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}
