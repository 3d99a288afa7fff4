//! Runs a program as if it had been started directly: same terminal, same
//! signals, same ending.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode, ExitStatus};
use std::sync::atomic::{AtomicI32, Ordering};

use crate::capture::CaptureError;

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Status(u8),
    Signal(i32),
}

impl Ending {
    pub fn of(status: ExitStatus) -> Ending {
        match (status.code(), status.signal()) {
            (Some(code), _) => Ending::Status(code as u8),
            (None, Some(signal)) => Ending::Signal(signal),
            (None, None) => Ending::Status(u8::MAX),
        }
    }

    /// Ends this process in the same way.
    pub fn pass_on(self) -> ExitCode {
        match self {
            Ending::Status(status) => ExitCode::from(status),
            Ending::Signal(signal) => {
                // SAFETY: both only change and use this process's own handling
                // of one signal. No core is wanted: the program left its own.
                unsafe {
                    let none = libc::rlimit {
                        rlim_cur: 0,
                        rlim_max: 0,
                    };
                    libc::setrlimit(libc::RLIMIT_CORE, &none);
                    libc::signal(signal, libc::SIG_DFL);
                    libc::raise(signal);
                }
                // Only reached for a signal that does not end a process.
                ExitCode::from(128u8.wrapping_add(signal as u8))
            }
        }
    }
}

/// The process that signals are passed on to. 0 while it is being started, when
/// the thread that starts it blocks signals; negative before and afterwards.
static CHILD: AtomicI32 = AtomicI32::new(-1);

/// This process, which a fork of it can tell itself from.
static PARENT: AtomicI32 = AtomicI32::new(0);

/// Signals that a terminal sends to all its processes, and that others send to
/// one of them.
const PASSED_ON: [libc::c_int; 6] = [
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGHUP,
    libc::SIGUSR1,
    libc::SIGUSR2,
];

extern "C" fn pass_on(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    _context: *mut libc::c_void,
) {
    // SAFETY: the kernel passes a valid siginfo to an SA_SIGINFO handler.
    let from_terminal = unsafe { (*info).si_code } == libc::SI_KERNEL;
    let mut child = CHILD.load(Ordering::Relaxed);
    while child == 0 {
        // SAFETY: all are safe in a signal handler. The signal is delivered when
        // this handler returns.
        unsafe {
            if libc::getpid() != PARENT.load(Ordering::Relaxed) {
                // Between fork and exec: as if the program had started already.
                libc::signal(signal, libc::SIG_DFL);
                libc::raise(signal);
                return;
            }
            // Another thread is starting it, and will know its id in a moment.
            libc::sched_yield();
        }
        child = CHILD.load(Ordering::Relaxed);
    }
    // The terminal has sent it to the child as well.
    if child > 0 && !from_terminal {
        // SAFETY: kill is safe in a signal handler and touches no memory.
        unsafe { libc::kill(child, signal) };
    }
}

/// Starts a program, waits for it, and says how it ended. Signals sent to this
/// process reach the program, which decides what becomes of them.
pub fn run(command: &mut Command) -> anyhow::Result<Ending> {
    // A program can be ready, and be sent a signal, before this process learns
    // its id, so signals wait until then.
    let before = block();
    PARENT.store(std::process::id() as i32, Ordering::Relaxed);
    CHILD.store(0, Ordering::Relaxed);
    for signal in PASSED_ON {
        catch(signal);
    }
    let parent = std::process::id();
    // SAFETY: the closure makes only system calls, which are permitted between
    // fork and exec. Caught signals become default by exec, ignored ones stay.
    unsafe {
        command.pre_exec(move || {
            // If this process is killed outright, the program must not outlive
            // it, as it would not if it had been started directly.
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            if libc::getppid() as u32 != parent {
                libc::raise(libc::SIGKILL);
            }
            restore(&before);
            Ok(())
        });
    }
    let spawned = command.spawn();
    let id = spawned.as_ref().map_or(-1, |child| child.id() as i32);
    CHILD.store(id, Ordering::Relaxed);
    restore(&before);
    let mut child = spawned.map_err(|source| CaptureError::Start {
        program: command.get_program().to_string_lossy().into_owned(),
        source,
    })?;
    let status = child.wait();
    CHILD.store(-1, Ordering::Relaxed);
    Ok(Ending::of(status?))
}

/// Blocks, for this thread, the signals that are passed on. Returns which were
/// blocked before.
fn block() -> libc::sigset_t {
    // SAFETY: the sets live on this stack, and the first is initialised before
    // its use, the second by the call.
    unsafe {
        let mut signals: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut signals);
        for signal in PASSED_ON {
            libc::sigaddset(&mut signals, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &signals, &mut before);
        before
    }
}

/// Undoes [`block`], here or in a process that is about to become the program.
fn restore(before: &libc::sigset_t) {
    // SAFETY: the set was filled in by an earlier call.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before, std::ptr::null_mut()) };
}

/// Installs the handler, unless the signal is ignored (as under `nohup`), which
/// the program is to inherit.
fn catch(signal: libc::c_int) {
    // SAFETY: both structures live on this stack, and the handler does nothing
    // but what is safe in a handler.
    unsafe {
        let mut before: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &mut before);
        if before.sa_sigaction == libc::SIG_IGN {
            return;
        }
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = pass_on as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
        libc::sigemptyset(&mut action.sa_mask);
        libc::sigaction(signal, &action, std::ptr::null_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Ending {
        run(Command::new("sh").args(["-c", script])).unwrap()
    }

    #[test]
    fn endings_are_told_apart() {
        assert_eq!(shell("exit 86"), Ending::Status(86));
        assert_eq!(shell("kill -SEGV $$"), Ending::Signal(libc::SIGSEGV));
        assert_eq!(
            shell("kill -TERM $PPID; sleep 10"),
            Ending::Signal(libc::SIGTERM)
        );
    }
}
