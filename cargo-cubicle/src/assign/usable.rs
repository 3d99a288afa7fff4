//! Whether what the manifest or a build script hands over can be linked at all. A linker
//! passes over much that it cannot read, takes text for a script, and then complains about
//! symbols that are missing; so this is found out first, and said about the file.

use camino::Utf8Path;
use object::{Architecture, Object, ObjectKind, ObjectSection, ObjectSymbol};

use super::archive::{self, ArchiveError, each};
use crate::diagnostics::{Finding, Place};

/// Why an object or archive cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// No object file at all.
    Unknown,
    /// Bytes are missing or wrong.
    Damaged(String),
    /// For another processor.
    Machine(String),
    /// A program or a shared library.
    Linked,
    /// LLVM's intermediate code.
    LlvmBitcode,
    /// GCC's intermediate code, and nothing else.
    GccBitcode,
}

impl Unusable {
    /// What is said of the file.
    fn reason(&self) -> String {
        match self {
            Unusable::Unknown => "is no object file".to_owned(),
            Unusable::Damaged(detail) => format!("is damaged or incomplete: {detail}"),
            Unusable::Machine(machine) => format!("is for {machine}, not for 64-bit x86"),
            Unusable::Linked => {
                "is a program or shared library, which cannot be linked into one".to_owned()
            }
            Unusable::LlvmBitcode | Unusable::GccBitcode => {
                "holds no machine code, but what a compiler keeps for link-time optimisation"
                    .to_owned()
            }
        }
    }

    /// What the user can do about it.
    fn remedy(&self) -> &'static str {
        match self {
            Unusable::Unknown => {
                "`objects` are what `cc -c` and `ar` write; sources belong into `c = { files = […] }`"
            }
            Unusable::Damaged(_) => "build it again; was the disk full, or a build interrupted?",
            Unusable::Machine(_) => "compile it for x86-64 (`-m64`)",
            Unusable::Linked => "use the object files or the static library (`.a`) it was made of",
            Unusable::LlvmBitcode => {
                "compile it without `-flto` (rustc: without `-C linker-plugin-lto` and `--emit llvm-bc`)"
            }
            Unusable::GccBitcode => "compile it without `-flto`, or with `-ffat-lto-objects`",
        }
    }
}

/// The finding about `path`, or a member of it.
fn finding(path: &Utf8Path, member: Option<&str>, why: &Unusable) -> Finding {
    let what = match member {
        Some(member) => format!("`{member}` in `{path}`"),
        None => format!("`{path}`"),
    };
    Finding::error(format!("{what} {}", why.reason())).help(why.remedy())
}

/// What is wrong with an object or archive. `of_interest` says which members matter.
///
/// # Errors
/// If it cannot be opened.
pub fn check(
    path: &Utf8Path,
    place: Option<Place>,
    of_interest: impl Fn(&str) -> bool,
) -> Result<Option<Finding>, ArchiveError> {
    let found = find(path, of_interest)?;
    Ok(found.map(|finding| match place {
        Some(place) => finding.at(place),
        None => finding,
    }))
}

fn find(
    path: &Utf8Path,
    of_interest: impl Fn(&str) -> bool,
) -> Result<Option<Finding>, ArchiveError> {
    let bytes = archive::map(path)?;
    if !bytes.starts_with(b"!<") {
        return Ok(object(&bytes)
            .err()
            .map(|unusable| finding(path, None, &unusable)));
    }
    let mut found = None;
    let read = each(path, |name, data| {
        // An archive may hold anything; what is no object is never linked.
        let matters = data.starts_with(b"\x7fELF") || is_bitcode(data);
        if found.is_none() && matters && of_interest(name) {
            found = object(data)
                .err()
                .map(|unusable| finding(path, Some(name), &unusable));
        }
        Ok(())
    });
    match read {
        Ok(()) => Ok(found),
        Err(ArchiveError::Format { source, .. }) => {
            let unusable = Unusable::Damaged(source.to_string());
            Ok(Some(finding(path, None, &unusable)))
        }
        Err(error) => Err(error),
    }
}

/// LLVM's bitcode, plain and in its wrapper.
fn is_bitcode(bytes: &[u8]) -> bool {
    bytes.starts_with(b"BC\xc0\xde") || bytes.starts_with(&0x0b17_c0de_u32.to_le_bytes())
}

/// Can these bytes be linked?
///
/// # Errors
/// The reason why not.
pub fn object(bytes: &[u8]) -> Result<(), Unusable> {
    if is_bitcode(bytes) {
        return Err(Unusable::LlvmBitcode);
    }
    if !bytes.starts_with(b"\x7fELF") {
        return Err(Unusable::Unknown);
    }
    let damaged = |error: object::Error| Unusable::Damaged(error.to_string());
    let object = object::File::parse(bytes).map_err(damaged)?;
    if object.architecture() != Architecture::X86_64 {
        return Err(Unusable::Machine(format!("{:?}", object.architecture())));
    }
    if object.kind() != ObjectKind::Relocatable {
        return Err(Unusable::Linked);
    }
    let mut sections = 0;
    for section in object.sections() {
        sections += 1;
        section.name().and(section.data()).map_err(damaged)?;
    }
    if sections == 0 {
        return Err(Unusable::Damaged("it has no sections".to_owned()));
    }
    let mut code_elsewhere = false;
    for symbol in object.symbols() {
        let name = symbol.name_bytes().map_err(damaged)?;
        code_elsewhere |= name == b"__gnu_lto_slim";
    }
    match code_elsewhere {
        true => Err(Unusable::GccBitcode),
        false => Ok(()),
    }
}
