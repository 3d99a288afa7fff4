//! Objects that refer to something else than they were compiled for.

use std::collections::BTreeMap;

use object::read::elf::{FileHeader, SectionHeader, Sym};
use object::{Endianness, elf};

/// Where `sh_offset` and `sh_size` lie in a section header (ELF64).
const SECTION_OFFSET: usize = 24;
const SECTION_SIZE: usize = 32;

/// The object with other names for some of the symbols that it does not define; `None`: it refers to
/// none of them. The new names stand in a copy of its string table at the end of the file.
///
/// # Errors
/// If it cannot be read.
pub fn redirected(
    bytes: &[u8],
    names: &BTreeMap<&str, &str>,
) -> Result<Option<Vec<u8>>, object::Error> {
    let header = elf::FileHeader64::<Endianness>::parse(bytes)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, bytes)?;
    let table = sections.symbols(endian, bytes, elf::SHT_SYMTAB)?;
    let Ok(section) = sections.section(table.section()) else {
        return Ok(None);
    };
    let strings = sections.section(section.link(endian))?;
    let mut added = strings.data(endian, bytes)?.to_vec();
    let mut changed = Vec::new();
    for (index, symbol) in table.iter().enumerate() {
        if !symbol.is_undefined(endian) {
            continue;
        }
        let name = symbol.name(endian, table.strings())?;
        let Some(new) = std::str::from_utf8(name)
            .ok()
            .and_then(|name| names.get(name))
        else {
            continue;
        };
        changed.push((index, added.len() as u32));
        added.extend(new.as_bytes());
        added.push(0);
    }
    if changed.is_empty() {
        return Ok(None);
    }
    let mut object = bytes.to_vec();
    let symbols = section.sh_offset(endian) as usize;
    for (index, name) in changed {
        // st_name comes first.
        let at = symbols + index * size_of::<elf::Sym64<Endianness>>();
        object[at..at + 4].copy_from_slice(&name.to_le_bytes());
    }
    let headers = header.e_shoff(endian) as usize;
    let own = headers + section.link(endian).0 * usize::from(header.e_shentsize(endian));
    for (field, value) in [(SECTION_OFFSET, object.len()), (SECTION_SIZE, added.len())] {
        let at = own + field;
        object[at..at + 8].copy_from_slice(&(value as u64).to_le_bytes());
    }
    object.extend(added);
    Ok(Some(object))
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::write::{Object as Writer, Symbol, SymbolSection};
    use object::{
        Architecture, BinaryFormat, Object, ObjectSymbol, SymbolFlags, SymbolKind, SymbolScope,
    };

    fn object(names: &[(&str, bool)]) -> Vec<u8> {
        let mut object = Writer::new(
            BinaryFormat::Elf,
            Architecture::X86_64,
            object::Endianness::Little,
        );
        let text = object.section_id(object::write::StandardSection::Text);
        object.append_section_data(text, &[0xc3], 1);
        for (name, defined) in names {
            object.add_symbol(Symbol {
                name: name.as_bytes().to_vec(),
                value: 0,
                size: 1,
                kind: SymbolKind::Text,
                scope: SymbolScope::Linkage,
                weak: false,
                section: match defined {
                    true => SymbolSection::Section(text),
                    false => SymbolSection::Undefined,
                },
                flags: SymbolFlags::None,
            });
        }
        object.write().unwrap()
    }

    #[test]
    fn only_what_is_not_defined_gets_another_name() {
        let names = BTreeMap::from([("deflate", "counted_1"), ("inflate", "counted_2")]);
        let bytes = object(&[("deflate", false), ("inflate", true), ("other", false)]);
        let changed = redirected(&bytes, &names).unwrap().unwrap();
        let file = object::File::parse(&*changed).unwrap();
        let mut found: Vec<_> = file
            .symbols()
            .map(|symbol| (symbol.name().unwrap().to_owned(), symbol.is_undefined()))
            .filter(|(name, _)| !name.is_empty())
            .collect();
        found.sort();
        assert_eq!(
            found,
            [
                ("counted_1".to_owned(), true),
                ("inflate".to_owned(), false),
                ("other".to_owned(), true)
            ]
        );
        assert_eq!(
            redirected(&object(&[("inflate", true)]), &names).unwrap(),
            None
        );
    }
}
