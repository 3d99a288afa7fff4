//! `cargo cubicle lint`: compiles as cargo does, judges instead of linking, and shows
//! what was found.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::File;

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use super::arguments::{LintOptions, MachineOptions};
use super::drive::{self, Prepared, Purpose};
use super::foreground::{self, Ending};
use super::workspace::Workspace;
use super::{USAGE, UsageError, message};
use crate::authority::lock_file::{self, Lock};
use crate::capture::session::{MANIFEST_NAME, Session};
use crate::diagnostics::{Code, Findings, Level, Sources};
use crate::lint::format::{Results, Shown};
use crate::lint::levels::{self, Levels};
use crate::lint::locked::{self, Exactness};
use crate::lint::report::{Found, Report};
use crate::manifest::{self, LintLevel};

/// Where programs are compiled for it, below cargo's own target directory.
const TARGET_DIRECTORY: &str = "cubicle-lint";

/// The status of findings that are denied.
const FINDINGS: u8 = 1;

/// Runs the command.
pub fn run(mut options: LintOptions) -> anyhow::Result<Ending> {
    let chosen = chosen_levels(&options)?;
    let target = take_target_directory(&mut options.common.cargo)?;
    let is_locked = options.common.cargo.iter().any(|word| word == "--locked");
    let is_whole = !options.common.cargo.iter().any(selects);
    let purpose = Purpose {
        lint: true,
        ..Purpose::default()
    };
    let mut prepared = drive::prepare(
        "build",
        &options.common,
        &MachineOptions::default(),
        purpose,
    )?;
    let root = prepared.workspace.root.clone();
    let Some(session) = prepared.session.clone() else {
        return Err(UsageError(format!(
            "there is nothing to judge: no {MANIFEST_NAME} in {root} or beside a package's Cargo.toml\n  \
             = help: write one there, or name one with `--cubicle-manifest PATH`"
        ))
        .into());
    };
    let (ending, artifacts) = compile(&mut prepared, target.as_deref(), &session.directory)?;
    if ending != Ending::Status(0) {
        drive::note_shared_libraries(ending, &prepared.workspace);
        return Ok(drive::better(ending, &session));
    }
    let reports = read(&artifacts)?;
    if reports.is_empty() {
        message::note("none of the programs has a manifest, so nothing was judged");
    }

    let mut by_manifest: BTreeMap<&Utf8Path, Vec<&Report>> = BTreeMap::new();
    for report in &reports {
        by_manifest
            .entry(&report.manifest)
            .or_default()
            .push(report);
    }
    let mut collected = Collected::default();
    for report in &reports {
        let of_manifest = report.levels.clone();
        let levels: Levels = of_manifest.into_iter().chain(chosen.clone()).collect();
        for found in &report.findings {
            collected.add(found, report, &levels);
        }
    }
    for (path, reports) in &by_manifest {
        let lock = lock_file::path_beside(path, session.variant.as_deref());
        if options.accept {
            accept(&lock, reports, is_whole)?;
        } else if is_locked {
            for (report, found) in compare(path, &session, &lock, reports, is_whole)? {
                collected.add(&found, report, &chosen);
            }
        }
    }
    let results = Results {
        shown: collected.shown,
        root: repository(&prepared.workspace),
        programs: reports.len(),
    };
    results.print(options.message_format);
    Ok(Ending::Status(match results.count(Level::Deny) {
        0 => 0,
        _ if reports.iter().any(|report| report.manifest_rejected) => USAGE,
        _ => FINDINGS,
    }))
}

/// Findings, each once: many programs may share what is wrong.
#[derive(Default)]
struct Collected {
    shown: Vec<Shown>,
}

impl Collected {
    fn add(&mut self, found: &Found, report: &Report, levels: &Levels) {
        let one: Findings = [found.finding.clone()].into_iter().collect();
        let Some(finding) = levels::apply(levels, one).into_iter().next() else {
            return;
        };
        let same = |shown: &&mut Shown| {
            shown.found.finding == finding && shown.manifest == report.manifest
        };
        if let Some(shown) = self.shown.iter_mut().find(same) {
            if !shown.programs.contains(&report.program) {
                shown.programs.push(report.program.clone());
                shown.programs.sort();
            }
            return;
        }
        let found = match finding.level == found.finding.level {
            true => found.clone(),
            // The level is the first word of what people see.
            false => Found::new(finding, &texts_of(found)),
        };
        self.shown.push(Shown {
            found,
            manifest: report.manifest.clone(),
            programs: vec![report.program.clone()],
        });
    }
}

/// The texts a finding points into, read again.
fn texts_of(found: &Found) -> Sources {
    use crate::diagnostics::Place;
    let mut sources = Sources::new();
    for place in &found.finding.places {
        if let Place::Span { file, .. } | Place::Line { file, .. } = place
            && let Ok(text) = std::fs::read_to_string(file)
        {
            sources.insert(file.clone(), text);
        }
    }
    sources
}

