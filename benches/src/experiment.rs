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
#[allow(dead_code)]
mod system_calls;
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine::Machine;
use crate::programs::{Workshop, run as run_program};
use crate::sampling::median;
use figures::{Figures, Subject};
use queries::Output;

/// speedtest1's own measure of how much there is to do; the paper's.
const SIZE: &str = "100";
const ROUNDS: usize = 7;

pub fn run(machine: &Machine, workshop: &Workshop) -> anyhow::Result<()> {
    println!("\nSQLite on a library OS in parts (docs/EXPERIMENT.md)");
    let source = source::get()?;
    let programs = build::all(machine, workshop, &source)?;
    let figures = measure(machine, &programs, &source)?;
    println!("{}", table::all(&figures));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        document::keep(&workshop.path(""), &figures)?;
    }
    Ok(())
}

/// All programs in turn, several times.
fn measure(
    machine: &Machine,
    programs: &BTreeMap<Subject, PathBuf>,
    source: &source::Source,
) -> anyhow::Result<Figures> {
    let mut times: BTreeMap<(u32, Subject), Vec<f64>> = BTreeMap::new();
    let mut figures = Figures::default();
    let mut hashes: Vec<(String, String)> = Vec::new();
    // Apart from the rounds that are timed, because forming the hash takes time.
    for (subject, program) in programs {
        hashes.push((
            subject.to_string(),
            once(program, SIZE, &["--verify"])?.hash,
        ));
    }
    let hash = queries::agree(hashes.iter().map(|(name, hash)| (&**name, &**hash)))?;
    for _ in 0..ROUNDS {
        for (subject, program) in programs {
            let output = once(program, SIZE, &[])?;
            for (number, (title, microseconds)) in output.queries {
                figures.queries.entry(number).or_default().title = title;
                times
                    .entry((number, *subject))
                    .or_default()
                    .push(microseconds);
            }
        }
    }
    for ((number, subject), values) in times {
        let query = figures.queries.entry(number).or_default();
        query.times.insert(subject, median(&values));
    }
    let about = [
        ("machine", machine.name()),
        (
            "switch of rights",
            machine.label(machine.forms()[0]).to_owned(),
        ),
        ("size", SIZE.to_owned()),
        ("rounds", ROUNDS.to_string()),
        ("speedtest1", source.version.clone()),
        ("hash of all results", hash),
    ];
    figures.about = about
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    Ok(figures)
}

/// One run, in a folder of its own in a tmpfs: the database, and what SQLite puts into temporary
/// files. Programs on the library OS leave it empty.
fn once(program: &Path, size: &str, more: &[&str]) -> anyhow::Result<Output> {
    let folder = tempfile::tempdir_in("/dev/shm")?;
    let printed = run_program(
        Command::new(program)
            .current_dir(folder.path())
            .env("SQLITE_TMPDIR", folder.path())
            .args(["--testset", "main", "--size", size])
            .args(more)
            .arg("experiment.db"),
    )?;
    queries::read(&printed)
}
