//! From exec to main, with one, two and four glibc images in one program.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::{Context, bail};

use crate::cpuid;
use crate::machine::Machine;
use crate::programs::{Form, Workshop};
use crate::sampling::Samples;

const ROUNDS: usize = 101;
/// Manifests of the program, and the cubicles each makes of it.
pub const MANIFESTS: [(&str, u32); 3] = [("one.toml", 1), ("two.toml", 2), ("four.toml", 4)];

pub fn run(machine: &Machine, workshop: &Workshop) -> anyhow::Result<()> {
    println!("\nStart-up, exec to main, microseconds (target: 350 for each glibc cubicle)");
    let plain = workshop.program("start-up", Form::Plain, None)?;
    let (cpuid, questions) = (cpuid::cost(), cpuid::count(&plain)?);
    println!(
        "  one CPUID by itself {cpuid:.2}; the plain program executes {questions}, as each glibc does"
    );
    for form in machine.forms() {
        let mut programs: Vec<PathBuf> = vec![plain.clone()];
        for (manifest, _) in MANIFESTS {
            programs.push(workshop.program("start-up", *form, Some(manifest))?);
        }
        let mut all: Vec<Samples> = programs.iter().map(|_| Samples::default()).collect();
        for _ in 0..ROUNDS {
            for (program, samples) in programs.iter().zip(&mut all) {
                let (main, first_call) = start(program)?;
                samples.add("main", main / 1e3);
                samples.add("first call", first_call / 1e3);
            }
        }
        let label = machine.label(*form);
        let plain = all[0].median("main");
        println!("  {label:9} plain            {plain:8.0}");
        let mut one = 0.0;
        for ((_, cubicles), samples) in MANIFESTS.iter().zip(&all[1..]) {
            let beyond = samples.median("main") - plain;
            print!(
                "  {label:9} cubicles: {cubicles}      {:8.0}   beyond plain {beyond:6.0}   for each cubicle {:6.0}",
                samples.median("main"),
                beyond / f64::from(*cubicles)
            );
            if *cubicles == 1 {
                one = beyond;
                println!();
            } else {
                let more = (beyond - one) / f64::from(cubicles - 1);
                println!(
                    "   for each one more {more:6.0}, without its CPUID {:4.0}   first call into one {:5.1}",
                    more - cpuid * questions as f64,
                    samples.median("first call")
                );
            }
        }
    }
    Ok(())
}

/// Runs a program that prints when its main began. Nanoseconds from exec to
/// there, and of its first call.
fn start(program: &Path) -> anyhow::Result<(f64, f64)> {
    let before = SharedTime::new()?;
    let mut command = Command::new(program);
    let place = before.0;
    // SAFETY: between fork and exec, a clock read and a store to shared memory.
    unsafe {
        command.pre_exec(move || {
            // SAFETY: the mapping outlives the child's exec.
            (*(place as *const AtomicI64)).store(now(), Ordering::Relaxed);
            Ok(())
        });
    }
    let output = command.output()?;
    if !output.status.success() {
        bail!("{} failed ({})", program.display(), output.status);
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let value = |name: &str| -> anyhow::Result<i64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        Ok(line.context("an unknown output")?.trim().parse()?)
    };
    let main = value("main")? - before.get();
    Ok((main as f64, value("first-call")? as f64))
}

/// A number that a forked child and its parent share.
struct SharedTime(usize);

impl SharedTime {
    fn new() -> anyhow::Result<SharedTime> {
        // SAFETY: a fresh mapping.
        let place = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                4096,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if place == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error().into());
        }
        Ok(SharedTime(place as usize))
    }

    fn get(&self) -> i64 {
        // SAFETY: mapped until `drop`.
        unsafe { (*(self.0 as *const AtomicI64)).load(Ordering::Relaxed) }
    }
}

impl Drop for SharedTime {
    fn drop(&mut self) {
        // SAFETY: mapped in `new`, and nobody else keeps the address.
        unsafe { libc::munmap(self.0 as *mut libc::c_void, 4096) };
    }
}

/// Nanoseconds of the monotonic clock, which all processes share.
fn now() -> i64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is where the kernel writes.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}
