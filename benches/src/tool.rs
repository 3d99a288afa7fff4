//! How long the tool itself takes for `samples/deflate` in release.

use std::fs::File;
use std::time::SystemTime;

use anyhow::Context;

use crate::machine::Machine;
use crate::programs::{Form, Workshop};
use crate::sampling::Samples;

const ROUNDS: usize = 7;

pub fn run(_machine: &Machine, workshop: &Workshop) -> anyhow::Result<()> {
    println!(
        "\nTime in the tool for samples/deflate, milliseconds (target: 1000 for all but rustc)"
    );
    let folder = workshop.path("samples/deflate");
    let output = workshop.fresh("tool")?;
    let mut order: Vec<String> = Vec::new();
    let mut samples = Samples::default();
    // The first round builds the dependencies, too; it counts like the others,
    // because only this program's link is timed.
    for _ in 0..ROUNDS {
        // A newer manifest has the program linked again.
        File::options()
            .append(true)
            .open(folder.join("Cubicle.toml"))?
            .set_modified(SystemTime::now())?;
        let mut command = workshop.cubicle(&folder, &output, Form::Default);
        let result = command.arg("--timings").output()?;
        let mut tool = 0.0;
        for (name, time) in timings(&result.stderr, "deflate")? {
            // `link` is the sum of the phases after `capture`.
            if name == "capture" || name == "link" {
                tool += time;
            }
            samples.add(&name, time);
            if !order.contains(&name) {
                order.push(name);
            }
        }
        samples.add("tool", tool);
    }
    for name in &order {
        let unit = if name == "peak" { " MiB" } else { "" };
        println!("  {name:12} {:8.1}{unit}", samples.median(name));
    }
    println!("  all but rustc {:7.1}", samples.median("tool"));
    Ok(())
}

/// What `--timings` said of a program: phases in milliseconds, and `peak` in MiB.
pub fn timings(said: &[u8], program: &str) -> anyhow::Result<Vec<(String, f64)>> {
    let text = String::from_utf8_lossy(said);
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix(&format!("Timings {program}")))
        .and_then(|line| line.split_once(": "))
        .with_context(|| format!("no timings in:\n{text}"))?
        .1;
    line.split(", ")
        .map(|phase| {
            let (name, value) = phase.split_once(' ').context("a phase without a time")?;
            let number = value.split(' ').next().unwrap_or_default();
            Ok((name.to_owned(), number.parse()?))
        })
        .collect()
}
