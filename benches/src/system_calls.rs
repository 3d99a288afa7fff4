//! System calls: by libc's patched sites, dispatched, and through the vDSO.

use crate::machine::Machine;
use crate::programs::{Form, Workshop};
use crate::sampling::interleaved;

const ROUNDS: usize = 7;

pub fn run(machine: &Machine, workshop: &Workshop) -> anyhow::Result<()> {
    println!("\nSystem calls, nanoseconds for each (target: patched at most 2 × plain)");
    let mut programs = vec![workshop.program("system-calls", Form::Plain, None)?];
    for form in machine.forms() {
        programs.push(workshop.program("system-calls", *form, None)?);
    }
    let paths: Vec<_> = programs.iter().map(AsRef::as_ref).collect();
    let all = interleaved(&paths, ROUNDS)?;
    for (form, samples) in machine.forms().iter().zip(&all[1..]) {
        for (name, shown) in [
            ("getppid", "getppid, patched"),
            ("getppid dispatched", "getppid, dispatched"),
            ("read", "read of one byte, patched"),
            ("read dispatched", "read of one byte, dispatched"),
            ("clock_gettime", "clock_gettime, vDSO"),
        ] {
            let (plain, time) = (all[0].median(name), samples.median(name));
            println!(
                "  {:9} {shown:28} {time:8.1}   plain {plain:6.1}   ratio {:5.2}",
                machine.label(*form),
                time / plain
            );
        }
    }
    Ok(())
}
