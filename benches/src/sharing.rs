//! What each way to share memory costs.

use crate::machine::Machine;
use crate::programs::{Form, Workshop};
use crate::sampling::interleaved;

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
    Ok(())
}
