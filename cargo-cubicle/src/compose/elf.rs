//! Writing an ELF executable: header, program headers, segments, then sections
//! for people and their tools.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;

const PAGE: u64 = 4096;
const HEADER_SIZE: u64 = 64;
const PROGRAM_HEADER_SIZE: u64 = 56;
const SECTION_HEADER_SIZE: u64 = 64;
const SYMBOL_SIZE: u64 = 24;

const PT_LOAD: u32 = 1;
const PT_GNU_STACK: u32 = 0x6474_e551;
const SHT_PROGBITS: u32 = 1;
const SHT_SYMTAB: u32 = 2;
const SHT_STRTAB: u32 = 3;
const SHT_NOBITS: u32 = 8;

/// A segment of the file.
#[derive(Debug)]
pub struct LoadSegment<'a> {
    /// Name of the section that stands for it.
    pub name: String,
    pub address: u64,
    pub memory_size: u64,
    pub bytes: Cow<'a, [u8]>,
    pub writable: bool,
    pub executable: bool,
}

struct Symbol {
    /// Where its name is among the [`Builder::symbol_names`].
    name: u32,
    address: u64,
    size: u64,
    function: bool,
}

/// An executable in the making.
pub struct Builder<'a> {
    entry: u64,
    loads: Vec<LoadSegment<'a>>,
    notes: Vec<(String, Vec<u8>)>,
    symbols: Vec<Symbol>,
    /// As they stand in the file.
    symbol_names: Vec<u8>,
}

/// A table of strings, each once.
struct Strings<'t> {
    bytes: Vec<u8>,
    known: BTreeMap<Cow<'t, str>, u32>,
}

impl<'t> Strings<'t> {
    fn new() -> Strings<'t> {
        Strings {
            bytes: vec![0],
            known: BTreeMap::new(),
        }
    }

    fn add(&mut self, text: impl Into<Cow<'t, str>>) -> u32 {
        let text = text.into();
        if let Some(offset) = self.known.get(&text) {
            return *offset;
        }
        let offset = self.bytes.len() as u32;
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(0);
        self.known.insert(text, offset);
        offset
    }
}

struct SectionHeader {
    name: u32,
    kind: u32,
    flags: u64,
    address: u64,
    offset: u64,
    size: u64,
    link: u32,
    information: u32,
    alignment: u64,
    entry_size: u64,
}

