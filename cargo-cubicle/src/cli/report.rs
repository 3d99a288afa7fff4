//! `cargo cubicle report`: what a partition costs, measured on this machine.

use std::ffi::OsString;
use std::fs::File;
use std::io::{IsTerminal, Write};

use anyhow::Context;

use super::arguments::{ReportFormat, ReportOptions, cargo_flags};
use super::compile;
use super::foreground::Ending;
use super::message;
use super::progress::Progress;
use crate::capture::Purpose;
use crate::measure::estimate::{Report, Runs};
use crate::measure::prices::Prices;
use crate::measure::run::{End, Job};
use crate::measure::{Built, render};

/// Where programs are compiled for it, below cargo's own target directory.
const TARGET_DIRECTORY: &str = "cubicle-report";

/// Runs the command.
pub fn run(mut options: ReportOptions) -> anyhow::Result<Ending> {
    let arguments = take_arguments(&mut options.common.cargo);
    let compiled = match compile::compile(&mut options.common, Purpose::Measure, TARGET_DIRECTORY)?
    {
        Ok(compiled) => compiled,
        Err(ending) => return Ok(ending),
    };
    let mut programs = Vec::new();
    for path in &compiled.artifacts {
        programs.extend(Built::read(path)?);
    }
    let built = compile::only(&programs, |built| &built.picture.program)?;
    let prices = Prices::get(|| {
        message::note(
            "measuring what gates take on this machine, once; this takes a quarter of a minute",
        );
    })?;

    let input = input()?;
    let job = Job {
        arguments: &arguments,
        input: input.as_ref(),
    };
    let each = 1 + usize::from(built.partitioned);
    let steps = 1 + options.runs as usize * each;
    let progress = Progress::of("Running", steps, &options.common.cargo);
    progress.step("counting");
    let (first, counts) = job.counted(built)?;
    if first.end != End(0) {
        message::note(&format!(
            "the program ends with {} in one piece, which is what is measured",
            first.end
        ));
    }
    let mut runs = Runs {
        counts,
        ..Runs::default()
    };
    for _ in 0..options.runs {
        progress.step("plain");
        runs.plain.push(job.plain(built)?);
        if built.partitioned {
            progress.step("partitioned");
            let (run, taken) = job.partitioned(built)?;
            runs.partitioned.push(run);
            runs.taken = taken;
        }
    }
    drop(progress);
    let report = Report::of(built, &prices, &runs);
    let text = match options.format {
        ReportFormat::Text => render::text(&report),
        ReportFormat::Json => serde_json::to_string_pretty(&report)? + "\n",
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("could not write to standard output")?;
    Ok(Ending::Status(0))
}

/// Takes what is the program's out of cargo's words.
fn take_arguments(words: &mut Vec<OsString>) -> Vec<OsString> {
    let rest = words.split_off(cargo_flags("build", words));
    // It begins with the `--` in between.
    rest.into_iter().skip(1).collect()
}

/// Standard input as a file that can be read from its start each time; none from a terminal.
fn input() -> anyhow::Result<Option<File>> {
    let mut input = std::io::stdin();
    if input.is_terminal() {
        return Ok(None);
    }
    let mut file = tempfile::tempfile()?;
    std::io::copy(&mut input, &mut file).context("cannot keep standard input")?;
    Ok(Some(file))
}
