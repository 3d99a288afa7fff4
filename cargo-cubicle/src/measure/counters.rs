//! The object with what counts.

use object::write::{Object, Relocation, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind,
    SymbolScope, elf,
};

/// Bytes of a page.
const PAGE: u64 = 4096;

/// The symbol that stands for a function, in front of its counter's number.
const PREFIX: &str = "cubicle_counted_";

/// What the references to the function with this counter are led to.
pub fn name(number: usize) -> String {
    format!("{PREFIX}{number}")
}

/// Bytes of all counters: whole pages, 8 bytes for each counter.
pub fn size(count: usize) -> u64 {
    (count as u64 * 8).next_multiple_of(PAGE).max(PAGE)
}

/// For each function, in order: `lock inc qword ptr [its counter]`, `jmp` to it. A function's beginning
/// may change all flags. With the counters, which `counts.c` maps.
///
/// # Errors
/// Only if the object writer refuses.
pub fn object(functions: &[&str]) -> Result<Vec<u8>, object::write::Error> {
    const INCREMENT: [u8; 8] = [0xf0, 0x48, 0xff, 0x05, 0, 0, 0, 0];
    const JUMP: [u8; 5] = [0xe9, 0, 0, 0, 0];
    let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let text = object.add_section(Vec::new(), b".text".to_vec(), SectionKind::Text);
    let counters = object.add_section(Vec::new(), b".bss".to_vec(), SectionKind::UninitializedData);
    object.append_section_bss(counters, size(functions.len()), PAGE);
    let symbol = |name: String, kind, value, section| Symbol {
        name: name.into_bytes(),
        value,
        size: 0,
        kind,
        scope: SymbolScope::Linkage,
        weak: false,
        section,
        flags: SymbolFlags::None,
    };
    let counts = object.add_symbol(symbol(
        "cubicle_counts".to_owned(),
        SymbolKind::Data,
        0,
        SymbolSection::Section(counters),
    ));
    let constants = object.add_section(Vec::new(), b".rodata".to_vec(), SectionKind::ReadOnlyData);
    object.append_section_data(constants, &size(functions.len()).to_le_bytes(), 8);
    object.add_symbol(symbol(
        "cubicle_counts_size".to_owned(),
        SymbolKind::Data,
        0,
        SymbolSection::Section(constants),
    ));
    for (number, function) in functions.iter().enumerate() {
        let start = object.append_section_data(text, &INCREMENT, 16);
        object.append_section_data(text, &JUMP, 1);
        object.add_symbol(symbol(
            name(number),
            SymbolKind::Text,
            start,
            SymbolSection::Section(text),
        ));
        let function = object.add_symbol(symbol(
            (*function).to_owned(),
            SymbolKind::Text,
            0,
            SymbolSection::Undefined,
        ));
        // Displacements count from the end of their instruction, which they end.
        for (offset, symbol, addend, r_type) in [
            (start + 4, counts, number as i64 * 8 - 4, elf::R_X86_64_PC32),
            (start + 9, function, -4, elf::R_X86_64_PLT32),
        ] {
            object.add_relocation(
                text,
                Relocation {
                    offset,
                    symbol,
                    addend,
                    flags: RelocationFlags::Elf { r_type },
                },
            )?;
        }
    }
    // An object that says nothing about its stack would ask for an executable one.
    let note = object.add_section(Vec::new(), b".note.GNU-stack".to_vec(), SectionKind::Other);
    object.append_section_data(note, &[], 1);
    object.write()
}
