//! The end: every image's own libc flushes its buffers and runs its
//! destructors, the main cubicle first, the others in the reverse order of
//! their start.

use super::run::{frame, run};
use super::virtual_threads;
use crate::machine::assembly::cubicle_back;
use crate::machine::kernel;
use crate::machine::thread;
use crate::restart;
use crate::threads::end::wait_for_ever;
use crate::threads::frames;
use core::sync::atomic::{AtomicU64, Ordering};
use cubicle_abi::calls::COMMAND_EXIT;
use cubicle_abi::frame::Context;
use cubicle_abi::rights::Rights;

/// The kernel id of the thread on which the process ends; 0: it does not.
static EXITING: AtomicU64 = AtomicU64::new(0);

/// The process ends on this thread. Others go on meanwhile, as in any process, but
/// no second one ends it: that one sleeps.
fn begin_exit() {
    // SAFETY: this thread's state.
    let own = unsafe { (*thread::state()).id };
    let before = EXITING.compare_exchange(0, own, Ordering::AcqRel, Ordering::Acquire);
    if before.is_err_and(|other| other != own) {
        wait_for_ever();
    }
}

/// Does not return if the process ends on another thread.
pub fn wait_if_others_exit() {
    if EXITING.load(Ordering::Acquire) != 0 {
        begin_exit();
    }
}

/// The last thread has ended, and with it the process: as `exit(0)`.
pub fn after_last_thread() -> ! {
    begin_exit();
    let main = super::plan().map_or(0, |plan| plan.header().main as usize);
    exit_main(main, 0);
    super::cubicles()[main]
        .finished
        .store(true, Ordering::Relaxed);
    exit_group(main, 0)
}

/// In a child: nobody ends it yet.
pub fn forget_exit() {
    EXITING.store(0, Ordering::Release);
}

/// The libc of `cubicle` runs what it has to run at the end.
pub fn ending(cubicle: usize) -> i64 {
    super::cubicles()[cubicle]
        .ending
        .store(true, Ordering::Relaxed);
    0
}

/// `exit_group` of `cubicle`.
pub fn exit_group(cubicle: usize, status: u64) -> ! {
    // SAFETY: this thread's state.
    let state = unsafe { &mut *thread::state() };
    // All memory is the parent's, or a copy of what the parent has to flush: then
    // only a libc that has begun to end asks for more than that.
    let begun = super::cubicles()[cubicle].ending.load(Ordering::Relaxed);
    if state.spawned.is_some() || super::children::is_forked() && !begun {
        kernel::exit(status as i32);
    }
    if state.exiting == Some(cubicle) && state.running == Some(cubicle) {
        // SAFETY: shutting down runs the cubicle from `run`.
        unsafe { cubicle_back(0) }
    }
    begin_exit();
    let Some(plan) = super::plan() else {
        kernel::exit(status as i32);
    };
    let main = plan.header().main as usize;
    let already = super::cubicles()[cubicle]
        .finished
        .swap(true, Ordering::Relaxed);
    if cubicle != main && !already {
        exit_main(main, status);
    }
    for other in (0..plan.cubicles().len()).rev() {
        if other != main {
            shut_down(other);
        }
    }
    crate::audit::dump::write();
    crate::measured::write(plan);
    kernel::exit(status as i32)
}

/// A library called `exit`: the main cubicle's libc has to shut down too. Its
/// own `exit` runs where its next call would have started.
fn exit_main(main: usize, status: u64) {
    // A thread of another cubicle may not have entered it yet.
    if frame(main).is_none() && super::spare::is_made() {
        virtual_threads::enter(main);
    }
    let started = frame(main);
    crate::machine::rights::open(Rights::NONE, super::rights(main));
    let (Some(plan), Some(frame)) = (super::plan(), started) else {
        return;
    };
    // SAFETY: this thread's block; the frame is found through it. The stack
    // pointer is the main cubicle's own affair.
    unsafe {
        let stack = (*frame).stack;
        if stack == 0 || super::cubicles()[main].finished.load(Ordering::Relaxed) {
            return;
        }
        let context = Context {
            rdi: status,
            // As behind a call: 8 bytes below a 16-byte boundary.
            stack: (stack & !15).wrapping_sub(128 + 8),
            instruction: plan.cubicles()[main].exit,
            fs: (*thread::block()).virtual_threads[main].fs,
            ..Context::START
        };
        run(main, &context);
    }
}

/// Lets the virtual thread of this thread end, then `main` return.
fn shut_down(cubicle: usize) {
    let state = super::cubicles();
    if state[cubicle].finished.swap(true, Ordering::Relaxed) {
        return;
    }
    if !restart::begin(cubicle) {
        return;
    }
    let Some(mut main) = state[cubicle].parked_main.end() else {
        restart::done(cubicle);
        return;
    };
    // SAFETY: this thread's block and state.
    let (block, thread) = unsafe { (&mut *thread::block(), &mut *thread::state()) };
    thread.exiting = Some(cubicle);
    // Its own thread, if this is one, is inside of a call.
    if block.virtual_threads[cubicle].frame != 0 && thread.creator != Some(cubicle) {
        let parked = thread.parked[cubicle];
        virtual_threads::forget_calls(cubicle, &parked);
        run(cubicle, &parked);
    }
    let Some(frame) = frames::map(cubicle, thread.number) else {
        return;
    };
    block.virtual_threads[cubicle].frame = frame;
    main.rax = COMMAND_EXIT;
    virtual_threads::forget_calls(cubicle, &main);
    run(cubicle, &main);
    thread.exiting = None;
    restart::done(cubicle);
}
