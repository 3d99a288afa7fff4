//! Signals that the process sends itself. They are real: the kernel delivers them, in its
//! order, and the monitor's handler receives them like any other.

use super::{INTERNAL, Information, handed};
use crate::machine::kernel::{call, error, number};
use crate::machine::thread;
use crate::memory_calls;
use core::sync::atomic::Ordering;

/// This process.
pub fn own_process() -> u64 {
    // SAFETY: no memory is involved.
    unsafe { call(number::GETPID, [0; 6]) as u64 }
}

/// This thread's number.
pub fn own_number() -> usize {
    // SAFETY: this thread's state.
    unsafe { (*thread::state()).number }
}

fn own_thread() -> u64 {
    // SAFETY: this thread's state.
    unsafe { (*thread::state()).id }
}

/// Gives a signal back to the kernel, with all that was said about it.
pub fn again(information: &Information) {
    handed::to_thread(own_thread(), own_number(), information);
}

/// This thread ends, or will never run a cubicle again: what found it and was meant for the
/// process goes to another one. Signals must be blocked.
pub fn pass_on() {
    const SI_TKILL: i32 = -6;
    let signals = super::own();
    signals.due = 0;
    let Some(information) = signals.recorded.take() else {
        return;
    };
    if information[1] as i32 == SI_TKILL {
        return;
    }
    handed::to_process(&information);
}

/// Gives a signal to a thread on which `owner` has one of its own. Answers whether there is
/// one.
pub fn elsewhere(owner: usize, information: &Information) -> bool {
    use crate::threads::pool;
    let present = |number: &usize| {
        // SAFETY: the block of a thread stays mapped when it has ended, and everybody may
        // read it.
        unsafe { (*pool::memory(*number).block()).virtual_threads[owner].frame != 0 }
    };
    let mut ids = (0..pool::MOST_THREADS)
        .filter_map(|number| Some((number, pool::id(number)?)))
        .filter(|(number, _)| present(number));
    ids.any(|(number, id)| handed::to_thread(id.into(), number, information))
}

/// Sends this thread a signal that a libc sends itself.
pub fn internal(signal: u64) {
    // SAFETY: no memory is involved.
    unsafe {
        call(
            number::TGKILL,
            [own_process(), own_thread(), signal, 0, 0, 0],
        );
    }
}

/// Is `process` this one? Signals to others need a grant.
pub fn is_own(process: u64) -> bool {
    process as u32 == own_process() as u32
}

/// `kill` of this process.
pub fn to_process(process: u64, signal: u64) -> i64 {
    if INTERNAL.contains(&signal) {
        return -error::EINVAL;
    }
    // SAFETY: no memory is involved; the process is this one.
    unsafe { call(number::KILL, [process, signal, 0, 0, 0, 0]) }
}

/// `tgkill` of this process, and `tkill`.
pub fn to_thread(cubicle: usize, process: u64, to: u64, signal: u64) -> i64 {
    const SIGABRT: u64 = 6;
    if !is_own(process) {
        return -error::EPERM;
    }
    if signal == SIGABRT && to == own_thread() && super::actions::handler(SIGABRT).is_none() {
        // The default, with a record that says whose it is.
        crate::violation::aborted(cubicle);
    }
    if let Some(index) = INTERNAL.iter().position(|internal| *internal == signal) {
        let Some(number) = crate::threads::pool::find(to as u32) else {
            return -error::ESRCH;
        };
        let state = crate::threads::pool::memory(number).state();
        // SAFETY: the memory of a thread stays mapped when it has ended, and the bits
        // are there for others to set.
        let bits = unsafe { &(*state).signals.internal[index] };
        bits.fetch_or(1 << cubicle, Ordering::Relaxed);
    }
    // SAFETY: no memory is involved; the kernel looks for the thread in this process.
    unsafe { call(number::TGKILL, [own_process(), to, signal, 0, 0, 0]) }
}

/// `rt_sigqueueinfo` and `rt_tgsigqueueinfo` of this process. A dispatch is believed only
/// with a positive code, and so is a fault (rule 12): neither can be said here.
pub fn with_value(
    cubicle: usize,
    process: u64,
    to: Option<u64>,
    signal: u64,
    information: u64,
) -> i64 {
    const SI_TKILL: i32 = -6;
    if !is_own(process) {
        return -error::EPERM;
    }
    let mut bytes = [0u8; 128];
    if !memory_calls::read(cubicle, information, &mut bytes) {
        return -error::EFAULT;
    }
    let code = i32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
    if code >= 0 || code == SI_TKILL || INTERNAL.contains(&signal) {
        return -error::EPERM;
    }
    let at = bytes.as_ptr() as u64;
    // SAFETY: the information is on this stack; the process is this one.
    unsafe {
        match to {
            Some(thread) => call(
                number::RT_TGSIGQUEUEINFO,
                [own_process(), thread, signal, at, 0, 0],
            ),
            None => call(
                number::RT_SIGQUEUEINFO,
                [own_process(), signal, at, 0, 0, 0],
            ),
        }
    }
}
