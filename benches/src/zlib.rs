//! zlib's compress2 on buffers of 64 KiB, level 6.

use crate::machine::Machine;
use crate::programs::{Form, Workshop};
use crate::sampling::interleaved;

const ROUNDS: usize = 15;

pub fn run(machine: &Machine, workshop: &Workshop) -> anyhow::Result<()> {
    println!("\nzlib, compress2 of 64 KiB at level 6, microseconds (target: at most 1.02 × plain)");
    let mut programs = vec![workshop.program("deflate", Form::Plain, None)?];
    for form in machine.forms() {
        programs.push(workshop.program("deflate", *form, None)?);
    }
    let paths: Vec<_> = programs.iter().map(AsRef::as_ref).collect();
    let all = interleaved(&paths, ROUNDS)?;
    let plain = all[0].median("compress2");
    for (form, samples) in machine.forms().iter().zip(&all[1..]) {
        let time = samples.median("compress2");
        println!(
            "  {:9} {:8.1}   plain {:8.1}   ratio {:.3}",
            machine.label(*form),
            time / 1e3,
            plain / 1e3,
            time / plain
        );
    }
    Ok(())
}
