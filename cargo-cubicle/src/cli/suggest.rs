//! `cargo cubicle suggest`: finds recordings and what belongs to them, and prints
//! the draft.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::time::SystemTime;

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};

use super::arguments::SuggestOptions;
use super::foreground::Ending;
use super::linked::{self, Functions, Linked};
use super::workspace::Workspace;
use super::{UsageError, lint, message};
use crate::audit::{BUILD_FILE, FILE, Recording};
use crate::capture::session::MANIFEST_NAME;
use crate::capture::{LINK_LINE_FILE, LinkLine, Reported};
use crate::draft::{Draft, Known, draft, draft_types};
use crate::graph::signature::Signature;
use crate::manifest::{self, LoadError, Policy};

/// A recording and the program it is of.
struct Source {
    path: Utf8PathBuf,
    recording: Recording,
    line: LinkLine,
}

/// Prints what could be written into the manifest.
pub fn run(mut options: SuggestOptions) -> anyhow::Result<Ending> {
    if options.unrecorded {
        return from_types(&mut options);
    }
    let common = &options.common;
    if common.cubicle_manifest.is_some() || common.variant.is_some() || !common.cargo.is_empty() {
        return Err(UsageError(
            "a recording says which program it is of: other flags go with `--unrecorded` only"
                .to_owned(),
        )
        .into());
    }
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let workspace = Workspace::find(&cargo, &[])?;
    let sources = match options.from.as_slice() {
        [] => newest(&workspace)?,
        given => given
            .iter()
            .map(|path| open(path, &workspace))
            .collect::<anyhow::Result<Vec<_>>>()?,
    };
    let manifest = one_manifest(sources.iter().map(|source| &source.line))?;
    let policy = load(&manifest)?;
    let mut signatures = BTreeMap::new();
    for source in &sources {
        let linked = Linked::of(&source.line, &policy)?;
        signatures.extend(linked.signatures(&recorded(&source.recording))?);
    }
    let recordings: Vec<Recording> = sources
        .iter()
        .map(|source| source.recording.clone())
        .collect();
    let draft = draft(&recordings, &known(&options, &policy, &signatures));
    for source in &sources {
        message::note(&format!("from {}", source.path));
    }
    show(&draft, &manifest, "all that was recorded")
}

/// Drafts from debug information alone, of programs that were compiled and never run.
fn from_types(options: &mut SuggestOptions) -> anyhow::Result<Ending> {
    let judged = match lint::judge(&mut options.common)? {
        Ok(judged) => judged,
        Err(ending) => return Ok(ending),
    };
    let lines = linked::lines(&judged)?;
    let manifest = one_manifest(&lines)?;
    let policy = load(&manifest)?;
    let mut signatures = BTreeMap::new();
    for line in &lines {
        let linked = Linked::of(line, &policy)?;
        signatures.extend(linked.signatures(&linked.called()?)?);
    }
    let draft = draft_types(&known(options, &policy, &signatures));
    show(&draft, &manifest, "all that crosses a border")
}

fn known<'a>(
    options: &SuggestOptions,
    policy: &'a Policy,
    signatures: &'a BTreeMap<(String, String), Signature>,
) -> Known<'a> {
    Known {
        policy,
        signatures,
        interfaces: match options.without_interfaces {
            true => &[],
            false => &manifest::EMBEDDED_INTERFACES,
        },
    }
}

/// Prints the draft, and says what it is.
fn show(draft: &Draft, manifest: &Utf8Path, all: &str) -> anyhow::Result<Ending> {
    std::io::stdout()
        .write_all(draft.text().as_bytes())
        .context("could not write to standard output")?;
    let text = match draft.entries.len() + draft.ready.len() {
        0 => format!("{manifest} describes {all}"),
        1 => format!("1 entry for {manifest}: read it before you take it"),
        number => format!("{number} entries for {manifest}: read them before you take them"),
    };
    message::note(&text);
    Ok(Ending::Status(0))
}

/// The newest recording below the target directory, and all others of the same
/// manifest that are of the last audit build of their program.
fn newest(workspace: &Workspace) -> anyhow::Result<Vec<Source>> {
    let mut found = recordings(&workspace.target_directory);
    // Several workspaces may build into one directory.
    found.retain(|(_, path)| {
        let line = LinkLine::load(&path.with_file_name(LINK_LINE_FILE));
        line.is_ok_and(|line| workspace.members.contains(&line.program.directory))
    });
    found.sort();
    let Some((_, path)) = found.pop() else {
        let before = match workspace.manifests().is_empty() {
            true => format!(
                "there is no {MANIFEST_NAME} in {} or beside a package's Cargo.toml, and nothing was recorded\n  \
                 = help: write one with the cubicles and who may call them, \
                 then run the program with `cargo cubicle run --audit`",
                workspace.root
            ),
            false => format!(
                "there is no recording in {}\n  \
                 = help: make one with `cargo cubicle run --audit` or `cargo cubicle test --audit`",
                workspace.target_directory
            ),
        };
        return Err(UsageError(before).into());
    };
    let first = open(&path, workspace)?;
    let others = found.iter().rev();
    let others = others.filter_map(|(_, path)| open(path, workspace).ok());
    let others: Vec<Source> = others
        .filter(|other| other.line.manifest == first.line.manifest)
        .collect();
    Ok([first].into_iter().chain(others).collect())
}

