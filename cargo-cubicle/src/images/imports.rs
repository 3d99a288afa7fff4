//! What an image takes from others, as an object file of absolute symbols. A
//! symbol that the image defines itself after all is then an error of the
//! linker, where an option on its command line would silently win.

use object::write::{Object, Symbol, SymbolSection};
use object::{Architecture, BinaryFormat, Endianness, SymbolFlags, SymbolKind, SymbolScope};

/// One symbol and the address that stands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    pub symbol: String,
    pub address: u64,
}

/// All imports of one image.
#[derive(Debug, Clone, Default)]
pub struct Imports(pub Vec<Import>);

impl Imports {
    /// The object file.
    ///
    /// # Errors
    /// Only if the object writer refuses.
    pub fn object(&self) -> Result<Vec<u8>, object::write::Error> {
        let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
        for import in &self.0 {
            object.add_symbol(Symbol {
                name: import.symbol.clone().into_bytes(),
                value: import.address,
                size: 0,
                kind: SymbolKind::Text,
                scope: SymbolScope::Linkage,
                weak: false,
                section: SymbolSection::Absolute,
                flags: SymbolFlags::None,
            });
        }
        // An object that says nothing about its stack would ask for an
        // executable one.
        let note = object.add_section(
            Vec::new(),
            b".note.GNU-stack".to_vec(),
            object::SectionKind::Other,
        );
        object.append_section_data(note, &[], 1);
        object.write()
    }
}
