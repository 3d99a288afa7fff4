//! What the command line decided, for the processes that cargo starts.
//!
//! cargo starts this program again as compiler wrapper, linker and runner. They
//! are far apart in the process tree, so one environment variable carries
//! everything the first process knows.

use std::collections::BTreeMap;
use std::io::Write;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::error::CaptureError;
use super::purpose::Purpose;

/// The only target there is.
pub const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Holds the serialised [`Session`].
pub const SESSION_VARIABLE: &str = "CUBICLE_SESSION";
/// Identifies the tool's executable and how it composes; a final crate is relinked when it changes.
pub const TOOL_VARIABLE: &str = "CUBICLE_TOOL";
/// The argument of `--cubicle-manifest`, if there was one.
pub const MANIFEST_VARIABLE: &str = "CUBICLE_MANIFEST";
/// The manifests that exist in the workspace: a new one changes which applies.
pub const MANIFESTS_VARIABLE: &str = "CUBICLE_MANIFESTS";
/// The revision of the flags that every crate is compiled with.
pub const FLAGS_VARIABLE: &str = "CUBICLE_FLAGS";
/// Set by the wrapper for rustc, hence for the linker rustc starts: the
/// directory in which the link line is to be left.
pub const CAPTURE_VARIABLE: &str = "CUBICLE_CAPTURE";
/// The inherited descriptor on which a running program reports violations.
pub const REPORT_VARIABLE: &str = "CUBICLE_REPORT_FD";

/// Raise this whenever `flags.rs` begins to compile crates differently.
pub const FLAGS_REVISION: &str = "3";

/// The name of a manifest.
pub const MANIFEST_NAME: &str = "Cubicle.toml";

/// What every process of one `cargo cubicle` command knows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    /// This program, as cargo is told to call it.
    pub tool: Utf8PathBuf,
    /// The linker driver that cargo would have used: configured, or `cc`.
    pub driver: String,
    /// The compiler wrapper that was configured, for example sccache.
    pub chained_wrapper: Option<String>,
    /// The runner that was configured, a program and its first arguments.
    pub chained_runner: Vec<String>,
    /// The rustdoc that cargo would have used.
    pub rustdoc: String,
    /// `--cubicle-manifest`, absolute.
    pub manifest: Option<Utf8PathBuf>,
    /// `--variant`: which partition of the manifest's.
    pub variant: Option<String>,
    /// Where the workspace's own manifest may lie.
    pub workspace_root: Utf8PathBuf,
    /// The directories of the workspace's packages.
    pub members: Vec<Utf8PathBuf>,
    /// Print the milliseconds of each phase.
    pub timings: bool,
    /// Run programs in the emulated machine, in this way.
    pub machine: Option<Emulation>,
    /// Whether the user asked for colours or for none, with cargo's `--color`.
    pub colour: Option<bool>,
    /// What programs are linked for.
    pub purpose: Purpose,
    /// Refuse what the lock file does not list.
    pub locked: bool,
    /// Folders whose names must not be part of a program, and what stands there
    /// instead; of two that match, the later one is taken.
    pub renamed: Vec<(Utf8PathBuf, String)>,
    /// Exists as long as the command runs. Processes started by cargo leave in it
    /// what the command is to know when cargo is done.
    pub directory: Utf8PathBuf,
    /// Variables as they were before this tool changed them, for the programs
    /// that `run` and `test` start.
    pub original_environment: BTreeMap<String, Option<String>>,
}

/// What programs are given in the emulated machine.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Emulation {
    /// Where in the guest which absolute paths of this machine are to lie.
    pub files: Vec<(Utf8PathBuf, Utf8PathBuf)>,
    /// Variables that the user named.
    pub environment: BTreeMap<String, String>,
    /// Whether the program is to read what this process can read.
    pub input: bool,
}

impl Session {
    /// The session this process was started in, if any.
    pub fn from_environment() -> Result<Option<Session>, CaptureError> {
        match std::env::var(SESSION_VARIABLE) {
            Ok(text) => serde_json::from_str(&text)
                .map(Some)
                .map_err(CaptureError::Session),
            Err(_) => Ok(None),
        }
    }

    /// The manifest that applies to the binaries of the package in `directory`:
    /// the one given on the command line, else the package's own, else that of
    /// the workspace the package is a member of.
    pub fn manifest_of(&self, directory: &Utf8Path) -> Option<Utf8PathBuf> {
        if let Some(manifest) = &self.manifest {
            return Some(manifest.clone());
        }
        let own = directory.join(MANIFEST_NAME);
        if own.is_file() {
            return Some(own);
        }
        let shared = self.workspace_root.join(MANIFEST_NAME);
        let member = self.members.iter().any(|member| member == directory);
        (member && shared.is_file()).then_some(shared)
    }

    /// Leaves the status that `cargo cubicle` should end with. The lowest wins:
    /// findings (1) say more than a usage error (2) of a later crate.
    pub fn leave_status(&self, status: u8) {
        let earlier = self.status().unwrap_or(u8::MAX);
        // Failing to write costs precision of the exit status, nothing else:
        // cargo still fails with its own.
        let _ = std::fs::write(self.status_file(), status.min(earlier).to_string());
    }

    /// The status that was left, if any.
    pub fn status(&self) -> Option<u8> {
        let text = std::fs::read_to_string(self.status_file()).ok()?;
        text.trim().parse().ok()
    }

    /// Leaves a line about a program's link. cargo would repeat it with every
    /// later build if the wrapper printed it.
    pub fn leave_timings(&self, line: &str) {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.timings_file());
        if let Ok(mut file) = file {
            // A line that is lost is missed by nobody but its reader.
            let _ = file.write_all(format!("{line}\n").as_bytes());
        }
    }

    /// All lines that were left.
    pub fn timings(&self) -> String {
        std::fs::read_to_string(self.timings_file()).unwrap_or_default()
    }

    fn status_file(&self) -> Utf8PathBuf {
        self.directory.join("status")
    }

    fn timings_file(&self) -> Utf8PathBuf {
        self.directory.join("timings")
    }
}
