//! The debug information of all images as that of one program, so that whatever reads the program
//! (debuggers, profilers, the backtrace of a panic in any cubicle) finds all of it.
//!
//! Sections of one name lie one behind the other. What refers from one into another is a distance from
//! its beginning, which the linker has filled in for the image alone; the relocations that it kept
//! say where, and each distance grows by what now lies before:
//!
//! ```text
//!   .debug_info   │ app: … str 0x20 … │ zlib: … str 0x30 + 0x100 … │
//!   .debug_str    │ app: 0x100 bytes  │ zlib: …                    │
//! ```

use std::collections::BTreeMap;

use object::{Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget, elf};

use crate::images::Image;

/// Names and contents of the sections.
///
/// # Errors
/// If a section of an image cannot be read.
pub fn merge(images: &[Image]) -> Result<BTreeMap<String, Vec<u8>>, object::Error> {
    let mut merged: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for image in images {
        let file = object::File::parse(&*image.bytes)?;
        let mut sections = Vec::new();
        for section in file.sections() {
            let name = section.name()?;
            if name.starts_with(PREFIX) {
                sections.push((name.to_owned(), section));
            }
        }
        // Where this image's part of each section begins.
        let begin: BTreeMap<_, u64> = sections
            .iter()
            .map(|(name, section)| {
                let before = merged.get(name).map_or(0, Vec::len);
                (section.index().0, before as u64)
            })
            .collect();
        for (name, section) in &sections {
            let mut bytes = section.uncompressed_data()?.into_owned();
            for (place, relocation) in section.relocations() {
                let RelocationTarget::Symbol(symbol) = relocation.target() else {
                    continue;
                };
                let target = file.symbol_by_index(symbol)?.section_index();
                if let Some(before) = target.and_then(|target| begin.get(&target.0)) {
                    add(&mut bytes, place, relocation.flags(), *before);
                }
            }
            merged.entry(name.clone()).or_default().extend(bytes);
        }
    }
    Ok(merged)
}

/// What the names of such sections begin with.
const PREFIX: &str = ".debug_";

/// Adds to the number that a relocation has filled in; one that is not there is left alone.
fn add(bytes: &mut [u8], place: u64, flags: RelocationFlags, more: u64) {
    let Ok(place) = usize::try_from(place) else {
        return;
    };
    let Some(rest) = bytes.get_mut(place..) else {
        return;
    };
    match flags {
        RelocationFlags::Elf {
            r_type: elf::R_X86_64_32,
        } => {
            if let Some(word) = rest.first_chunk_mut() {
                *word = u32::from_le_bytes(*word)
                    .wrapping_add(more as u32)
                    .to_le_bytes();
            }
        }
        RelocationFlags::Elf {
            r_type: elf::R_X86_64_64,
        } => {
            if let Some(word) = rest.first_chunk_mut() {
                *word = u64::from_le_bytes(*word).wrapping_add(more).to_le_bytes();
            }
        }
        _ => {}
    }
}
