//! What is measured of one program.

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::Call;
use crate::picture::Picture;

/// Programs that lie beside a link line, and what is known about their partition. It is written where
/// cargo expects the program, so cargo knows when it is out of date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Built {
    /// Tells it from whatever else may lie there.
    pub cubicle_measure: u32,
    /// The folder with the programs.
    pub folder: Utf8PathBuf,
    pub picture: Picture,
    /// What the counting program counts, in the order of its counters.
    pub calls: Vec<Call>,
    /// There is a partitioned program; else something forbids it.
    pub partitioned: bool,
    /// How many findings are in the way of a partition.
    pub denied: usize,
}

/// The version of [`Built`].
pub const VERSION: u32 = 1;

impl Built {
    pub fn plain(&self) -> Utf8PathBuf {
        self.folder.join("plain")
    }

    pub fn counted(&self) -> Utf8PathBuf {
        self.folder.join("counted")
    }

    pub fn partitioned(&self) -> Utf8PathBuf {
        self.folder.join("partitioned")
    }

    /// Puts it where the program would be. Nobody takes it for one: it cannot be executed.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn leave(&self, output: &Utf8Path) -> anyhow::Result<()> {
        let text = serde_json::to_string(self)?;
        let _ = std::fs::remove_file(output);
        std::fs::write(output, text).with_context(|| format!("cannot write `{output}`"))
    }

    /// Reads it; `None` if the file is something else.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(path: &Utf8Path) -> anyhow::Result<Option<Built>> {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read `{path}`"))?;
        let built: Option<Built> = serde_json::from_slice(&bytes).ok();
        Ok(built.filter(|built| built.cubicle_measure == VERSION))
    }
}
