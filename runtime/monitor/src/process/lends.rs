//! Arguments that are borrowed for a call: copied to the callee and back.
//!
//! Small ones go below the callee's stack pointer, large ones into a buffer in
//! its arena. Everything that decides where the monitor reads and writes is
//! read once: a length that changes during the call gains nothing.
//!
//! ```text
//!   callee's stack
//!   ◄── Frame::stack, where the callee last left
//!   lent ranges of less than 16 KiB
//!   stack arguments       ◄── what the gate takes as stack pointer
//! ```

/// As many lends as may be pending on one thread.
pub const MAXIMUM_PENDING: usize = 512;
/// Ranges from this size on go to the arena instead of the stack, bytes.
pub const LARGE: u64 = 16 << 10;

/// One argument that is lent at the moment.
#[derive(Clone, Copy)]
pub struct PendingLend {
    /// In the caller, and its copy in the callee.
    pub caller: u64,
    pub callee: u64,
    pub bytes: u64,
    /// Index among the gate's lends.
    pub lend: u32,
}

/// One call that lends.
#[derive(Clone, Copy)]
pub struct PendingCall {
    pub gate: u32,
    /// Number of this call's first lend.
    pub first: u32,
    /// The caller's stack pointer: which of several pending calls it is.
    pub stack: u64,
    pub arguments: [u64; 6],
    /// What the callee's buffer held before, bytes.
    pub buffer_used: u64,
}

/// A buffer in a cubicle's arena for this thread's large lends.
#[derive(Clone, Copy)]
pub struct Buffer {
    pub start: u64,
    pub size: u64,
    pub used: u64,
}

/// All lends pending on one thread, innermost last.
pub struct PendingLends {
    pub calls: [PendingCall; MAXIMUM_PENDING],
    pub call_count: usize,
    pub lends: [PendingLend; MAXIMUM_PENDING],
    pub lend_count: usize,
    pub buffers: [Buffer; cubicle_abi::layout::MAXIMUM_CUBICLES],
}

impl PendingLends {
    pub const fn new() -> PendingLends {
        PendingLends {
            calls: [PendingCall {
                gate: 0,
                first: 0,
                stack: 0,
                arguments: [0; 6],
                buffer_used: 0,
            }; MAXIMUM_PENDING],
            call_count: 0,
            lends: [PendingLend {
                caller: 0,
                callee: 0,
                bytes: 0,
                lend: 0,
            }; MAXIMUM_PENDING],
            lend_count: 0,
            buffers: [Buffer {
                start: 0,
                size: 0,
                used: 0,
            }; cubicle_abi::layout::MAXIMUM_CUBICLES],
        }
    }
}

impl Default for PendingLends {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(monitor_image)]
pub use lending::{enter, leave};

#[cfg(monitor_image)]
mod lending {
    use super::*;
    use crate::machine::assembly::{cubicle_copy, cubicle_string};
    use crate::machine::kernel::{PROT_READ, PROT_WRITE};
    use crate::machine::rights;
    use crate::machine::thread;
    use crate::mappings::{Kind, Mapping};
    use crate::process::{accessible, arena, cubicles};
    use crate::violation::lend_refused;
    use cubicle_abi::frame::{Frame, Saved};
    use cubicle_abi::layout::{ARENA_LENDS, ARENA_SIZE, PAGE, page_up};
    use cubicle_abi::plan::{
        ArgumentPlace, EXTENT_CONSTANT, EXTENT_NONE, EXTENT_STRING, Extent, Gate, LEND_IN,
        LEND_OUT, LEND_RESULT, Lend, Operand,
    };
    use cubicle_abi::rights::{Rights, cubicle_key};

    /// Room a callee finds below its arguments at least, bytes (rule 25).
    const HEADROOM: u64 = 4096;
    /// A lent string may be this long, bytes.
    const LONGEST_STRING: u64 = 1 << 30;
    /// Integers that other extents may depend on are kept while a call is
    /// prepared, so that they are read once.
    const SMALL: usize = 8;

