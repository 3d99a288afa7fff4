//! Reading archives: rlibs hold Rust objects, native objects and metadata, and
//! several members may have the same name.

use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use object::read::archive::ArchiveFile;
use object::{Object, ObjectSymbol};

/// Why an archive or its members could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("cannot {action} `{path}`")]
    File {
        action: &'static str,
        path: Utf8PathBuf,
        source: io::Error,
    },
    #[error("`{path}` is not an archive that can be read")]
    Format {
        path: Utf8PathBuf,
        source: object::Error,
    },
}

/// An object taken out of an archive.
#[derive(Debug, Clone)]
pub struct Member {
    pub path: Utf8PathBuf,
    /// Compiled by rustc.
    pub rust: bool,
}

fn file_error(action: &'static str, path: &Utf8Path) -> impl FnOnce(io::Error) -> ArchiveError {
    move |source| ArchiveError::File {
        action,
        path: path.to_owned(),
        source,
    }
}

fn format_error(path: &Utf8Path) -> impl Fn(object::Error) -> ArchiveError {
    move |source| ArchiveError::Format {
        path: path.to_owned(),
        source,
    }
}

/// Makes `directory` exist and be empty.
pub fn empty(directory: &Utf8Path) -> Result<(), ArchiveError> {
    if directory.exists() {
        fs::remove_dir_all(directory).map_err(file_error("empty", directory))?;
    }
    fs::create_dir_all(directory).map_err(file_error("create", directory))
}

/// Is this member of an rlib an object of rustc? Those are named after codegen
/// units; everything else was bundled by the package's build script.
pub fn is_rust(name: &str) -> bool {
    name.ends_with(".rcgu.o")
}

/// Is it an object at all? Metadata and linker plug-in data are not.
fn is_object(name: &str, data: &[u8]) -> bool {
    name != "lib.rmeta" && data.starts_with(b"\x7fELF")
}

/// Does the rlib hold objects that rustc did not compile?
///
/// # Errors
/// If it cannot be read.
pub fn has_native_members(path: &Utf8Path) -> Result<bool, ArchiveError> {
    let mut found = false;
    each(path, |name, data| {
        found |= is_object(name, data) && !is_rust(name);
        Ok(())
    })?;
    Ok(found)
}

/// Writes the objects of an archive as files below `scratch`. Their names begin
/// with their number, because names may repeat. Done once for each archive.
///
/// # Errors
/// If it cannot be read, or the files not be written.
pub fn extract(path: &Utf8Path, scratch: &Utf8Path) -> Result<Vec<Member>, ArchiveError> {
    let directory = scratch.join(path.file_stem().unwrap_or("archive"));
    let exists = directory.exists();
    fs::create_dir_all(&directory).map_err(file_error("create", &directory))?;
    let mut members = Vec::new();
    let mut number = 0;
    each(path, |name, data| {
        if !is_object(name, data) {
            return Ok(());
        }
        let base = name.rsplit('/').next().unwrap_or(name);
        let file = directory.join(format!("{number:04}-{base}"));
        number += 1;
        if !exists {
            fs::write(&file, data).map_err(file_error("write", &file))?;
        }
        members.push(Member {
            path: file,
            rust: is_rust(name),
        });
        Ok(())
    })?;
    Ok(members)
}

/// Calls `with` for every member, with its name and contents. Those of a thin archive lie
/// beside it.
///
/// # Errors
/// If the archive or a file it names cannot be read, or what `with` answers.
pub fn each(
    path: &Utf8Path,
    mut with: impl FnMut(&str, &[u8]) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    let bytes = map(path)?;
    let beside = path.parent().unwrap_or(Utf8Path::new(""));
    members(&bytes, |name, data| match data {
        Ok(Some(data)) => with(name, data),
        Ok(None) => with(name, &map(&beside.join(name))?),
        Err(error) => Err(format_error(path)(error)),
    })
    .map_err(format_error(path))?
}

