//! Phase 6: one link for each cubicle, and what changes the finished images.
//!
//! Every image is a static program at a fixed address of its own, linked by the
//! driver and linker that rustc was given, with its relocations kept. What
//! crosses a border is an absolute symbol: the address of a gate.

mod all;
mod complaints;
mod forbidden;
mod imports;
mod indirect;
mod link;
mod patch;
mod references;
pub mod remedy;

pub use all::{link_all, references_of_all};
pub use forbidden::{Left, check_instructions, remedy_all};
pub use imports::{Import, Imports};
pub use link::{LinkError, LinkRequest, SPARE_FUNCTION, link, response_file};
pub use patch::{Patched, patch};
pub use references::{Reference, each_relocation, references};

use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSymbol};
use std::ops::Range;

use cubicle_abi::layout::SLOT_SIZE;

use crate::graph::symbols::unversioned;

/// Address space of an image, MiB.
const SLOT_MEBIBYTES: u64 = SLOT_SIZE >> 20;

/// What to do about an image that is larger.
const SMALLER: &str = "take large tables and buffers from the heap (`malloc`, `Box`) when they are needed, or give a part of this cubicle one of its own";

/// What is read once of a finished image.
#[derive(Debug, Clone)]
pub struct Image {
    pub bytes: Vec<u8>,
    pub entry: u64,
    pub program_headers: u64,
    pub program_header_count: u64,
    pub segments: Vec<Segment>,
    pub symbols: Vec<Symbol>,
    /// Size and alignment of the thread-local segment, if there is one.
    pub thread_local: Option<(u64, u64)>,
}

/// A loadable segment.
#[derive(Debug, Clone, Copy)]
pub struct Segment {
    pub address: u64,
    pub memory_size: u64,
    pub file_offset: u64,
    pub file_size: u64,
    pub readable: bool,
    pub writable: bool,
    pub executable: bool,
}

/// A symbol with a name and an address.
#[derive(Debug, Clone)]
pub struct Symbol {
    pub name: String,
    pub address: u64,
    pub size: u64,
    pub function: bool,
    pub thread_local: bool,
    pub global: bool,
}

/// Why a finished image is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    #[error("the linked image of cubicle `{cubicle}` cannot be read")]
    Format {
        cubicle: String,
        source: object::Error,
    },
    #[error(
        "the image of cubicle `{cubicle}` takes {size} bytes of address space, a slot has {room}"
    )]
    TooLarge {
        cubicle: String,
        size: u64,
        room: u64,
        /// The largest things in it, and their bytes.
        largest: Vec<(String, u64)>,
    },
    #[error("the image of cubicle `{cubicle}` is not linked where it should be: {detail}")]
    Place { cubicle: String, detail: String },
}

