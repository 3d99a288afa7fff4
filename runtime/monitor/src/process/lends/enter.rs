//! Before the call: what is lent is made available to the callee, and pointers
//! to it are replaced.

mod extents;
mod hand_over;

use super::MOST_LENDS;
use super::abandoned::forget_abandoned;
use super::buffer::Buffer;
use super::call::{Call, word_size};
use super::kept::{Keeper, Kept, KeptObjects, is_no_object};
use super::pending::{
    MAXIMUM_CALLS, MAXIMUM_PENDING, MOST_WORDS, NOWHERE, PendingCall, PendingKind, PendingLend,
};
use super::places::{self, KEPT, NoPlace, Stack, has_kept, kept_room};
use super::scratch::Scratch;
use crate::audit::refused::Why;
use crate::audit::{calls, refused};
use crate::defences::off;
use crate::lock::Guard;
use crate::machine::assembly::cubicle_clear;
use crate::machine::kernel::{PROT_READ, PROT_WRITE};
use crate::machine::thread;
use crate::process::accessible;
use crate::restart;
use crate::windows::lending;
use cubicle_abi::defences::Defence;
use cubicle_abi::frame::{Frame, Saved, gathered};
use cubicle_abi::plan::{
    LEND_CALLBACK, LEND_IN, LEND_KEEP, LEND_OUT, LEND_POINTER, LEND_RESULT, LEND_RETURNED,
    LEND_STAGED, LEND_VALUE, LEND_WINDOW, Lend, PLACE_ARGUMENT, PLACE_FIELD, Place,
};

/// A pointer in an argument, to nothing yet.
const OUTERMOST: PendingLend = PendingLend {
    scratch: NOWHERE,
    parent: NOWHERE,
    ..PendingLend::NOTHING
};

/// A lent string may be this long, bytes.
const LONGEST_STRING: u64 = 1 << 30;

/// A call on its way in.
struct Preparing<'a> {
    call: Call<'a>,
    arguments: &'a mut [u64; 6],
    caller_stack: u64,
    words: &'a mut [(u32, u64); MOST_WORDS],
    word_count: usize,
    pending: &'a mut [PendingLend; MAXIMUM_PENDING],
    count: &'a mut usize,
    first: usize,
    scratch: Scratch<'a>,
    buffer: &'a mut Buffer,
    stack: Stack,
    latest: &'a mut [(u32, u64); MOST_LENDS],
    /// An object that this call keeps: others are kept beside it.
    kept: Option<usize>,
}

/// Prepares a call: replaces lent pointers in `arguments`, and answers with
/// the callee's stack pointer.
///
/// # Safety
/// Called by a lending gate only, which has proven who calls: `arguments`
/// are six words on the monitor's stack, and `spread` is its number.
pub unsafe extern "C" fn enter(arguments: *mut [u64; 6], spread: u32) -> u64 {
    let number = gathered(spread.into()) as u32;
    let call = Call::of(number);
    let (from, to) = (call.from, call.to);
    if !restart::hold_called(from) {
        restart::contain::come_back(from)
    }
    if !restart::hold_called(to) {
        restart::contain::fail(to)
    }
    // SAFETY: frame pointers in the thread block are the monitor's; what
    // the frames say is checked below.
    let (block, state, arguments) =
        unsafe { (&*thread::block(), &mut *thread::state(), &mut *arguments) };
    let caller_frame = block.virtual_threads[call.from].frame as *const Frame;
    let callee_frame = block.virtual_threads[call.to].frame as *const Frame;
    // SAFETY: as above. Read once: another thread may write them.
    let (caller_stack, callee_stack) = unsafe {
        (
            core::ptr::read_volatile(&raw const (*caller_frame).stack),
            core::ptr::read_volatile(&raw const (*callee_frame).stack),
        )
    };
    calls::begin(&calls::Passing {
        gate: call.gate,
        number,
        rights: call.rights,
        arguments,
        stack: caller_stack,
    });
    let lends = &mut state.lends;
    forget_abandoned(lends, caller_stack, &call);
    if lends.call_count == MAXIMUM_CALLS {
        call.refuse(caller_stack, 0, "nest further");
    }
    let first = lends.lend_count;
    lends.calls[lends.call_count] = PendingCall {
        gate: number,
        first: first as u32,
        stack: caller_stack,
        arguments: *arguments,
        buffer_used: lends.buffers[call.to].used,
    };
    lends.call_count += 1;
    let workspace = &mut lends.workspace;
    workspace.latest[..call.lends.len()].fill((NOWHERE, 0));
    let mut preparing = Preparing {
        stack: Stack::new(call.to, callee_stack),
        buffer: &mut lends.buffers[call.to],
        call,
        arguments,
        caller_stack,
        words: &mut workspace.words,
        word_count: 0,
        pending: &mut lends.lends,
        count: &mut lends.lend_count,
        first,
        scratch: Scratch::new(&mut workspace.scratch),
        latest: &mut workspace.latest,
        kept: None,
    };
    preparing.all();
    let stack = preparing.hand_over();
    restart::release(to);
    restart::release(from);
    stack
}

