//! The end of the preparation: the callee gets what was staged, and the stack
//! arguments.

use super::super::kept::is_no_object;
use super::super::pending::{NOWHERE, PendingLend};
use super::super::places::{KEPT, has_kept};
use super::Preparing;
use crate::defences::off;
use crate::machine::kernel::PROT_READ;
use crate::process::accessible;
use cubicle_abi::defences::Defence;
use cubicle_abi::frame::Saved;
use cubicle_abi::plan::{LEND_IN, LEND_POINTER, PLACE_ARGUMENT, PLACE_FIELD};

impl Preparing<'_> {
    /// Pointers that nothing describes, in structs that come back: those into what
    /// is lent lead into the callee's copies, as they lead back afterwards.
    fn point_inwards(&mut self) {
        for number in self.first..*self.count {
            let parent = self.pending[number];
            let lend = &self.call.lends[parent.lend as usize];
            if parent.scratch == NOWHERE || !parent.has_copy() || lend.flags & LEND_IN == 0 {
                continue;
            }
            let elements = match lend.stride {
                0 => 1,
                stride => parent.bytes / stride,
            };
            for element in 0..elements {
                for inner in self.call.lends {
                    let place = inner.pointer;
                    let at = element * lend.stride + place.offset;
                    if inner.flags & LEND_POINTER == 0
                        || place.kind != PLACE_FIELD
                        || place.index != parent.lend
                        || at + 8 > parent.bytes
                    {
                        continue;
                    }
                    let value = self.scratch.number(parent.scratch, at, 8);
                    if let Some(inside) = self.inside(value) {
                        self.scratch.set(parent.scratch, at, 8, inside);
                    }
                }
            }
        }
    }

    /// Where in the callee's copies the caller's address leads, if it leads into
    /// what is lent in this call, or to the start of something that is kept.
    fn inside(&self, value: u64) -> Option<u64> {
        if value == 0 {
            return None;
        }
        let lent = &self.pending[self.first..*self.count];
        let into = |one: &&PendingLend| {
            one.has_copy() && value.wrapping_sub(one.caller) < one.bytes.max(1)
        };
        if let Some(one) = lent.iter().find(into) {
            return Some(one.callee + (value - one.caller));
        }
        if !has_kept(self.call.to) || is_no_object(value) {
            return None;
        }
        let objects = KEPT.lock();
        let number = objects.find(self.call.from, self.call.to, value)?;
        Some(objects.get(number).callee)
    }

    /// Was a stack word replaced by something else?
    fn is_replaced(&self, place: u32) -> bool {
        self.pending[self.first..*self.count].iter().any(|one| {
            let pointer = self.call.lends[one.lend as usize].pointer;
            pointer.kind == PLACE_ARGUMENT && pointer.index == place
        })
    }

    /// For the test of it, what is staged is read a second time, unless pointers in
    /// it were replaced.
    fn read_twice(&self) {
        let all = &self.pending[self.first..*self.count];
        for (number, one) in all.iter().enumerate() {
            let number = (self.first + number) as u32;
            let alone = all.iter().all(|other| other.parent != number);
            if one.scratch != NOWHERE && one.has_copy() && alone {
                let to = self.scratch.address(one.scratch);
                self.call
                    .copy(to, one.caller, one.bytes, one.caller, "read");
            }
        }
    }

    /// Staged memory and stack arguments, now that all pointers are replaced.
    pub(super) fn hand_over(mut self) -> u64 {
        self.point_inwards();
        let once = !off(Defence::ReadOnce);
        if !once {
            self.read_twice();
        }
        for one in &self.pending[self.first..*self.count] {
            if one.scratch != NOWHERE && one.has_copy() {
                let from = self.scratch.address(one.scratch);
                self.call
                    .copy(one.callee, from, one.bytes, one.caller, "read");
            }
        }
        let words = u64::from(self.call.gate.stack_words);
        let Ok(stack) = self.stack.take(8 * words) else {
            self.call.refuse(self.stack.low, 8 * words, "stack");
        };
        if words > 0 {
            let from = self.caller_stack + size_of::<Saved>() as u64;
            if !accessible(self.call.rights, from, 8 * words, PROT_READ) {
                self.call.refuse(from, 8 * words, "read");
            }
            self.call.copy(stack, from, 8 * words, from, "read");
        }
        // What was judged stands there now, whatever the caller's stack says.
        for (place, value) in &self.words[..self.word_count] {
            if !once && !self.is_replaced(*place) {
                continue;
            }
            let at = stack + 8 * u64::from(place - 6);
            self.call.copy(at, &raw const *value as u64, 8, at, "stack");
        }
        stack
    }
}
