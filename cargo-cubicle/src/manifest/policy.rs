//! The checked contents of a manifest. Later phases read only this.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::function::Function;
use super::located::Located;
use super::words::{Access, Denied, GateKind, Isolation, Kind, LintLevel, OnFault, Rodata};
use crate::diagnostics::{Code, Findings, Place, Sources};

/// The groups of system calls that a cubicle can be granted by one name.
pub const SYSCALL_GROUPS: [&str; 8] = [
    "@base", "@stdio", "@file", "@thread", "@net", "@process", "@time", "@signal",
];

/// How many cubicles and keyed windows there can be together: keys 2 to 15.
pub const MAX_KEYED: usize = 14;

/// Everything a manifest says, checked as far as the manifest alone allows.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The manifest's path, as it is shown to the user.
    pub file: Utf8PathBuf,
    /// The manifest's text.
    pub text: Arc<str>,
    /// The interface files it names. All texts share one space of offsets, into
    /// which all spans point: the manifest's begins at 0, each of these at its
    /// own `start`, one behind the other.
    pub interfaces: Vec<InterfaceText>,
    /// What must hold cubicles apart.
    pub isolation: Located<Isolation>,
    /// Whether debuggers and core dumps may see the process.
    pub dumps: Located<bool>,
    /// The cubicles by name, including those of kind "shared".
    pub cubicles: BTreeMap<String, Cubicle>,
    /// The keyed windows by name.
    pub windows: BTreeMap<String, Window>,
    /// The variants by name.
    pub variants: BTreeMap<String, Variant>,
    /// What the manifest says of lint rules.
    pub lint: BTreeMap<Code, LintRule>,
    /// What is suspicious but does not refuse the manifest.
    pub warnings: Findings,
}

impl Policy {
    /// What holds before anything has been read.
    pub(super) fn empty(file: &Utf8Path, text: Arc<str>) -> Self {
        Policy {
            file: file.to_owned(),
            text,
            interfaces: Vec::new(),
            isolation: Located::new(Isolation::Pku, 0..0),
            dumps: Located::new(false, 0..0),
            cubicles: BTreeMap::new(),
            windows: BTreeMap::new(),
            variants: BTreeMap::new(),
            lint: BTreeMap::new(),
            warnings: Findings::new(),
        }
    }

    /// The place of something in the manifest or in an interface file.
    pub fn place(&self, span: &Range<usize>, label: impl Into<String>) -> Place {
        match self.interface_at(span) {
            Some(interface) => Place::span(
                interface.file.clone(),
                span.start - interface.start..span.end - interface.start,
                label,
            ),
            None => Place::span(self.file.clone(), span.clone(), label),
        }
    }

    /// The interface file that a span points into, if it is not the manifest.
    pub fn interface_at(&self, span: &Range<usize>) -> Option<&InterfaceText> {
        let mut interfaces = self.interfaces.iter().rev();
        interfaces.find(|interface| interface.start <= span.start)
    }

    /// The texts, for rendering findings that point into them.
    pub fn sources(&self) -> Sources {
        let mut sources = Sources::new();
        sources.insert(self.file.clone(), Arc::clone(&self.text));
        for interface in &self.interfaces {
            sources.insert(interface.file.clone(), Arc::clone(&interface.text));
        }
        sources
    }

    /// The folder that file names in the manifest are relative to.
    pub fn folder(&self) -> &Utf8Path {
        match self.file.parent() {
            Some(folder) if folder != "" => folder,
            _ => Utf8Path::new("."),
        }
    }

    /// The main cubicle and its name. A policy that was accepted has exactly one.
    pub fn main(&self) -> Option<(&str, &Cubicle)> {
        self.cubicles
            .iter()
            .find(|(_, cubicle)| cubicle.is_main())
            .map(|(name, cubicle)| (name.as_str(), cubicle))
    }
}

/// The text of an interface file.
#[derive(Clone, Debug)]
pub struct InterfaceText {
    /// The file's path, as it is shown to the user.
    pub file: Utf8PathBuf,
    /// Its text.
    pub text: Arc<str>,
    /// Where its text begins in the space of offsets that all texts share.
    pub start: usize,
    /// Whether it belongs to the project; the others come with the tool.
    pub own: bool,
}

