//! The end: every image's own libc flushes its buffers and runs its
//! destructors, the main cubicle first, the others in the reverse order of
//! their start.

use super::run::{frame, frame_address, run};
use crate::machine::assembly::cubicle_back;
use crate::machine::kernel;
use crate::machine::thread;
use core::sync::atomic::Ordering;
use cubicle_abi::calls::COMMAND_EXIT;
use cubicle_abi::frame::Context;
use cubicle_abi::rights::Rights;

/// `exit_group` of `cubicle`.
pub fn exit_group(cubicle: usize, status: u64) -> ! {
    // SAFETY: this thread's state.
    let state = unsafe { &mut *thread::state() };
    if state.exiting == Some(cubicle) && state.running == Some(cubicle) {
        // SAFETY: shutting down runs the cubicle from `run`.
        unsafe { cubicle_back(0) }
    }
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
    kernel::exit(status as i32)
}

/// A thread's `exit`: a virtual thread ends when it is shut down; the main
/// thread's own end is the program's.
pub fn exit_thread(cubicle: usize, status: u64) -> ! {
    exit_group(cubicle, status)
}

/// A library called `exit`: the main cubicle's libc has to shut down too. Its
/// own `exit` runs where its next call would have started.
fn exit_main(main: usize, status: u64) {
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
    let Some(mut main) = state[cubicle].parked_main.lock().take() else {
        return;
    };
    // SAFETY: this thread's block and state.
    let (block, thread) = unsafe { (&mut *thread::block(), &mut *thread::state()) };
    thread.exiting = Some(cubicle);
    if block.virtual_threads[cubicle].frame != 0 {
        run(cubicle, &thread.parked[cubicle].clone());
    }
    block.virtual_threads[cubicle].frame = frame_address(cubicle, 0);
    main.rax = COMMAND_EXIT;
    run(cubicle, &main);
    thread.exiting = None;
}
