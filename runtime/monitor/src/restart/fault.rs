//! Faults that only say that a cubicle has failed, and where they lead.

use super::{Accident, Dead, contain, is_dying, is_restartable};
use crate::machine::assembly::cubicle_contain;
use crate::machine::rights::open;
use crate::machine::signals::{SIGSEGV, SignalContext, SignalInformation, return_to, rights_of};
use crate::machine::thread;
use crate::memory_calls;
use crate::process::run::frame_address;
use crate::process::{self, chain};
use crate::violation::is_runtime_text;
use core::mem::offset_of;
use cubicle_abi::frame::Frame;
use cubicle_abi::layout::{MAXIMUM_CUBICLES, PAGE, entry_at, gate, gate_at, resume_stub};
use cubicle_abi::rights::Rights;
use cubicle_abi::thread_block::frame_at;

/// If a fault only says that a cubicle has failed, on another thread or before, the
/// handler returns to where the call that cannot go on is answered.
pub fn is_consequence(context: &mut SignalContext, information: &SignalInformation) -> bool {
    let found = consequence(context, information);
    if let Some(accident) = found {
        go_on_without(accident, context);
    }
    found.is_some()
}

/// In its own code, because its memory cannot be written any more; in gates, because
/// it has no frame, or one that cannot be written.
fn consequence(context: &SignalContext, information: &SignalInformation) -> Option<Accident> {
    if information.signal as u64 != SIGSEGV {
        return None;
    }
    let (cubicle, place) = failed(context, information)?;
    // Whoever runs a cubicle's code or a gate holds nothing that another one waits for.
    open(Rights::NONE, Rights::ALL);
    if place == Place::Border {
        // SAFETY: this thread's state.
        let state = unsafe { &mut *thread::state() };
        state.restart.dead[cubicle] = at_border(cubicle, context.rsp, information.address);
    }
    contain::is_possible(cubicle).then_some(Accident {
        cubicle,
        is_first: false,
        returned: place == Place::Returned,
    })
}

/// Where a thread has found out that a cubicle has failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In its code, or on the way into it.
    Inside,
    /// In a gate out of it, on its stack: about to call, or back from a call.
    Border,
    /// In such a gate, on its callee's stack, which has returned; or where the monitor
    /// answers such a call.
    Returned,
}

/// What the cubicle waits for but for the call of this gate, which is not made, or has come
/// back. Its frame is closed in the middle of the gate's notes on that call:
///
/// ```text
///   mov [stack], rsp      rsp and `stack` are the same between these two
///   mov [awaiting], …
///   …                     and here, until the callee's stack is loaded
///   pop [stack]           and here
///   pop [awaiting]        `stack` is the older one already, and rsp points to the
///                         older `awaiting`
/// ```
fn at_border(cubicle: usize, stack: u64, fault: u64) -> Option<Dead> {
    // SAFETY: this thread's state.
    let number = unsafe { (*thread::state()).number };
    let at = frame_address(cubicle, number as u64);
    let word = |at: u64| {
        let mut bytes = [0; 8];
        memory_calls::read(cubicle, at, &mut bytes).then_some(u64::from_ne_bytes(bytes))
    };
    let awaiting = at + offset_of!(Frame, awaiting) as u64;
    let noted = Dead {
        stack: word(at + offset_of!(Frame, stack) as u64)?,
        awaiting: word(awaiting)?,
    };
    if noted.stack == stack {
        chain::older(cubicle, noted)
    } else if fault == awaiting {
        Some(Dead {
            awaiting: word(stack)?,
            ..noted
        })
    } else {
        Some(noted)
    }
}

/// Which cubicle a fault is about, and where.
fn failed(context: &SignalContext, information: &SignalInformation) -> Option<(usize, Place)> {
    if !is_runtime_text(context.rip) {
        let cubicle = process::cubicle_with(rights_of(context))?;
        return is_dying(cubicle).then_some((cubicle, Place::Inside));
    }
    // SAFETY: this thread's block.
    let block = unsafe { &*thread::block() };
    let is_of = |cubicle: usize| {
        // The place of a gate that died with unused code leads nowhere.
        let thread = block.virtual_threads.get(cubicle);
        let absent = thread.is_some_and(|thread| thread.frame == 0);
        let there = process::owner(information.address) == Some(cubicle);
        absent && is_restartable(cubicle) && (information.address < PAGE || there)
    };
    if let Some(cubicle) = entry_at(context.rip) {
        // On the way to the end of a gate whose callee has failed.
        let answered =
            context.rip >= resume_stub(cubicle) && gate_at(block.resume_target).is_some();
        let place = match answered {
            true => Place::Returned,
            false => Place::Inside,
        };
        return is_of(cubicle).then_some((cubicle, place));
    }
    let gate = process::plan()?.gates().get(gate_at(context.rip)?)?;
    let (from, to) = (gate.from as usize, gate.to as usize);
    // Either side may have failed, or both.
    let cubicle = match information.address < PAGE {
        true => frame_in_use(context.rip)?,
        false => process::owner(information.address)?,
    };
    let place = match process::owner(context.rsp) == Some(from) {
        _ if cubicle == to => Place::Inside,
        true => Place::Border,
        false => Place::Returned,
    };
    (is_of(cubicle) && (cubicle == from || cubicle == to)).then_some((cubicle, place))
}

/// Whose frame a gate has loaded last before `instruction`.
fn frame_in_use(instruction: u64) -> Option<usize> {
    /// `mov rax, gs:[moffs64]`, which is how gates load them.
    const LOAD: [u8; 3] = [0x65, 0x48, 0xa1];
    const OFFSET: usize = size_of::<u64>();
    let start = gate(gate_at(instruction)?);
    // SAFETY: the gate's own text, up to an instruction in it.
    let text =
        unsafe { core::slice::from_raw_parts(start as *const u8, (instruction - start) as usize) };
    let offsets = text
        .windows(LOAD.len() + OFFSET)
        .filter_map(|window| window.strip_prefix(&LOAD))
        .map(|offset| chain::word(offset, 0) as usize);
    let cubicle = |at: usize| (0..MAXIMUM_CUBICLES).find(|cubicle| frame_at(*cubicle) == at);
    offsets.filter_map(cubicle).next_back()
}

/// The handler returns to where the call that cannot go on is answered.
pub fn go_on_without(accident: Accident, context: &mut SignalContext) {
    // SAFETY: this thread's state.
    unsafe { (*thread::state()).restart.fault = Some(accident) };
    return_to(context, cubicle_contain as *const () as u64);
}
