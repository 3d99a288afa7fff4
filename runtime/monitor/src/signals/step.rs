//! Stepping: from where a signal found the runtime's own text to the next instruction
//! of a cubicle, or of the monitor, which steps on when it returns.
//!
//! Every instruction is executed by the processor, with the rights it would have had. So
//! whoever jumped into a gate, with any registers, and is interrupted there, meets the
//! checks that follow as if nothing had happened. The price is that a handler must
//! return with an open selector: for one instruction, of text without a `syscall`.

use super::place::{self, Place};
use super::{deliver, rouse};
use crate::machine::signals::{SignalContext, SignalInformation};

const TF: u64 = 1 << 8;

/// A signal has found this thread: `information` says which.
pub fn record(context: &mut SignalContext, information: &SignalInformation) {
    super::again::rewind(context);
    let place = place::of(context);
    if place == Place::Nowhere {
        crate::violation::refuse(
            context,
            information,
            "a signal where only an attack could have been running",
        );
    }
    let roused = rouse::is_sent(information.whole());
    if roused && rouse::is_for_others(place) {
        return;
    }
    let signals = super::own();
    // Only a signal with the number of a fault can come while another one is on its
    // way: nothing blocks it. There is no place for it.
    if signals.recorded.is_none() && !roused {
        signals.recorded = Some(*information.whole());
    }
    signals.due = 1;
    context.mask |= super::masks::ALL;
    match place {
        Place::Cubicle(cubicle) => deliver::arrive(context, cubicle),
        Place::Monitor => place::leave_call(context),
        _ => {}
    }
}

/// SIGTRAP because of a trap flag. Answers whether it was the monitor's.
pub fn stepped(context: &mut SignalContext, information: &SignalInformation) -> bool {
    if super::own().due == 0 {
        return false;
    }
    super::again::rewind(context);
    match place::of(context) {
        Place::Stepped => {}
        // It steps on when it returns.
        Place::Monitor => context.rflags &= !TF,
        Place::Cubicle(cubicle) => deliver::arrive(context, cubicle),
        Place::Nowhere => crate::violation::refuse(
            context,
            information,
            "a step to where only an attack could have been going",
        ),
    }
    true
}

/// A handler is about to return: one more step, if that is to text of the runtime's
/// and a signal is on its way.
pub fn go_on(context: &mut SignalContext) {
    if super::own().due != 0 && place::is_stepped(context.rip) {
        context.rflags |= TF;
    }
}

/// A call has been answered: what could not be delivered before is tried again where
/// the caller goes on.
pub fn look_again() {
    let signals = super::own();
    if signals.recorded.is_some() {
        signals.due = 1;
    }
}