impl Preparing<'_> {
    /// All lends, in the plan's order: what one depends on comes before it.
    fn all(&mut self) {
        for index in 0..self.call.lends.len() {
            // What belongs to elements is handled with their array.
            if !self.inside_array(index) {
                self.prepare(index);
            }
        }
    }

    fn inside_array(&self, index: usize) -> bool {
        let mut place = self.call.lends[index].pointer;
        while place.kind == PLACE_FIELD {
            let Some(parent) = self.call.lends.get(place.index as usize) else {
                return false;
            };
            if parent.stride != 0 {
                return true;
            }
            place = parent.pointer;
        }
        false
    }

    fn prepare(&mut self, index: usize) {
        let lend = &self.call.lends[index];
        self.latest[index] = (NOWHERE, 0);
        if lend.flags & (LEND_POINTER | LEND_RETURNED) != 0
            || !matches!(lend.pointer.kind, PLACE_ARGUMENT | PLACE_FIELD)
        {
            return;
        }
        // What is inside nothing is nothing.
        let Some(pointer) = self.word(lend) else {
            return;
        };
        if lend.flags & LEND_VALUE != 0 {
            let value = self.own_value(lend).unwrap_or(lend.value);
            return self.replace(index, lend, pointer, value);
        }
        if lend.flags & LEND_CALLBACK != 0 {
            // Others cross when the call returns.
            if lend.flags & LEND_IN != 0 {
                let stub = self.call.cross(lend, pointer);
                self.replace(index, lend, pointer, stub);
            }
            return;
        }
        if pointer == 0 {
            return;
        }
        let (bytes, string) = self.extent(&lend.extent, pointer);
        if !self.check_caller(index, pointer, bytes) {
            return;
        }
        let scratch = self.stage(lend, pointer, bytes);
        if string && scratch != NOWHERE {
            self.scratch.set(scratch, bytes - 1, 1, 0);
        }
        let only_read = lend.flags & (LEND_IN | LEND_OUT | LEND_RESULT) == 0;
        let (kind, place) = if only_read {
            (PendingKind::Read, pointer)
        } else {
            self.place(index, lend, pointer, bytes)
        };
        self.remember(
            index,
            lend,
            PendingLend {
                caller: pointer,
                callee: place,
                bytes,
                scratch,
                lend: index as u32,
                kind,
                ..OUTERMOST
            },
        );
        if matches!(kind, PendingKind::Lent | PendingKind::Kept) {
            self.write(lend, place);
            if scratch == NOWHERE {
                self.fill(lend, pointer, place, bytes);
                if string {
                    // Its end was found before it was copied.
                    let end = [0u8; 1];
                    let last = place + bytes - 1;
                    self.call
                        .copy(last, end.as_ptr() as u64, 1, pointer, "read");
                }
            }
        }
        if lend.stride != 0 {
            self.elements(index, lend.stride, bytes);
        }
    }

    /// The lends inside each element of an array.
    fn elements(&mut self, index: usize, stride: u64, bytes: u64) {
        let of_array = self.latest[index].0;
        for element in 0..bytes / stride {
            self.latest[index] = (of_array, element * stride);
            for inner in index + 1..self.call.lends.len() {
                if self.belongs_to(inner, index) {
                    self.prepare(inner);
                }
            }
        }
    }

    /// Is a lend inside an element of an array, and of no array in between,
    /// whose own elements it is handled with?
    fn belongs_to(&self, inner: usize, array: usize) -> bool {
        let mut place = self.call.lends[inner].pointer;
        while place.kind == PLACE_FIELD {
            let parent = place.index as usize;
            if parent == array {
                return true;
            }
            match self.call.lends.get(parent) {
                Some(lend) if lend.stride == 0 => place = lend.pointer,
                _ => return false,
            }
        }
        false
    }

    /// A value is passed in place of the caller's.
    fn replace(&mut self, index: usize, lend: &Lend, old: u64, new: u64) {
        self.remember(
            index,
            lend,
            PendingLend {
                caller: old,
                callee: new,
                lend: index as u32,
                kind: PendingKind::Replaced,
                ..OUTERMOST
            },
        );
        self.write(lend, new);
    }

    /// What the callee itself has put where neither side sees the other's value:
    /// in an object that it keeps from an earlier call on.
    fn own_value(&self, lend: &Lend) -> Option<u64> {
        if lend.pointer.kind != PLACE_FIELD {
            return None;
        }
        let (parent, element) = self.latest[lend.pointer.index as usize];
        let parent = self.pending[..*self.count].get(parent as usize)?;
        if parent.kind != PendingKind::Kept {
            return None;
        }
        let mut value = 0u64;
        let at = parent.callee + element + lend.pointer.offset;
        let size = word_size(lend) as u64;
        self.call
            .copy(&raw mut value as u64, at, size, parent.caller, "read");
        Some(value)
    }

    fn remember(&mut self, index: usize, lend: &Lend, mut one: PendingLend) {
        if *self.count == MAXIMUM_PENDING {
            self.call.refuse(one.caller, one.bytes, "nest further");
        }
        if lend.pointer.kind == PLACE_FIELD {
            let (parent, element) = self.latest[lend.pointer.index as usize];
            one.parent = parent;
            one.offset = (element + lend.pointer.offset) as u32;
        }
        self.pending[*self.count] = one;
        self.latest[index] = (*self.count as u32, 0);
        *self.count += 1;
    }

    /// What stands where a lend's pointer does; `None` inside something that is
    /// not there.
    fn word(&mut self, lend: &Lend) -> Option<u64> {
        match lend.pointer.kind {
            PLACE_ARGUMENT => Some(self.argument(lend.pointer.index)),
            _ => self.field(&lend.pointer, word_size(lend)),
        }
    }

    /// Part of what an earlier lend covers, as it was staged.
    fn field(&self, place: &Place, size: usize) -> Option<u64> {
        let (parent, element) = *self.latest.get(place.index as usize)?;
        let parent = self.pending[..*self.count].get(parent as usize)?;
        let offset = element + place.offset;
        if parent.scratch == NOWHERE || offset + size as u64 > parent.bytes {
            self.call
                .refuse(parent.caller, offset + size as u64, "reach");
        }
        Some(self.scratch.number(parent.scratch, offset, size))
    }

    fn write(&mut self, lend: &Lend, value: u64) {
        let place = &lend.pointer;
        match place.kind {
            PLACE_ARGUMENT => match self.arguments.get_mut(place.index as usize) {
                Some(argument) => *argument = value,
                None => self.set_word(place.index, value),
            },
            _ => {
                let (parent, element) = self.latest[place.index as usize];
                let parent = self.pending[parent as usize];
                // `field` has checked the place when the pointer was read.
                let (at, size) = (element + place.offset, word_size(lend));
                self.scratch.set(parent.scratch, at, size, value);
            }
        }
    }

    fn argument(&mut self, place: u32) -> u64 {
        if let Some(value) = self.arguments.get(place as usize) {
            return *value;
        }
        let known = &self.words[..self.word_count];
        if let Some((_, value)) = known.iter().find(|(word, _)| *word == place) {
            return *value;
        }
        let at = self.caller_stack + size_of::<Saved>() as u64 + 8 * u64::from(place - 6);
        let mut value = 0u64;
        if self.word_count == MOST_WORDS
            || !accessible(self.call.rights, at, 8, PROT_READ)
            || self.call.try_copy(&raw mut value as u64, at, 8) != 0
        {
            self.call.refuse(at, 8, "read");
        }
        self.words[self.word_count] = (place, value);
        self.word_count += 1;
        value
    }

    fn set_word(&mut self, place: u32, value: u64) {
        let known = &mut self.words[..self.word_count];
        // A word is read before it is replaced.
        if let Some(word) = known.iter_mut().find(|(word, _)| *word == place) {
            word.1 = value;
        }
    }

    /// The caller itself must have the rights it lends. Otherwise, in an audit,
    /// the pointer passes as it is.
    fn check_caller(&self, index: usize, pointer: u64, bytes: u64) -> bool {
        let (number, rights) = (self.call.number, self.call.rights);
        let lend = &self.call.lends[index];
        let writes = lend.flags & (LEND_OUT | LEND_RESULT) != 0;
        if writes && !accessible(rights, pointer, bytes, PROT_WRITE) && !off(Defence::LendRights) {
            if refused::note(number, index, pointer, bytes, Why::Write) {
                return false;
            }
            self.call.refuse(pointer, bytes, "write");
        }
        let reads = lend.flags & LEND_IN != 0 || !writes;
        if reads && !accessible(rights, pointer, bytes, PROT_READ) && !off(Defence::LendRights) {
            if refused::note(number, index, pointer, bytes, Why::Read) {
                return false;
            }
            self.call.refuse(pointer, bytes, "read");
        }
        true
    }

    /// Reads what others depend on, once.
    fn stage(&mut self, lend: &Lend, pointer: u64, bytes: u64) -> u32 {
        if lend.flags & LEND_STAGED == 0 {
            return NOWHERE;
        }
        let Some(start) = self.scratch.take(bytes) else {
            self.call.refuse(pointer, bytes, "stage");
        };
        if lend.flags & LEND_IN != 0 || lend.flags & (LEND_OUT | LEND_RESULT) == 0 {
            let to = self.scratch.address(start);
            self.call.copy(to, pointer, bytes, pointer, "read");
        } else {
            self.scratch.clear(start, bytes);
        }
        start
    }

    fn place(&mut self, index: usize, lend: &Lend, pointer: u64, bytes: u64) -> (PendingKind, u64) {
        if let Some(place) = self.kept_place(index, lend, pointer, bytes) {
            return (PendingKind::Kept, place);
        }
        if let Some(window) = self.window(lend, pointer, bytes) {
            return (PendingKind::Windowed(window), pointer);
        }
        let place = if lend.flags & LEND_KEEP != 0 && !is_no_object(pointer) {
            self.keep(index, lend, pointer, bytes)
        } else {
            places::borrow(&mut self.stack, self.buffer, bytes)
        };
        match place {
            Ok(place) => (PendingKind::Lent, place),
            Err(NoPlace::Stack) => self.call.refuse(self.stack.low, bytes, "stack"),
            Err(NoPlace::Memory) => self.call.refuse(0, bytes, "hold"),
        }
    }

    /// A window for the time of the call, for what is large enough. What is lent
    /// for writing only is copied: the callee is not to read what is there.
    fn window(&self, lend: &Lend, pointer: u64, bytes: u64) -> Option<u16> {
        let access = match lend.flags & (LEND_IN | LEND_OUT | LEND_STAGED | LEND_KEEP) {
            LEND_IN => PROT_READ,
            both if both == LEND_IN | LEND_OUT => PROT_READ | PROT_WRITE,
            _ => return None,
        };
        if lend.flags & LEND_WINDOW == 0 {
            return None;
        }
        lending::lend((self.call.from, self.call.to), pointer, bytes, access)
    }

    /// The place of an object that is kept from an earlier call on. What is
    /// about to be kept anew starts anew: the caller may have another object at
    /// that address now.
    fn kept_place(&mut self, index: usize, lend: &Lend, pointer: u64, bytes: u64) -> Option<u64> {
        if !has_kept(self.call.to) || is_no_object(pointer) {
            return None;
        }
        let mut objects = KEPT.lock();
        let number = objects.find(self.call.from, self.call.to, pointer)?;
        if lend.flags & LEND_KEEP != 0 {
            objects.replace(number);
            // Nothing is kept beside what has just ended, which is so if a call keeps
            // the same address twice.
            self.kept = self.kept.filter(|kept| *kept != number);
            return None;
        }
        let kept = *objects.get(number);
        if kept.bytes != bytes || !self.guards(index, &kept) {
            return None;
        }
        Some(kept.callee)
    }

    /// Does this lend leave alone in a kept object what the one that keeps it does
    /// not take from the caller as it is: values, functions, and what is kept with
    /// it? If not, it would overwrite them with whatever the caller has there.
    fn guards(&self, index: usize, kept: &Kept) -> bool {
        const REPLACED: u32 = LEND_VALUE | LEND_CALLBACK;
        let within = |lend: &Lend, parent: usize| {
            lend.pointer.kind == PLACE_FIELD && lend.pointer.index as usize == parent
        };
        let likewise = |own: &Lend, other: &Lend| {
            own.pointer.offset == other.pointer.offset
                && own.flags & REPLACED == other.flags & REPLACED
                && word_size(own) == word_size(other)
                && other.flags & !own.flags & LEND_IN == 0
                && own.flags & (REPLACED | LEND_IN | LEND_OUT) != 0
        };
        let keeper = usize::from(kept.keeper.lend);
        let keeping = Call::lends_of(kept.keeper.gate);
        let lends = self.call.lends;
        keeping.iter().all(|one| {
            let guarded = within(one, keeper) && one.flags & (REPLACED | LEND_KEEP) != 0;
            !guarded
                || lends[index].stride == keeping[keeper].stride
                    && lends
                        .iter()
                        .any(|own| within(own, index) && likewise(own, one))
        })
    }

    fn keep(
        &mut self,
        index: usize,
        lend: &Lend,
        pointer: u64,
        bytes: u64,
    ) -> Result<u64, NoPlace> {
        let to = self.call.to;
        let keeper = Keeper {
            from: self.call.from as u8,
            to: to as u8,
            lend: index as u16,
            gate: self.call.number,
        };
        let mut objects = KEPT.lock();
        let room = |size| kept_room(to, size);
        let number = objects
            .keep(keeper, pointer, bytes, lend.value as u32, room)
            .ok_or(NoPlace::Memory)?;
        self.beside(&mut objects, number);
        Ok(objects.get(number).callee)
    }

    /// What one call keeps ends together. What was kept before does not: zlib's
    /// `deflateCopy` names a stream and keeps another one.
    fn beside(&mut self, objects: &mut Guard<'_, KeptObjects>, number: usize) {
        match self.kept {
            None => self.kept = Some(number),
            Some(other) => objects.join(other, number),
        }
    }

    /// What nobody depends on is copied directly.
    fn fill(&self, lend: &Lend, pointer: u64, place: u64, bytes: u64) {
        if lend.flags & LEND_IN == 0 {
            // What the callee does not write must not show what was there, be
            // it the callee's or another caller's; `used` is only its word.
            // SAFETY: `place` vouches for the range; it is the callee's, whose other
            // threads may have unmapped it: such a fault is answered.
            if unsafe { cubicle_clear(place, bytes) } != 0 {
                self.call.refuse(pointer, bytes, "stack");
            }
            return;
        }
        self.call.copy(place, pointer, bytes, pointer, "read");
    }
}