/// All of them, with their times: `TARGET/TRIPLE/PROFILE/cubicle/STEM/audit.jsonl`.
fn recordings(target: &Utf8Path) -> Vec<(SystemTime, Utf8PathBuf)> {
    let pattern = target.join("*/*/cubicle/*").join(FILE);
    let paths = glob::glob(pattern.as_str()).into_iter().flatten().flatten();
    paths
        .filter_map(|path| Utf8PathBuf::from_path_buf(path).ok())
        .filter_map(|path| Some((fs::metadata(&path).ok()?.modified().ok()?, path)))
        .collect()
}

fn open(path: &Utf8Path, workspace: &Workspace) -> anyhow::Result<Source> {
    let recording = Recording::load(path).map_err(|error| UsageError(error.to_string()))?;
    let (build, program) = recording
        .start()
        .context("a recording without a start is none")?;
    let folder = folder(path, program, workspace).ok_or_else(|| {
        UsageError(format!(
            "the recording `{path}` is of `{program}`, which is not in {}\n  \
             = help: run the program again with `cargo cubicle run --audit` in its own workspace",
            workspace.target_directory
        ))
    })?;
    let last = fs::read_to_string(folder.join(BUILD_FILE)).unwrap_or_default();
    if last != build.to_string() {
        return Err(UsageError(format!(
            "the recording `{path}` is of another build of `{program}`\n  \
             = help: record again: `cargo cubicle run --audit` or `cargo cubicle test --audit`"
        ))
        .into());
    }
    Ok(Source {
        path: path.to_owned(),
        line: LinkLine::load(&folder.join(LINK_LINE_FILE))?,
        recording,
    })
}

/// Where the program's link line is: beside the recording, else in the workspace.
fn folder(path: &Utf8Path, program: &str, workspace: &Workspace) -> Option<Utf8PathBuf> {
    let is_it = |folder: &Utf8Path| {
        folder.file_name() == Some(program) && folder.join(LINK_LINE_FILE).is_file()
    };
    let absolute = path.canonicalize_utf8().ok();
    let beside = absolute.as_deref().and_then(Utf8Path::parent);
    if let Some(beside) = beside.filter(|folder| is_it(folder)) {
        return Some(beside.to_owned());
    }
    let pattern = workspace
        .target_directory
        .join("*/*/cubicle")
        .join(glob::Pattern::escape(program));
    let folders = glob::glob(pattern.as_str()).into_iter().flatten().flatten();
    folders
        .filter_map(|path| Utf8PathBuf::from_path_buf(path).ok())
        .find(|folder| is_it(folder))
}

fn one_manifest<'a>(lines: impl IntoIterator<Item = &'a LinkLine>) -> anyhow::Result<Utf8PathBuf> {
    let manifests: BTreeSet<&Utf8PathBuf> = lines.into_iter().map(|line| &line.manifest).collect();
    match manifests.into_iter().collect::<Vec<_>>().as_slice() {
        [one] => Ok((*one).clone()),
        several => Err(UsageError(format!(
            "the programs have different manifests: {}",
            several
                .iter()
                .map(|path| path.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        ))
        .into()),
    }
}

fn load(path: &Utf8Path) -> anyhow::Result<Policy> {
    match manifest::load(path, None) {
        Ok(policy) => Ok(policy),
        Err(LoadError::Rejected(rejected)) => {
            anstream::eprintln!("{}", rejected.render(true));
            Err(Reported {
                status: super::status::USAGE,
            }
            .into())
        }
        Err(LoadError::Io { path, source }) => Err(UsageError(format!(
            "the manifest `{path}`, with which the program was built, cannot be read: {source}"
        ))
        .into()),
    }
}

/// The functions that have a gate in the recording.
fn recorded(recording: &Recording) -> Functions {
    let mut functions = Functions::new();
    for gate in recording.gates().filter(|gate| !gate.callback) {
        let of = functions.entry(gate.to.clone()).or_default();
        of.insert(gate.function.clone());
    }
    functions
}
