//! Pending calls that end: by a return, or because nobody will return from them.

use super::call::Call;
use super::pending::{PendingKind, PendingLends};
use crate::machine::thread;
use crate::windows::lending;
use cubicle_abi::rights::cubicle_key;

/// Calls that a `longjmp` left behind: pending ones of the same caller
/// whose stack lies below where it calls from now. Where it calls from is
/// the caller's word alone, so their part of the callee's buffer is not used
/// again before an outer call returns: the callee may still read from it.
/// Unless the caller could write there by itself (rule 23).
pub fn forget_abandoned(pending: &mut PendingLends, stack: u64, call: &Call) {
    while let Some(last) = pending.call_count.checked_sub(1) {
        let older = pending.calls[last];
        let Some(plan) = crate::process::plan() else {
            break;
        };
        let gate = &plan.gates()[older.gate as usize];
        if gate.from != call.gate.from || older.stack > stack {
            break;
        }
        let to = gate.to as usize;
        let used = pending.buffers[to].used;
        pop(pending, last);
        if !call.rights.writes(cubicle_key(to)) {
            pending.buffers[to].used = used;
        }
    }
}

/// The pending call of gate `number` from `stack` will not come back from its callee:
/// nothing of what it has lent is copied to the caller.
pub fn abandon(number: u32, stack: u64) {
    // SAFETY: this thread's state.
    let lends = unsafe { &mut (*thread::state()).lends };
    let found = (0..lends.call_count).rev().find(|index| {
        let pending = &lends.calls[*index];
        pending.gate == number && pending.stack == stack
    });
    if let Some(index) = found {
        pop(lends, index);
    }
}

/// No pending call of a thread comes back.
pub fn abandon_all(lends: &mut PendingLends) {
    if lends.call_count > 0 {
        pop(lends, 0);
    }
}

/// Forgets a pending call and those inside it.
pub fn pop(pending: &mut PendingLends, index: usize) {
    let call = pending.calls[index];
    let first = call.first as usize;
    for one in &pending.lends[first..pending.lend_count] {
        if let PendingKind::Windowed(window) = one.kind {
            lending::take_back(window);
        }
    }
    pending.call_count = index;
    pending.lend_count = first;
    if let Some(plan) = crate::process::plan() {
        let to = plan.gates()[call.gate as usize].to as usize;
        pending.buffers[to].used = call.buffer_used;
    }
}
