//! Faults that only say that a cubicle has failed, and where they lead.

use super::{Accident, contain, is_dying, is_restartable};
use crate::machine::assembly::cubicle_contain;
use crate::machine::rights::open;
use crate::machine::signals::{SIGSEGV, SignalContext, SignalInformation, return_to, rights_of};
use crate::machine::thread;
use crate::process;
use crate::violation::is_runtime_text;
use cubicle_abi::layout::{PAGE, entry_at, gate_at};
use cubicle_abi::rights::Rights;

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
    let (cubicle, returned) = failed(context, information)?;
    // Whoever runs a cubicle's code or a gate holds nothing that another one waits for.
    open(Rights::NONE, Rights::ALL);
    contain::is_possible(cubicle).then_some(Accident {
        cubicle,
        is_first: false,
        returned,
    })
}

/// Which cubicle a fault is about, and whether a call has come back to it.
fn failed(context: &SignalContext, information: &SignalInformation) -> Option<(usize, bool)> {
    if !is_runtime_text(context.rip) {
        let cubicle = process::cubicle_with(rights_of(context))?;
        return is_dying(cubicle).then_some((cubicle, false));
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
        return is_of(cubicle).then_some((cubicle, false));
    }
    let gate = process::plan()?.gates().get(gate_at(context.rip)?)?;
    let (from, to) = (gate.from as usize, gate.to as usize);
    if is_of(to) {
        Some((to, false))
    } else {
        // On its own stack it is only about to call, and waits for nobody by this.
        let returned = process::owner(context.rsp) != Some(from);
        is_of(from).then_some((from, returned))
    }
}

/// The handler returns to where the call that cannot go on is answered.
pub fn go_on_without(accident: Accident, context: &mut SignalContext) {
    // SAFETY: this thread's state.
    unsafe { (*thread::state()).restart.fault = Some(accident) };
    return_to(context, cubicle_contain as *const () as u64);
}