/// One `[cubicle.NAME]` table.
#[derive(Clone, Debug)]
pub struct Cubicle {
    /// The name, at the place of its first table header.
    pub name: Located<String>,
    /// Present, and true, in the main cubicle.
    pub main: Option<Located<bool>>,
    /// Present in a table that describes no cubicle of its own.
    pub kind: Option<Located<Kind>>,
    /// Cargo packages whose native code belongs to it.
    pub crates: Vec<Located<String>>,
    /// C and C++ sources to compile for it. Only in a variant are there several
    /// tables, each with its own flags.
    pub c: Vec<CSources>,
    /// Glob patterns of objects and archives, relative to the manifest.
    pub objects: Vec<Located<String>>,
    /// Native static libraries on the link line, without `lib` and `.a`.
    pub libs: Vec<Located<String>>,
    /// Interface files by name.
    pub interfaces: Vec<Located<String>>,
    /// The cubicles that may call in.
    pub callers: Vec<Located<String>>,
    /// Patterns of the symbols that others may refer to; `None` means every
    /// symbol that another cubicle refers to.
    pub exports: Option<Vec<Located<SymbolPattern>>>,
    /// Cubicles whose whole memory it may touch.
    pub sees: BTreeMap<String, Sight>,
    /// The arena's limit in bytes, a multiple of 4 KiB, at most 48 GiB.
    pub memory: Located<u64>,
    /// The size in bytes of each virtual thread's stack, a multiple of 4 KiB.
    pub stack: Located<u64>,
    /// The kind of the gates into it, where a function does not say otherwise.
    pub gate: Located<GateKind>,
    /// Whether gates into it clear vector, mask and x87 registers that carry nothing.
    pub scrub_vectors: Located<bool>,
    /// Names of [`SYSCALL_GROUPS`] or of single system calls.
    pub syscalls: Vec<Located<String>>,
    /// What becomes of calls that it is denied.
    pub denied: Located<Denied>,
    /// What its calls with paths reach, if that is not everything.
    pub files: Option<Files>,
    /// Who may read its constants.
    pub rodata: Located<Rodata>,
    /// What happens when it faults.
    pub on_fault: Located<OnFault>,
    /// How often a minute it may be restarted.
    pub restarts: Located<u32>,
    /// Structs and their typedefs by name: a pointer to one is passed through
    /// and never touched, wherever it is an argument and nothing else is said.
    pub handles: BTreeSet<String>,
    /// What the manifest and its interface files say about functions it
    /// exports, by symbol name.
    pub functions: BTreeMap<String, Function>,
}

impl Cubicle {
    /// Whether it holds the binary's `main` and everything nobody claims.
    pub fn is_main(&self) -> bool {
        self.main.as_ref().is_some_and(|main| main.value)
    }

    /// Whether it is no cubicle of its own but a copy in each image.
    pub fn is_shared(&self) -> bool {
        matches!(self.kind.as_deref(), Some(Kind::Shared))
    }
}

/// What the manifest says of one lint rule.
#[derive(Clone, Debug, Default)]
pub struct LintRule {
    /// Its level, if it is set.
    pub level: Option<Located<LintLevel>>,
    /// By name: what a finding may be about without being one.
    pub except: BTreeMap<String, Exception>,
}

/// What a lint rule leaves alone.
#[derive(Clone, Debug)]
pub struct Exception {
    /// A name that stands in backticks in the rule's findings.
    pub name: Located<String>,
    /// Why, for those who read the manifest. Never empty.
    pub reason: Located<String>,
}

/// One entry of `sees`.
#[derive(Clone, Debug)]
pub struct Sight {
    /// The seen cubicle's name, at its place.
    pub cubicle: Located<String>,
    /// What may be done with its memory.
    pub access: Located<Access>,
}

/// The `files` table. Paths are absolute, or relative to the directory in which the
/// program starts; they have no `.` or `..` in them.
#[derive(Clone, Debug)]
pub struct Files {
    /// Where the table stands.
    pub span: Range<usize>,
    /// What may be read.
    pub read: Vec<Located<String>>,
    /// What may also be changed.
    pub write: Vec<Located<String>>,
}

/// The `c` table: sources that the tool compiles itself. C++ is told from C by
/// the file's extension.
#[derive(Clone, Debug)]
pub struct CSources {
    /// Glob patterns relative to the manifest; at least one.
    pub files: Vec<Located<String>>,
    /// Include folders relative to the manifest.
    pub include: Vec<Located<String>>,
    /// Macros by name and their values.
    pub define: BTreeMap<String, Located<String>>,
    /// Further compiler flags, passed through in order.
    pub flags: Vec<Located<String>>,
}

/// A glob pattern over symbol names: `*`, `?` and `[…]`.
#[derive(Clone, Debug)]
pub struct SymbolPattern(pub(super) glob::Pattern);

impl SymbolPattern {
    /// Whether the pattern covers a symbol.
    pub fn matches(&self, symbol: &str) -> bool {
        self.0.matches(symbol)
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// One `[window.NAME]` table: memory with a protection key of its own.
#[derive(Clone, Debug)]
pub struct Window {
    /// The window's name.
    pub name: Located<String>,
    /// The cubicle that owns it.
    pub owner: Located<String>,
    /// The other cubicles that may touch it; at least one.
    pub guests: BTreeMap<String, Sight>,
    /// Globals placed in it at link time.
    pub symbols: Vec<Located<String>>,
}

/// One `[variant.NAME]` table: the same program, partitioned more coarsely.
#[derive(Clone, Debug)]
pub struct Variant {
    /// The variant's name.
    pub name: Located<String>,
    /// Groups of two or more cubicles that become one.
    pub merge: Vec<Vec<Located<String>>>,
}
