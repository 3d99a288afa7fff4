//! The end of a thread: first every virtual thread it has ends, as a thread of its
//! cubicle's libc, with the destructors of its thread-locals; then what its creator
//! has on it; then itself.
//!
//! What the kernel does for a thread that ends, it would do with the rights of that
//! moment (rule 19). So the monitor does it, for each cubicle with that cubicle's
//! rights: it goes through the list of robust mutexes, clears the id, and wakes
//! whoever joins.

use super::create::block_signals;
use super::{frames, pool, robust, words};
use crate::lock::wait_while;
use crate::machine::assembly::cubicle_back;
use crate::machine::kernel::{self, number};
use crate::machine::thread;
use crate::memory_calls::write_word;
use crate::process::run::run;
use crate::process::virtual_threads::{Suspended, forget_calls};
use crate::process::{cubicle_count, cubicles, exit, lends, rights};
use crate::restart;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use cubicle_abi::rights::Rights;

/// Threads that have not ended.
static LIVE: AtomicUsize = AtomicUsize::new(1);

/// A thread is about to be created.
pub fn count_one_more() {
    LIVE.fetch_add(1, Ordering::Relaxed);
}

/// It was not created after all.
pub fn count_one_less() {
    LIVE.fetch_sub(1, Ordering::Relaxed);
}

/// In a child: there is one thread.
pub fn only_this_one() {
    LIVE.store(1, Ordering::Relaxed);
}

/// `exit` of `cubicle`: of its own thread, or of the one it has on another's.
pub fn exit(cubicle: usize) -> ! {
    // SAFETY: this thread's state.
    let state = unsafe { &mut *thread::state() };
    if state.spawned.is_some() {
        kernel::exit(0);
    }
    let runs = state.running == Some(cubicle);
    if runs && (state.ending == Some(cubicle) || state.exiting == Some(cubicle)) {
        // SAFETY: this very cubicle was made to run by `run`.
        unsafe { cubicle_back(0) }
    }
    if !runs || state.creator != Some(cubicle) {
        crate::violation::thread_ended(cubicle);
    }
    // What the others still do may call it.
    Suspended::new(cubicle);
    lends::abandon_all(&mut state.lends);
    end_virtual_threads(Some(cubicle));
    if LIVE.fetch_sub(1, Ordering::AcqRel) == 1 {
        exit::after_last_thread();
    }
    end_presence(cubicle);
    restart::done(cubicle);
    restart::leave_for_good(cubicle);
    leave()
}

/// The cubicle that created this thread has failed, and with it what the thread was for.
pub fn lost(cubicle: usize) -> ! {
    // SAFETY: this thread's state.
    let state = unsafe { &mut *thread::state() };
    restart::forget_runs(cubicle);
    lends::abandon_all(&mut state.lends);
    // What it had here is gone. It may be there anew, and be called by others' destructors.
    // SAFETY: this thread's block.
    unsafe { (*thread::block()).virtual_threads[cubicle].frame = 0 };
    end_virtual_threads(None);
    if LIVE.fetch_sub(1, Ordering::AcqRel) == 1 {
        exit::after_last_thread();
    }
    leave()
}

/// A thread that was created and must not begin.
pub fn unborn() -> ! {
    // SAFETY: this thread's state.
    let creator = unsafe { (*thread::state()).creator };
    if let Some(creator) = creator {
        frames::leave(creator);
        restart::done(creator);
    }
    count_one_less();
    leave()
}

/// Sleeps until the process ends.
pub fn wait_for_ever() -> ! {
    static NEVER: AtomicU32 = AtomicU32::new(0);
    // Whatever comes is for threads that still run.
    block_signals();
    crate::signals::send::pass_on();
    loop {
        wait_while(&NEVER, 0);
    }
}

/// Lets the thread of each cubicle that was entered return from its beginning, but for the
/// one that created it. Its destructors may enter others.
fn end_virtual_threads(creator: Option<usize>) {
    // SAFETY: this thread's block and state.
    let (block, state) = unsafe { (thread::block(), &mut *thread::state()) };
    // SAFETY: as above; read anew each time.
    let entered = |index: &usize| unsafe {
        Some(*index) != creator && (*block).virtual_threads[*index].frame != 0
    };
    while let Some(index) = (0..cubicle_count()).rev().find(entered) {
        if !cubicles()[index].finished.load(Ordering::Relaxed) && restart::begin(index) {
            state.ending = Some(index);
            let parked = state.parked[index];
            forget_calls(index, &parked);
            run(index, &parked);
            state.ending = None;
            restart::done(index);
        }
        end_presence(index);
    }
}

/// The last of what this thread has in cubicle `index`. Whoever waits for the id to
/// be cleared may then unmap the stack, and the next thread may get it.
fn end_presence(index: usize) {
    // SAFETY: this thread's state.
    let state = unsafe { &mut *thread::state() };
    let presence = core::mem::take(&mut state.presences[index]);
    crate::machine::rights::open(Rights::NONE, rights(index));
    robust::give_up(index, presence.robust_list, state.id as u32);
    lends::end_thread(index);
    frames::leave(index);
    let at = presence.clear_id;
    if at != 0 && (write_word(index, at, 0) || words::exchange_undefended(at, None, 0)) {
        super::futex::wake_shared(at);
    }
}

/// The kernel thread ends: nothing of any cubicle refers to it any more.
fn leave() -> ! {
    // SAFETY: this thread's state.
    let own = unsafe { (*thread::state()).number };
    // No handler may begin where there is nothing left.
    block_signals();
    crate::signals::send::pass_on();
    crate::machine::pages::change(Rights::NONE);
    // The first one's memory is part of the image.
    if own != 0 {
        pool::empty(own);
    }
    loop {
        // SAFETY: no memory is involved; the kernel clears the word of its number,
        // with the monitor's rights.
        unsafe { kernel::call(number::EXIT, [0; 6]) };
    }
}
