//! Child processes. A child is partitioned as its parent is: it has the same
//! cubicles with the same rights, a monitor of its own, and one thread.
//!
//! ```text
//!   fork    a copy of all memory; the thread goes on in both          fork.rs
//!   vfork   the same: the parent does not wait
//!   clone(CLONE_VM | CLONE_VFORK), as posix_spawn makes it:           spawn.rs
//!           the same memory, until it executes another program
//!   execve  another program, with nothing of this one: the kernel's
//! ```

mod fork;
mod hold;
mod spawn;

use crate::defences::off;
use crate::machine::context::Registers;
use crate::machine::kernel::{error, number};
use crate::machine::thread;
use crate::memory_calls::write_word;
use crate::system_calls::denied;
use crate::system_calls::sets::is_granted;
use cubicle_abi::defences::Defence;
use cubicle_abi::plan::Cubicle;

pub use fork::is_forked;

/// Is this a child that shares its memory with its parent?
pub fn shares_memory() -> bool {
    // SAFETY: this thread's state.
    unsafe { (*thread::state()).spawned.is_some() }
}

const CLONE_VM: u64 = 0x100;
const CLONE_VFORK: u64 = 0x4000;
const CLONE_PARENT_SETTID: u64 = 0x10_0000;
const CLONE_CHILD_CLEARTID: u64 = 0x20_0000;
const CLONE_CHILD_SETTID: u64 = 0x100_0000;
/// The signal that the parent gets at the end.
const SIGNAL: u64 = 0xff;
const SIGCHLD: u64 = 17;

/// `clone` without CLONE_THREAD, of `cubicle`: a process.
pub fn clone(cubicle: usize, policy: &Cubicle, registers: &Registers) -> i64 {
    const OF_FORK: u64 =
        CLONE_VFORK | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGNAL;
    const OF_SPAWN: u64 = CLONE_VM | CLONE_VFORK | SIGNAL;
    let [flags, stack, parent_id, child_id, ..] = registers.arguments();
    let spawns = flags & CLONE_VM != 0;
    let call = if spawns { number::VFORK } else { number::FORK };
    if !is_granted(&policy.granted, call) && !off(Defence::Grants) {
        return denied::call(cubicle, policy, call, "it is not granted");
    }
    // Rule 12: no signal that could be taken for a dispatched call.
    if flags & SIGNAL != SIGCHLD {
        return -error::EINVAL;
    }
    if spawns {
        if flags & OF_SPAWN != flags || flags & CLONE_VFORK == 0 || stack == 0 {
            return -error::EINVAL;
        }
        return spawn::spawn(cubicle, registers);
    }
    if flags & !OF_FORK != 0 || stack != 0 {
        return -error::EINVAL;
    }
    let id = fork::fork(cubicle);
    let mut told = true;
    if id > 0 && flags & CLONE_PARENT_SETTID != 0 {
        told = write_word(cubicle, parent_id, id as u32);
    }
    if id == 0 {
        // SAFETY: this thread's state.
        let state = unsafe { &mut *thread::state() };
        if flags & CLONE_CHILD_SETTID != 0 {
            told = write_word(cubicle, child_id, state.id as u32);
        }
        let clears = flags & CLONE_CHILD_CLEARTID != 0;
        state.presences[cubicle].clear_id = if clears { child_id } else { 0 };
        state.presences[cubicle].robust_list = 0;
    }
    // The kernel does not look at whether it could write either.
    let _ = told;
    id
}

/// `fork` and `vfork` of `cubicle`, if they are granted.
pub fn fork(cubicle: usize, policy: &Cubicle, call: u64) -> i64 {
    if !is_granted(&policy.granted, call) {
        return denied::call(cubicle, policy, call, "it is not granted");
    }
    fork::fork(cubicle)
}