    /// A call on its way in.
    struct Call<'a> {
        gate: &'a Gate,
        number: u32,
        arguments: [u64; 6],
        caller_stack: u64,
        from: Rights,
        to: usize,
        /// For each lend, the caller's bytes if they are few.
        small: [[u8; SMALL]; 16],
        lends: &'a [Lend],
    }

    impl Call<'_> {
        fn argument(&self, place: ArgumentPlace) -> u64 {
            match self.arguments.get(place as usize) {
                Some(value) => *value,
                None => {
                    let at =
                        self.caller_stack + size_of::<Saved>() as u64 + 8 * u64::from(place - 6);
                    let mut bytes = [0; 8];
                    self.read(at, &mut bytes);
                    u64::from_le_bytes(bytes)
                }
            }
        }

        /// Reads the caller's memory with the caller's rights.
        fn read(&self, at: u64, into: &mut [u8]) {
            let size = into.len() as u64;
            if !accessible(self.from, at, size, PROT_READ)
                || copy(into.as_mut_ptr() as u64, at, size) != 0
            {
                lend_refused(self.gate, self.number, at, size, "read");
            }
        }

        fn operand(&self, operand: &Operand) -> u64 {
            let size = usize::from(operand.size.min(8));
            let mut bytes = [0u8; 8];
            if operand.indirect == 0 {
                bytes = self.argument(operand.place).to_le_bytes();
            } else {
                let known = self
                    .lends
                    .iter()
                    .position(|lend| lend.pointer == operand.place && is_small(lend));
                match known {
                    Some(index) => bytes = self.small[index],
                    None => self.read(self.argument(operand.place), &mut bytes[..size]),
                }
            }
            bytes[size..].fill(0);
            let value = u64::from_le_bytes(bytes);
            let negative = operand.signed != 0 && value >> (size * 8 - 1) & 1 == 1;
            if negative { 0 } else { value }
        }

        fn bytes(&self, extent: &Extent, pointer: u64) -> u64 {
            match extent.kind {
                EXTENT_CONSTANT => extent.scale,
                EXTENT_STRING => self.string(pointer),
                _ => extent
                    .operands
                    .iter()
                    .take(extent.count as usize)
                    .fold(extent.scale, |product, operand| {
                        product.saturating_mul(self.operand(operand))
                    }),
            }
        }

        fn string(&self, pointer: u64) -> u64 {
            // As far as the caller may read from there; a page at a time.
            let mut length = 0;
            while length < LONGEST_STRING {
                let at = pointer + length;
                let room = PAGE - at % PAGE;
                if !accessible(self.from, at, room, PROT_READ) {
                    break;
                }
                // SAFETY: a fault is expected and answered.
                let found = unsafe { cubicle_string(at, room) };
                if found <= room {
                    return length + found;
                }
                length += room;
            }
            lend_refused(self.gate, self.number, pointer, length + 1, "read");
        }
    }

    fn is_small(lend: &Lend) -> bool {
        lend.extent.kind == EXTENT_CONSTANT && lend.extent.scale <= SMALL as u64
    }

    fn copy(to: u64, from: u64, bytes: u64) -> u64 {
        // SAFETY: both ranges were checked against the rights of the side they
        // belong to; a fault that comes nevertheless is answered.
        unsafe { cubicle_copy(to, from, bytes) }
    }

    /// Prepares a call: replaces lent pointers in `arguments`, and answers with
    /// the callee's stack pointer.
    ///
    /// # Safety
    /// Called by a lending gate only, which has proven who calls: `arguments`
    /// are six words on the monitor's stack.
    pub unsafe extern "C" fn enter(arguments: *mut [u64; 6], number: u32) -> u64 {
        let Some(plan) = crate::process::plan() else {
            crate::violation::fatal("a gate without a plan");
        };
        let gate = &plan.gates()[number as usize];
        let (from, to) = (gate.from as usize, gate.to as usize);
        let (from_rights, to_rights) = (crate::process::rights(from), crate::process::rights(to));
        rights::open(from_rights, to_rights);
        // SAFETY: frame pointers in the thread block are the monitor's; what
        // the frames say is checked below.
        let (block, state, arguments) =
            unsafe { (&*thread::block(), &mut *thread::state(), &mut *arguments) };
        let caller_frame = block.virtual_threads[from].frame as *const Frame;
        let callee_frame = block.virtual_threads[to].frame as *const Frame;
        // SAFETY: as above. Read once: another thread may write them.
        let (caller_stack, callee_stack) = unsafe {
            (
                core::ptr::read_volatile(&raw const (*caller_frame).stack),
                core::ptr::read_volatile(&raw const (*callee_frame).stack),
            )
        };
        let mut call = Call {
            gate,
            number,
            arguments: *arguments,
            caller_stack,
            from: from_rights,
            to,
            small: [[0; SMALL]; 16],
            lends: plan.lends(gate),
        };
        forget_abandoned(&mut state.lends, caller_stack, &call);
        let pending = &mut state.lends;
        if pending.call_count == MAXIMUM_PENDING
            || pending.lend_count + call.lends.len() > MAXIMUM_PENDING
        {
            lend_refused(gate, number, caller_stack, 0, "nest further");
        }
        for (index, lend) in call.lends.iter().enumerate() {
            let pointer = call.argument(lend.pointer);
            if is_small(lend) && pointer != 0 && lend.direction & LEND_IN != 0 {
                let mut bytes = [0; SMALL];
                call.read(pointer, &mut bytes[..lend.extent.scale as usize]);
                call.small[index] = bytes;
            }
        }
        let first = pending.lend_count;
        pending.calls[pending.call_count] = PendingCall {
            gate: number,
            first: first as u32,
            stack: caller_stack,
            arguments: call.arguments,
            buffer_used: pending.buffers[to].used,
        };
        pending.call_count += 1;
        let mut stack = callee_stack & !15;
        for (index, lend) in call.lends.iter().enumerate() {
            let pointer = call.argument(lend.pointer);
            if pointer == 0 {
                continue;
            }
            let bytes = call.bytes(&lend.extent, pointer);
            check_caller(&call, lend, pointer, bytes);
            let place = if bytes < LARGE {
                stack = (stack - bytes) & !15;
                check_callee(&call, stack, callee_stack);
                stack
            } else {
                in_buffer(&call, &mut pending.buffers[to], bytes)
            };
            fill(&call, lend, index, pointer, place, bytes);
            pending.lends[pending.lend_count] = PendingLend {
                caller: pointer,
                callee: place,
                bytes,
                lend: index as u32,
            };
            pending.lend_count += 1;
        }
        let words = u64::from(gate.stack_words);
        stack = (stack - 8 * words) & !15;
        check_callee(&call, stack, callee_stack);
        copy_stack_arguments(&call, stack, words);
        for lend in &pending.lends[first..pending.lend_count] {
            let place = call.lends[lend.lend as usize].pointer as usize;
            match arguments.get_mut(place) {
                Some(argument) => *argument = lend.callee,
                None => {
                    let at = stack + 8 * (place as u64 - 6);
                    copy(at, &raw const lend.callee as u64, 8);
                }
            }
        }
        stack
    }

    /// Calls that a `longjmp` left behind: pending ones of the same caller
    /// whose stack lies below where it calls from now. Where it calls from is
    /// the caller's word alone, so their part of the callee's buffer is not used
    /// again before an outer call returns: the callee may still read from it.
    /// Unless the caller could write there by itself (rule 23).
    fn forget_abandoned(pending: &mut PendingLends, stack: u64, call: &Call) {
        while let Some(last) = pending.call_count.checked_sub(1) {
            let older = pending.calls[last];
            let plan = crate::process::plan();
            let same =
                plan.is_some_and(|plan| plan.gates()[older.gate as usize].from == call.gate.from);
            if !same || older.stack > stack {
                break;
            }
            let buffers = pending.buffers;
            pop(pending, last);
            let to = plan.map_or(call.to, |plan| {
                plan.gates()[older.gate as usize].to as usize
            });
            if !call.from.writes(cubicle_key(to)) {
                pending.buffers = buffers;
            }
        }
    }

    fn pop(pending: &mut PendingLends, index: usize) {
        let call = pending.calls[index];
        pending.call_count = index;
        pending.lend_count = call.first as usize;
        if let Some(plan) = crate::process::plan() {
            let to = plan.gates()[call.gate as usize].to as usize;
            pending.buffers[to].used = call.buffer_used;
        }
    }

    fn check_caller(call: &Call, lend: &Lend, pointer: u64, bytes: u64) {
        if lend.direction & (LEND_OUT | LEND_RESULT) != 0
            && !accessible(call.from, pointer, bytes, PROT_WRITE)
        {
            lend_refused(call.gate, call.number, pointer, bytes, "write");
        }
        if lend.direction & LEND_IN != 0 && !accessible(call.from, pointer, bytes, PROT_READ) {
            lend_refused(call.gate, call.number, pointer, bytes, "read");
        }
    }

    /// The callee's stack must hold what goes there: its frame may say anything.
    fn check_callee(call: &Call, low: u64, high: u64) {
        let own = cubicle_rights(call.to);
        let start = low.saturating_sub(HEADROOM);
        if low > high || !accessible(own, start, high - start, PROT_READ | PROT_WRITE) {
            lend_refused(call.gate, call.number, low, high.wrapping_sub(low), "stack");
        }
    }

    /// What belongs to the cubicle itself, not to those it sees.
    fn cubicle_rights(index: usize) -> Rights {
        Rights::NONE.writing(cubicle_key(index))
    }

    /// Room for a large range in the callee's arena.
    fn in_buffer(call: &Call, buffer: &mut Buffer, bytes: u64) -> u64 {
        let size = page_up(bytes);
        if buffer.used + size > buffer.size {
            grow(call, buffer, size);
        }
        let place = buffer.start + buffer.used;
        buffer.used += size;
        place
    }

    /// A larger buffer, at the same place: the range behind it is kept free.
    fn grow(call: &Call, buffer: &mut Buffer, size: u64) {
        buffer.start = arena(call.to) + ARENA_LENDS;
        let wanted = (buffer.used + size).next_power_of_two();
        let (start, end) = (buffer.start + buffer.size, buffer.start + wanted);
        // The lock is not held beyond this statement: a report needs it.
        let entered = end <= arena(call.to) + ARENA_SIZE
            && cubicles()[call.to]
                .mappings
                .lock()
                .insert(Mapping {
                    start,
                    end,
                    protection: PROT_READ | PROT_WRITE,
                    kind: Kind::Monitor,
                })
                .is_ok();
        if !entered
            || rights::tag(start, end, PROT_READ | PROT_WRITE, cubicle_key(call.to)).is_err()
        {
            lend_refused(call.gate, call.number, 0, size, "hold");
        }
        buffer.size = wanted;
    }

    fn fill(call: &Call, lend: &Lend, index: usize, pointer: u64, place: u64, bytes: u64) {
        let failed = if lend.direction & LEND_IN == 0 {
            // What the callee does not write must not show what was there, be
            // it the callee's or another caller's; `used` is only its word.
            // SAFETY: `check_callee` or `in_buffer` vouch for the range.
            unsafe { core::ptr::write_bytes(place as *mut u8, 0, bytes as usize) };
            0
        } else if is_small(lend) {
            copy(place, &raw const call.small[index] as u64, bytes)
        } else {
            copy(place, pointer, bytes)
        };
        if failed != 0 {
            lend_refused(call.gate, call.number, pointer, bytes, "read");
        }
    }

    /// Any number of words, from the caller's stack to the callee's.
    fn copy_stack_arguments(call: &Call, stack: u64, words: u64) {
        let from = call.caller_stack + size_of::<Saved>() as u64;
        if words == 0 {
            return;
        }
        if !accessible(call.from, from, 8 * words, PROT_READ) || copy(stack, from, 8 * words) != 0 {
            lend_refused(call.gate, call.number, from, 8 * words, "read");
        }
    }

    /// Takes back what was lent: copies what the callee wrote to the caller.
    ///
    /// # Safety
    /// Called by a lending gate only, which has proven that this call returns:
    /// `results` are rax and rdx on the monitor's stack.
    pub unsafe extern "C" fn leave(results: *mut [u64; 2], number: u32) {
        let Some(plan) = crate::process::plan() else {
            crate::violation::fatal("a gate without a plan");
        };
        let gate = &plan.gates()[number as usize];
        let (from, to) = (gate.from as usize, gate.to as usize);
        let from_rights = crate::process::rights(from);
        rights::open(from_rights, crate::process::rights(to));
        // SAFETY: as in `enter`.
        let (block, state, results) =
            unsafe { (&*thread::block(), &mut *thread::state(), &mut *results) };
        // SAFETY: as in `enter`.
        let stack = unsafe { (*(block.virtual_threads[from].frame as *const Frame)).stack };
        let pending = &mut state.lends;
        let Some(index) = (0..pending.call_count).rev().find(|index| {
            let call = &pending.calls[*index];
            call.gate == number && call.stack == stack
        }) else {
            lend_refused(gate, number, stack, 0, "find again");
        };
        let lends = plan.lends(gate);
        let call = Call {
            gate,
            number,
            arguments: pending.calls[index].arguments,
            caller_stack: stack,
            from: from_rights,
            to,
            small: [[0; SMALL]; 16],
            lends,
        };
        let first = pending.calls[index].first as usize;
        let lent = &pending.lends[first..pending.lend_count];
        for one in lent {
            let lend = &lends[one.lend as usize];
            if lend.direction & LEND_RESULT != 0 {
                results[0] = one.caller;
            }
            if lend.direction & LEND_OUT == 0 {
                continue;
            }
            let used = match lend.used.kind {
                EXTENT_NONE => one.bytes,
                _ => written(&call, lend, lent, one).min(one.bytes),
            };
            if !accessible(from_rights, one.caller, used, PROT_WRITE)
                || copy(one.caller, one.callee, used) != 0
            {
                lend_refused(gate, number, one.caller, used, "write");
            }
        }
        pop(pending, index);
    }

    /// How much the callee says it wrote: what it left in its own copies.
    fn written(call: &Call, lend: &Lend, lent: &[PendingLend], one: &PendingLend) -> u64 {
        let extent = &lend.used;
        match extent.kind {
            EXTENT_CONSTANT => extent.scale,
            EXTENT_STRING => {
                // SAFETY: a fault is expected and answered.
                let found = unsafe { cubicle_string(one.callee, one.bytes) };
                found.min(one.bytes)
            }
            _ => extent
                .operands
                .iter()
                .take(extent.count as usize)
                .fold(extent.scale, |product, operand| {
                    product.saturating_mul(operand_after(call, lent, operand))
                }),
        }
    }

    fn operand_after(call: &Call, lent: &[PendingLend], operand: &Operand) -> u64 {
        if operand.indirect == 0 {
            return call.operand(operand);
        }
        let copy_of = lent
            .iter()
            .find(|one| call.lends[one.lend as usize].pointer == operand.place);
        let size = usize::from(operand.size.min(8));
        let mut bytes = [0u8; 8];
        match copy_of {
            Some(one) if one.bytes >= size as u64 => {
                copy(bytes.as_mut_ptr() as u64, one.callee, size as u64);
            }
            _ => return 0,
        }
        let value = u64::from_le_bytes(bytes);
        let negative = operand.signed != 0 && value >> (size * 8 - 1) & 1 == 1;
        if negative { 0 } else { value }
    }
}
