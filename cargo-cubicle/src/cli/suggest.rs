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
use super::workspace::Workspace;
use super::{UsageError, message};
use crate::assign;
use crate::audit::{BUILD_FILE, FILE, Recording};
use crate::capture::session::MANIFEST_NAME;
use crate::capture::{LINK_LINE_FILE, LinkLine, Reported};
use crate::diagnostics::Findings;
use crate::draft::{Draft, Known, draft};
use crate::graph::signature::Signature;
use crate::graph::signatures;
use crate::manifest::{self, LoadError, Policy};

/// A recording and the program it is of.
struct Source {
    path: Utf8PathBuf,
    recording: Recording,
    line: LinkLine,
}

/// Prints what could be written into the manifest.
pub fn run(options: &SuggestOptions) -> anyhow::Result<Ending> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let workspace = Workspace::find(&cargo, &[])?;
    let sources = match options.from.as_slice() {
        [] => newest(&workspace)?,
        given => given
            .iter()
            .map(|path| open(path, &workspace))
            .collect::<anyhow::Result<Vec<_>>>()?,
    };
    let manifest = one_manifest(&sources)?;
    let policy = load(&manifest)?;
    let mut signatures = BTreeMap::new();
    for source in &sources {
        signatures.extend(signatures_of(source, &policy)?);
    }
    let recordings: Vec<Recording> = sources
        .iter()
        .map(|source| source.recording.clone())
        .collect();
    let known = Known {
        policy: &policy,
        signatures: &signatures,
        interfaces: match options.without_interfaces {
            true => &[],
            false => &manifest::EMBEDDED_INTERFACES,
        },
    };
    let draft = draft(&recordings, &known);
    std::io::stdout()
        .write_all(draft.text().as_bytes())
        .context("could not write to standard output")?;
    summarise(&draft, &sources, &manifest);
    Ok(Ending::Status(0))
}

fn summarise(draft: &Draft, sources: &[Source], manifest: &Utf8Path) {
    for source in sources {
        message::note(&format!("from {}", source.path));
    }
    let text = match draft.entries.len() + draft.ready.len() {
        0 => format!("{manifest} describes all that was recorded"),
        1 => format!("1 entry for {manifest}: read it before you take it"),
        number => format!("{number} entries for {manifest}: read them before you take them"),
    };
    message::note(&text);
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

fn one_manifest(sources: &[Source]) -> anyhow::Result<Utf8PathBuf> {
    let manifests: BTreeSet<&Utf8PathBuf> =
        sources.iter().map(|source| &source.line.manifest).collect();
    match manifests.into_iter().collect::<Vec<_>>().as_slice() {
        [one] => Ok((*one).clone()),
        several => Err(UsageError(format!(
            "these recordings belong to different manifests: {}",
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
                status: super::USAGE,
            }
            .into())
        }
        Err(LoadError::Io { path, source }) => Err(UsageError(format!(
            "the manifest `{path}`, with which the program was built, cannot be read: {source}"
        ))
        .into()),
    }
}

/// The signatures of all functions that have a gate in the recording.
fn signatures_of(
    source: &Source,
    policy: &Policy,
) -> anyhow::Result<BTreeMap<(String, String), Signature>> {
    let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for gate in source.recording.gates().filter(|gate| !gate.callback) {
        wanted.entry(&gate.to).or_default().insert(&gate.function);
    }
    let mut ignored = Findings::new();
    let assignment = assign::assign(&source.line, policy, &mut ignored)?;
    let mut found = BTreeMap::new();
    for (cubicle, functions) in wanted {
        let Some(inputs) = assignment.images.get(cubicle) else {
            continue;
        };
        for (function, known) in signatures::find(inputs, &functions)? {
            let declared = policy.cubicles[cubicle].functions.get(&function);
            let declared = declared.and_then(|function| function.signature.as_ref());
            let declared =
                declared.and_then(|text| crate::graph::declaration::parse(&text.value).ok());
            let signature = match (declared, known) {
                (Some(declared), _) => declared,
                (None, signatures::Known::Signature(signature)) => *signature,
                _ => continue,
            };
            found.insert((cubicle.to_owned(), function), signature);
        }
    }
    Ok(found)
}
