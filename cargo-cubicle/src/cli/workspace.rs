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
    /// Where cargo builds.
    pub target_directory: Utf8PathBuf,
    /// Packages whose library is a shared one and nothing else, sorted.
    pub shared_libraries: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: Utf8PathBuf,
    target_directory: Utf8PathBuf,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: Utf8PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    crate_types: Vec<String>,
}

impl Target {
    fn is_only_shared(&self) -> bool {
        self.crate_types
            .iter()
            .all(|kind| kind == "cdylib" || kind == "dylib")
    }
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
        let mut shared_libraries: Vec<String> = metadata
            .packages
            .iter()
            .filter(|package| package.targets.iter().any(Target::is_only_shared))
            .map(|package| package.name.clone())
            .collect();
        shared_libraries.sort();
        let mut members: Vec<Utf8PathBuf> = metadata
            .packages
            .into_iter()
            .filter_map(|package| Some(package.manifest_path.parent()?.to_owned()))
            .collect();
        members.sort();
        Ok(Workspace {
            root: metadata.workspace_root,
            target_directory: metadata.target_directory,
            members,
            shared_libraries,
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
