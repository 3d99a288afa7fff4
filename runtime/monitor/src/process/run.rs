//! Making a cubicle run, on this thread, until it parks or exits.

use crate::machine::assembly::cubicle_enter;
use crate::machine::rights::open;
use crate::machine::thread;
use crate::restart;
use core::sync::atomic::Ordering;
use cubicle_abi::frame::{Context, FRAME_SIZE, Frame, RESUME};
use cubicle_abi::layout::resume_stub;
use cubicle_abi::rights::Rights;

/// Address of the frame that thread `number` (0-based) has in cubicle `index`.
pub fn frame_address(index: usize, number: u64) -> u64 {
    super::arena(index) + number * FRAME_SIZE
}

/// The frame that this thread uses in cubicle `index`, if it has one.
pub fn frame(index: usize) -> Option<*mut Frame> {
    // SAFETY: this thread's block.
    let address = unsafe { (*thread::block()).virtual_threads[index].frame };
    (address != 0).then_some(address as *mut Frame)
}

/// What [`run`] answers if the cubicle fails and starts anew.
pub const FAILED: u64 = 1;

/// Runs cubicle `index` from `context` until it goes back to the monitor;
/// answers with what it went back with: 0, or [`FAILED`]. The frame must be set.
pub fn run(index: usize, context: &Context) -> u64 {
    let block = thread::block();
    let rights = super::rights(index);
    open(Rights::NONE, rights);
    if !restart::hold(index) {
        return FAILED;
    }
    let Some(frame) = frame(index) else {
        if restart::is_restartable(index) {
            // It has started anew meanwhile.
            restart::release(index);
            return FAILED;
        }
        crate::violation::fatal("a cubicle without a frame was to run");
    };
    // SAFETY: the frame's address comes from the thread block, and the page is
    // mapped since the arena was; block and state are this thread's.
    unsafe {
        (*frame).resume = *context;
        (*frame).token = RESUME;
        (*block).virtual_threads[index].fs = context.fs;
        (*block).resume_target = context.instruction;
        restart::release(index);
        let state = thread::state();
        let outer = (*state).running.replace(index);
        // While it runs, nobody's system call is being answered.
        let serving = (*state).serving.swap(0, Ordering::Relaxed);
        let result = cubicle_enter(resume_stub(index));
        (*state).serving.store(serving, Ordering::Relaxed);
        (*state).running = outer;
        result
    }
}
