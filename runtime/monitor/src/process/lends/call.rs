//! What both directions of a call need to know of it.

use super::MOST_LENDS;
use crate::audit::refused::{self, Why};
use crate::machine::assembly::cubicle_copy;
use crate::machine::kernel::{PROT_READ, PROT_WRITE};
use crate::machine::rights;
use crate::process::{callbacks, owner};
use crate::restart;
use crate::violation::{callback_refused, lend_refused};
use crate::windows::touch::steadily;
use cubicle_abi::plan::{EXTENT_CONSTANT, Gate, LEND_VALUE, Lend, Operand};
use cubicle_abi::rights::Rights;

/// One call.
pub struct Call<'a> {
    pub gate: &'a Gate,
    pub number: u32,
    pub from: usize,
    pub to: usize,
    /// The caller's.
    pub rights: Rights,
    pub lends: &'static [Lend],
}

impl Call<'_> {
    pub fn of(number: u32) -> Call<'static> {
        let Some(plan) = crate::process::plan() else {
            crate::violation::fatal("a gate without a plan");
        };
        let gate = &plan.gates()[number as usize];
        let (from, to) = (gate.from as usize, gate.to as usize);
        let rights = crate::process::rights(from);
        rights::open(rights, crate::process::rights(to));
        Call {
            gate,
            number,
            from,
            to,
            rights,
            lends: Call::lends_of(number),
        }
    }

    /// The lends of a gate of the plan.
    pub fn lends_of(number: u32) -> &'static [Lend] {
        let plan = crate::process::plan();
        let lends = plan.map_or(&[][..], |plan| plan.lends(&plan.gates()[number as usize]));
        &lends[..lends.len().min(MOST_LENDS)]
    }

    /// Ends the process, unless one side fails at this moment: then only the call.
    pub fn refuse(&self, at: u64, bytes: u64, what: &str) -> ! {
        if restart::is_dying(self.from) {
            restart::contain::come_back(self.from)
        }
        if restart::is_dying(self.to) {
            restart::contain::fail(self.to)
        }
        lend_refused(self.gate, self.number, at, bytes, what)
    }

    /// What the other side gets for a function pointer.
    pub fn cross(&self, lend: &Lend, pointer: u64) -> u64 {
        let callback = lend.value as usize;
        match callbacks::cross(callback, pointer) {
            Ok(value) => value,
            Err(_) if refused::note(self.number, callback, pointer, 0, Why::Function) => pointer,
            Err(why) => callback_refused(self.gate, callback, pointer, why),
        }
    }

    /// Copies between ranges that were checked against the rights of the side
    /// they belong to; refuses if one of them faults nevertheless, or the caller
    /// had it by a window that was closed meanwhile.
    pub fn copy(&self, to: u64, from: u64, bytes: u64, caller: u64, what: &str) {
        if self.try_copy(to, from, bytes) != 0 {
            self.refuse(caller, bytes, what);
        }
    }

    /// The same; answers how many bytes could not be copied.
    pub fn try_copy(&self, to: u64, from: u64, bytes: u64) -> u64 {
        // The callee's side is its own, and the monitor's is nobody else's.
        let callers = |at: u64| owner(at).is_some_and(|owner| owner != self.to);
        let copied = || {
            // SAFETY: both ranges were checked against the rights of the side they
            // belong to; a fault that comes nevertheless is answered.
            unsafe { cubicle_copy(to, from, bytes) }
        };
        if callers(from) {
            steadily(self.rights, (from, bytes, PROT_READ), copied)
        } else if callers(to) {
            steadily(self.rights, (to, bytes, PROT_WRITE), copied)
        } else {
            copied()
        }
    }
}

/// A number of one to eight bytes; a negative one is 0.
pub fn number(value: u64, operand: &Operand) -> Number {
    let bits = 8 * u32::from(operand.size.clamp(1, 8));
    let value = value & (u64::MAX >> (64 - bits));
    let negative = operand.signed != 0 && value >> (bits - 1) & 1 == 1;
    Number {
        value: if negative { 0 } else { value },
        negative,
    }
}

/// Bytes of what stands at a lend's place: a pointer, or a number that is
/// replaced.
pub fn word_size(lend: &Lend) -> usize {
    if lend.flags & LEND_VALUE != 0 && lend.extent.kind == EXTENT_CONSTANT {
        lend.extent.scale.clamp(1, 8) as usize
    } else {
        8
    }
}

#[derive(Clone, Copy)]
pub struct Number {
    pub value: u64,
    pub negative: bool,
}
