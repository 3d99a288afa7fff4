//! Signals of a cubicle's libc.

use crate::machine::kernel::{self, error, number};
use crate::machine::thread;
use crate::memory_calls;

/// Signals are the monitor's in this version. A fault ends in a report, so
/// a handler for it is accepted and never runs; ignoring and defaults go
/// to the kernel; handlers of other signals are refused, not forgotten.
pub fn action(cubicle: usize, signal: u64, new: u64, old: u64) -> i64 {
    let faults = crate::machine::signals::FAULTS.contains(&signal);
    let mut action = [0u64; 4];
    let mut before = [0u64; 4];
    if new != 0 && !memory_calls::read(cubicle, new, as_bytes(&mut action)) {
        return -error::EFAULT;
    }
    let mut result = 0;
    if !faults {
        let takes_handler = new != 0 && action[0] > 1;
        let pointer = if new == 0 || takes_handler {
            0
        } else {
            action.as_ptr() as u64
        };
        // SAFETY: both structures are the monitor's; the disposition is
        // SIG_DFL or SIG_IGN.
        result = unsafe {
            kernel::call(
                number::RT_SIGACTION,
                [signal, pointer, before.as_mut_ptr() as u64, 8, 0, 0],
            )
        };
        if takes_handler {
            result = -error::ENOSYS;
        }
    }
    if result == 0 && old != 0 && !memory_calls::write(cubicle, old, as_bytes(&mut before)) {
        return -error::EFAULT;
    }
    result
}

/// The mask a libc believes in. The kernel's stays open: if SIGSYS were
/// blocked when it is forced, the process would die.
pub fn mask(cubicle: usize, how: u64, new: u64, old: u64, size: u64) -> i64 {
    const SIG_BLOCK: u64 = 0;
    const SIG_UNBLOCK: u64 = 1;
    const SIG_SETMASK: u64 = 2;
    if size != 8 {
        return -error::EINVAL;
    }
    // SAFETY: this thread's state.
    let current = unsafe { &mut (*thread::state()).masks[cubicle] };
    let before = *current;
    if new != 0 {
        let mut wanted = [0u64; 1];
        if !memory_calls::read(cubicle, new, as_bytes(&mut wanted)) {
            return -error::EFAULT;
        }
        *current = match how {
            SIG_BLOCK => before | wanted[0],
            SIG_UNBLOCK => before & !wanted[0],
            SIG_SETMASK => wanted[0],
            _ => return -error::EINVAL,
        };
    }
    if old != 0 && !memory_calls::write(cubicle, old, &before.to_le_bytes()) {
        return -error::EFAULT;
    }
    0
}

/// Signal stacks are the monitor's: the old one is "disabled".
pub fn alternate_stack(cubicle: usize, old: u64) -> i64 {
    const SS_DISABLE: u64 = 2;
    let mut stack = [0, SS_DISABLE, 0];
    if old != 0 && !memory_calls::write(cubicle, old, as_bytes(&mut stack)) {
        return -error::EFAULT;
    }
    0
}

fn as_bytes<const N: usize>(words: &mut [u64; N]) -> &mut [u8] {
    // SAFETY: any bytes are words, and words are bytes.
    unsafe { core::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), N * 8) }
}

/// `abort`, and nothing else a thread could send itself.
pub fn kill_self(cubicle: usize, process: u64, to: u64, signal: u64) -> i64 {
    const SIGABRT: u64 = 6;
    // SAFETY: this thread's state; getpid has no arguments.
    let (own, id) = unsafe { (kernel::call(number::GETPID, [0; 6]), (*thread::state()).id) };
    if process != own as u64 || to != id || signal != SIGABRT {
        return -error::EPERM;
    }
    crate::violation::aborted(cubicle)
}
