//! Functions whose symbol does not say where a call of them leads. Of one that the image chooses when it
//! starts (`__attribute__((ifunc))`) it is the address of what chooses, which no gate may call; and
//! of one that has versions (`f@@V2`), linkers may write all of them as `f`. For each one that others
//! call, an object adds a function that jumps to it, and the linker sees to the rest.

use object::write::{Object, Relocation, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationEncoding, RelocationFlags, RelocationKind,
    SectionKind, SymbolFlags, SymbolKind, SymbolScope,
};

/// The name of the function that jumps. C and Rust know none with a dot.
pub fn name(symbol: &str) -> String {
    format!("cubicle.chosen.{symbol}")
}

/// The object file.
///
/// # Errors
/// Only if the object writer refuses.
pub fn object(symbols: &[&str]) -> Result<Vec<u8>, object::write::Error> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    for symbol in symbols {
        let jump = name(symbol);
        let section = object.add_section(
            Vec::new(),
            format!(".text.{jump}").into_bytes(),
            SectionKind::Text,
        );
        // jmp rel32, and int3 behind it.
        let offset = object.append_section_data(section, &[0xe9, 0, 0, 0, 0, 0xcc], 16);
        let plain = |name: Vec<u8>, value, size, section| Symbol {
            name,
            value,
            size,
            kind: SymbolKind::Text,
            scope: SymbolScope::Linkage,
            weak: false,
            section,
            flags: SymbolFlags::None,
        };
        object.add_symbol(plain(
            jump.into_bytes(),
            offset,
            5,
            SymbolSection::Section(section),
        ));
        let chosen = object.add_symbol(plain(
            symbol.as_bytes().to_vec(),
            0,
            0,
            SymbolSection::Undefined,
        ));
        object.add_relocation(
            section,
            Relocation {
                offset: offset + 1,
                symbol: chosen,
                addend: -4,
                flags: RelocationFlags::Generic {
                    kind: RelocationKind::PltRelative,
                    encoding: RelocationEncoding::X86Branch,
                    size: 32,
                },
            },
        )?;
    }
    let note = object.add_section(Vec::new(), b".note.GNU-stack".to_vec(), SectionKind::Other);
    object.append_section_data(note, &[], 1);
    object.write()
}
