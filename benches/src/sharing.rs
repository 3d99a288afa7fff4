//! What each way to share memory costs.

use crate::machine::Machine;
use crate::programs::{Form, Workshop};
use crate::sampling::{Samples, interleaved};
use anyhow::Context;

const ROUNDS: usize = 5;

/// The two ways that differ by page faults alone.
const FIRST: &str = "window first touch";
const LATER: &str = "window later touch";

/// What the program measures, and what is in one turn besides a call.
const WAYS: [(&str, &str); 19] = [
    ("call", "no memory"),
    ("window add and remove", "two calls of the monitor"),
    ("window open and close", "two calls of the monitor"),
    (FIRST, "two page faults: there and back"),
    (LATER, "the page stays"),
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
    println!(
        "  faults    counted with keys (`run --vm`): first touch {:.2}, later touch {:.2} a turn; one takes {:.0} here by {}",
        counted.median(FIRST),
        counted.median(LATER),
        price(all.last().context("nothing was measured")?, &counted),
        machine.label(Form::Default),
    );
    Ok(())
}

/// Nanoseconds that a page fault of a window takes here, by page tables if there are no keys.
pub fn price_of_fault(workshop: &Workshop) -> anyhow::Result<f64> {
    let program = workshop.program("sharing", Form::Default, None)?;
    let times = interleaved(&[&program], ROUNDS)?;
    Ok(price(
        &times[0],
        &workshop.emulated("sharing", &["faults"])?,
    ))
}

fn price(times: &Samples, counted: &Samples) -> f64 {
    let difference = |samples: &Samples| samples.median(FIRST) - samples.median(LATER);
    difference(times) / difference(counted)
}
