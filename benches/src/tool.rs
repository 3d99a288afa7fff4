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
        let text = String::from_utf8_lossy(&result.stderr).into_owned();
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("Timings deflate"))
            .and_then(|line| line.split_once(": "))
            .with_context(|| format!("no timings in:\n{text}"))?
            .1;
        let mut tool = 0.0;
        for phase in line.split(", ") {
            let mut words = phase.split(' ');
            let (Some(name), Some(time)) = (words.next(), words.next()) else {
                continue;
            };
            let time: f64 = time.parse()?;
            if !order.iter().any(|known| known == name) {
                order.push(name.to_owned());
            }
            samples.add(name, time);
            // `link` is the sum of the phases after `capture`.
            if name == "capture" || name == "link" {
                tool += time;
            }
        }
        samples.add("tool", tool);
    }
    for name in &order {
        println!("  {name:12} {:8.1}", samples.median(name));
    }
    println!("  all but rustc {:7.1}", samples.median("tool"));
    Ok(())
}
