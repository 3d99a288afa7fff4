//! Letting a cubicle run on from the instruction that faulted, with everything it
//! had: the kernel puts vector, mask and floating-point registers back, the
//! cubicle's resume stub the others, from its frame.
//!
//! Handlers never return into a cubicle. This one returns to the second entry of
//! the resume stub, with all rights; there the selector is closed, the rights are
//! lowered, and the token proves that the monitor sent it.

use super::signals::{SignalContext, return_to};
use super::thread;
use cubicle_abi::frame::{Context, RESUME};
use cubicle_abi::layout::resume_again;

/// What a program may have set in its flags: the arithmetic ones, direction,
/// NT, AC and ID. Not the trap flag.
const KEPT_FLAGS: u64 = 0x24_4cd5;
/// Interrupts on and the bit that is always one.
const FIXED_FLAGS: u64 = 0x202;

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
        (*frame).resume = Context {
            rax: context.rax,
            rbx: context.rbx,
            rcx: context.rcx,
            rdx: context.rdx,
            rsi: context.rsi,
            rdi: context.rdi,
            rbp: context.rbp,
            r8: context.r8,
            r9: context.r9,
            r10: context.r10,
            r11: context.r11,
            r12: context.r12,
            r13: context.r13,
            r14: context.r14,
            r15: context.r15,
            flags: context.rflags & KEPT_FLAGS | FIXED_FLAGS,
            stack: context.rsp,
            instruction: context.rip,
            // The stub loads FS from the thread block.
            fs: 0,
        };
        (*frame).token = RESUME;
        (*thread::block()).resume_target = context.rip;
    }
    return_to(context, resume_again(cubicle));
    true
}