/// Levels that the command line chose: the stricter of two wins.
fn chosen_levels(options: &LintOptions) -> Result<Levels, UsageError> {
    let mut levels = Levels::new();
    for (names, level) in [
        (&options.allow, LintLevel::Allow),
        (&options.warn, LintLevel::Warn),
        (&options.deny, LintLevel::Deny),
    ] {
        for name in names {
            let code = Code::from_name(name).or_else(|| Code::from_code(name));
            let code = code.ok_or_else(|| {
                let names = Code::all().map(Code::name);
                let near = crate::similar::similar(name, names);
                let help = near.map_or(
                    "`cargo cubicle lint --help` says where they are listed".to_owned(),
                    |near| format!("there is one called `{near}`"),
                );
                UsageError(format!("no lint rule is called `{name}`\n  = help: {help}"))
            })?;
            if let Some(why) = levels::refusal(code, level) {
                return Err(UsageError(why));
            }
            levels.insert(code, level);
        }
    }
    Ok(levels)
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

/// Whether a word of cargo's chooses some of the workspace's programs.
fn selects(word: &OsString) -> bool {
    let word = word.to_string_lossy();
    let name = word.split('=').next().unwrap_or_default();
    let flags = [
        "-p",
        "--package",
        "--exclude",
        "--bin",
        "--bins",
        "--example",
        "--examples",
        "--lib",
        "--features",
        "-F",
        "--all-features",
        "--no-default-features",
    ];
    flags.contains(&name) || (name.starts_with("-p") && !name.starts_with("--"))
}

#[derive(Deserialize)]
struct Artifact {
    reason: String,
    executable: Option<Utf8PathBuf>,
}

/// Runs cargo. Answers how it ended, and what it says are the programs.
fn compile(
    prepared: &mut Prepared,
    target: Option<&Utf8Path>,
    directory: &Utf8Path,
) -> anyhow::Result<(Ending, Vec<Utf8PathBuf>)> {
    let target = target.unwrap_or(&prepared.workspace.target_directory);
    let messages = directory.join("messages");
    let output = File::create(&messages).with_context(|| format!("cannot write `{messages}`"))?;
    prepared
        .command
        .arg("--message-format=json-render-diagnostics")
        .arg("--target-dir")
        .arg(target.join(TARGET_DIRECTORY))
        .stdout(output);
    let ending = foreground::run(&mut prepared.command)?;
    let text =
        std::fs::read_to_string(&messages).with_context(|| format!("cannot read `{messages}`"))?;
    let artifacts = text.lines().filter_map(|line| {
        let artifact: Artifact = serde_json::from_str(line).ok()?;
        artifact
            .executable
            .filter(|_| artifact.reason == "compiler-artifact")
    });
    Ok((ending, artifacts.collect()))
}

/// The reports among the artifacts; programs without a manifest are programs.
fn read(artifacts: &[Utf8PathBuf]) -> anyhow::Result<Vec<Report>> {
    let mut reports = Vec::new();
    for path in artifacts {
        let report = Report::read(path).with_context(|| format!("cannot read `{path}`"))?;
        reports.extend(report);
    }
    reports.sort_by(|left, right| {
        let key = |report: &Report| (report.package.clone(), report.program.clone());
        key(left).cmp(&key(right))
    });
    Ok(reports)
}

/// Writes what the programs may do. Those that were not looked at stay as they are.
fn accept(path: &Utf8Path, reports: &[&Report], is_whole: bool) -> anyhow::Result<()> {
    let mut lock = match is_whole {
        true => Lock::default(),
        false => Lock::read(path)?.unwrap_or_default(),
    };
    for report in reports.iter().filter(|report| report.binary) {
        let Some(authority) = &report.authority else {
            return Err(UsageError(format!(
                "`{path}` cannot be written: what `{}` may do is not known before its findings are mended\n  \
                 = help: `cargo cubicle lint` shows them",
                report.program
            ))
            .into());
        };
        lock.program
            .insert(report.program.clone(), authority.clone());
    }
    if Lock::read(path).ok().flatten().as_ref() != Some(&lock) {
        lock.write(path)?;
        message::note(&format!("wrote {path}"));
    }
    Ok(())
}

/// What differs from the lock file.
fn compare<'a>(
    manifest: &Utf8Path,
    session: &Session,
    path: &Utf8Path,
    reports: &[&'a Report],
    is_whole: bool,
) -> anyhow::Result<Vec<(&'a Report, Found)>> {
    let Some(lock) = Lock::read(path)? else {
        return Err(UsageError(format!(
            "there is no `{path}` to compare with\n  = help: make it with `cargo cubicle lint --accept`, and commit it"
        ))
        .into());
    };
    let policy = manifest::load(manifest, session.variant.as_deref()).ok();
    let sources = policy
        .as_ref()
        .map(|policy| policy.sources())
        .unwrap_or_default();
    let mut all = Vec::new();
    for report in reports.iter().filter(|report| report.binary) {
        let Some(authority) = &report.authority else {
            continue;
        };
        let name = &report.program;
        let findings = locked::check(
            &lock,
            path,
            name,
            authority,
            policy.as_ref(),
            Exactness::Same,
        );
        all.extend(
            Found::all(&findings, &sources)
                .into_iter()
                .map(|found| (*report, found)),
        );
    }
    let known: BTreeSet<&str> = reports
        .iter()
        .map(|report| report.program.as_str())
        .collect();
    let gone = lock
        .program
        .keys()
        .filter(|name| !known.contains(name.as_str()));
    if let Some(report) = reports.first().filter(|_| is_whole) {
        let findings: Findings = gone
            .map(|name| locked::no_such_program(path, name))
            .collect();
        all.extend(
            Found::all(&findings, &sources)
                .into_iter()
                .map(|found| (*report, found)),
        );
    }
    Ok(all)
}

/// The folder that `.git` is in, above the workspace or in it; else the workspace.
fn repository(workspace: &Workspace) -> Utf8PathBuf {
    let mut folders = workspace.root.ancestors();
    let found = folders.find(|folder| folder.join(".git").exists());
    found.unwrap_or(&workspace.root).to_owned()
}
