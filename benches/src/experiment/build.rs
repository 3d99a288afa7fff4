//! Builds what runs: the same sources of SQLite, speedtest1 and the library OS in every program.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::figures::{PARTS, Subject};
use super::source::Source;
use crate::machine::Machine;
use crate::programs::{Workshop, run};

const PROJECT: &str = "benches/programs/experiment";
const SAMPLE: &str = "samples/sqlite-os";
const BINARY: &str = "sqlite-os";

/// Which components each process has, beside the first one, which has the program: as the
/// sample's manifests group them.
const PROCESSES: [(u32, &[&[&str]]); 3] = [
    (
        3,
        &[&["vfscore", "ramfs", "alloc", "plat", "boot"], &["clock"]],
    ),
    (
        4,
        &[
            &["vfscore", "alloc", "plat", "boot"],
            &["ramfs"],
            &["clock"],
        ],
    ),
    (
        7,
        &[
            &["vfscore"],
            &["ramfs"],
            &["alloc"],
            &["plat"],
            &["clock"],
            &["boot"],
        ],
    ),
];

/// Asks for so many cubicles: seven is the sample's manifest as it stands, the others are its
/// variants.
fn partition(command: &mut Command, workshop: &Workshop, parts: u32) {
    command
        .arg("--cubicle-manifest")
        .arg(workshop.path(SAMPLE).join("Cubicle.toml"));
    match parts {
        3 => command.args(["--variant", "three"]),
        4 => command.args(["--variant", "four"]),
        _ => command,
    };
}

/// Executables, by what runs in them.
pub type Programs = BTreeMap<Subject, PathBuf>;

/// All of them, with speedtest1 as the program.
pub fn all(machine: &Machine, workshop: &Workshop, source: &Source) -> anyhow::Result<Programs> {
    let place = workshop.fresh("experiment")?;
    let mut programs = plain(workshop, &place, Some(source))?;
    let target = workshop.fresh("experiment-partitioned")?;
    for parts in PARTS {
        let mut command = workshop.cubicle(&workshop.path(PROJECT), &target, machine.forms()[0]);
        partition(&mut command, workshop, parts);
        run(command.env("SPEEDTEST1", &source.path))?;
        let subject = Subject::Cubicles(parts);
        programs.insert(subject, take(workshop, &place, subject, &target)?);
    }
    Ok(programs)
}

/// What cargo builds by itself. Without speedtest1 the program is the sample's own, which needs the
/// library OS.
pub fn plain(
    workshop: &Workshop,
    place: &Path,
    source: Option<&Source>,
) -> anyhow::Result<Programs> {
    // SQLite is compiled once for all of them.
    let target = workshop.fresh("experiment-plain")?;
    let mut programs = BTreeMap::new();
    let mut build = |subject: Subject, features: &[&str], partition: &str| {
        let mut command = workshop.plain_cargo(&workshop.path(PROJECT), &target);
        command.args(features).env("PARTITION", partition);
        if let Some(source) = source {
            command.env("SPEEDTEST1", &source.path);
        }
        run(&mut command)?;
        let program = take(workshop, place, subject, &target)?;
        programs.insert(subject, program.clone());
        anyhow::Ok(program)
    };
    if source.is_some() {
        build(Subject::Linux, &["--features", "linux"], "")?;
    }
    build(Subject::OneImage, &[], "")?;
    for (parts, processes) in PROCESSES {
        let definitions = definitions(processes);
        let subject = Subject::Processes(parts);
        let features = ["--features", "processes"];
        let first = build(subject, &features, &definitions.join(" "))?;
        for (number, components) in (1..).zip(processes) {
            let part = first.with_file_name(format!("part-{number}"));
            run(&mut process(
                workshop,
                &part,
                &definitions,
                number,
                components,
            ))?;
        }
    }
    Ok(programs)
}

/// Puts what was built where it stays.
fn take(
    workshop: &Workshop,
    place: &Path,
    subject: Subject,
    target: &Path,
) -> anyhow::Result<PathBuf> {
    let own = place.join(subject.to_string().replace(' ', "-"));
    let (built, program) = (workshop.built(target, BINARY), own.join(BINARY));
    fs::create_dir(&own)?;
    fs::copy(&built, &program).with_context(|| format!("no {}", built.display()))?;
    Ok(program)
}

/// A run in cubicles where there are keys: in the emulated machine, if this one has none. It prints
/// what `CALLS` asks for, too.
pub fn under_keys(workshop: &Workshop, source: &Source, parts: u32, arguments: &[&str]) -> Command {
    // The same for all: SQLite is compiled once.
    let target = workshop.output("experiment-emulated");
    let mut command = workshop.run_with_keys(&workshop.path(PROJECT), &target);
    partition(&mut command, workshop, parts);
    command
        .args(["--install", "--vm-env", "CALLS=1", "--"])
        .args(arguments)
        .arg("experiment.db")
        .env("CALLS", "1")
        .env("SPEEDTEST1", &source.path);
    command
}

/// What the twin's sources must know: how many processes there are, and which has what.
fn definitions(processes: &[&[&str]]) -> Vec<String> {
    let mut all = vec![format!("PROCESSES={}", processes.len() + 1)];
    for (number, components) in (1..).zip(processes) {
        for component in *components {
            let name = component.to_uppercase();
            all.push(format!("PROCESS_{name}={number}"));
        }
    }
    all
}

/// Compiles one of the other processes, as cargo has the first one compiled.
fn process(
    workshop: &Workshop,
    program: &Path,
    definitions: &[String],
    number: i32,
    components: &[&str],
) -> Command {
    let twin = workshop.path(PROJECT).join("twin");
    let os = workshop.path(SAMPLE).join("os");
    let mut command = Command::new("cc");
    command
        .args(["-O3", "-g", "-ffunction-sections", "-fdata-sections"])
        .args(["-static", "-no-pie", "-fno-pic", "-Wl,--gc-sections"])
        .arg("-I")
        .arg(&twin)
        .arg("-I")
        .arg(&os)
        .args(definitions.iter().map(|name| format!("-D{name}")))
        .arg(format!("-DPROCESS={number}"))
        .args(["other", "stubs", "transport"].map(|name| twin.join(name).with_extension("c")))
        .args(
            components
                .iter()
                .map(|name| os.join(name).with_extension("c")),
        )
        .arg("-o")
        .arg(program);
    command
}
