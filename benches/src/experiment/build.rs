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
const BINARY: &str = "experiment";

/// Every subject's executable, all in one folder.
pub fn all(
    machine: &Machine,
    workshop: &Workshop,
    source: &Source,
) -> anyhow::Result<BTreeMap<Subject, PathBuf>> {
    let place = workshop.fresh("experiment")?;
    let folder = workshop.path(PROJECT);
    let mut programs = BTreeMap::new();
    let mut take = |subject: Subject, target: &Path| -> anyhow::Result<()> {
        let built = target.join(TARGET).join("release").join(BINARY);
        let program = place.join(subject.to_string().replace(' ', "-"));
        fs::copy(&built, &program).with_context(|| format!("no {}", built.display()))?;
        programs.insert(subject, program);
        Ok(())
    };

    // SQLite is compiled once for all that are built plainly, once for all that are partitioned.
    let plain = workshop.fresh("experiment-plain")?;
    for (subject, features) in [
        (Subject::Linux, &["--features", "linux"][..]),
        (Subject::OneImage, &[]),
    ] {
        let mut command = workshop.plain_cargo(&folder, &plain);
        run(command.args(features).env("SPEEDTEST1", &source.path))?;
        take(subject, &plain)?;
    }
    let partitioned = workshop.fresh("experiment-partitioned")?;
    for parts in PARTS {
        let mut command = workshop.cubicle(&folder, &partitioned, machine.forms()[0]);
        run(variant(&mut command, parts).env("SPEEDTEST1", &source.path))?;
        take(Subject::Cubicles(parts), &partitioned)?;
    }
    Ok(programs)
}

/// Seven is the manifest as it stands.
fn variant(command: &mut Command, parts: u32) -> &mut Command {
    match parts {
        3 => command.args(["--variant", "three"]),
        4 => command.args(["--variant", "four"]),
        _ => command,
    }
}