impl Image {
    /// Reads a linked image that must lie in its slot, but for segments in one of
    /// the ranges `elsewhere`: variables in keyed windows.
    ///
    /// # Errors
    /// If it is not a static ELF program there, or not complete.
    pub fn read(
        cubicle: &str,
        bytes: Vec<u8>,
        slot: Range<u64>,
        elsewhere: &[Range<u64>],
    ) -> Result<Image, ImageError> {
        let Range { start: base, end } = slot;
        let format = |source| ImageError::Format {
            cubicle: cubicle.to_owned(),
            source,
        };
        let elf = ElfFile64::<Endianness>::parse(&*bytes).map_err(format)?;
        let header = elf.elf_header();
        let endian = elf.endian();
        let mut segments = Vec::new();
        let mut thread_local = None;
        let mut program_headers = None;
        let table = header.e_phoff(endian);
        for segment in elf.elf_program_headers() {
            let kind = segment.p_type(endian);
            let (address, size) = (segment.p_vaddr(endian), segment.p_memsz(endian));
            if kind == object::elf::PT_TLS {
                thread_local = Some((size, segment.p_align(endian)));
            }
            if kind != object::elf::PT_LOAD {
                continue;
            }
            let flags = segment.p_flags(endian);
            let loaded = Segment {
                address,
                memory_size: size,
                file_offset: segment.p_offset(endian),
                file_size: segment.p_filesz(endian),
                readable: flags.contains(object::elf::PF_R),
                writable: flags.contains(object::elf::PF_W),
                executable: flags.contains(object::elf::PF_X),
            };
            let file_end = loaded.file_offset.checked_add(loaded.file_size);
            let complete = file_end.is_some_and(|end| end <= bytes.len() as u64)
                && loaded.file_size <= size
                && address.checked_add(size).is_some();
            if !complete {
                return Err(ImageError::Place {
                    cubicle: cubicle.to_owned(),
                    detail: format!("the file does not hold its segment at {address:#x}"),
                });
            }
            if (loaded.file_offset..loaded.file_offset + loaded.file_size).contains(&table) {
                program_headers = Some(address + (table - loaded.file_offset));
            }
            segments.push(loaded);
        }
        let inside = |segment: &&Segment| {
            let last = segment.address.saturating_add(segment.memory_size);
            !elsewhere
                .iter()
                .any(|range| range.contains(&segment.address) && last <= range.end)
        };
        let own = || segments.iter().filter(inside);
        let lowest = own().map(|s| s.address).min().unwrap_or(0);
        let highest = own()
            .map(|s| s.address.saturating_add(s.memory_size))
            .max()
            .unwrap_or(0);
        if lowest < base {
            return Err(ImageError::Place {
                cubicle: cubicle.to_owned(),
                detail: format!(
                    "it begins at {lowest:#x}, its slot at {base:#x}; does a linker script or `-Ttext` in the linker arguments move it?"
                ),
            });
        }
        if highest > end {
            return Err(ImageError::TooLarge {
                cubicle: cubicle.to_owned(),
                size: highest - base,
                room: end - base,
                largest: largest(&elf),
            });
        }
        let program_headers = program_headers.ok_or_else(|| ImageError::Place {
            cubicle: cubicle.to_owned(),
            detail: "its program headers are not loaded".to_owned(),
        })?;
        let symbols = elf
            .symbols()
            .filter(|symbol| !symbol.is_undefined())
            .filter_map(|symbol| {
                let name = unversioned(symbol.name().ok()?);
                if name.is_empty() {
                    return None;
                }
                use object::SymbolKind::{File, Section};
                if matches!(symbol.kind(), File | Section) {
                    return None;
                }
                Some(Symbol {
                    name: name.to_owned(),
                    address: symbol.address(),
                    size: symbol.size(),
                    function: symbol.kind() == object::SymbolKind::Text,
                    thread_local: symbol.kind() == object::SymbolKind::Tls,
                    global: symbol.is_global(),
                })
            })
            .collect();
        let count = elf.elf_program_headers().len() as u64;
        let entry = elf.entry();
        Ok(Image {
            entry,
            program_headers,
            program_header_count: count,
            segments,
            symbols,
            thread_local,
            bytes,
        })
    }

    /// Where a gate enters a function: its own address, or that of the jump to what the
    /// image chose for it.
    pub fn entry_of(&self, name: &str) -> Option<u64> {
        self.address_of(&indirect::name(name))
            .or_else(|| self.address_of(name))
    }

    /// The address of a global symbol, or of a local one if there is no global.
    pub fn address_of(&self, name: &str) -> Option<u64> {
        self.symbols
            .iter()
            .filter(|symbol| symbol.name == name && !symbol.thread_local)
            .max_by_key(|symbol| symbol.global)
            .map(|symbol| symbol.address)
    }

    /// Offset of a thread-local from the thread pointer, negative (x86-64 ELF
    /// TLS, variant II).
    pub fn thread_local_offset(&self, name: &str) -> Option<i32> {
        let (size, alignment) = self.thread_local?;
        let symbol = self
            .symbols
            .iter()
            .find(|symbol| symbol.thread_local && symbol.name == name)?;
        let block = size.checked_next_multiple_of(alignment.max(1))?;
        i32::try_from(symbol.address as i64 - block as i64).ok()
    }

    /// The bytes that are loaded at `address`, to the end of its segment.
    pub fn at(&self, address: u64) -> Option<&[u8]> {
        let segment = self.segments.iter().find(|segment| {
            (segment.address..segment.address + segment.file_size).contains(&address)
        })?;
        let start = (segment.file_offset + (address - segment.address)) as usize;
        let end = (segment.file_offset + segment.file_size) as usize;
        self.bytes.get(start..end)
    }

    /// Offset in the file of what is loaded at `address`.
    pub fn offset_of(&self, address: u64) -> Option<usize> {
        let segment = self.segments.iter().find(|segment| {
            (segment.address..segment.address + segment.file_size).contains(&address)
        })?;
        Some((segment.file_offset + (address - segment.address)) as usize)
    }
}

/// The three largest symbols, largest first.
fn largest(elf: &ElfFile64<'_, Endianness>) -> Vec<(String, u64)> {
    let mut sizes: Vec<(u64, &str)> = elf
        .symbols()
        .filter_map(|symbol| Some((symbol.size(), symbol.name().ok()?)))
        .collect();
    sizes.sort_unstable_by(|one, other| other.cmp(one));
    sizes.dedup();
    let largest = sizes.into_iter().take(3);
    largest
        .map(|(size, name)| (name.to_owned(), size))
        .collect()
}
