//! The complete link line of one program, classified and serialisable: what
//! the later phases start from. It can be read again from `link.json`, because
//! everything that rustc would have deleted was copied beside that file.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::crate_record::CrateRecord;
use super::error::{CaptureError, file_error};
use super::flags::{Lto, Profile};
use super::purpose::Purpose;

/// One program's link, as rustc asked for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkLine {
    /// The linker driver: the user's own if one was configured, else `cc`.
    pub driver: String,
    /// Where the program is to be written.
    pub output: Utf8PathBuf,
    /// Everything else on the line, in order.
    pub items: Vec<LinkItem>,
    /// The program's own crate and package.
    pub program: CrateRecord,
    /// `CARGO_BIN_NAME`: set for binaries, not for tests and benchmarks.
    pub binary_name: Option<String>,
    /// The program is a test or benchmark harness.
    pub test: bool,
    pub profile: Profile,
    pub lto: Lto,
    /// The manifest that applies.
    pub manifest: Utf8PathBuf,
    /// Which of its variants, if not the program as it stands there.
    #[serde(default)]
    pub variant: Option<String>,
    /// What it is linked for.
    #[serde(default)]
    pub purpose: Purpose,
    /// What is granted must be in the lock file.
    #[serde(default)]
    pub locked: bool,
    /// What this program's files are kept in: `<profile>/cubicle/<stem>`.
    pub directory: Utf8PathBuf,
    /// The directory the driver is to be run in.
    pub working_directory: Utf8PathBuf,
    /// Variables that drivers listen to, as rustc set them.
    pub environment: BTreeMap<String, String>,
}

/// One piece of a link line. All paths are absolute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkItem {
    Object(Utf8PathBuf),
    Archive(Archive),
    Library(Library),
    /// `-L`; libraries are looked for in these before the driver's own.
    SearchPath(Utf8PathBuf),
    /// A word for the driver. Options that take a separate value come as two.
    Other(String),
}

/// A `.rlib` or `.a` that is named by its path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Archive {
    pub path: Utf8PathBuf,
    pub kind: ArchiveKind,
    /// The crate in an rlib, as rustc names it (`libsqlite3_sys`).
    pub crate_name: Option<String>,
    /// What is known about the crate, unless it belongs to the toolchain.
    pub record: Option<CrateRecord>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArchiveKind {
    /// A crate compiled by cargo.
    Rlib,
    /// A crate of the toolchain: std, core, alloc and what they use.
    Toolchain,
    /// A static library that holds no crate.
    Native,
}

/// A library that is named by `-l`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Library {
    /// What follows `-l`: `z` or `:libz.a`.
    pub name: String,
    /// The mode in force at this place. A partitioned program uses the static
    /// library either way.
    pub mode: LibraryMode,
    /// The static library it stands for, once found.
    pub file: Option<Utf8PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LibraryMode {
    Static,
    Dynamic,
}

/// The file in [`LinkLine::directory`] that holds the link line.
pub const LINK_LINE_FILE: &str = "link.json";

impl LinkLine {
    /// The driver's arguments that link the program unpartitioned: rustc's own
    /// line, without the words that choose shared libraries.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        for item in &self.items {
            match item {
                LinkItem::Object(path) => arguments.push(path.to_string()),
                LinkItem::Archive(archive) => arguments.push(archive.path.to_string()),
                LinkItem::Library(library) => arguments.push(format!("-l{}", library.name)),
                LinkItem::SearchPath(path) => arguments.push(format!("-L{path}")),
                LinkItem::Other(word) => arguments.push(word.clone()),
            }
        }
        arguments.push("-o".to_owned());
        arguments.push(self.output.to_string());
        arguments
    }

    /// What people call the program.
    pub fn name(&self) -> &str {
        let name = self.binary_name.as_deref();
        name.unwrap_or(&self.program.crate_name)
    }

    /// Whether the lock file is about it: tests and benchmarks are not in it.
    pub fn has_lock(&self) -> bool {
        self.binary_name.is_some() && !self.test
    }

    /// The file name of the output: crate name and cargo's hash.
    pub fn stem(&self) -> &str {
        self.output.file_name().unwrap_or(self.output.as_str())
    }

    /// Writes `link.json`, so that every later phase can be run again by itself.
    pub fn save(&self) -> Result<(), CaptureError> {
        let path = self.directory.join(LINK_LINE_FILE);
        let text = serde_json::to_string_pretty(self).expect("its keys are strings");
        std::fs::write(&path, text + "\n").map_err(file_error("write", path))
    }

    /// Reads what [`LinkLine::save`] wrote.
    pub fn load(path: &Utf8Path) -> Result<LinkLine, CaptureError> {
        let text = std::fs::read_to_string(path).map_err(file_error("read", path))?;
        serde_json::from_str(&text).map_err(|source| CaptureError::Stale {
            path: path.to_owned(),
            source,
        })
    }

    /// The objects and archives, in the order of the line.
    pub fn inputs(&self) -> impl Iterator<Item = &Utf8Path> {
        self.items.iter().filter_map(|item| match item {
            LinkItem::Object(path) => Some(path.as_path()),
            LinkItem::Archive(archive) => Some(archive.path.as_path()),
            LinkItem::Library(library) => library.file.as_deref(),
            _ => None,
        })
    }
}
