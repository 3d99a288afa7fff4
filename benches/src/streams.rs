//! flate2's streams on buffers of 64 KiB and 1 MiB, level 6.

use crate::machine::Machine;
use crate::programs::{Form, Workshop};
use crate::sampling::interleaved;

const ROUNDS: usize = 9;

const NAMES: [&str; 4] = [
    "compress 65536",
    "restore 65536",
    "compress 1048576",
    "restore 1048576",
];

pub fn run(machine: &Machine, workshop: &Workshop) -> anyhow::Result<()> {
    println!("\nflate2, streams at level 6, microseconds (target: at most 1.05 × plain)");
    let mut programs = vec![workshop.program("streams", Form::Plain, None)?];
    for form in machine.forms() {
        programs.push(workshop.program("streams", *form, None)?);
    }
    let paths: Vec<_> = programs.iter().map(AsRef::as_ref).collect();
    let all = interleaved(&paths, ROUNDS)?;
    for (form, samples) in machine.forms().iter().zip(&all[1..]) {
        for name in NAMES {
            let (time, plain) = (samples.median(name), all[0].median(name));
            println!(
                "  {:9} {name:17} {:8.1}   plain {:8.1}   ratio {:.3}",
                machine.label(*form),
                time / 1e3,
                plain / 1e3,
                time / plain
            );
        }
    }
    Ok(())
}
