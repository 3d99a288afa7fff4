//! The file as the kernel loads it: by its program headers. Sections are not
//! looked at, and symbols only name places.

use std::collections::{BTreeMap, BTreeSet};

use cubicle_abi::layout::{
    MONITOR_BASE, MONITOR_END, PAGE, PLAN_BASE, page_down, page_up, slot_owner,
};
use object::elf;
use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};
use object::{LittleEndian, Object, ObjectSymbol, SymbolKind};

use super::plan::Plan;

/// Why a file cannot be verified at all.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("it is not an ELF program for x86-64 Linux ({0})")]
    Format(String),
    #[error(
        "it has no plan: `cargo cubicle` did not make it, or not for a package with a Cubicle.toml"
    )]
    NoPlan,
    #[error(
        "its plan has version {found}, and this tool knows {own}: verify it with the version of \
         `cargo cubicle` that made it"
    )]
    Version { found: u32, own: u32 },
}

/// A file that is about to be verified.
#[derive(Debug)]
pub struct File<'a> {
    pub bytes: &'a [u8],
    pub entry: u64,
    /// What is loaded, in order of addresses.
    pub segments: Vec<Segment<'a>>,
    /// Types of program headers that load nothing, with their flags.
    pub others: Vec<(u32, u32)>,
    /// Functions by address, with their sizes and names, as the symbol table has them: nothing is
    /// permitted because of it.
    pub functions: BTreeMap<u64, (u64, &'a str)>,
    /// All names of what gates call.
    pub target_names: BTreeMap<u64, Vec<&'a str>>,
    pub plan: Plan<'a>,
}

/// A segment that is loaded.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    pub address: u64,
    pub memory_size: u64,
    pub writable: bool,
    pub executable: bool,
    /// What the file has of it.
    pub bytes: &'a [u8],
    /// The whole pages of the file that the kernel maps for it.
    pub pages: &'a [u8],
}

impl Segment<'_> {
    /// First address of its first page.
    pub fn start(&self) -> u64 {
        page_down(self.address)
    }

    /// First address behind its last page.
    pub fn end(&self) -> u64 {
        page_up(self.address + self.memory_size)
    }

    pub fn contains(&self, address: u64) -> bool {
        (self.address..self.address + self.memory_size).contains(&address)
    }
}

/// No address of a composed program is above it; what is must not overflow.
const HIGHEST: u64 = 1 << 47;

impl<'a> File<'a> {
    /// Reads headers, symbols and plan.
    ///
    /// # Errors
    /// If it is no such file.
    pub fn read(bytes: &'a [u8]) -> Result<File<'a>, Unreadable> {
        let format = |error: object::Error| Unreadable::Format(error.to_string());
        let file = ElfFile64::<LittleEndian>::parse(bytes).map_err(format)?;
        let header = file.elf_header();
        if header.e_machine(LittleEndian) != elf::EM_X86_64
            || header.e_type(LittleEndian) != elf::ET_EXEC
        {
            return Err(Unreadable::Format("another machine or kind".to_owned()));
        }
        let mut segments = Vec::new();
        let mut others = Vec::new();
        for one in file.elf_program_headers() {
            let flags = one.p_flags(LittleEndian);
            if one.p_type(LittleEndian) != elf::PT_LOAD {
                others.push((one.p_type(LittleEndian).0, flags.0));
                continue;
            }
            segments.push(segment(bytes, one)?);
        }
        segments.sort_by_key(|segment| segment.address);
        let plan = segments
            .iter()
            .find(|segment| segment.address == PLAN_BASE)
            .ok_or(Unreadable::NoPlan)?;
        let plan = Plan::read(plan.bytes)?;
        let functions = file
            .symbols()
            .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0)
            .map(|symbol| {
                let name = symbol.name().unwrap_or("?");
                (symbol.address(), (symbol.size(), name))
            })
            .collect();
        let mut target_names: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
        let targets: BTreeSet<u64> = plan
            .gates
            .iter()
            .flatten()
            .map(|gate| gate.target)
            .collect();
        for symbol in file
            .symbols()
            .filter(|one| targets.contains(&one.address()))
        {
            let names = target_names.entry(symbol.address()).or_default();
            names.extend(symbol.name());
        }
        Ok(File {
            bytes,
            entry: file.entry(),
            segments,
            others,
            functions,
            target_names,
            plan,
        })
    }

    /// The segment that `address` lies in.
    pub fn segment_at(&self, address: u64) -> Option<&Segment<'a>> {
        let behind = self.segments.partition_point(|one| one.address <= address);
        let segment = &self.segments[behind.checked_sub(1)?];
        segment.contains(address).then_some(segment)
    }

    /// Is there executable text in the file at `address`?
    pub fn is_code(&self, address: u64) -> bool {
        self.segment_at(address).is_some_and(|one| one.executable)
    }

    /// Is there executable text of cubicle `owner` at `address`?
    pub fn is_code_of(&self, owner: usize, address: u64) -> bool {
        slot_owner(address) == Some(owner) && self.is_code(address)
    }

    pub fn is_code_of_monitor(&self, address: u64) -> bool {
        (MONITOR_BASE..MONITOR_END).contains(&address) && self.is_code(address)
    }

    /// `count` bytes of the file that are loaded at `address`.
    pub fn at(&self, address: u64, count: usize) -> Option<&'a [u8]> {
        let segment = self.segment_at(address)?;
        let offset = (address - segment.address) as usize;
        segment.bytes.get(offset..offset.checked_add(count)?)
    }

    /// Whose memory `address` is, for people.
    pub fn owner_name(&self, address: u64) -> String {
        match slot_owner(address) {
            Some(owner) => self.plan.name(owner),
            None if (MONITOR_BASE..MONITOR_END).contains(&address) => "the monitor".to_owned(),
            None => "no slot".to_owned(),
        }
    }

    /// The function at `address`, for people: in parentheses, or nothing.
    pub fn function_name(&self, address: u64) -> String {
        match self.functions.range(..=address).next_back() {
            Some((start, (size, name))) if address - start < *size => format!(" (`{name}`)"),
            _ => String::new(),
        }
    }
}

fn segment<'a>(
    bytes: &'a [u8],
    header: &elf::ProgramHeader64<LittleEndian>,
) -> Result<Segment<'a>, Unreadable> {
    let damaged = |why: &str| Unreadable::Format(why.to_owned());
    let address = header.p_vaddr(LittleEndian);
    let memory_size = header.p_memsz(LittleEndian);
    let offset = header.p_offset(LittleEndian);
    let size = header.p_filesz(LittleEndian);
    if address
        .checked_add(memory_size)
        .is_none_or(|end| end > HIGHEST)
        || size > memory_size
    {
        return Err(damaged("a segment that no kernel would load"));
    }
    let range = |start: u64, end: u64| {
        let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end).ok()?);
        bytes.get(start..end)
    };
    let end = offset.checked_add(size).filter(|end| *end < HIGHEST);
    let end = end.ok_or_else(|| damaged("a segment outside of the file"))?;
    let own = range(offset, end).ok_or_else(|| damaged("a segment outside of the file"))?;
    if offset % PAGE != address % PAGE {
        return Err(damaged(
            "a segment that lies otherwise in the file than in memory",
        ));
    }
    let last = page_up(end).min(bytes.len() as u64);
    let pages = range(page_down(offset), last).unwrap_or(own);
    let flags = header.p_flags(LittleEndian);
    Ok(Segment {
        address,
        memory_size,
        writable: flags.contains(elf::PF_W),
        executable: flags.contains(elf::PF_X),
        bytes: own,
        pages,
    })
}
