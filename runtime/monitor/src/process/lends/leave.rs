//! After the call: what the callee wrote goes to the caller, and pointers into
//! the callee's copies become the caller's own.

use super::abandoned::pop;
use super::call::{Call, number, word_size};
use super::kept::{Keeper, Kept, name};
use super::pending::{NOWHERE, PendingLend};
use super::places::{KEPT, has_kept, is_kept, kept_room, own_rights};
use super::scratch::Scratch;
use crate::audit::calls;
use crate::machine::assembly::cubicle_string;
use crate::machine::kernel::{PROT_READ, PROT_WRITE};
use crate::machine::thread;
use crate::process::accessible;
use crate::restart;
use cubicle_abi::frame::{Frame, gathered};
use cubicle_abi::plan::{
    EXTENT_ADVANCE, EXTENT_CONSTANT, EXTENT_NONE, EXTENT_PRODUCT_OR_STRING, EXTENT_STRING, Extent,
    LEND_CALLBACK, LEND_OUT, LEND_POINTER, LEND_RESULT, LEND_RETURNED, LEND_VALUE, LEND_WITHIN,
    Lend, Operand, PLACE_ARGUMENT, PLACE_FIELD, PLACE_RESULT,
};

/// A returned string may be this long, bytes.
const LONGEST_RETURNED: u64 = 1 << 20;

/// A call on its way out.
struct Returning<'a> {
    call: Call<'a>,
    /// As the caller passed them.
    arguments: [u64; 6],
    /// What this call has lent.
    lent: &'a mut [PendingLend],
    scratch: Scratch<'a>,
    /// rax and rdx.
    results: &'a mut [u64; 2],
}

/// Takes back what was lent: copies what the callee wrote to the caller.
///
/// # Safety
/// Called by a lending gate only, which has proven that this call returns:
/// `results` are rax and rdx on the monitor's stack, and `spread` is its number.
pub unsafe extern "C" fn leave(results: *mut [u64; 2], spread: u32) {
    let number = gathered(spread.into()) as u32;
    let call = Call::of(number);
    let (from, to) = (call.from, call.to);
    if !restart::hold_called(from) {
        restart::contain::come_back(from)
    }
    if !restart::hold_called(to) {
        restart::contain::fail(to)
    }
    // SAFETY: as in `enter`.
    let (block, state, results) =
        unsafe { (&*thread::block(), &mut *thread::state(), &mut *results) };
    // SAFETY: as in `enter`.
    let stack = unsafe { (*(block.virtual_threads[call.from].frame as *const Frame)).stack };
    let lends = &mut state.lends;
    let Some(index) = (0..lends.call_count).rev().find(|index| {
        let pending = &lends.calls[*index];
        pending.gate == number && pending.stack == stack
    }) else {
        call.refuse(stack, 0, "find again");
    };
    let pending = lends.calls[index];
    let first = pending.first as usize;
    // A `longjmp` may have left calls behind inside of this one: what they lent is
    // nothing that this call takes back.
    let inner = lends.calls[..lends.call_count].get(index + 1);
    let end = inner.map_or(lends.lend_count, |inner| inner.first as usize);
    let mut returning = Returning {
        call,
        arguments: pending.arguments,
        lent: &mut lends.lends[first..end],
        scratch: Scratch::new(&mut lends.workspace.scratch),
        results,
    };
    let rights = returning.call.rights;
    returning.stage(first as u32);
    returning.result();
    returning.take_back();
    returning.end_kept();
    let results = *results;
    let lent = lends.lends[first..lends.lend_count].iter();
    let lent = lent.map(|one| (one.caller, one.callee));
    calls::end(number, stack, results, rights, lent);
    pop(lends, index);
    restart::release(to);
    restart::release(from);
}

