//! `Cubicle.lock`: what was reviewed, beside the manifest that grants it.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::Program;
use crate::files::{self, Kind, ReplaceError};

/// The file's name.
pub const LOCK_NAME: &str = "Cubicle.lock";

/// The version of its form.
const VERSION: u32 = 1;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Lock {
    version: u32,
    /// By name.
    #[serde(default)]
    pub program: BTreeMap<String, Program>,
}

impl Default for Lock {
    fn default() -> Self {
        Lock {
            version: VERSION,
            program: BTreeMap::new(),
        }
    }
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("could not read `{path}`: {source}")]
    File {
        path: Utf8PathBuf,
        source: std::io::Error,
    },
    #[error(
        "`{path}` is not what `cargo cubicle lint --accept` writes: {reason}\n  \
         = help: take it from version control again, or write it anew with `cargo cubicle lint --accept` and review it"
    )]
    Form { path: Utf8PathBuf, reason: String },
}

const HEADING: &str = "\
# What Cubicle.toml grants, one line for each thing that is granted. It is written by
# `cargo cubicle lint --accept`; commit it, and read its changes as you read code.
";

/// The lock file beside a manifest. Another manifest of the same folder has a lock file
/// of its own, and so has a variant: `Cubicle.four.lock`.
pub fn path_beside(manifest: &Utf8Path, variant: Option<&str>) -> Utf8PathBuf {
    let path = match manifest.file_name() {
        Some("Cubicle.toml") | None => manifest.with_file_name(LOCK_NAME),
        Some(_) => manifest.with_extension("lock"),
    };
    match variant {
        Some(variant) => path.with_extension(format!("{variant}.lock")),
        None => path,
    }
}

impl Lock {
    /// Reads the file; `None` if there is none.
    ///
    /// # Errors
    /// If it cannot be read, or is no lock file of this version.
    pub fn read(path: &Utf8Path) -> Result<Option<Lock>, LockError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(LockError::File {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let form = |reason: String| LockError::Form {
            path: path.to_owned(),
            reason,
        };
        let lock: Lock = toml::from_str(&text).map_err(|error| form(error.message().to_owned()))?;
        if lock.version != VERSION {
            return Err(form(format!(
                "it has version {}, and this tool knows {VERSION}",
                lock.version
            )));
        }
        Ok(Some(lock))
    }

    /// The file's text: the same for the same grants.
    pub fn text(&self) -> String {
        let body = toml::to_string_pretty(self).expect("its keys are strings");
        format!("{HEADING}\n{body}")
    }

    /// Writes the file in one step.
    ///
    /// # Errors
    /// If it cannot be written; the old one is still there then.
    pub fn write(&self, path: &Utf8Path) -> Result<(), ReplaceError> {
        files::replace(path, self.text().as_bytes(), Kind::Data)
    }
}
