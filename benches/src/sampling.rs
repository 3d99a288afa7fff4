//! Running programs in turn, and medians of what they print.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::programs::run;
use anyhow::Context;
pub use cargo_cubicle::measure::run::median;

/// Every value that was measured under each name.
#[derive(Default, Debug)]
pub struct Samples(BTreeMap<String, Vec<f64>>);

impl Samples {
    pub fn add(&mut self, name: &str, value: f64) {
        self.0.entry(name.to_owned()).or_default().push(value);
    }

    /// Takes in what a program printed: lines "NAME VALUE".
    pub fn read(&mut self, printed: &str) -> anyhow::Result<()> {
        for line in printed.lines() {
            let (name, value) = line
                .rsplit_once(' ')
                .with_context(|| format!("`{line}` is no measurement"))?;
            self.add(name, value.parse()?);
        }
        Ok(())
    }

    /// The median; NaN if nothing was measured.
    pub fn median(&self, name: &str) -> f64 {
        self.0.get(name).map_or(f64::NAN, |values| median(values))
    }
}

/// Runs each program `rounds` times, A B C A B C, so that a slow minute of the
/// machine falls on all of them, and collects the lines "NAME VALUE" they print.
pub fn interleaved(programs: &[&Path], rounds: usize) -> anyhow::Result<Vec<Samples>> {
    let mut all: Vec<Samples> = programs.iter().map(|_| Samples::default()).collect();
    for _ in 0..rounds {
        for (program, samples) in programs.iter().zip(&mut all) {
            samples.read(&run(&mut Command::new(program))?)?;
        }
    }
    Ok(all)
}
