//! Virtual threads of the main cubicle, which does not park: kernel threads that
//! others create enter it when they call it back.
//!
//! Before another cubicle has its first thread, the main cubicle makes a spare one:
//! `cubicle_spare` runs as a callback would, on a thread that is in the main cubicle
//! already. What it creates parks, and is from then on what the parked `main` is in
//! other cubicles. A program without such threads never pays for it.

use super::run::{frame, run};
use super::virtual_threads::Suspended;
use crate::machine::rights::open;
use crate::machine::thread;
use core::sync::atomic::{AtomicBool, Ordering};
use cubicle_abi::frame::Context;
use cubicle_abi::rights::Rights;

/// It is being made, or is there.
static MADE: AtomicBool = AtomicBool::new(false);
/// It is to be made when the main cubicle next enters another one.
static WANTED: AtomicBool = AtomicBool::new(false);

/// Is it there, or will it be in a moment?
pub fn is_made() -> bool {
    MADE.load(Ordering::Acquire)
}

/// `caller` enters another cubicle.
pub fn prepare_if_wanted(caller: usize) {
    if WANTED.load(Ordering::Relaxed) && !is_made() {
        make(caller);
    }
}

/// `caller` creates a kernel thread: makes sure that it can enter the main cubicle,
/// or will once that has made a spare thread.
pub fn prepare(caller: usize) {
    let Some(plan) = super::plan() else {
        return;
    };
    let main = plan.header().main as usize;
    let is_called = || plan.gates().iter().any(|gate| gate.to as usize == main);
    if caller == main || is_made() || plan.cubicles()[main].spare == 0 || !is_called() {
        return;
    }
    make(caller);
}

/// Cubicle `caller` is in a system call.
fn make(caller: usize) {
    let Some(plan) = super::plan() else {
        return;
    };
    let main = plan.header().main as usize;
    let Some(place) = frame(main) else {
        WANTED.store(true, Ordering::Relaxed);
        return;
    };
    if MADE.swap(true, Ordering::AcqRel) {
        return;
    }
    let function = plan.cubicles()[main].spare;
    // SAFETY: this thread's block and state.
    let (block, state) = unsafe { (&mut *thread::block(), &mut *thread::state()) };
    // The caller may be called back as well.
    let of_caller = Suspended::new(caller);
    open(super::rights(main), super::rights(caller));
    let fs = block.virtual_threads[main].fs;
    // SAFETY: the thread block's frame pointers are the monitor's.
    let (stack, awaiting) = unsafe { ((*place).stack, (*place).awaiting) };
    let outer = (
        state.attaching.replace(main),
        state.new_thread.take(),
        state.parked_main,
        state.entering.replace(main),
    );
    let kept = (state.parked[main], state.presences[main]);
    run(
        main,
        &Context {
            // As behind a call: 8 bytes below a 16-byte boundary.
            stack: (stack & !15).wrapping_sub(128 + 8),
            instruction: function,
            fs,
            ..Context::START
        },
    );
    let new = state.new_thread.take();
    (state.attaching, state.new_thread) = (outer.0, outer.1);
    if let Some(new) = new {
        state.parked_main = Some(main);
        run(main, &new);
        super::cubicles()[main].parked_main.put(state.parked[main]);
    }
    (state.parked_main, state.entering) = (outer.2, outer.3);
    (state.parked[main], state.presences[main]) = kept;
    block.virtual_threads[main].fs = fs;
    open(super::rights(main), super::rights(caller));
    // SAFETY: as above.
    unsafe {
        (*place).stack = stack;
        (*place).awaiting = awaiting;
    }
    of_caller.restore();
    open(Rights::NONE, super::rights(caller));
}
