//! Phase 2: runs cargo with this program as compiler wrapper and linker, and
//! takes from it the complete link line of every program.
//!
//! ```text
//! cargo cubicle build          cli/, looks up what cargo is configured to do
//!   cargo build                with our wrapper and linker in its configuration
//!     wrapper rustc …          wrapper.rs, once for each crate
//!       rustc … -C linker      the user's own wrapper and compiler
//!         linker …             linker.rs keeps the line and the objects
//!       After::link            the phases that follow, in the wrapper
//! ```
//!
//! The configured linker is part of cargo's fingerprint of every crate for the
//! target. A plain `cargo build` afterwards therefore compiles them again, and
//! never takes a partitioned program for its own, nor the other way round.

mod crate_record;
mod dep_info;
pub mod diagnostic;
mod error;
mod flags;
mod libraries;
mod link_line;
pub(crate) mod linker;
mod purpose;
pub(crate) mod rustc_call;
pub(crate) mod rustdoc;
pub(crate) mod session;
pub mod timings;
mod words;
pub(crate) mod wrapper;

use camino::Utf8PathBuf;

pub use crate_record::CrateRecord;
pub use error::{CaptureError, Reported};
pub use flags::{Lto, Profile, Strip};
pub use link_line::{
    Archive, ArchiveKind, LINK_LINE_FILE, Library, LibraryMode, LinkItem, LinkLine,
};
pub use purpose::Purpose;
pub use rustc_call::RustcCall;
pub use session::{Session, TARGET};

/// What becomes of a captured link line: the phases that follow. They run in the
/// compiler wrapper, where messages go through [`diagnostic::emit`].
#[derive(Debug, Clone, Copy)]
pub struct After {
    /// Makes what [`LinkLine::purpose`] says at [`LinkLine::output`]. Its error is
    /// [`Reported`] if everything was explained already; any other is printed.
    pub link: fn(&LinkLine) -> anyhow::Result<()>,
    /// Files besides the manifest that the manifest makes the program from.
    pub sources: fn(&LinkLine) -> Vec<Utf8PathBuf>,
}

/// Files besides the manifest that the program must be linked again for: native
/// archives and libraries that come from outside of the toolchain. cargo itself
/// watches crates and what build scripts name.
fn extra_dependencies(line: &LinkLine) -> Vec<Utf8PathBuf> {
    let mut files: Vec<Utf8PathBuf> = line
        .items
        .iter()
        .filter_map(|item| match item {
            LinkItem::Archive(archive) if archive.kind == ArchiveKind::Native => {
                Some(&archive.path)
            }
            LinkItem::Object(path) => Some(path),
            LinkItem::Library(library) => library.file.as_ref(),
            _ => None,
        })
        .filter(|path| !path.starts_with(&line.directory))
        .cloned()
        .collect();
    files.sort();
    files.dedup();
    files
}
