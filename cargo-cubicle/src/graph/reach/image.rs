//! The parts of a linked image that matter here.

use super::ReachError;
use object::elf;
use object::read::elf::{ElfFile64, ProgramHeader, Rela};
use object::{
    Architecture, LittleEndian, Object, ObjectKind, ObjectSection, ObjectSymbol, RelocationFlags,
    SectionFlags, SymbolFlags, SymbolKind,
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Image<'d> {
    /// Executable sections: address and bytes.
    pub(super) code: Vec<(u64, &'d [u8])>,
    /// Sections that nobody writes once the program runs.
    constants: Vec<(u64, &'d [u8])>,
    /// Where functions and labels start: size (0 if unknown) and whether the
    /// symbol is a function.
    pub(super) starts: BTreeMap<u64, (u64, bool)>,
    /// Data symbols: start and end.
    objects: BTreeMap<u64, u64>,
    /// Places in data with a relocation of 4 bytes relative to itself.
    pub(super) relative: BTreeSet<u64>,
    /// Places in data with an absolute relocation of 8 bytes.
    pub(super) absolute: BTreeSet<u64>,
    /// Slots that start-up code fills: slot to resolver.
    pub(super) resolved: BTreeMap<u64, u64>,
    /// Sections with variables: address, length in memory, and the bytes they
    /// begin with (none: zeroes).
    variables: Vec<(u64, u64, &'d [u8])>,
    /// Addresses that data holds.
    pub(super) pointed: BTreeSet<u64>,
}

impl<'d> Image<'d> {
    pub(super) fn read(bytes: &'d [u8]) -> Result<Self, ReachError> {
        let file = ElfFile64::<LittleEndian>::parse(bytes)?;
        let linked = matches!(file.kind(), ObjectKind::Executable | ObjectKind::Dynamic);
        if file.architecture() != Architecture::X86_64 || !linked {
            return Err(ReachError::NotAnImage);
        }
        let mut image = Image {
            code: Vec::new(),
            constants: Vec::new(),
            starts: BTreeMap::new(),
            objects: BTreeMap::new(),
            relative: BTreeSet::new(),
            absolute: BTreeSet::new(),
            resolved: BTreeMap::new(),
            variables: Vec::new(),
            pointed: BTreeSet::new(),
        };
        let endian = LittleEndian;
        let relro = file
            .elf_program_headers()
            .iter()
            .find(|header| header.p_type(endian) == elf::PT_GNU_RELRO)
            .map(|header| {
                let start = header.p_vaddr(endian);
                start..start.saturating_add(header.p_memsz(endian))
            })
            .unwrap_or(0..0);
        let mut any_relocations = false;
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
                continue;
            };
            let flags = sh_flags.0;
            if flags & elf::SHF_ALLOC.0 == 0 || flags & elf::SHF_TLS.0 != 0 {
                continue;
            }
            let data = section.data()?;
            let address = section.address();
            let Some(end) = address.checked_add(data.len() as u64) else {
                return Err(ReachError::NotAnImage);
            };
            let is_code = flags & elf::SHF_EXECINSTR.0 != 0;
            for (place, relocation) in section.relocations() {
                any_relocations = true;
                let RelocationFlags::Elf { r_type } = relocation.flags() else {
                    continue;
                };
                if !is_code {
                    let held = held(r_type, place, place.wrapping_sub(address), data);
                    image.pointed.extend(held);
                }
                match r_type {
                    elf::R_X86_64_PC32 if !is_code => image.relative.insert(place),
                    elf::R_X86_64_64 if !is_code => image.absolute.insert(place),
                    _ => false,
                };
            }
            // The linker fills it without a relocation that could be kept.
            if section.name()?.starts_with(".got") {
                let words = data.as_chunks::<8>().0;
                image
                    .pointed
                    .extend(words.iter().copied().map(u64::from_le_bytes));
            }
            let writable = flags & elf::SHF_WRITE.0 != 0;
            if is_code {
                image.code.push((address, data));
            } else if !writable || (relro.contains(&address) && end <= relro.end) {
                image.constants.push((address, data));
            } else {
                let name = section.name()?;
                // Others have a meaning of their own, and perhaps other writers.
                if [".data", ".bss"].contains(&name) {
                    image.variables.push((address, section.size(), data));
                }
            }
        }
        image.code.sort();
        image.constants.sort();
        if !any_relocations {
            return Err(ReachError::NoRelocations);
        }
        image.read_symbols(&file);
        image.read_resolvers(&file)?;
        if image.starts.is_empty() {
            return Err(ReachError::NoSymbols);
        }
        Ok(image)
    }

    fn read_symbols(&mut self, file: &ElfFile64<'_, LittleEndian>) {
        for symbol in file.symbols() {
            let address = symbol.address();
            let SymbolFlags::Elf { st_info, .. } = symbol.flags() else {
                continue;
            };
            let end = address.saturating_add(symbol.size());
            if symbol.kind() == SymbolKind::Data && symbol.size() > 0 {
                let known = self.objects.entry(address).or_insert(end);
                *known = end.max(*known);
            }
            let type_ = st_info.0 & 0xf;
            let function = type_ == elf::STT_FUNC.0 || type_ == elf::STT_GNU_IFUNC.0;
            let label = type_ == elf::STT_NOTYPE.0;
            if (function || label) && symbol.is_definition() && self.in_code(address) {
                let known = self.starts.entry(address).or_insert((0, false));
                known.0 = known.0.max(symbol.size());
                known.1 |= function;
            }
        }
    }

    /// IRELATIVE relocations: those that a static program applies to itself.
    fn read_resolvers(&mut self, file: &ElfFile64<'_, LittleEndian>) -> Result<(), ReachError> {
        let endian = LittleEndian;
        let sections = file.elf_section_table();
        for section in sections.iter() {
            use object::read::elf::SectionHeader;
            let alloc = section.sh_flags(endian).0 & elf::SHF_ALLOC.0 != 0;
            if !alloc {
                continue;
            }
            if let Some((relocations, _)) = section.rela(endian, file.data())? {
                for relocation in relocations {
                    if relocation.r_type(endian, false) == elf::R_X86_64_IRELATIVE {
                        let slot = relocation.r_offset(endian);
                        let resolver = relocation.r_addend(endian) as u64;
                        self.resolved.insert(slot, resolver);
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn in_code(&self, address: u64) -> bool {
        find(&self.code, address, 1).is_some()
    }

    /// `N` bytes that never change, at `address`.
    pub(super) fn constant<const N: usize>(&self, address: u64) -> Option<[u8; N]> {
        find(&self.constants, address, N)?.try_into().ok()
    }

    /// Whether nobody writes to `address` while the program runs.
    pub(super) fn is_constant(&self, address: u64) -> bool {
        find(&self.constants, address, 1).is_some()
    }

    /// The variable of eight bytes at `address`: the bounds of the object that it
    /// is part of, and what it holds at the start. All symbols that overlap are
    /// one object.
    pub(super) fn variable(&self, address: u64) -> Option<(u64, u64, u64)> {
        let end = address.checked_add(8)?;
        let (start, _, bytes) = self
            .variables
            .iter()
            .find(|(start, length, _)| *start <= address && end - start <= *length)?;
        let offset = usize::try_from(address - start).ok()?;
        let initial = match bytes.get(offset..) {
            Some(bytes) if bytes.len() >= 8 => u64::from_le_bytes(bytes[..8].try_into().ok()?),
            _ if bytes.is_empty() => 0,
            _ => return None,
        };
        let (mut from, mut to) = self.object(address)?;
        if end > to {
            return None;
        }
        // A symbol further up that reaches in, or one inside that reaches out.
        let overlapping = |from: u64, to: u64| {
            let overlaps = |(start, end): &(&u64, &u64)| **start < to && from < **end;
            let all = self.objects.iter().filter(overlaps);
            all.fold((from, to), |(from, to), (start, end)| {
                (from.min(*start), to.max(*end))
            })
        };
        loop {
            let wider = overlapping(from, to);
            if wider == (from, to) {
                return Some((from, to, initial));
            }
            (from, to) = wider;
        }
    }

    /// The data symbol that covers `address`.
    pub(super) fn object(&self, address: u64) -> Option<(u64, u64)> {
        let (start, end) = self.objects.range(..=address).next_back()?;
        (address < *end).then_some((*start, *end))
    }
}

/// The address that a relocated place in data holds.
fn held(r_type: elf::RelocationType, place: u64, offset: u64, data: &[u8]) -> Option<u64> {
    let from = data.get(usize::try_from(offset).ok()?..)?;
    let word = || Some(i32::from_le_bytes(from.get(..4)?.try_into().ok()?));
    match r_type {
        elf::R_X86_64_64 => Some(u64::from_le_bytes(from.get(..8)?.try_into().ok()?)),
        elf::R_X86_64_32 | elf::R_X86_64_32S => Some(i64::from(word()?) as u64),
        elf::R_X86_64_PC32 => Some(place.wrapping_add_signed(i64::from(word()?))),
        _ => None,
    }
}

fn find<'d>(sections: &[(u64, &'d [u8])], address: u64, length: usize) -> Option<&'d [u8]> {
    let after = sections.partition_point(|(start, _)| *start <= address);
    let (start, bytes) = sections.get(after.checked_sub(1)?)?;
    let offset = usize::try_from(address - start).ok()?;
    bytes.get(offset..offset.checked_add(length)?)
}
