//! A cubicle's `clone`: a new kernel thread.
//!
//! ```text
//!   creator                              the new thread
//!   takes a number, prepares memory
//!   blocks all signals
//!   clone ─────────────────────────────► monitor's stack, all rights, blocked
//!   writes the id where its libc wants   points GS to its block; signal stack;
//!   admits ────────────────────────────► dispatch of system calls; waits
//!                                        signals; runs the creator's cubicle
//! ```
//!
//! Nothing of a cubicle runs before system calls are dispatched on the new thread
//! (the kernel does not inherit that). And none runs before the creator's libc has
//! the id: written later, it could be the id of a thread that has ended already.

use super::end::{count_one_less, count_one_more};
use super::{frames, pool};
use crate::lock::{wait_while, wake};
use crate::machine::assembly::cubicle_clone;
use crate::machine::context::{Registers, after};
use crate::machine::kernel::{self, error, number};
use crate::machine::signals::arm;
use crate::machine::thread::{self, Thread};
use crate::process::run::{FAILED, run};
use crate::process::start::dispatch_system_calls;
use crate::process::virtual_threads::{is_canonical, mark_stack};
use crate::process::{children, spare};
use crate::restart;
use crate::signals::{self, masks};
use core::sync::atomic::Ordering;

const CLONE_VM: u64 = 0x100;
const CLONE_FS: u64 = 0x200;
const CLONE_FILES: u64 = 0x400;
const CLONE_SIGHAND: u64 = 0x800;
const CLONE_THREAD: u64 = 0x1_0000;
const CLONE_SYSVSEM: u64 = 0x4_0000;
const CLONE_SETTLS: u64 = 0x8_0000;
const CLONE_PARENT_SETTID: u64 = 0x10_0000;
const CLONE_CHILD_CLEARTID: u64 = 0x20_0000;
const CLONE_DETACHED: u64 = 0x40_0000;

/// What makes a thread of a process, as every libc asks for it.
const NEEDED: u64 = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SETTLS;
/// What else it may ask for.
const POSSIBLE: u64 =
    NEEDED | CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_DETACHED;

/// What the kernel is asked for: the thread pointer is the cubicle's own affair, and
/// the words are those of the thread's number.
const GIVEN: u64 =
    NEEDED & !CLONE_SETTLS | CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;

/// Values of `Thread::admitted`.
const WAIT: u32 = 0;
const BEGIN: u32 = 1;
const LEAVE: u32 = 2;

/// `clone` of `cubicle` for a thread.
pub fn create(cubicle: usize, registers: &Registers) -> i64 {
    let [flags, stack, parent_id, child_id, fs, _] = registers.arguments();
    if flags & NEEDED != NEEDED || flags & !POSSIBLE != 0 {
        return -error::EINVAL;
    }
    if !is_canonical(fs) {
        return -error::EPERM;
    }
    // An audit looks at one thread only. A child that shares its parent's memory would
    // have threads among the parent's.
    if crate::audit::on() || children::shares_memory() {
        return -error::EAGAIN;
    }
    spare::prepare(cubicle);
    let Some(number) = pool::take() else {
        return -error::EAGAIN;
    };
    let Some(frame) = frames::map(cubicle, number) else {
        pool::give_back(number);
        return -error::EAGAIN;
    };
    let memory = pool::memory(number);
    let state = memory.state();
    // SAFETY: the number is this thread's to use until the other one begins, and
    // its memory is all zeroes. This thread's state is read.
    unsafe {
        Thread::start(state, number, cubicle);
        (*state).beginning = Some(after(registers, stack, fs, 0));
        (*state).signals.masks[cubicle] = signals::own().masks[cubicle];
        if !restart::begin_thread(cubicle, &mut (*state).restart) {
            pool::give_back(number);
            return -error::EAGAIN;
        }
        if flags & CLONE_CHILD_CLEARTID != 0 {
            (*state).presences[cubicle].clear_id = child_id;
        }
        (*memory.block()).virtual_threads[cubicle].frame = frame;
    }
    mark_stack(cubicle, stack, fs);
    count_one_more();
    block_signals();
    // SAFETY: as above. The stack is the new thread's own, and everything it needs
    // is in place; the kernel writes only the word of its number.
    let id = unsafe {
        cubicle_clone(
            GIVEN,
            memory.stack_top(),
            pool::id_word(number).as_ptr(),
            memory.block(),
            begin,
        )
    };
    masks::apply();
    if id < 0 {
        count_one_less();
        // SAFETY: this thread's number still.
        unsafe {
            (*memory.block()).virtual_threads[cubicle].frame = 0;
            restart::forget_thread(cubicle, &mut (*state).restart);
        }
        pool::give_back(number);
        return id;
    }
    let written = flags & CLONE_PARENT_SETTID == 0
        || crate::memory_calls::write_word(cubicle, parent_id, id as u32);
    // SAFETY: the word lives as long as the thread, which waits for it.
    let admitted = unsafe { &(*state).admitted };
    admitted.store(if written { BEGIN } else { LEAVE }, Ordering::Release);
    wake(admitted, 1);
    if written { id } else { -error::EFAULT }
}

/// The new thread, on its monitor stack, with GS pointing to its block: all it has
/// is what its creator prepared.
extern "C" fn begin() -> ! {
    // SAFETY: this thread's state, which its creator has filled.
    let state = unsafe { &mut *thread::state() };
    let memory = pool::memory(state.number);
    if arm(memory).is_err() || dispatch_system_calls(memory).is_err() {
        crate::violation::fatal("the kernel did not let a new thread be watched");
    }
    while state.admitted.load(Ordering::Acquire) == WAIT {
        wait_while(&state.admitted, WAIT);
    }
    let admitted = state.admitted.load(Ordering::Acquire) == BEGIN;
    state.id = u64::from(pool::id_word(state.number).load(Ordering::Relaxed));
    match (state.creator, state.beginning) {
        (Some(creator), Some(beginning)) if admitted => {
            masks::apply();
            if run(creator, &beginning) == FAILED {
                super::end::lost(creator);
            }
        }
        _ => super::end::unborn(),
    }
    crate::violation::fatal("a thread came back without an exit")
}

/// Blocks every signal of this thread.
pub fn block_signals() {
    const SIG_SETMASK: u64 = 2;
    let all = u64::MAX;
    // SAFETY: the mask is the monitor's.
    unsafe {
        kernel::call(
            number::RT_SIGPROCMASK,
            [SIG_SETMASK, &raw const all as u64, 0, 8, 0, 0],
        );
    }
}
