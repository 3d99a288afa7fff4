//! `cargo cubicle verify`: reads finished programs again and says what does not hold.

use std::fs::File;
use std::io::Write;

use anyhow::Context;
use camino::Utf8Path;
use memmap2::Mmap;

use super::arguments::VerifyOptions;
use super::foreground::Ending;
use super::message;
use super::status::USAGE;
use crate::compose;
use crate::verify::{self, Report};

/// As many findings as are shown of one file; the others are counted.
const SHOWN: usize = 50;

/// Status 0 if all hold, 1 if there are findings, 2 if one is no such program.
pub fn run(options: &VerifyOptions) -> anyhow::Result<Ending> {
    let monitor = compose::Monitor::embedded()?;
    let own = verify::Monitor {
        image: monitor.bytes,
        entries: monitor.planned_entries,
    };
    let mut status = 0;
    for path in &options.files {
        let one = match read(path) {
            Ok(bytes) => match verify::verify(&bytes, Some(own)) {
                Ok(report) => {
                    show(path, &report)?;
                    u8::from(!report.is_clean())
                }
                Err(error) => cannot(path, &error),
            },
            Err(error) => cannot(path, &error),
        };
        status = status.max(one);
    }
    Ok(Ending::Status(status))
}

fn cannot(path: &Utf8Path, why: &dyn std::fmt::Display) -> u8 {
    message::error(&anyhow::anyhow!("`{path}` cannot be verified: {why}"));
    USAGE
}

/// The bytes of a file; an empty one cannot be mapped.
fn read(path: &Utf8Path) -> std::io::Result<Box<dyn std::ops::Deref<Target = [u8]>>> {
    let file = File::open(path)?;
    let kind = file.metadata()?;
    if !kind.is_file() || kind.len() == 0 {
        return Ok(Box::new(std::fs::read(path)?));
    }
    // SAFETY: the mapping is private and only read; whoever shortens the file
    // meanwhile ends this program, not the safety of another.
    Ok(Box::new(unsafe { Mmap::map(&file)? }))
}

fn show(path: &Utf8Path, report: &Report) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    write!(out, "{}", text(path, report)).context("could not write to standard output")
}

/// What people read about one file.
fn text(path: &Utf8Path, report: &Report) -> String {
    let count = report.gates.values().sum::<usize>();
    let kinds: Vec<String> = report
        .gates
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    let kinds = match kinds.is_empty() {
        true => String::new(),
        false => format!(" ({})", kinds.join(", ")),
    };
    let lines = [
        format!("isolation    {}", report.isolation),
        format!(
            "cubicles     {}: {}",
            report.cubicles.len(),
            report.cubicles.join(", ")
        ),
        format!("gates        {count}{kinds}"),
        format!(
            "decoded      {} gates, stubs and entries, each version of each: {} instructions",
            report.places, report.instructions
        ),
        format!("WRPKRU       {} where it belongs", report.switches),
        format!(
            "scanned      {} bytes of executable text, at every offset",
            report.scanned
        ),
        format!(
            "followed     {} instructions of images, {} words of initial data",
            report.followed, report.words
        ),
    ];
    let mut text = format!("{path}\n");
    let monitor = match report.own_monitor {
        true => "this tool's, byte for byte",
        false => {
            "not this tool's: only its ways to other rights were looked at, the rest is believed"
        }
    };
    for line in lines.into_iter().chain([format!("monitor      {monitor}")]) {
        text.push_str(&format!("  {line}\n"));
    }
    for note in &report.notes {
        text.push_str(&format!("  note: {note}\n"));
    }
    for finding in report.findings.iter().take(SHOWN) {
        text.push_str(&format!("  {finding}\n"));
    }
    match report.findings.len() {
        0 => text.push_str("  every rule holds\n"),
        1 => text.push_str("  1 finding: this program does not keep what it promises\n"),
        more => text.push_str(&format!(
            "  {more} findings: this program does not keep what it promises\n"
        )),
    }
    text
}
