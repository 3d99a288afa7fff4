//! The first and only program of the emulated machine: mounts what a program
//! expects to find, runs the jobs one after the other and sends back what they
//! did. It is an ordinary static program without dependencies, compiled by the
//! build script of `cargo-cubicle` and embedded there.

mod job;
mod port;
mod system;
// Each side uses its own half of the protocol.
#[allow(dead_code)]
mod wire;

use std::process;

use port::Port;

fn main() {
    if process::id() != 1 {
        eprintln!(
            "this is the first process of cargo-cubicle's emulated machine; it runs nowhere else"
        );
        process::exit(2);
    }
    if let Err(trouble) = serve() {
        // The console is all that is left when the port itself does not work.
        println!("cubicle init: {trouble}");
    }
    system::power_off();
}

fn serve() -> Result<(), String> {
    system::mount_all()?;
    system::raise_loopback();
    let port = Port::open()?;
    match run_all(&port) {
        Ok(()) => port.send(wire::kind::DONE, 0, &[])?,
        Err((job, trouble)) => port.send(wire::kind::TROUBLE, job, trouble.as_bytes())?,
    }
    port.finish();
    Ok(())
}

/// Runs the jobs in order; an error says during which one the machine failed.
fn run_all(port: &Port) -> Result<(), (u32, String)> {
    let text = std::fs::read(wire::JOBS)
        .map_err(|error| (wire::NO_JOB, format!("{}: {error}", wire::JOBS)))?;
    let jobs =
        wire::read_jobs(&text).ok_or((wire::NO_JOB, "the list of jobs is cut short".to_owned()))?;
    for (number, one) in (0..).zip(&jobs) {
        job::run(one, number, port).map_err(|trouble| (number, trouble))?;
    }
    Ok(())
}
