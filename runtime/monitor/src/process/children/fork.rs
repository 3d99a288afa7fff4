//! A copy of the process, in which only this thread goes on.

use super::hold::Everything;
use crate::machine::kernel::{self, error, number};
use crate::machine::{pages, rights, thread};
use crate::memory_calls::write_word;
use crate::process::run::frame;
use crate::process::start::dispatch_system_calls;
use crate::process::{self, cubicle_count, cubicles, exit};
use crate::restart;
use crate::signals::{handed, masks};
use crate::system_calls::paths::held;
use crate::threads::create::block_signals;
use crate::threads::{end, pool};
use core::sync::atomic::{AtomicBool, Ordering};
use cubicle_abi::rights::Rights;

/// This process is a copy of one that goes on.
static FORKED: AtomicBool = AtomicBool::new(false);

/// Does the parent have the same to do at its end as this process?
pub fn is_forked() -> bool {
    FORKED.load(Ordering::Relaxed)
}

/// Forks for `cubicle`: answers 0 in the child, and its id in the parent.
pub fn fork(cubicle: usize) -> i64 {
    // What an audit records belongs to one process; a child that shares its parent's
    // memory has that parent's threads in it.
    if crate::audit::on() || super::shares_memory() {
        return -error::EAGAIN;
    }
    block_signals();
    let everything = Everything::hold();
    // SAFETY: no memory is involved; the child has a copy of this very stack.
    let id = unsafe { kernel::call(number::CLONE, [super::SIGCHLD, 0, 0, 0, 0, 0]) };
    drop(everything);
    if id == 0 {
        become_child(cubicle);
    }
    masks::apply();
    id
}

/// The first thing in the child: system calls are dispatched again, and what was
/// other threads' is nobody's.
fn become_child(cubicle: usize) {
    FORKED.store(true, Ordering::Relaxed);
    // SAFETY: this thread's state; gettid has no arguments.
    let state = unsafe { &mut *thread::state() };
    // SAFETY: as above.
    state.id = unsafe { kernel::call(number::GETTID, [0; 6]) } as u64;
    if dispatch_system_calls(pool::memory(state.number)).is_err() {
        crate::violation::fatal("the kernel did not let a child be watched");
    }
    exit::forget_exit();
    end::only_this_one();
    restart::only_this_thread(state.number);
    pages::only_this_thread();
    held::only_this_thread();
    handed::forget();
    crate::signals::begin_child();
    for index in 0..cubicle_count() {
        if state.parked_main != Some(index) {
            cubicles()[index].parked_main.forget_if_taken();
        }
    }
    pool::only_this_one(state.number, state.id as u32);
    // Each libc knows its thread by the id that it was told; it is in the word that
    // is cleared at the end.
    for index in (0..cubicle_count()).filter(|index| frame(*index).is_some()) {
        let at = state.presences[index].clear_id;
        if at != 0 && index != cubicle {
            rights::open(Rights::NONE, process::rights(index));
            write_word(index, at, state.id as u32);
        }
    }
    rights::open(Rights::NONE, process::rights(cubicle));
}
