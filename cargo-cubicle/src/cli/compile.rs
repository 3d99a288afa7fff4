//! Compiles programs in a target directory of a command's own, so that nothing which cargo
//! takes for a finished program is left in the user's.

use std::ffi::OsString;
use std::fs::File;

use anyhow::Context;
use camino::Utf8PathBuf;
use serde::Deserialize;

use super::UsageError;
use super::arguments::{CargoOptions, MachineOptions};
use super::drive::{self, Prepared};
use super::foreground::{self, Ending};
use crate::capture::Purpose;
use crate::capture::session::{MANIFEST_NAME, Session};

/// What cargo has made.
pub struct Compiled {
    pub prepared: Prepared,
    pub session: Session,
    /// What stands in the place of each program.
    pub artifacts: Vec<Utf8PathBuf>,
}

/// Compiles the programs below `folder` of the target directory; `Err`: how cargo ended without.
///
/// # Errors
/// If nothing has a manifest, or a file cannot be read.
pub fn compile(
    options: &mut CargoOptions,
    purpose: Purpose,
    folder: &str,
) -> anyhow::Result<Result<Compiled, Ending>> {
    let target = take_target_directory(&mut options.cargo)?;
    let mut prepared = drive::prepare("build", options, &MachineOptions::default(), purpose)?;
    let Some(session) = prepared.session.clone() else {
        return Err(UsageError(format!(
            "there is nothing to {}: no {MANIFEST_NAME} in {} or beside a package's Cargo.toml\n  \
             = help: write one there, or name one with `--cubicle-manifest PATH`",
            if purpose == Purpose::Lint {
                "judge"
            } else {
                "measure"
            },
            prepared.workspace.root,
        ))
        .into());
    };
    let target = target.unwrap_or_else(|| prepared.workspace.target_directory.clone());
    let messages = session.directory.join("messages");
    let output = File::create(&messages).with_context(|| format!("cannot write `{messages}`"))?;
    prepared
        .command
        .arg("--message-format=json-render-diagnostics")
        .arg("--target-dir")
        .arg(target.join(folder))
        .stdout(output);
    let ending = foreground::run(&mut prepared.command)?;
    if ending != Ending::Status(0) {
        drive::note_shared_libraries(ending, &prepared.workspace);
        return Ok(Err(drive::better(ending, &session)));
    }
    let text =
        std::fs::read_to_string(&messages).with_context(|| format!("cannot read `{messages}`"))?;
    let artifacts = text.lines().filter_map(|line| {
        let artifact: Artifact = serde_json::from_str(line).ok()?;
        artifact
            .executable
            .filter(|_| artifact.reason == "compiler-artifact")
    });
    Ok(Ok(Compiled {
        artifacts: artifacts.collect(),
        prepared,
        session,
    }))
}

/// The only one of the programs that have a manifest.
///
/// # Errors
/// If there are several, or none.
pub fn only<T>(programs: &[T], name: impl Fn(&T) -> &str) -> Result<&T, UsageError> {
    match programs {
        [program] => Ok(program),
        [] => Err(UsageError(
            "none of the programs has a manifest\n  = help: choose one that has, with `--bin NAME` or `-p PACKAGE`".to_owned(),
        )),
        _ => Err(UsageError(format!(
            "there are several programs: {}\n  = help: choose one with `--bin NAME`",
            programs.iter().map(name).collect::<Vec<_>>().join(", ")
        ))),
    }
}

#[derive(Deserialize)]
struct Artifact {
    reason: String,
    executable: Option<Utf8PathBuf>,
}

/// Takes cargo's `--target-dir` out of the words.
fn take_target_directory(words: &mut Vec<OsString>) -> Result<Option<Utf8PathBuf>, UsageError> {
    const FLAG: &str = "--target-dir";
    let attached = format!("{FLAG}=");
    let is_it = |word: &OsString| word == FLAG || word.to_string_lossy().starts_with(&attached);
    let Some(index) = words.iter().position(is_it) else {
        return Ok(None);
    };
    let word = words.remove(index);
    let value = match word.to_string_lossy().strip_prefix(&attached) {
        Some(value) => value.to_owned(),
        None if index < words.len() => words.remove(index).to_string_lossy().into_owned(),
        None => return Err(UsageError(format!("`{FLAG}` needs a value"))),
    };
    Ok(Some(value.into()))
}