impl<'a> Builder<'a> {
    pub fn new(entry: u64) -> Builder<'a> {
        Builder {
            entry,
            loads: Vec::new(),
            notes: Vec::new(),
            symbols: Vec::new(),
            symbol_names: vec![0],
        }
    }

    pub fn load(&mut self, segment: LoadSegment<'a>) {
        self.loads.push(segment);
    }

    /// A section that is not loaded.
    pub fn note(&mut self, name: &str, bytes: Vec<u8>) {
        self.notes.push((name.to_owned(), bytes));
    }

    pub fn symbol(&mut self, name: fmt::Arguments<'_>, address: u64, size: u64, function: bool) {
        let offset = self.symbol_names.len() as u32;
        // Writing to memory cannot fail.
        let _ = self.symbol_names.write_fmt(name);
        self.symbol_names.push(0);
        self.symbols.push(Symbol {
            name: offset,
            address,
            size,
            function,
        });
    }

    /// The file.
    pub fn finish(mut self) -> Vec<u8> {
        self.loads.sort_by_key(|segment| segment.address);
        let names = &self.symbol_names;
        let name = |symbol: &Symbol| {
            let rest = &names[symbol.name as usize..];
            rest.split(|byte| *byte == 0).next()
        };
        self.symbols
            .sort_by(|a, b| (a.address, name(a)).cmp(&(b.address, name(b))));
        let count = self.loads.len() as u64 + 1;
        let mut file = Vec::with_capacity(self.estimated_size());
        file.resize((HEADER_SIZE + count * PROGRAM_HEADER_SIZE) as usize, 0u8);
        let mut program_headers = Vec::new();
        let mut names = Strings::new();
        let mut sections = vec![SectionHeader {
            name: 0,
            kind: 0,
            flags: 0,
            address: 0,
            offset: 0,
            size: 0,
            link: 0,
            information: 0,
            alignment: 0,
            entry_size: 0,
        }];
        let mut numbers = Vec::new();
        for segment in &self.loads {
            numbers.push(sections.len() as u16);
            // Address and offset must agree within a page.
            let offset = (file.len() as u64).next_multiple_of(PAGE) + segment.address % PAGE;
            file.resize(offset as usize, 0);
            file.extend_from_slice(&segment.bytes);
            let flags = 4 | u32::from(segment.writable) << 1 | u32::from(segment.executable);
            program_header(
                &mut program_headers,
                PT_LOAD,
                flags,
                offset,
                segment.address,
                segment.bytes.len() as u64,
                segment.memory_size,
                PAGE,
            );
            let empty = segment.bytes.is_empty();
            sections.push(SectionHeader {
                name: names.add(segment.name.as_str()),
                kind: if empty { SHT_NOBITS } else { SHT_PROGBITS },
                flags: 2 | u64::from(segment.writable) | u64::from(segment.executable) << 2,
                address: segment.address,
                offset,
                size: if empty {
                    segment.memory_size
                } else {
                    segment.bytes.len() as u64
                },
                link: 0,
                information: 0,
                alignment: 1,
                entry_size: 0,
            });
            // strip(1) makes segments anew from sections, so the zeroes must be one.
            let size = segment.bytes.len() as u64;
            if !empty && segment.memory_size > size {
                sections.push(SectionHeader {
                    name: names.add(format!("{}.zero", segment.name)),
                    kind: SHT_NOBITS,
                    flags: 2 | u64::from(segment.writable),
                    address: segment.address + size,
                    offset: offset + size,
                    size: segment.memory_size - size,
                    link: 0,
                    information: 0,
                    alignment: 1,
                    entry_size: 0,
                });
            }
        }
        // What follows the last segment in its page would be there again when a cubicle
        // starts anew.
        file.resize((file.len() as u64).next_multiple_of(PAGE) as usize, 0);
        program_header(&mut program_headers, PT_GNU_STACK, 6, 0, 0, 0, 0, 16);
        file[HEADER_SIZE as usize..][..program_headers.len()].copy_from_slice(&program_headers);
        for (name, bytes) in &self.notes {
            let offset = append(&mut file, bytes, 8);
            sections.push(SectionHeader {
                name: names.add(name.as_str()),
                kind: SHT_PROGBITS,
                flags: 0,
                address: 0,
                offset,
                size: bytes.len() as u64,
                link: 0,
                information: 0,
                alignment: 1,
                entry_size: 0,
            });
        }
        if !self.symbols.is_empty() {
            self.symbol_table(&mut file, &mut sections, &mut names, &numbers);
        }
        let own_name = names.add(".shstrtab");
        let offset = append(&mut file, &names.bytes, 1);
        sections.push(SectionHeader {
            name: own_name,
            kind: SHT_STRTAB,
            flags: 0,
            address: 0,
            offset,
            size: names.bytes.len() as u64,
            link: 0,
            information: 0,
            alignment: 1,
            entry_size: 0,
        });
        let table = section_table(&sections);
        let offset = append(&mut file, &table, 8);
        self.header(&mut file, count, offset, sections.len());
        file
    }

    /// About the size of the file, so that it is not copied while it grows.
    fn estimated_size(&self) -> usize {
        let loads = self.loads.iter().map(|segment| segment.bytes.len());
        let notes = self.notes.iter().map(|(_, bytes)| bytes.len());
        // A segment begins in a page of its own; headers are small.
        let each: usize = loads
            .chain(notes)
            .map(|size| size + 2 * PAGE as usize)
            .sum();
        each + self.symbols.len() * SYMBOL_SIZE as usize
            + self.symbol_names.len()
            + 2 * PAGE as usize
    }

    fn symbol_table(
        &self,
        file: &mut Vec<u8>,
        sections: &mut Vec<SectionHeader>,
        names: &mut Strings<'_>,
        numbers: &[u16],
    ) {
        let mut table = Vec::with_capacity((self.symbols.len() + 1) * SYMBOL_SIZE as usize);
        table.resize(SYMBOL_SIZE as usize, 0u8);
        for symbol in &self.symbols {
            const ABSOLUTE: u16 = 0xfff1;
            let section = self
                .loads
                .iter()
                .position(|segment| {
                    (segment.address..segment.address + segment.memory_size)
                        .contains(&symbol.address)
                })
                .map_or(ABSOLUTE, |index| {
                    let segment = &self.loads[index];
                    let zero = symbol.address - segment.address >= segment.bytes.len() as u64;
                    numbers[index] + u16::from(zero && !segment.bytes.is_empty())
                });
            // Global binding, so that all tools show it; function or object.
            let kind = 1 << 4 | if symbol.function { 2 } else { 1 };
            table.extend(symbol.name.to_le_bytes());
            table.extend([kind, 0]);
            table.extend(section.to_le_bytes());
            table.extend(symbol.address.to_le_bytes());
            table.extend(symbol.size.to_le_bytes());
        }
        let offset = append(file, &table, 8);
        let link = sections.len() as u32 + 1;
        sections.push(SectionHeader {
            name: names.add(".symtab"),
            kind: SHT_SYMTAB,
            flags: 0,
            address: 0,
            offset,
            size: table.len() as u64,
            link,
            information: 1,
            alignment: 8,
            entry_size: SYMBOL_SIZE,
        });
        let offset = append(file, &self.symbol_names, 1);
        sections.push(SectionHeader {
            name: names.add(".strtab"),
            kind: SHT_STRTAB,
            flags: 0,
            address: 0,
            offset,
            size: self.symbol_names.len() as u64,
            link: 0,
            information: 0,
            alignment: 1,
            entry_size: 0,
        });
    }

    fn header(&self, file: &mut [u8], programs: u64, section_table: u64, sections: usize) {
        let mut header = Vec::with_capacity(HEADER_SIZE as usize);
        // ELF, 64 bits, little-endian, version 1, System V.
        header.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
        header.extend(2u16.to_le_bytes()); // ET_EXEC
        header.extend(62u16.to_le_bytes()); // x86-64
        header.extend(1u32.to_le_bytes());
        header.extend(self.entry.to_le_bytes());
        header.extend(HEADER_SIZE.to_le_bytes());
        header.extend(section_table.to_le_bytes());
        header.extend(0u32.to_le_bytes());
        header.extend((HEADER_SIZE as u16).to_le_bytes());
        header.extend((PROGRAM_HEADER_SIZE as u16).to_le_bytes());
        header.extend((programs as u16).to_le_bytes());
        header.extend((SECTION_HEADER_SIZE as u16).to_le_bytes());
        header.extend((sections as u16).to_le_bytes());
        header.extend((sections as u16 - 1).to_le_bytes());
        file[..header.len()].copy_from_slice(&header);
    }
}

