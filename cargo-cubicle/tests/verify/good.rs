//! The program of `tests/verify`, and how it is changed.

use std::collections::BTreeMap;
use std::fs;
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_cubicle::verify::{File, Place, places};
use cubicle_abi::layout::PLAN_BASE;
use cubicle_abi::plan::{Header, Slice};
use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};
use object::{LittleEndian, Object, ObjectSymbol};
use std::mem::offset_of;

use crate::outside::tool;

/// A copy of the project, to be built.
pub struct Project {
    pub root: Utf8PathBuf,
}

impl Project {
    pub fn new(name: &str) -> Project {
        let root = Utf8Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("verify")
            .join(name);
        let sources = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/verify");
        fs::create_dir_all(root.join("src")).unwrap();
        for entry in sources.read_dir_utf8().unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), root.join(entry.file_name())).unwrap();
        }
        let package = "[package]\nname = \"kinds\"\nedition = \"2024\"\n[workspace]\n";
        fs::write(root.join("Cargo.toml"), package).unwrap();
        fs::write(root.join("src/main.rs"), "#![no_main]\n").unwrap();
        Project { root }
    }

    /// Builds it, or answers with what the tool said.
    pub fn build(&self) -> Result<(), String> {
        let output = tool(&self.root).arg("build").output().unwrap();
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    pub fn program(&self) -> Utf8PathBuf {
        self.root
            .join("target/x86_64-unknown-linux-gnu/debug/kinds")
    }
}

/// A program that every rule holds for.
pub struct Good {
    pub path: Utf8PathBuf,
    pub bytes: Vec<u8>,
    functions: BTreeMap<String, u64>,
}

impl Good {
    /// The one that tests share.
    pub fn get() -> &'static Good {
        static GOOD: OnceLock<Good> = OnceLock::new();
        GOOD.get_or_init(|| {
            let project = Project::new("good");
            project.build().unwrap_or_else(|said| panic!("{said}"));
            Good::of(&project)
        })
    }

    pub fn of(project: &Project) -> Good {
        let path = project.program();
        let bytes = fs::read(&path).unwrap();
        let elf = ElfFile64::<LittleEndian>::parse(&*bytes).unwrap();
        let functions = elf
            .symbols()
            .map(|symbol| {
                (
                    symbol.name().unwrap_or_default().to_owned(),
                    symbol.address(),
                )
            })
            .collect();
        Good {
            path,
            functions,
            bytes,
        }
    }

    /// The address of a symbol such as `app::main`.
    pub fn function(&self, name: &str) -> u64 {
        self.functions[name]
    }

    pub fn file(&self) -> File<'_> {
        File::read(&self.bytes).unwrap()
    }

    pub fn places(&self) -> Vec<Place> {
        places(&self.file())
    }

    /// Where in the file what is loaded at `address` stands.
    pub fn offset(&self, address: u64) -> usize {
        offset(&self.bytes, address)
    }

    pub fn edit(&self) -> Edited {
        Edited {
            bytes: self.bytes.clone(),
        }
    }
}

/// A program that something is wrong with.
pub struct Edited {
    pub bytes: Vec<u8>,
}

impl Edited {
    pub fn offset(&self, address: u64) -> usize {
        offset(&self.bytes, address)
    }

    pub fn at(&self, address: u64, count: usize) -> &[u8] {
        let offset = self.offset(address);
        &self.bytes[offset..offset + count]
    }

    pub fn put(&mut self, address: u64, bytes: &[u8]) {
        let offset = self.offset(address);
        self.bytes[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    pub fn u32(&self, address: u64) -> u32 {
        u32::from_le_bytes(self.at(address, 4).try_into().unwrap())
    }

    pub fn u64(&self, address: u64) -> u64 {
        u64::from_le_bytes(self.at(address, 8).try_into().unwrap())
    }

    /// Changes four bytes of the plan.
    pub fn plan_u32(&mut self, offset: usize, change: impl Fn(u32) -> u32) {
        let address = PLAN_BASE + offset as u64;
        let value = change(self.u32(address));
        self.put(address, &value.to_le_bytes());
    }

    pub fn plan_u64(&mut self, offset: usize, change: impl Fn(u64) -> u64) {
        let address = PLAN_BASE + offset as u64;
        let value = change(self.u64(address));
        self.put(address, &value.to_le_bytes());
    }

    /// A list in the plan whose slice stands at this offset.
    pub fn slice(&self, offset: usize) -> Slice {
        let address = PLAN_BASE + offset as u64;
        Slice {
            offset: self.u32(address),
            count: self.u32(address + 4),
        }
    }

    /// Offset in the plan of cubicle, window or gate `number`, by the header's field.
    pub fn element<T>(&self, field: usize, number: usize) -> usize {
        let slice = self.slice(field);
        assert!(number < slice.count as usize);
        slice.offset as usize + number * size_of::<T>()
    }

    /// The offset of a field of the program header of this kind whose segment starts at `address`.
    fn header(&self, kind: u32, address: u64, field: usize) -> usize {
        let elf = ElfFile64::<LittleEndian>::parse(&*self.bytes).unwrap();
        let mut headers = elf.elf_program_headers().iter();
        let number = headers
            .position(|one| {
                one.p_type(LittleEndian).0 == kind && one.p_vaddr(LittleEndian) == address
            })
            .expect("a segment");
        let table = elf.elf_header().e_phoff(LittleEndian) as usize;
        table + number * 56 + field
    }

    pub fn header_u32(
        &mut self,
        (kind, address): (u32, u64),
        field: usize,
        change: impl Fn(u32) -> u32,
    ) {
        let at = self.header(kind, address, field);
        let value = u32::from_le_bytes(self.bytes[at..at + 4].try_into().unwrap());
        self.bytes[at..at + 4].copy_from_slice(&change(value).to_le_bytes());
    }

    pub fn header_u64(
        &mut self,
        (kind, address): (u32, u64),
        field: usize,
        change: impl Fn(u64) -> u64,
    ) {
        let at = self.header(kind, address, field);
        let value = u64::from_le_bytes(self.bytes[at..at + 8].try_into().unwrap());
        self.bytes[at..at + 8].copy_from_slice(&change(value).to_le_bytes());
    }
}

/// Where in the file what is loaded at `address` stands; the whole pages of a segment are.
fn offset(bytes: &[u8], address: u64) -> usize {
    let elf = ElfFile64::<LittleEndian>::parse(bytes).unwrap();
    let headers = elf.elf_program_headers().iter();
    let loads = headers.filter(|one| one.p_type(LittleEndian) == object::elf::PT_LOAD);
    let offset = loads
        .map(|one| {
            (
                one.p_vaddr(LittleEndian),
                one.p_memsz(LittleEndian),
                one.p_offset(LittleEndian),
            )
        })
        .find(|(start, size, _)| {
            (start & !0xfff..(start + size).next_multiple_of(4096)).contains(&address)
        })
        .map(|(start, _, offset)| (offset + address).wrapping_sub(start));
    offset.unwrap_or_else(|| panic!("{address:#x} is not loaded")) as usize
}

/// Offsets of the header's lists.
pub const CUBICLES: usize = offset_of!(Header, cubicles);
pub const GATES: usize = offset_of!(Header, gates);
pub const WINDOWS: usize = offset_of!(Header, windows);
pub const TEXTS: usize = offset_of!(Header, texts);
