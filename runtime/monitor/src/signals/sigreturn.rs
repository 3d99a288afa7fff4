//! `rt_sigreturn`: the end of a handler. The frame is on the cubicle's own stack, where it
//! may say anything. All that is taken from it are the cubicle's own registers.

use super::stacks::AlternateStack;
use super::{deliver, frame, masks, others};
use crate::defences::off;
use crate::machine::signals::{SIGSEGV, SignalContext};
use crate::memory_calls;
use crate::process;
use crate::process::virtual_threads::is_canonical;
use cubicle_abi::defences::Defence;

/// `cubicle` says that a handler has ended; its stack pointer says where the frame is.
pub fn end(context: &mut SignalContext, cubicle: usize) {
    deliver::holding(context, cubicle, |context| read(context, cubicle));
}

fn read(context: &mut SignalContext, cubicle: usize) {
    let mut shown = SignalContext::EMPTY;
    if !memory_calls::read(cubicle, context.rsp, shown.bytes_mut()) {
        bad(context, cubicle);
    }
    let before = super::own().alternate[cubicle];
    let mut alternate = before;
    if alternate
        .set(AlternateStack::from_words(shown.stack), shown.rsp)
        .is_ok()
    {
        super::own().alternate[cubicle] = alternate;
    }
    if others::end(context, cubicle, &shown) {
        return;
    }
    if !is_canonical(shown.rip) || !read_extended(context, cubicle, shown.extended) {
        bad(context, cubicle);
    }
    super::own().masks[cubicle] = shown.mask & !masks::UNBLOCKABLE;
    context.set_registers(&shown.registers());
    if !crate::machine::resume::start_over(cubicle, context) {
        deliver::stranger(context);
    }
    context.mask = masks::wanted();
}

fn bad(context: &SignalContext, cubicle: usize) -> ! {
    crate::violation::crashed(
        cubicle,
        context.rip,
        SIGSEGV,
        "a return from a signal handler without the frame of one",
    )
}

/// Reads what is the cubicle's own.
fn take(cubicle: usize, at: u64, into: &mut [u8]) -> bool {
    memory_calls::read(cubicle, at, into)
        || off(Defence::SignalFrames)
            && memory_calls::copy(into.as_mut_ptr() as u64, at, into.len() as u64) == 0
}

/// Takes the extended state that the cubicle has at `from` into the kernel's frame: what is
/// in the registers, never what says how much there is, nor PKRU.
fn read_extended(context: &mut SignalContext, cubicle: usize, from: u64) -> bool {
    if from == 0 {
        deliver::empty_extended(context);
        return true;
    }
    // SAFETY: the kernel's own frame.
    let (magic, size, features) = unsafe {
        (
            deliver::extended_word::<u32>(context, frame::SOFTWARE),
            deliver::extended_word::<u32>(context, frame::STATE_SIZE) as usize,
            deliver::extended_word::<u64>(context, frame::FEATURES),
        )
    };
    let to = context.extended;
    let read = |start: usize, end: usize| {
        // SAFETY: the kernel's frame has so many bytes, and nobody else uses them.
        let into =
            unsafe { core::slice::from_raw_parts_mut((to + start as u64) as *mut u8, end - start) };
        take(cubicle, from.wrapping_add(start as u64), into)
    };
    let mut complete = read(0, frame::SOFTWARE);
    if magic == frame::MAGIC {
        // With keys that the kernel keeps, also where it is too old for this program to use them.
        let rights = (features & frame::PKRU != 0)
            .then(|| (to + process::extended_pkru_offset()) as *mut u32);
        // SAFETY: the kernel's own frame, here and below.
        let before = rights.map(|rights| unsafe { *rights });
        let mut written = [0; 8];
        let present = from.wrapping_add(frame::PRESENT as u64);
        complete &= take(cubicle, present, &mut written);
        if size > frame::COMPONENTS {
            complete &= read(frame::COMPONENTS, size);
        }
        if let (Some(rights), Some(before)) = (rights, before) {
            // SAFETY: as above.
            unsafe { *rights = before };
        }
        // SAFETY: as above.
        unsafe {
            *((to + frame::PRESENT as u64) as *mut u64) =
                frame::present(u64::from_le_bytes(written), features);
        }
    }
    // SAFETY: as above. Other bits would fault where the kernel loads it.
    unsafe { *((to + frame::MXCSR as u64) as *mut u32) &= frame::MXCSR_BITS };
    complete
}
