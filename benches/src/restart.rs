//! A cubicle that fails: what the failure and the new image cost together.

use crate::machine::Machine;
use crate::programs::Workshop;
use crate::sampling::interleaved;

const ROUNDS: usize = 5;

pub fn run(machine: &Machine, workshop: &Workshop) -> anyhow::Result<()> {
    println!("\nRestart of a glibc cubicle with 1 MiB in use, microseconds (target: 500)");
    let mut programs = Vec::new();
    for form in machine.forms() {
        programs.push(workshop.program("restart", *form, None)?);
    }
    let paths: Vec<_> = programs.iter().map(AsRef::as_ref).collect();
    let all = interleaved(&paths, ROUNDS)?;
    for (form, samples) in machine.forms().iter().zip(&all) {
        let (call, failure) = (samples.median("call"), samples.median("failure"));
        println!(
            "  {:9} failure and next call {:8.1}   two calls without one {:6.2}   restart {:8.1}",
            machine.label(*form),
            failure / 1e3,
            2.0 * call / 1e3,
            (failure - 2.0 * call) / 1e3
        );
    }
    Ok(())
}