/// Each object in an object or archive, with the name of the member.
///
/// # Errors
/// If a file cannot be read.
pub fn each_object(
    path: &Utf8Path,
    mut with: impl FnMut(Option<&str>, &[u8]),
) -> Result<(), ArchiveError> {
    let bytes = map(path)?;
    if !bytes.starts_with(b"!<") {
        with(None, &bytes);
        return Ok(());
    }
    drop(bytes);
    each(path, |member, data| {
        with(Some(member), data);
        Ok(())
    })
}

/// Calls `with` for every member of the archive in `bytes`, with its name and contents: `None`
/// in a thin archive. What that answers, up to the first error, is the inner result.
///
/// # Errors
/// If this is no archive, or damaged.
pub fn members<E>(
    bytes: &[u8],
    mut with: impl FnMut(&str, Result<Option<&[u8]>, object::Error>) -> Result<(), E>,
) -> Result<Result<(), E>, object::Error> {
    let archive = ArchiveFile::parse(bytes)?;
    for member in archive.members() {
        let member = member?;
        let name = String::from_utf8_lossy(member.name());
        let done = match member.is_thin() {
            true => with(&name, Ok(None)),
            false => with(&name, member.data(bytes).map(Some)),
        };
        if let Err(error) = done {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}

/// Copies of objects whose global definitions are weak, beside them.
///
/// # Errors
/// If one cannot be read or written.
pub fn weaken(objects: &[Utf8PathBuf]) -> Result<Vec<Utf8PathBuf>, ArchiveError> {
    objects
        .iter()
        .map(|path| {
            let weak = path.with_extension("weak.o");
            if !weak.exists() {
                let bytes = weakened(&map(path)?).map_err(format_error(path))?;
                fs::write(&weak, bytes).map_err(file_error("write", &weak))?;
            }
            Ok(weak)
        })
        .collect()
}

/// The object with the binding of every global definition changed in place.
///
/// # Errors
/// If it cannot be read.
pub fn weakened(bytes: &[u8]) -> Result<Vec<u8>, object::Error> {
    use object::read::elf::{FileHeader, SectionHeader, Sym};
    let mut changed = bytes.to_vec();
    let header = object::elf::FileHeader64::<object::Endianness>::parse(bytes)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, bytes)?;
    let table = sections.symbols(endian, bytes, object::elf::SHT_SYMTAB)?;
    let Ok(section) = sections.section(table.section()) else {
        return Ok(changed);
    };
    let start = section.sh_offset(endian) as usize;
    let size = size_of::<object::elf::Sym64<object::Endianness>>();
    for (index, symbol) in table.iter().enumerate() {
        let global = symbol.st_bind() == object::elf::STB_GLOBAL;
        if global && !symbol.is_undefined(endian) {
            // st_info follows the four bytes of st_name.
            changed[start + index * size + 4] = object::elf::STB_WEAK.0 << 4 | symbol.st_type().0;
        }
    }
    Ok(changed)
}

/// A file in memory.
///
/// # Errors
/// If it cannot be opened or mapped.
pub fn map(path: &Utf8Path) -> Result<memmap2::Mmap, ArchiveError> {
    if !path.is_file() && path.exists() {
        // A pipe would wait for somebody to write.
        let error = io::Error::other("this is no regular file");
        return Err(file_error("read", path)(error));
    }
    let file = fs::File::open(path).map_err(file_error("open", path))?;
    // SAFETY: build artefacts; cargo's lock keeps other builds from changing
    // them while this one runs.
    unsafe { memmap2::Mmap::map(&file) }.map_err(file_error("read", path))
}

/// Is this the object that rustc generates to connect `alloc` with an
/// allocator? Every Rust image needs one.
///
/// # Errors
/// If it cannot be read.
pub fn is_allocator_shim(path: &Utf8Path) -> Result<bool, ArchiveError> {
    let bytes = map(path)?;
    let Ok(object) = object::File::parse(&*bytes) else {
        return Ok(false);
    };
    let mut shim = false;
    for symbol in object.symbols().filter(|symbol| symbol.is_definition()) {
        if !symbol.is_global() {
            continue;
        }
        let name = symbol.name().unwrap_or_default();
        if name == "main" {
            return Ok(false);
        }
        shim |= name.contains("__rust_alloc");
    }
    Ok(shim)
}
