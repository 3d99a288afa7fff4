//! `cargo cubicle init`: compiles the program, looks which libraries of C are in it, and
//! writes a manifest that builds.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};

use super::arguments::{CargoOptions, InitOptions, MachineOptions};
use super::drive;
use super::foreground::Ending;
use super::linked::{self, Linked};
use super::lint::{self, Judged};
use super::progress::{Progress, is_quiet};
use super::{UsageError, message};
use crate::capture::session::MANIFEST_NAME;
use crate::capture::{LinkLine, Purpose};
use crate::diagnostics::Level;
use crate::draft::first::{self, Library, Part};
use crate::draft::{Known, draft_types};
use crate::lint::levels;
use crate::manifest;

/// Runs the command.
pub fn run(options: &InitOptions) -> anyhow::Result<Ending> {
    refuse_what_is_there(&options.common)?;
    let scratch = tempfile::Builder::new()
        .prefix("cargo-cubicle-init-")
        .tempdir()?;
    let scratch = Utf8Path::from_path(scratch.path())
        .context("the directory for temporary files has a name that is no UTF-8")?;
    let trial = Trial {
        manifest: scratch.join(MANIFEST_NAME),
        options: &options.common,
    };

    let judged = match trial.judge(&first::text(&[]), false)? {
        Ok(judged) => judged,
        Err(ending) => return Ok(ending),
    };
    let mut lines = linked::lines(&judged)?;
    let [first, ..] = lines.as_slice() else {
        return Err(UsageError(
            "there is no program here, and a manifest is one program's\n  \
             = help: for a library, write one in the package that uses it"
                .to_owned(),
        )
        .into());
    };
    let directories: BTreeSet<&Utf8Path> = lines
        .iter()
        .map(|line| line.program.directory.as_path())
        .collect();
    let root = &judged.prepared.workspace.root;
    let destination = match directories.len() {
        1 => &first.program.directory,
        _ => root,
    }
    .join(MANIFEST_NAME);

    let mut parts: Vec<Part> = lines
        .iter()
        .flat_map(Library::of)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(Part::new)
        .collect();
    // What is described already comes first: it keeps its place if there are too many.
    parts.sort_by_key(|part| !part.is_described());
    let progress = Progress::of("Trying", parts.len(), &trial.options.cargo);
    for index in 0..parts.len() {
        progress.step(parts[index].library.cubicle());
        if !parts[index].is_described() {
            parts[index].entries = entries(&trial, &parts[..=index], &lines)?;
        }
        let judged = trial.judge(&first::text(&parts[..=index]), true)?.ok();
        parts[index].refused = match &judged {
            Some(judged) => refusal(judged),
            None => Some("the program cannot be linked with it".to_owned()),
        };
        // Compiled anew, it is linked from other files.
        if let Some(judged) = judged {
            lines = linked::lines(&judged)?;
        }
    }
    drop(progress);
    write_new(&destination, &first::text(&parts))?;
    summarise(&destination, &parts);
    Ok(Ending::Status(0))
}

/// A manifest is somebody's work.
fn refuse_what_is_there(options: &CargoOptions) -> anyhow::Result<()> {
    if options.variant.is_some() || options.cubicle_manifest.is_some() {
        return Err(UsageError(
            "`init` writes a manifest, so it takes none: leave out `--variant` and `--cubicle-manifest`"
                .to_owned(),
        )
        .into());
    }
    let here = MachineOptions::default();
    let prepared = drive::prepare("build", options, &here, Purpose::Use)?;
    match prepared.workspace.manifests().first() {
        None => Ok(()),
        Some(path) => Err(UsageError(format!(
            "there is one already: {path}\n  \
             = help: `cargo cubicle lint` says what is missing in it; nothing was changed"
        ))
        .into()),
    }
}

/// Manifests that are tried before one is written.
struct Trial<'a> {
    /// Where they lie.
    manifest: Utf8PathBuf,
    options: &'a CargoOptions,
}

impl Trial<'_> {
    /// Compiles and judges the programs with this manifest.
    fn judge(&self, text: &str, again: bool) -> anyhow::Result<Result<Judged, Ending>> {
        fs::write(&self.manifest, text)
            .with_context(|| format!("cannot write `{}`", self.manifest))?;
        let mut options = self.options.clone();
        options.cubicle_manifest = Some(self.manifest.clone());
        if again && !is_quiet(&options.cargo) {
            options.cargo.insert(0, OsString::from("--quiet"));
        }
        lint::judge(&mut options)
    }
}

/// What a build would be refused for.
fn refusal(judged: &Judged) -> Option<String> {
    judged.reports.iter().find_map(|report| {
        let findings = levels::apply(&report.levels, report.findings.iter().cloned().collect());
        findings
            .iter()
            .find(|finding| finding.level == Level::Deny)
            .map(|finding| finding.message.clone())
    })
}

/// Entries for what others call of the last library, from debug information alone.
fn entries(trial: &Trial<'_>, parts: &[Part], lines: &[LinkLine]) -> anyhow::Result<String> {
    let Some(last) = parts.last() else {
        return Ok(String::new());
    };
    let cubicle = last.library.cubicle();
    let Ok(policy) = manifest::parse(&trial.manifest, &first::text(parts)) else {
        return Ok(String::new());
    };
    let mut signatures = BTreeMap::new();
    for line in lines {
        let linked = Linked::of(line, &policy)?;
        let mut called = linked.called()?;
        called.retain(|owner, _| *owner == cubicle);
        signatures.extend(linked.signatures(&called)?);
    }
    let known = Known {
        policy: &policy,
        signatures: &signatures,
        interfaces: &[],
    };
    Ok(draft_types(&known).text())
}

/// Writes a file that is not there yet.
fn write_new(path: &Utf8Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    fs::File::create_new(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write `{path}`"))
}

fn summarise(path: &Utf8Path, parts: &[Part]) {
    message::note(&format!("wrote {path}: read it, every line is a decision"));
    if parts.is_empty() {
        message::note(
            "no package of the program brings a library of C, so everything is one cubicle: \
             give Rust packages or C files cubicles of their own",
        );
    }
    for part in parts {
        let (name, package) = (part.library.cubicle(), &part.library.package);
        let what = match (&part.refused, part.is_described()) {
            (Some(why), _) => format!("is no cubicle yet: {}", why.lines().next().unwrap_or("")),
            (None, true) => format!("is cubicle `{name}`, described by a ready-made interface"),
            (None, false) if part.entries.is_empty() => format!("is cubicle `{name}`"),
            (None, false) => format!("is cubicle `{name}`, with entries guessed from types"),
        };
        message::note(&format!("{package} {what}"));
    }
    message::note("next: `cargo cubicle run`, and `cargo cubicle graph` to see it");
}
