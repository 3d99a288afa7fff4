//! Asks cargo which packages there are.

use std::process::Command;

use camino::Utf8PathBuf;
use serde::Deserialize;

use crate::capture::session::MANIFEST_NAME;
use crate::capture::{CaptureError, Reported};

/// The workspace that a command is about.
pub struct Workspace {
    pub root: Utf8PathBuf,
    /// The directories of its packages, sorted.
    pub members: Vec<Utf8PathBuf>,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: Utf8PathBuf,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    manifest_path: Utf8PathBuf,
}

impl Workspace {
    /// Runs `cargo metadata` with the arguments of the user's command that
    /// decide which workspace it is. Dependencies are not resolved for it.
    ///
    /// # Errors
    ///
    /// [`Reported`] with cargo's own status if cargo found fault.
    pub fn find(cargo: &str, arguments: &[String]) -> anyhow::Result<Workspace> {
        let output = Command::new(cargo)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .args(arguments)
            .stderr(std::process::Stdio::inherit())
            .output()
            .map_err(|source| CaptureError::Start {
                program: cargo.to_owned(),
                source,
            })?;
        if !output.status.success() {
            let status = output.status.code().unwrap_or(101) as u8;
            return Err(Reported { status }.into());
        }
        let metadata: Metadata = serde_json::from_slice(&output.stdout)?;
        let mut members: Vec<Utf8PathBuf> = metadata
            .packages
            .into_iter()
            .filter_map(|package| Some(package.manifest_path.parent()?.to_owned()))
            .collect();
        members.sort();
        Ok(Workspace {
            root: metadata.workspace_root,
            members,
        })
    }

    /// Every manifest of the workspace that exists.
    pub fn manifests(&self) -> Vec<Utf8PathBuf> {
        let mut paths: Vec<Utf8PathBuf> = self
            .members
            .iter()
            .chain([&self.root])
            .map(|directory| directory.join(MANIFEST_NAME))
            .filter(|path| path.is_file())
            .collect();
        paths.sort();
        paths.dedup();
        paths
    }
}
