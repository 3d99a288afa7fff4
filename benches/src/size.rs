//! How large the stripped file is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine::Machine;
use crate::programs::{Form, Workshop, run as run_command};
use crate::start_up::MANIFESTS;

const KIB: f64 = 1024.0;

pub fn run(machine: &Machine, workshop: &Workshop) -> anyhow::Result<()> {
    println!(
        "\nSize of the stripped binary, KiB (target: 1024 for each C cubicle beyond its code)"
    );
    let form = *machine.forms().last().unwrap_or(&Form::Default);
    let plain = stripped(&workshop.program("start-up", Form::Plain, None)?)?;
    println!("  plain, static    {plain:8.0}");
    let mut one = 0.0;
    for (manifest, cubicles) in MANIFESTS {
        // Its profile says `strip`, which the tool does when it composes.
        let size = kib(&workshop.program("start-up", form, Some(manifest))?)?;
        print!(
            "  cubicles: {cubicles}      {size:8.0}   beyond plain {:6.0}",
            size - plain
        );
        if cubicles == 1 {
            one = size;
            println!("   (the monitor, the plan, the gates)");
        } else {
            println!(
                "   for each one more {:6.0}",
                (size - one) / f64::from(cubicles - 1)
            );
        }
    }
    zlib(workshop)
}

/// The same for a real library: its own code is in both files.
fn zlib(workshop: &Workshop) -> anyhow::Result<()> {
    let folder = workshop.path("samples/deflate");
    let output = workshop.fresh("size-plain")?;
    workshop.plain_rust(&folder, &output)?;
    let plain = stripped(&output.join("x86_64-unknown-linux-gnu/release/deflate"))?;
    let output = workshop.fresh("size-default")?;
    let mut command = workshop.cubicle(&folder, &output, Form::Default);
    run_command(command.env("CARGO_PROFILE_RELEASE_STRIP", "symbols"))?;
    let size = kib(&output.join("x86_64-unknown-linux-gnu/release/deflate"))?;
    println!(
        "  samples/deflate  {size:8.0}   plain {plain:.0}   beyond plain {:6.0}   (zlib's cubicle, the monitor, the plan, the gates)",
        size - plain
    );
    Ok(())
}

fn kib(file: &Path) -> anyhow::Result<f64> {
    Ok(fs::metadata(file)?.len() as f64 / KIB)
}

/// The size of a copy without symbols.
fn stripped(file: &Path) -> anyhow::Result<f64> {
    let copy: PathBuf = file.with_extension("stripped");
    run_command(Command::new("strip").arg("-o").arg(&copy).arg(file))?;
    kib(&copy)
}
