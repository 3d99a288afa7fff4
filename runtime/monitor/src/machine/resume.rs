//! Letting a cubicle run on from the instruction that faulted, with everything it
//! had: the kernel puts vector, mask and floating-point registers back, the
//! cubicle's resume stub the others, from its frame.
//!
//! Handlers never return into a cubicle. This one returns to the second entry of
//! the resume stub, with all rights; there the selector is closed, the rights are
//! lowered, and the token proves that the monitor sent it.

use super::signals::{SignalContext, return_to};
use super::thread;
use cubicle_abi::frame::RESUME;
use cubicle_abi::layout::resume_again;

/// Lets `cubicle` start its instruction over when the handler returns. `false`: it
/// is not in a state from which it could.
pub fn start_over(cubicle: usize, context: &mut SignalContext) -> bool {
    if !crate::restart::hold(cubicle) {
        return false;
    }
    let started = start_held(cubicle, context);
    crate::restart::release(cubicle);
    started
}

fn start_held(cubicle: usize, context: &mut SignalContext) -> bool {
    let Some(frame) = crate::process::run::frame(cubicle) else {
        return false;
    };
    // SAFETY: the thread block and the frames it names are mapped, and the cubicle
    // was just running, so its frame is open under page tables, too.
    unsafe {
        // A gate is about to prove something with it.
        if (*frame).token != 0 {
            return false;
        }
        (*frame).resume = context.registers();
        (*frame).token = RESUME;
        (*thread::block()).resume_target = context.rip;
    }
    return_to(context, resume_again(cubicle));
    true
}
