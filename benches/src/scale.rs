//! How time and memory of the tool grow with what it is given: a project of many crates and ten
//! cubicles, and an image of many symbols; and how long a lint of an unchanged project takes.

mod crates;
mod input;
mod symbols;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Instant, SystemTime};

use anyhow::{Context, ensure};

use crate::machine::Machine;
use crate::programs::{Form, Workshop, run as complete};
use crate::sampling::Samples;

/// Links of each project, and lints of each unchanged one.
const ROUNDS: usize = 5;

/// What [`crates::write`] and [`symbols::write`] are given.
const CRATES: [usize; 3] = [75, 150, 300];
const SYMBOLS: [usize; 3] = [250_000, 500_000, 1_000_000];

pub fn run(_machine: &Machine, workshop: &Workshop) -> anyhow::Result<()> {
    println!(
        "\nTime and memory of the tool itself, without compilers and linkers (targets: linear; 2.0 × what it read)"
    );
    let mut projects = Vec::new();
    for (what, sizes, write) in [
        ("crates", CRATES, crates::write as Write),
        ("symbols", SYMBOLS, symbols::write),
    ] {
        let mut last: Option<(usize, Figures)> = None;
        for size in sizes {
            let folder = workshop.fresh(&format!("scale/{what}-{size}"))?;
            write(&folder, size)?;
            complete(Command::new("cargo").current_dir(&folder).args([
                "generate-lockfile",
                "--offline",
                "--quiet",
            ]))?;
            let figures = linked(workshop, &folder, size)?;
            let growth = last.as_ref().map_or(String::new(), |(before, last)| {
                format!(
                    "; × {:.2} of it: time × {:.2}, memory × {:.2}",
                    size as f64 / *before as f64,
                    figures.time / last.time,
                    figures.memory / last.memory
                )
            });
            println!(
                "  {size:7} {what:8} read {:7.1} MiB ({:.1} given, {:.1} linked), {:7.0} ms, {:7.1} MiB = {:.2} × what it read{growth}",
                figures.given + figures.linked,
                figures.given,
                figures.linked,
                figures.time,
                figures.memory,
                figures.memory / (figures.given + figures.linked),
            );
            println!("          {}", figures.phases);
            last = Some((size, figures));
            projects.push((what, size, folder));
        }
    }

    println!(
        "\nA lint of an unchanged project, seconds (targets: 0.3 for a small one, 3 for 300 crates)"
    );
    let small = workshop.path("samples/deflate");
    let largest = |(what, size, folder): (&str, usize, PathBuf)| {
        (what == "crates" && size == CRATES[2]).then_some(folder)
    };
    let large = projects
        .into_iter()
        .find_map(largest)
        .context("the largest project")?;
    for (name, folder) in [("samples/deflate", small), ("300 crates", large)] {
        // The other figures are still worth reading when one project cannot be judged.
        match unchanged_lint(workshop, &folder) {
            Ok(seconds) => println!("  {name:16} {seconds:.2}"),
            Err(error) => println!("  {name:16} not measured: {error}"),
        }
    }
    Ok(())
}

type Write = fn(&Path, usize) -> anyhow::Result<()>;

/// Milliseconds and MiB.
struct Figures {
    time: f64,
    memory: f64,
    /// Files on the link line and in the manifest.
    given: f64,
    /// The images that the linker made of them.
    linked: f64,
    phases: String,
}

/// Builds a project, looks whether its program answers with its size, and links it again.
fn linked(workshop: &Workshop, folder: &Path, size: usize) -> anyhow::Result<Figures> {
    let output = folder.join("target");
    complete(&mut workshop.cubicle(folder, &output, Form::Default))?;
    let program = workshop.built(&output, "scale");
    let answer = complete(&mut Command::new(&program))?;
    ensure!(
        answer.trim() == size.to_string(),
        "the program answers {answer}"
    );

    let mut samples = Samples::default();
    let mut order: Vec<String> = Vec::new();
    for _ in 0..ROUNDS {
        // A newer manifest has the program linked again.
        File::options()
            .append(true)
            .open(folder.join("Cubicle.toml"))?
            .set_modified(SystemTime::now())?;
        let result = workshop
            .cubicle(folder, &output, Form::Default)
            .arg("--timings")
            .output()?;
        for (name, value) in crate::tool::timings(&result.stderr, "scale")? {
            if !order.contains(&name) {
                order.push(name.clone());
            }
            samples.add(&name, value);
        }
    }
    let input = input::of(&program)?;
    let shown = order
        .iter()
        .filter(|name| !["own", "peak", "rustc"].contains(&name.as_str()));
    let shown: Vec<String> = shown
        .map(|name| (name, samples.median(name)))
        .filter(|(_, value)| *value >= 1.0)
        .map(|(name, value)| format!("{name} {value:.0}"))
        .collect();
    Ok(Figures {
        time: samples.median("own"),
        memory: samples.median("peak"),
        given: input.given as f64 / f64::from(1 << 20),
        linked: input.linked as f64 / f64::from(1 << 20),
        phases: format!("wall clock, with linkers: {}", shown.join(", ")),
    })
}

/// Seconds from start to end, when everything was linted before.
fn unchanged_lint(workshop: &Workshop, folder: &Path) -> anyhow::Result<f64> {
    let output = workshop.output("scale/lint");
    let mut samples = Samples::default();
    for round in 0..=ROUNDS {
        let start = Instant::now();
        complete(&mut workshop.lint(folder, &output))?;
        if round > 0 {
            samples.add("lint", start.elapsed().as_secs_f64());
        }
    }
    Ok(samples.median("lint"))
}
