//! Threads of a cubicle's libc.

use super::granted::perform;
use crate::machine::kernel::{error, number};
use crate::machine::thread;
use crate::memory_calls;
use crate::process::virtual_threads;

/// A real id for a virtual thread. A parked `main` has one of its own,
/// because two threads of one libc must not have the same: recursive
/// mutexes would take them for one.
pub fn thread_id(cubicle: usize) -> i64 {
    const PARKED: i64 = 0x2000_0000;
    // SAFETY: this thread's state.
    let state = unsafe { &*thread::state() };
    if state.parked_main == Some(cubicle) {
        PARKED + cubicle as i64
    } else {
        state.id as i64
    }
}

pub fn set_thread_pointer(cubicle: usize, code: u64, address: u64) -> i64 {
    const ARCH_SET_FS: u64 = 0x1002;
    if code != ARCH_SET_FS {
        return -error::EINVAL;
    }
    if !virtual_threads::is_canonical(address) {
        return -error::EPERM;
    }
    // SAFETY: this thread's block; the gate loads FS from it.
    unsafe { (*thread::block()).virtual_threads[cubicle].fs = address };
    0
}

pub fn futex(cubicle: usize, arguments: [u64; 6]) -> i64 {
    const COMMAND: u64 = 0x7f;
    let [address, operation, ..] = arguments;
    // WAIT, WAKE, WAIT_BITSET, WAKE_BITSET: one address each.
    if !matches!(operation & COMMAND, 0 | 1 | 9 | 10) {
        return -error::ENOSYS;
    }
    if !memory_calls::owns_word(cubicle, address) {
        return -error::EFAULT;
    }
    perform(cubicle, number::FUTEX, arguments)
}
