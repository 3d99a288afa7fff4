//! How many system calls a program makes, counted as a debugger sees them.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// Of the process that is started, not of its children. What it prints is dropped.
pub fn count(command: &mut Command) -> anyhow::Result<u64> {
    command.stdout(Stdio::null());
    // SAFETY: ptrace(2) is async-signal-safe, and PTRACE_TRACEME reads no memory.
    unsafe {
        command.pre_exec(|| match libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        });
    }
    let child = command.spawn().context("cannot run a program to count")?;
    let process = libc::pid_t::try_from(child.id())?;
    let mut stops = 0u64;
    let mut status = wait(process)?;
    request(
        libc::PTRACE_SETOPTIONS,
        process,
        libc::PTRACE_O_TRACESYSGOOD,
    )?;
    loop {
        if libc::WIFEXITED(status) || libc::WIFSIGNALED(status) {
            if !libc::WIFEXITED(status) || libc::WEXITSTATUS(status) != 0 {
                bail!("{command:?} failed while its system calls were counted");
            }
            break;
        }
        let signal = match libc::WSTOPSIG(status) {
            SYSTEM_CALL => {
                stops += 1;
                0
            }
            // Of the execve that begins the program.
            libc::SIGTRAP => 0,
            other => other,
        };
        request(libc::PTRACE_SYSCALL, process, signal)?;
        status = wait(process)?;
    }
    // One stop on the way in, one on the way out; exit_group has only the first.
    Ok(stops.div_ceil(2))
}

/// What PTRACE_O_TRACESYSGOOD makes of the signal of such a stop (ptrace(2)).
const SYSTEM_CALL: i32 = libc::SIGTRAP | 0x80;

fn request(request: libc::c_uint, process: libc::pid_t, data: i32) -> anyhow::Result<()> {
    // SAFETY: these requests take a number, and touch no memory of this program.
    match unsafe { libc::ptrace(request, process, 0, data) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()).context("cannot trace the program"),
    }
}

fn wait(process: libc::pid_t) -> anyhow::Result<i32> {
    let mut status = 0;
    // SAFETY: `status` is written, and the process is a child of this one.
    if unsafe { libc::waitpid(process, &mut status, 0) } != process {
        return Err(io::Error::last_os_error()).context("the traced program is gone");
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// dd makes two calls for each block, and some for itself.
    #[test]
    fn counts_what_a_program_asks_for() {
        let dd = |blocks: u32| {
            let mut command = Command::new("dd");
            command.args(["if=/dev/zero", "of=/dev/null", "bs=1", "status=none"]);
            count(command.arg(format!("count={blocks}"))).unwrap()
        };
        assert_eq!(dd(500) - dd(100), 800);
    }
}
