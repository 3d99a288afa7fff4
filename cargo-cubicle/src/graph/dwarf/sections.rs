//! The debug sections of a file, decompressed, joined and relocated.
//!
//! A relocatable object may have several sections called `.debug_info` or
//! `.debug_types` (one for each type unit, in COMDAT groups), and the
//! addresses in it are all zero. Sections of one name are joined, and the
//! other sections get made-up addresses, so that two functions of a file
//! never seem to lie at the same place.

use super::DwarfError;
use crate::graph::symbols::unversioned;
use gimli::{EndianSlice, LittleEndian};
use object::{
    Architecture, File, Object, ObjectKind, ObjectSection, ObjectSymbol, RelocationKind,
    RelocationTarget, SymbolKind,
};
use std::collections::BTreeMap;

pub(super) type Slice<'a> = EndianSlice<'a, LittleEndian>;

pub(super) struct Sections {
    debug: BTreeMap<String, Vec<u8>>,
    /// Address and name of every defined global function.
    pub(super) symbols: Vec<(u64, String)>,
}

/// First made-up address, and the distance between two sections. Zero must
/// stay free: it is what a linker leaves of a function that it dropped.
const GAP: u64 = 0x1_0000;

impl Sections {
    pub(super) fn load(bytes: &[u8]) -> Result<Self, DwarfError> {
        let file = File::parse(bytes)?;
        if file.architecture() != Architecture::X86_64 || !file.is_little_endian() {
            return Err(DwarfError::Machine);
        }
        let relocatable = file.kind() == ObjectKind::Relocatable;
        let mut debug: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut base: BTreeMap<usize, u64> = BTreeMap::new();
        let mut next = GAP;
        for section in file.sections() {
            if let Some(name) = debug_name(&section) {
                let joined = debug.entry(name).or_default();
                base.insert(section.index().0, joined.len() as u64);
                joined.extend_from_slice(&section.uncompressed_data()?);
            } else if relocatable {
                base.insert(section.index().0, next);
                next = next.saturating_add(section.size()).saturating_add(GAP);
                next &= !(GAP - 1);
            }
        }
        if relocatable {
            for section in file.sections() {
                if let Some(name) = debug_name(&section)
                    && let Some(data) = debug.get_mut(&name)
                {
                    let start = base.get(&section.index().0).copied().unwrap_or(0);
                    relocate(&file, &section, start, data, &base);
                }
            }
        }
        let symbols = file
            .symbols()
            .filter(|symbol| symbol.is_definition() && symbol.is_global())
            .filter(|symbol| symbol.kind() == SymbolKind::Text)
            .filter_map(|symbol| {
                let start = match symbol.section_index() {
                    Some(index) if relocatable => base.get(&index.0).copied()?,
                    _ => 0,
                };
                let address = start.checked_add(symbol.address())?;
                Some((address, unversioned(symbol.name().ok()?).to_owned()))
            })
            .collect();
        Ok(Sections { debug, symbols })
    }

    pub(super) fn dwarf(&self) -> gimli::Dwarf<Slice<'_>> {
        let section = |id: gimli::SectionId| -> Slice<'_> {
            let data = self.debug.get(id.name()).map_or(&[][..], Vec::as_slice);
            EndianSlice::new(data, LittleEndian)
        };
        let mut dwarf = gimli::DwarfSections::load(|id| Ok::<_, gimli::Error>(section(id)))
            .map(|sections| sections.borrow(|slice| *slice))
            .unwrap_or_default();
        dwarf.populate_abbreviations_cache(gimli::AbbreviationsCacheStrategy::Duplicates);
        dwarf
    }
}

/// The canonical name of a debug section (`.zdebug_info` is an old way to say
/// that `.debug_info` is compressed), `None` for all others.
fn debug_name<'data>(section: &impl ObjectSection<'data>) -> Option<String> {
    let name = section.name().ok()?;
    if name.starts_with(".debug_") {
        return Some(name.to_owned());
    }
    let rest = name.strip_prefix(".zdebug_")?;
    Some(format!(".debug_{rest}"))
}

/// Applies the relocations of one debug section, which begins at `start` of
/// `data`. One that cannot be applied is passed over: what refers through it
/// reads zero and is found to be unknown later.
fn relocate<'data>(
    file: &File<'data>,
    section: &impl ObjectSection<'data>,
    start: u64,
    data: &mut [u8],
    base: &BTreeMap<usize, u64>,
) {
    for (offset, relocation) in section.relocations() {
        if relocation.kind() != RelocationKind::Absolute {
            continue;
        }
        let target = match relocation.target() {
            RelocationTarget::Symbol(index) => match file.symbol_by_index(index) {
                Ok(symbol) => symbol
                    .section_index()
                    .and_then(|index| base.get(&index.0))
                    .copied()
                    .unwrap_or(0)
                    .wrapping_add(symbol.address()),
                Err(_) => continue,
            },
            RelocationTarget::Section(index) => base.get(&index.0).copied().unwrap_or(0),
            _ => continue,
        };
        let value = target
            .wrapping_add_signed(relocation.addend())
            .to_le_bytes();
        let bytes = usize::from(relocation.size() / 8);
        let place = usize::try_from(start.saturating_add(offset)).unwrap_or(usize::MAX);
        if let Some(end) = place.checked_add(bytes)
            && let Some(target) = data.get_mut(place..end)
            && let Some(value) = value.get(..bytes)
        {
            target.copy_from_slice(value);
        }
    }
}
