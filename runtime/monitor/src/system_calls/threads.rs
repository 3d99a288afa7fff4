//! Threads of a cubicle's libc.

use crate::machine::kernel::error;
use crate::machine::thread;
use crate::process::virtual_threads;

/// Where a thread's libc wants its id cleared when it ends; answers with the id.
pub fn set_clear_id(cubicle: usize, address: u64) -> i64 {
    register(cubicle, |presence| presence.clear_id = address);
    thread_id(cubicle)
}

/// Which locks a thread's libc wants to be told of when it ends.
pub fn set_robust_list(cubicle: usize, address: u64) -> i64 {
    register(cubicle, |presence| presence.robust_list = address);
    0
}

/// Notes what a libc registers for its thread on this one.
fn register(cubicle: usize, set: impl FnOnce(&mut thread::Presence)) {
    // SAFETY: this thread's state. A parked `main` runs on threads of others
    // and is ended with the process.
    unsafe {
        if (*thread::state()).parked_main != Some(cubicle) {
            set(&mut (*thread::state()).presences[cubicle]);
        }
    }
}

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