fn append(file: &mut Vec<u8>, bytes: &[u8], alignment: usize) -> u64 {
    file.resize(file.len().next_multiple_of(alignment), 0);
    let offset = file.len() as u64;
    file.extend_from_slice(bytes);
    offset
}

#[allow(clippy::too_many_arguments)]
fn program_header(
    table: &mut Vec<u8>,
    kind: u32,
    flags: u32,
    offset: u64,
    address: u64,
    file_size: u64,
    memory_size: u64,
    alignment: u64,
) {
    table.extend(kind.to_le_bytes());
    table.extend(flags.to_le_bytes());
    for value in [offset, address, address, file_size, memory_size, alignment] {
        table.extend(value.to_le_bytes());
    }
}

fn section_table(sections: &[SectionHeader]) -> Vec<u8> {
    let mut table = Vec::new();
    for section in sections {
        table.extend(section.name.to_le_bytes());
        table.extend(section.kind.to_le_bytes());
        for value in [section.flags, section.address, section.offset, section.size] {
            table.extend(value.to_le_bytes());
        }
        table.extend(section.link.to_le_bytes());
        table.extend(section.information.to_le_bytes());
        table.extend(section.alignment.to_le_bytes());
        table.extend(section.entry_size.to_le_bytes());
    }
    table
}
