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

/// Where programs are built, and with what as the program: speedtest1, or else the sample's own, which
/// needs the library OS.
pub struct Site<'a> {
    workshop: &'a Workshop,
    source: Option<&'a Source>,
    /// Finished programs.
    place: PathBuf,
    /// SQLite is compiled once for each of them.
    plain: PathBuf,
    partitioned: PathBuf,
}

impl<'a> Site<'a> {
    pub fn new(workshop: &'a Workshop, source: Option<&'a Source>) -> anyhow::Result<Site<'a>> {
        Ok(Site {
            workshop,
            source,
            place: workshop.fresh("experiment")?,
            plain: workshop.fresh("experiment-plain")?,
            partitioned: workshop.fresh("experiment-partitioned")?,
        })
    }

    /// What is one process, its functions in the order that this number gives.
    pub fn single(&self, machine: &Machine, layout: usize) -> anyhow::Result<Programs> {
        let mut programs = Programs::new();
        let subjects = [Subject::Linux, Subject::OneImage];
        for subject in subjects.into_iter().chain(PARTS.map(Subject::Cubicles)) {
            let program = match subject {
                Subject::Cubicles(parts) => self.partitioned(machine, parts, layout)?,
                _ => self.plain(subject, Some(layout))?,
            };
            programs.insert(subject, program);
        }
        Ok(programs)
    }

    /// Linux, or the library OS in one image.
    pub fn plain(&self, subject: Subject, layout: Option<usize>) -> anyhow::Result<PathBuf> {
        let linux = ["--features", "linux"];
        let features = if subject == Subject::Linux {
            &linux[..]
        } else {
            &[]
        };
        self.cargo(subject, features, layout, "")
    }

    fn partitioned(&self, machine: &Machine, parts: u32, layout: usize) -> anyhow::Result<PathBuf> {
        let project = self.workshop.path(PROJECT);
        let mut command = self
            .workshop
            .cubicle(&project, &self.partitioned, machine.forms()[0]);
        partition(&mut command, self.workshop, parts);
        self.run(&mut command, Some(layout))?;
        self.take(Subject::Cubicles(parts), &self.partitioned)
    }

    /// The parts as processes, each an executable; the first one's is returned.
    pub fn processes(&self) -> anyhow::Result<Programs> {
        let mut programs = Programs::new();
        for (parts, processes) in PROCESSES {
            let definitions = definitions(processes);
            let subject = Subject::Processes(parts);
            let features = ["--features", "processes"];
            let first = self.cargo(subject, &features, None, &definitions.join(" "))?;
            for (number, components) in (1..).zip(processes) {
                let part = first.with_file_name(format!("part-{number}"));
                run(&mut process(
                    self.workshop,
                    &part,
                    &definitions,
                    number,
                    components,
                ))?;
            }
            programs.insert(subject, first);
        }
        Ok(programs)
    }

    /// What cargo builds by itself.
    fn cargo(
        &self,
        subject: Subject,
        features: &[&str],
        layout: Option<usize>,
        partition: &str,
    ) -> anyhow::Result<PathBuf> {
        let project = self.workshop.path(PROJECT);
        let mut command = self.workshop.plain_cargo(&project, &self.plain);
        command.args(features).env("PARTITION", partition);
        self.run(&mut command, layout)?;
        self.take(subject, &self.plain)
    }

    fn run(&self, command: &mut Command, layout: Option<usize>) -> anyhow::Result<()> {
        if let Some(source) = self.source {
            command.env("SPEEDTEST1", &source.path);
        }
        if let Some(layout) = layout {
            command.env("LAYOUT", layout.to_string());
        }
        run(command)?;
        Ok(())
    }

    /// Puts what was built where it stays until the next layout.
    fn take(&self, subject: Subject, target: &Path) -> anyhow::Result<PathBuf> {
        let own = self.place.join(subject.to_string().replace(' ', "-"));
        let (built, program) = (self.workshop.built(target, BINARY), own.join(BINARY));
        fs::create_dir_all(&own)?;
        fs::copy(&built, &program).with_context(|| format!("no {}", built.display()))?;
        Ok(program)
    }
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
