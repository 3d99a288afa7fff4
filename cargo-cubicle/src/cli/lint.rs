//! `cargo cubicle lint`: compiles as cargo does, judges instead of linking, and shows
//! what was found.

use std::collections::BTreeMap;
use std::ffi::OsString;

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};

use super::arguments::{CargoOptions, LintOptions};
use super::compile;
use super::drive::Prepared;
use super::foreground::Ending;
use super::status::{FINDINGS, USAGE};
use super::workspace::Workspace;
use super::{UsageError, mend, message};
use crate::authority::lock_file::{self, Lock};
use crate::capture::Purpose;
use crate::capture::session::Session;
use crate::diagnostics::{Code, Finding, Level};
use crate::lint::format;
use crate::lint::levels::{self, Levels};
use crate::lint::locked::{self, Exactness};
use crate::lint::report::Report;
use crate::lint::results::Results;
use crate::manifest::{self, LintLevel, Policy};

/// Where programs are compiled for it, below cargo's own target directory.
const TARGET_DIRECTORY: &str = "cubicle-lint";

/// Runs the command.
pub fn run(mut options: LintOptions) -> anyhow::Result<Ending> {
    let chosen = chosen_levels(&options)?;
    let is_locked = options.common.cargo.iter().any(|word| word == "--locked");
    let is_whole = !options.common.cargo.iter().any(selects);
    if options.fix
        && let Err(ending) = mend::mend(&options.common, is_whole, |report| {
            levels_of(report, &chosen)
        })?
    {
        return Ok(ending);
    }
    let judged = match judge(&mut options.common)? {
        Ok(judged) => judged,
        Err(ending) => return Ok(ending),
    };
    let Judged {
        prepared,
        session,
        reports,
    } = judged;
    if reports.is_empty() {
        message::note("none of the programs has a manifest, so nothing was judged");
    }

    let mut by_manifest: BTreeMap<&Utf8Path, Vec<&Report>> = BTreeMap::new();
    let mut results = Results::below(repository(&prepared.workspace));
    results.programs = reports.len();
    for report in &reports {
        by_manifest
            .entry(&report.manifest)
            .or_default()
            .push(report);
        results.texts.extend(report.texts.clone());
        results.add(report, report.findings.clone(), &levels_of(report, &chosen));
    }
    for (manifest, reports) in by_manifest {
        let path = lock_file::path_beside(manifest, session.variant.as_deref());
        if options.accept {
            accept(&path, &reports, is_whole)?;
        } else if is_locked {
            let policy = manifest::load(manifest, session.variant.as_deref()).ok();
            results
                .texts
                .extend(policy.as_ref().map(Policy::sources).unwrap_or_default());
            for (report, finding) in compare(&path, &reports, policy.as_ref(), is_whole)? {
                results.add(report, [finding], &levels_of(report, &chosen));
            }
        }
    }
    format::print(&results, options.message_format);
    Ok(Ending::Status(match results.count(Level::Deny) {
        0 => 0,
        _ if reports.iter().any(|report| report.manifest_rejected) => USAGE,
        _ => FINDINGS,
    }))
}

/// The programs, and what was found out about each.
pub struct Judged {
    pub prepared: Prepared,
    session: Session,
    pub reports: Vec<Report>,
}

/// Compiles the programs for a lint and reads their reports; `Err`: how cargo ended without.
///
/// # Errors
/// If there is nothing to judge, or a file cannot be read.
pub fn judge(options: &mut CargoOptions) -> anyhow::Result<Result<Judged, Ending>> {
    let compiled = match compile::compile(options, Purpose::Lint, TARGET_DIRECTORY)? {
        Ok(compiled) => compiled,
        Err(ending) => return Ok(Err(ending)),
    };
    Ok(Ok(Judged {
        reports: read(&compiled.artifacts)?,
        prepared: compiled.prepared,
        session: compiled.session,
    }))
}

/// The manifest's levels, and over them those of the command line.
fn levels_of(report: &Report, chosen: &Levels) -> Levels {
    let mut levels = report.levels.clone();
    levels.extend(chosen);
    levels
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
    for report in reports.iter().filter(|report| report.has_lock) {
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
    path: &Utf8Path,
    reports: &[&'a Report],
    policy: Option<&Policy>,
    is_whole: bool,
) -> anyhow::Result<Vec<(&'a Report, Finding)>> {
    let Some(lock) = Lock::read(path)? else {
        return Err(UsageError(format!(
            "there is no `{path}` to compare with\n  = help: make it with `cargo cubicle lint --accept`, and commit it"
        ))
        .into());
    };
    let mut all = Vec::new();
    for report in reports.iter().filter(|report| report.has_lock) {
        if let Some(now) = &report.authority {
            let name = &report.program;
            let found = locked::check(&lock, path, name, now, policy, Exactness::Same);
            all.extend(found.into_iter().map(|finding| (*report, finding)));
        }
    }
    if let Some(report) = reports.first().filter(|_| is_whole) {
        let known = |name: &&String| reports.iter().any(|report| report.program == **name);
        let gone = lock.program.keys().filter(|name| !known(name));
        all.extend(gone.map(|name| (*report, locked::no_such_program(path, name))));
    }
    Ok(all)
}

/// The folder that `.git` is in, above the workspace or in it; else the workspace.
fn repository(workspace: &Workspace) -> Utf8PathBuf {
    let mut folders = workspace.root.ancestors();
    let found = folders.find(|folder| folder.join(".git").exists());
    found.unwrap_or(&workspace.root).to_owned()
}
