//! Objects that only make room: an *island* for code that moves out of its function, and
//! padding between the linker's inputs.

use object::write::{Object, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, FileFlags, SectionFlags, SectionKind, SymbolFlags,
    SymbolKind, SymbolScope, elf,
};

/// The island. C and Rust know no name with a dot.
pub const SYMBOL: &str = "cubicle.island";
/// A section of its own, so that the linker puts it behind all other text and nothing else moves.
const SECTION: &[u8] = b".cubicle.island";

/// What traps, whoever jumps there.
pub const TRAP: u8 = 0xcc;

/// An island of `size` bytes.
///
/// # Errors
/// Only if the object writer refuses.
pub fn object(size: u64) -> Result<Vec<u8>, object::write::Error> {
    let mut object = empty();
    let section = object.add_section(Vec::new(), SECTION.to_vec(), SectionKind::Text);
    object.append_section_data(section, &vec![TRAP; size as usize], 16);
    object.add_symbol(Symbol {
        name: SYMBOL.as_bytes().to_vec(),
        value: 0,
        size,
        kind: SymbolKind::Text,
        scope: SymbolScope::Linkage,
        weak: false,
        section: SymbolSection::Section(section),
        flags: SymbolFlags::None,
    });
    object.write()
}

/// So many bytes of text that nothing refers to. It may be given to the linker any number of times.
///
/// # Errors
/// Only if the object writer refuses.
pub fn padding(size: u64) -> Result<Vec<u8>, object::write::Error> {
    let mut object = empty();
    // `--gc-sections` keeps what says so; the flag means this under this ABI only.
    object.flags = FileFlags::Elf {
        os_abi: elf::ELFOSABI_GNU,
        abi_version: 0,
        e_flags: elf::FileFlags(0),
    };
    let name = b".text.cubicle.padding".to_vec();
    let section = object.add_section(Vec::new(), name, SectionKind::Text);
    object.append_section_data(section, &vec![TRAP; size as usize], 1);
    object.section_mut(section).flags = SectionFlags::Elf {
        sh_type: elf::SHT_PROGBITS,
        sh_flags: elf::SHF_ALLOC | elf::SHF_EXECINSTR | elf::SHF_GNU_RETAIN,
    };
    object.write()
}

fn empty() -> Object<'static> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let note = object.add_section(Vec::new(), b".note.GNU-stack".to_vec(), SectionKind::Other);
    object.append_section_data(note, &[], 1);
    object
}
