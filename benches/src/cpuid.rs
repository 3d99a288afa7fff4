//! How much of a start is CPUID: a libc asks the processor what it is, and in a
//! virtual machine each question is answered by the hypervisor.

use std::arch::x86_64::__cpuid_count;
use std::hint::black_box;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::bail;

use crate::sampling::median;

const TURNS: u32 = 50;
const ROUNDS: usize = 21;

/// Microseconds of one CPUID.
pub fn cost() -> f64 {
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..TURNS {
            // Leaf 4 describes caches: what libc asks most.
            black_box(__cpuid_count(4, 0));
        }
        rounds.push(start.elapsed().as_nanos() as f64 / 1e3 / f64::from(TURNS));
    }
    median(&rounds)
}

/// How often a program executes CPUID, from its first instruction to its end:
/// found by single steps.
pub fn count(program: &Path) -> anyhow::Result<usize> {
    const CPUID: i64 = 0xa20f;
    let mut command = Command::new(program);
    command.stdout(Stdio::null());
    // SAFETY: only a system call between fork and exec.
    unsafe {
        command.pre_exec(|| match libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) {
            -1 => Err(std::io::Error::last_os_error()),
            _ => Ok(()),
        });
    }
    // waitpid below collects it.
    let child = command.spawn()?;
    let process = child.id() as libc::pid_t;
    let mut found = 0;
    loop {
        let mut status = 0;
        // SAFETY: `status` is where the kernel writes.
        if unsafe { libc::waitpid(process, &raw mut status, 0) } != process {
            bail!("lost the traced process");
        }
        if !libc::WIFSTOPPED(status) {
            return Ok(found);
        }
        // SAFETY: the process is stopped; the structure is the kernel's.
        let bytes = unsafe {
            let mut registers: libc::user_regs_struct = std::mem::zeroed();
            libc::ptrace(libc::PTRACE_GETREGS, process, 0, &raw mut registers);
            libc::ptrace(libc::PTRACE_PEEKTEXT, process, registers.rip, 0)
        };
        found += usize::from(bytes & 0xffff == CPUID);
        // SAFETY: as above.
        unsafe { libc::ptrace(libc::PTRACE_SINGLESTEP, process, 0, 0) };
    }
}
