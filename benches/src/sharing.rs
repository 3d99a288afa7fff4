//! What each way to share memory costs.

use crate::machine::Machine;
use crate::programs::{Form, Workshop};
use crate::sampling::{Samples, interleaved};
use anyhow::Context;

const ROUNDS: usize = 5;

/// What the program measures, and what is in one turn besides a call.
const WAYS: [(&str, &str); 19] = [
    ("call", "no memory"),
    ("window add and remove", "two calls of the monitor"),
    ("window open and close", "two calls of the monitor"),
    ("window first touch", "two page faults: there and back"),
    ("window later touch", "the page stays"),
    ("keyed window touch", "no fault ever"),
    ("lend in 64", "copied"),
    ("lend in 4096", "copied"),
    ("lend in 65536", "copied"),
    ("lend in 1048576", "copied"),
    ("lend in 1048576 pages", "whole pages"),
    ("lend out 64", "copied"),
    ("lend out 4096", "copied"),
    ("lend out 65536", "copied"),
    ("lend out 1048576", "copied"),
    ("lend out 1048576 pages", "whole pages"),
    ("kept lend", "112 bytes, in and out"),
    ("callback passed", "the call, and one back"),
    ("callback kept", "the call, and one back"),
];

pub fn run(machine: &Machine, workshop: &Workshop) -> anyhow::Result<()> {
    println!("\nSharing, nanoseconds for each call that shares");
    let mut programs = vec![workshop.program("sharing", Form::Plain, None)?];
    for form in machine.forms() {
        programs.push(workshop.program("sharing", *form, None)?);
    }
    let paths: Vec<_> = programs.iter().map(AsRef::as_ref).collect();
    let all = interleaved(&paths, ROUNDS)?;
    for (form, samples) in machine.forms().iter().zip(&all[1..]) {
        for (name, what) in WAYS {
            println!(
                "  {:9} {name:22} {:10.1}   plain {:10.1}   {what}",
                machine.label(*form),
                samples.median(name),
                all[0].median(name),
            );
        }
    }
    faults(machine, workshop, &all)
}

/// How many page faults a turn takes with keys, counted where keys are emulated if
/// there are none here, and what one takes here by page tables: the same signal, look-up
/// and change of one page.
fn faults(machine: &Machine, workshop: &Workshop, all: &[Samples]) -> anyhow::Result<()> {
    let counted = match workshop.emulated("sharing", &["faults"]) {
        Ok(counted) => counted,
        Err(error) => {
            println!("  faults    not counted, there is no emulated machine: {error}");
            return Ok(());
        }
    };
    let (first, later) = ("window first touch", "window later touch");
    let times = all.last().context("nothing was measured")?;
    let (one, other) = (counted.median(first), counted.median(later));
    let price = (times.median(first) - times.median(later)) / (one - other);
    println!(
        "  faults    counted with keys (`run --vm`): first touch {one:.2}, later touch {other:.2} a turn; one takes {price:.0} here by {}",
        machine.label(Form::Default),
    );
    Ok(())
}
