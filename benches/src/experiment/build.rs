//! Builds what runs: the same sources of SQLite, speedtest1 and the library OS in every program.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::figures::{PARTS, Subject};
use super::source::Source;
use crate::machine::Machine;
use crate::programs::{TARGET, Workshop, run};

const PROJECT: &str = "benches/programs/experiment";
const SAMPLE: &str = "samples/sqlite-os";
const BINARY: &str = "experiment";

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

/// The sample's manifest for so many cubicles.
fn manifest(parts: u32) -> &'static str {
    match parts {
        3 => "three.toml",
        4 => "four.toml",
        _ => "Cubicle.toml",
    }
}

/// Every subject's executable.
pub fn all(
    machine: &Machine,
    workshop: &Workshop,
    source: &Source,
) -> anyhow::Result<BTreeMap<Subject, PathBuf>> {
    let place = workshop.fresh("experiment")?;
    let folder = workshop.path(PROJECT);
    let mut programs = BTreeMap::new();
    let mut take = |subject: Subject, target: &Path| -> anyhow::Result<PathBuf> {
        let own = place.join(subject.to_string().replace(' ', "-"));
        let (built, program) = (
            target.join(TARGET).join("release").join(BINARY),
            own.join(BINARY),
        );
        fs::create_dir(&own)?;
        fs::copy(&built, &program).with_context(|| format!("no {}", built.display()))?;
        programs.insert(subject, program);
        Ok(own)
    };

    // SQLite is compiled once for all that are built plainly, once for all that are partitioned.
    let plain = workshop.fresh("experiment-plain")?;
    let build = |features: &[&str], partition: &str| {
        let mut command = workshop.plain_cargo(&folder, &plain);
        command.args(features).env("PARTITION", partition);
        run(command.env("SPEEDTEST1", &source.path))
    };
    build(&["--features", "linux"], "")?;
    take(Subject::Linux, &plain)?;
    build(&[], "")?;
    take(Subject::OneImage, &plain)?;
    for (parts, processes) in PROCESSES {
        let definitions = definitions(processes);
        build(&["--features", "processes"], &definitions.join(" "))?;
        let own = take(Subject::Processes(parts), &plain)?;
        for (number, components) in (1..).zip(processes) {
            run(&mut process(
                workshop,
                &own,
                &definitions,
                number,
                components,
            ))?;
        }
    }
    let partitioned = workshop.fresh("experiment-partitioned")?;
    for parts in PARTS {
        let mut command = workshop.cubicle(&folder, &partitioned, machine.forms()[0]);
        command
            .arg("--cubicle-manifest")
            .arg(workshop.path(SAMPLE).join(manifest(parts)))
            .env("SPEEDTEST1", &source.path);
        run(&mut command)?;
        take(Subject::Cubicles(parts), &partitioned)?;
    }
    Ok(programs)
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
    place: &Path,
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
        .arg(place.join(format!("part-{number}")));
    command
}
