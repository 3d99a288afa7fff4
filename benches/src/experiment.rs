//! The paper's experiment: SQLite on a library OS in parts, as cubicles and as processes, beside
//! the same code in one image and beside plain Linux. docs/EXPERIMENT.md says what it shows.

mod build;
mod document;
mod figures;
mod paper;
mod plot;
mod queries;
mod source;
mod svg;
mod system_calls;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine::Machine;
use crate::programs::{Workshop, run as run_program};
use crate::sharing;
use anyhow::Context;
use build::{Programs, Site};
use figures::{Faults, Figures, Subject, Times};
use source::Source;
use tempfile::TempDir;

/// speedtest1's own measure of how much there is to do; the paper's.
const SIZE: &str = "100";
/// How often each program is run, linked anew each time.
const ROUNDS: usize = 11;
/// What the figures call that.
const ROUNDS_IN_LAYOUTS: &str = "rounds, each in another layout";
/// The same for processes: they are as slow as they are however often they are asked.
const ROUNDS_OF_PROCESSES: usize = 2;

pub fn run(machine: &Machine, workshop: &Workshop) -> anyhow::Result<()> {
    println!("\nSQLite on a library OS in parts (docs/EXPERIMENT.md)");
    let source = source::get()?;
    let site = Site::new(workshop, Some(&source))?;
    let processes = site.processes()?;
    let mut figures = Figures::default();
    let mut programs = site.single(machine, 0)?;
    let hash = verify(programs.iter().chain(&processes))?;
    let mut times = Times::new();
    for round in 1..=ROUNDS {
        programs = site.single(machine, round)?;
        measure(&programs, &mut times)?;
        if round <= ROUNDS_OF_PROCESSES {
            measure(&processes, &mut times)?;
        }
    }
    figures.take(times);
    count(&programs, &mut figures)?;
    figures.faults = Faults {
        number: faults(workshop, &source)?,
        price: sharing::price_of_fault(workshop)?,
    };
    let about = [
        ("machine", machine.name()),
        (
            "switch of rights",
            machine.label(machine.forms()[0]).to_owned(),
        ),
        ("size", SIZE.to_owned()),
        (ROUNDS_IN_LAYOUTS, ROUNDS.to_string()),
        ("rounds of processes", ROUNDS_OF_PROCESSES.to_string()),
        ("speedtest1 of SQLite", source.version),
        ("hash of all results", hash),
    ];
    figures.about = about.map(|(key, value)| (key.to_owned(), value)).into();
    println!("{}", table::all(&figures));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        document::keep(&workshop.path(""), &figures)?;
    }
    Ok(())
}

/// That all programs return the same. Apart from the runs that are timed, because forming the hash
/// takes time.
fn verify<'a>(
    programs: impl Iterator<Item = (&'a Subject, &'a PathBuf)>,
) -> anyhow::Result<String> {
    let mut hashes = Vec::new();
    for (subject, program) in programs {
        let printed = once(program, SIZE, &["--verify"])?;
        hashes.push((subject.to_string(), queries::read(&printed)?.hash));
    }
    queries::agree(hashes.iter().map(|(name, hash)| (&**name, &**hash)))
}

/// Runs all programs once, one after the other.
fn measure(programs: &Programs, times: &mut Times) -> anyhow::Result<()> {
    for (subject, program) in programs {
        let output = queries::read(&once(program, SIZE, &[])?)?;
        for (number, (title, time)) in output.queries {
            let of_query = times
                .entry(number)
                .or_insert_with(|| (title, BTreeMap::new()));
            of_query.1.entry(*subject).or_default().push(time);
        }
    }
    Ok(())
}

/// Calls from part to part, which the finest partition prints, and system calls.
fn count(programs: &Programs, figures: &mut Figures) -> anyhow::Result<()> {
    for subject in [Subject::Linux, Subject::OneImage, Subject::Cubicles(7)] {
        let (mut command, _folder) = command(&programs[&subject], SIZE, &[])?;
        let number = system_calls::count(&mut command)?;
        figures.system_calls.insert(subject, number);
    }
    let (mut command, _folder) = command(&programs[&Subject::Cubicles(7)], SIZE, &[])?;
    let printed = run_program(command.env("CALLS", "1"))?;
    for line in printed.lines() {
        if let ["calls", caller, callee, number] = line.split(' ').collect::<Vec<_>>()[..] {
            let edge = (caller.to_owned(), callee.to_owned());
            figures.calls.insert(edge, number.parse()?);
        }
    }
    Ok(())
}

/// How often pages of windows change hands in a run with seven parts. With a stand-in no page is
/// closed, so it is counted where there are keys.
fn faults(workshop: &Workshop, source: &Source) -> anyhow::Result<u64> {
    let arguments = ["--testset", "main", "--size", SIZE];
    let printed = run_program(&mut build::under_keys(workshop, source, 7, &arguments))?;
    let mut lines = printed.lines();
    let number = lines
        .find_map(|line| line.strip_prefix("faults "))
        .with_context(|| format!("no faults were counted:\n{printed}"))?;
    Ok(number.parse()?)
}

/// What one run prints.
fn once(program: &Path, size: &str, more: &[&str]) -> anyhow::Result<String> {
    let (mut command, _folder) = command(program, size, more)?;
    run_program(&mut command)
}

/// A run in a folder of its own in a tmpfs: the database, and what SQLite puts into temporary
/// files. Programs on the library OS leave it empty.
fn command(program: &Path, size: &str, more: &[&str]) -> anyhow::Result<(Command, TempDir)> {
    let folder = tempfile::tempdir_in("/dev/shm")?;
    let mut command = Command::new(program);
    command
        .current_dir(folder.path())
        .env("SQLITE_TMPDIR", folder.path())
        .args(["--testset", "main", "--size", size])
        .args(more)
        .arg("experiment.db");
    Ok((command, folder))
}