impl Returning<'_> {
    /// Reads what the callee left in staged ranges, once.
    fn stage(&mut self, first: u32) {
        for index in 0..self.lent.len() {
            // Parents were counted from the thread's first pending lend.
            if self.lent[index].parent != NOWHERE {
                self.lent[index].parent -= first;
            }
            let one = self.lent[index];
            if one.scratch == NOWHERE {
                continue;
            }
            let Some(start) = self.scratch.take(one.bytes) else {
                self.call.refuse(one.caller, one.bytes, "stage");
            };
            self.lent[index].scratch = start;
            if self.lend(&one).flags & LEND_OUT != 0 {
                let to = self.scratch.address(start);
                self.call
                    .copy(to, one.callee, one.bytes, one.caller, "read");
            } else {
                // Nobody wrote there: it says nothing.
                self.scratch.clear(start, one.bytes);
            }
        }
    }

    fn lend(&self, one: &PendingLend) -> &'static Lend {
        &self.call.lends[one.lend as usize]
    }

    /// Copies to the caller. What lies inside something comes before it: how far
    /// a pointer went is said by what the callee left there.
    fn take_back(&mut self) {
        for index in (0..self.lent.len()).rev() {
            let one = self.lent[index];
            let lend = self.lend(&one);
            if lend.flags & LEND_OUT == 0 || !one.has_copy() {
                continue;
            }
            let used = match lend.used.kind {
                EXTENT_NONE => one.bytes,
                _ => self.written(&lend.used, &one).min(one.bytes),
            };
            let from = if one.scratch == NOWHERE {
                one.callee
            } else {
                self.fix_pointers(index);
                self.scratch.address(one.scratch)
            };
            if !accessible(self.call.rights, one.caller, used, PROT_WRITE) {
                self.call.refuse(one.caller, used, "write");
            }
            self.call.copy(one.caller, from, used, one.caller, "write");
        }
    }

    /// Pointers in staged memory, on its way to the caller.
    fn fix_pointers(&mut self, index: usize) {
        let parent = self.lent[index];
        let stride = self.lend(&parent).stride;
        let elements = match stride {
            0 => 1,
            stride => parent.bytes / stride,
        };
        // The pending lends inside it come in the same order as they were made.
        let mut next = index + 1;
        for element in 0..elements {
            for inner in 0..self.call.lends.len() {
                let lend = &self.call.lends[inner];
                let place = lend.pointer;
                if place.kind != PLACE_FIELD
                    || place.index != parent.lend
                    || self.crosses_back(inner)
                {
                    continue;
                }
                let at = element * stride + place.offset;
                let size = word_size(lend);
                if at + size as u64 > parent.bytes {
                    continue;
                }
                let found = (next..self.lent.len()).find(|number| {
                    let one = &self.lent[*number];
                    one.parent == index as u32 && u64::from(one.offset) == at
                });
                if let Some(number) = found {
                    next = number + 1;
                }
                let value = self.scratch.number(parent.scratch, at, size);
                let value = self.returned(lend, value, found.map(|number| self.lent[number]));
                self.scratch.set(parent.scratch, at, size, value);
            }
        }
    }

    /// Is a function pointer described by another lend for the way back?
    fn crosses_back(&self, index: usize) -> bool {
        let lend = &self.call.lends[index];
        let back = LEND_CALLBACK | LEND_OUT;
        lend.flags & back == LEND_CALLBACK
            && self
                .call
                .lends
                .iter()
                .any(|other| other.pointer == lend.pointer && other.flags & back == back)
    }

    /// What the caller gets for a pointer that the callee left. `lent` is what
    /// stood there before.
    fn returned(&self, lend: &Lend, value: u64, lent: Option<PendingLend>) -> u64 {
        if let Some(one) = lent {
            if value == one.callee || lend.flags & LEND_VALUE != 0 {
                return one.caller;
            }
            if let Some(own) = one.translate(value) {
                return own;
            }
        }
        if lend.flags & LEND_CALLBACK != 0 {
            return match lent {
                _ if lend.flags & LEND_OUT != 0 => self.call.cross(lend, value),
                // What the callee put there is not for the caller to call.
                Some(one) => one.caller,
                None => 0,
            };
        }
        if lend.flags & LEND_WITHIN != 0 {
            return self.within(lend, value);
        }
        self.translate(value).unwrap_or(value)
    }

    /// Into what was lent in this call, or is kept.
    fn translate(&self, value: u64) -> Option<u64> {
        if value == 0 {
            return None;
        }
        let inside = self.lent.iter().find(|one| one.contains(value));
        if let Some(one) = inside {
            return one.translate(value);
        }
        let (from, to) = (self.call.from, self.call.to);
        if is_kept(to, value) {
            let objects = KEPT.lock();
            let own = |kept: &Kept| kept.caller.wrapping_add(value - kept.callee);
            if let Some(kept) = objects.containing(from, to, value) {
                return Some(own(kept));
            }
        }
        self.lent.iter().find_map(|one| one.translate(value))
    }

    /// Into what one lend covers, or null.
    fn within(&self, lend: &Lend, value: u64) -> u64 {
        if value == 0 {
            return 0;
        }
        let of_that = self.lent.iter();
        let mut of_that = of_that.filter(|one| u64::from(one.lend) == lend.value);
        match of_that.find_map(|one| one.translate(value)) {
            Some(own) => own,
            None => self.call.refuse(value, 0, "return"),
        }
    }

    fn result(&mut self) {
        for index in 0..self.call.lends.len() {
            let lend = &self.call.lends[index];
            let value = self.results[0];
            if lend.flags & LEND_RESULT != 0 {
                let place = self.lent.iter().find(|one| one.lend == index as u32);
                if let Some(one) = place {
                    self.results[0] = one.caller;
                }
            }
            if lend.pointer.kind != PLACE_RESULT {
                continue;
            }
            self.results[0] = if lend.flags & LEND_CALLBACK != 0 {
                self.call.cross(lend, value)
            } else if lend.flags & LEND_RETURNED != 0 {
                self.copy_result(index, lend, value)
            } else if lend.flags & LEND_POINTER != 0 {
                self.returned(lend, value, None)
            } else {
                value
            };
        }
    }

    /// What a result leads to, in memory of the caller's: one place for each thread
    /// and gate, used again by the next call.
    fn copy_result(&self, index: usize, lend: &Lend, value: u64) -> u64 {
        if value == 0 {
            return 0;
        }
        if let Some(own) = self.translate(value) {
            return own;
        }
        let bytes = match lend.extent.kind {
            EXTENT_STRING => self.string_of_callee(value),
            _ => self.written(
                &lend.extent,
                &PendingLend {
                    callee: value,
                    bytes: LONGEST_RETURNED,
                    scratch: NOWHERE,
                    parent: NOWHERE,
                    ..PendingLend::NOTHING
                },
            ),
        };
        // What the caller can read by itself need not be copied.
        if accessible(self.call.rights, value, bytes, PROT_READ) {
            return value;
        }
        if !accessible(own_rights(self.call.to), value, bytes, PROT_READ) {
            self.call.refuse(value, bytes, "return");
        }
        let place = self.result_place(index, bytes);
        self.call.copy(place, value, bytes, value, "return");
        if lend.extent.kind == EXTENT_STRING && bytes > 0 {
            // SAFETY: the place has that many bytes of the caller's memory.
            unsafe { *((place + bytes - 1) as *mut u8) = 0 };
        }
        place
    }

    /// Kept by the callee, as it were, in the caller, under the thread's and the
    /// gate's number.
    fn result_place(&self, index: usize, bytes: u64) -> u64 {
        let (owner, holder) = (self.call.to, self.call.from);
        // SAFETY: this thread's state.
        let name = name(unsafe { (*thread::state()).number }, self.call.number);
        let mut objects = KEPT.lock();
        if let Some(number) = objects.find(owner, holder, name) {
            if objects.get(number).room() >= bytes {
                return objects.get(number).callee;
            }
            objects.replace(number);
        }
        let keeper = Keeper {
            from: owner as u8,
            to: holder as u8,
            lend: index as u16,
            gate: self.call.number,
        };
        let room = |size| kept_room(holder, size);
        let kept = objects.keep(keeper, name, bytes, u32::MAX, room);
        match kept.map(|number| objects.get(number).callee) {
            Some(place) => place,
            None => {
                drop(objects);
                self.call.refuse(0, bytes, "hold");
            }
        }
    }

    fn string_of_callee(&self, value: u64) -> u64 {
        let mut length = 0;
        while length < LONGEST_RETURNED {
            let at = value.wrapping_add(length);
            let room = cubicle_abi::layout::PAGE - at % cubicle_abi::layout::PAGE;
            let readable = accessible(own_rights(self.call.to), at, room, PROT_READ)
                || accessible(self.call.rights, at, room, PROT_READ);
            if !readable {
                break;
            }
            // SAFETY: a fault is expected and answered.
            let found = unsafe { cubicle_string(at, room) };
            if found <= room {
                return length + found;
            }
            length += room;
        }
        self.call.refuse(value, length, "return");
    }

    /// How much the callee says it wrote: what it left in its own copies.
    fn written(&self, extent: &Extent, one: &PendingLend) -> u64 {
        let string = || {
            if one.scratch != NOWHERE {
                let start = self.scratch.address(one.scratch);
                // SAFETY: staged memory has that many bytes.
                return unsafe { cubicle_string(start, one.bytes) }.min(one.bytes);
            }
            // SAFETY: a fault is expected and answered.
            unsafe { cubicle_string(one.callee, one.bytes) }.min(one.bytes)
        };
        match extent.kind {
            EXTENT_CONSTANT => extent.scale,
            EXTENT_STRING => string(),
            EXTENT_ADVANCE => self.advance(one),
            _ => {
                let mut product = extent.scale;
                for operand in extent.operands.iter().take(extent.count as usize) {
                    let number = number(self.operand(operand, one), operand);
                    if number.negative && extent.kind == EXTENT_PRODUCT_OR_STRING {
                        return string();
                    }
                    product = product.saturating_mul(number.value);
                }
                product
            }
        }
    }

    /// How far the callee moved the pointer that led to it, in the memory where
    /// that stands; all of it, if it leads elsewhere now.
    fn advance(&self, one: &PendingLend) -> u64 {
        let moved = self.lent.get(one.parent as usize).map(|parent| {
            let pointer = self.scratch.number(parent.scratch, one.offset.into(), 8);
            pointer.wrapping_sub(one.callee)
        });
        moved.unwrap_or(one.bytes).min(one.bytes)
    }

    fn operand(&self, operand: &Operand, one: &PendingLend) -> u64 {
        match operand.place.kind {
            PLACE_RESULT => self.results[0],
            PLACE_ARGUMENT => self.argument(operand.place.index),
            _ => {
                // The same element, if the counted range lies in one: what
                // belongs to it was made with the same parent.
                let wanted = operand.place.index;
                let parent = self.lent.get(one.parent as usize);
                let (holder, element) = match parent {
                    Some(parent) if parent.lend == wanted => {
                        let stride = self.lend(parent).stride;
                        let element = match stride {
                            0 => 0,
                            stride => u64::from(one.offset) / stride * stride,
                        };
                        (Some(parent), element)
                    }
                    _ => (self.lent.iter().find(|other| other.lend == wanted), 0),
                };
                let size = operand.size.clamp(1, 8);
                let offset = element + operand.place.offset;
                match holder {
                    Some(holder)
                        if holder.scratch != NOWHERE
                            && offset + u64::from(size) <= holder.bytes =>
                    {
                        self.scratch.number(holder.scratch, offset, size.into())
                    }
                    _ => 0,
                }
            }
        }
    }

    /// As the caller passed it. A word of its stack it may have changed since:
    /// that decides only how much of its own memory it gets back.
    fn argument(&self, place: u32) -> u64 {
        if let Some(value) = self.arguments.get(place as usize) {
            return *value;
        }
        let known = self.lent.iter().find(|one| {
            let pointer = self.lend(one).pointer;
            pointer.kind == PLACE_ARGUMENT && pointer.index == place
        });
        if let Some(one) = known {
            return one.caller;
        }
        let frame = crate::process::run::frame(self.call.from);
        let Some(frame) = frame else {
            return 0;
        };
        // SAFETY: the thread block's frame pointers are the monitor's.
        let stack = unsafe { core::ptr::read_volatile(&raw const (*frame).stack) };
        let at = stack
            .wrapping_add(size_of::<cubicle_abi::frame::Saved>() as u64)
            .wrapping_add(8 * u64::from(place - 6));
        let mut value = 0u64;
        if !accessible(self.call.rights, at, 8, PROT_READ)
            || self.call.try_copy(&raw mut value as u64, at, 8) != 0
        {
            self.call.refuse(at, 8, "read");
        }
        value
    }

    /// Objects that this call ends.
    fn end_kept(&self) {
        if !has_kept(self.call.to) {
            return;
        }
        let mut objects = KEPT.lock();
        for one in self.lent.iter().filter(|one| one.has_copy()) {
            let (from, to) = (self.call.from, self.call.to);
            if let Some(number) = objects.find(from, to, one.caller)
                && objects.get(number).until == self.call.number
            {
                objects.end(number);
            }
        }
    }
}
