//! The address space of a partitioned process.
//!
//! ```text
//! 0x0000_0000  nothing (rule 6: a zero GS base must fault)
//! 0x0100_0000  monitor: text, constants, data           key 0
//! 0x0200_0000  plan and the gate texts as data          key 0
//! 0x0300_0000  stubs: entries to the monitor            public, executable
//! 0x03a0_0000  tables of callbacks                      public
//! 0x03c0_0000  stubs of callbacks                       public, executable
//! 0x0400_0000  gates                                    public, executable
//! 0x0800_0000  slot of cubicle 0: its image             public and its own key
//! 0x1000_0000  slot of cubicle 1
//! …
//! 0x7000_0000  slot of cubicle 13
//! 0x7800_0000  end of the last slot, below 2 GiB (small code model)
//!
//! random       arenas, one after the other, ARENA_SIZE each
//! ```

/// Size of a page in bytes.
pub const PAGE: u64 = 4096;

/// Where the monitor's image is linked.
pub const MONITOR_BASE: u64 = 0x0100_0000;
/// End (exclusive) of the monitor's own range.
pub const MONITOR_END: u64 = 0x0200_0000;

/// Where the plan is loaded. The gate texts follow it, as data.
pub const PLAN_BASE: u64 = 0x0200_0000;
/// End (exclusive) of the plan's range.
pub const PLAN_END: u64 = 0x0300_0000;

/// Where the stubs are placed: one system-call gate for each cubicle, the
/// register-clearing routines, and one stub for each patched system-call site.
pub const STUB_BASE: u64 = 0x0300_0000;
/// End (exclusive) of the stubs' range.
pub const STUB_END: u64 = 0x0400_0000;

/// Distance between two routines that clear vector registers, bytes. Routine
/// `n` keeps xmm0 up to `n` registers.
pub const CLEAR_STRIDE: u64 = 256;
/// Bytes that those routines take, for one level of processor.
pub const CLEAR_SIZE: u64 = PAGE;
/// Distance between two system-call gates, bytes; each is followed by the
/// resume stub of the same cubicle at half of it.
pub const ENTRY_STRIDE: u64 = 1024;
/// Where the system-call gates and resume stubs start.
pub const ENTRY_BASE: u64 = STUB_BASE + CLEAR_SIZE;
/// Bytes that they take, whole pages.
pub const ENTRY_SIZE: u64 = page_up(ENTRY_STRIDE * MAXIMUM_CUBICLES as u64);
/// Distance between the stubs of two patched system-call sites, bytes.
pub const SITE_STRIDE: u64 = 16;
/// Where the stubs of patched system-call sites start.
pub const SITE_BASE: u64 = ENTRY_BASE + ENTRY_SIZE;
/// As many patched sites as there is room for.
pub const MAXIMUM_SITES: usize = ((CALLBACK_TABLE_BASE - SITE_BASE) / SITE_STRIDE) as usize;

/// As many callback gates as there is room for.
pub const MAXIMUM_CALLBACKS: usize = 1024;
/// As many different functions as may cross as one callback.
pub const CALLBACK_SLOTS: usize = 256;
/// Where the tables of callbacks are: for each of their slots the address of
/// a function, 0 for a free one. Public, so that gates read what only the
/// monitor writes.
pub const CALLBACK_TABLE_BASE: u64 = 0x03a0_0000;
/// Bytes of one callback's table.
pub const CALLBACK_TABLE_SIZE: u64 = 8 * CALLBACK_SLOTS as u64;
/// Where the stubs of callbacks are: what the side that calls back takes for
/// the function.
pub const CALLBACK_BASE: u64 = 0x03c0_0000;
/// Distance between the stubs of two slots, bytes.
pub const CALLBACK_STRIDE: u64 = 16;

const _: () = assert!(
    CALLBACK_TABLE_BASE + MAXIMUM_CALLBACKS as u64 * CALLBACK_TABLE_SIZE <= CALLBACK_BASE
        && CALLBACK_BASE + (MAXIMUM_CALLBACKS * CALLBACK_SLOTS) as u64 * CALLBACK_STRIDE
            <= STUB_END
);

/// The table of callback `number`.
pub const fn callback_table(number: usize) -> u64 {
    CALLBACK_TABLE_BASE + CALLBACK_TABLE_SIZE * number as u64
}

/// The stub of `slot` of callback `number`.
pub const fn callback_stub(number: usize, slot: usize) -> u64 {
    CALLBACK_BASE + CALLBACK_STRIDE * (number * CALLBACK_SLOTS + slot) as u64
}

/// The callback and the slot whose stub starts at `address`.
pub const fn callback_at(address: u64) -> Option<(usize, usize)> {
    if address < CALLBACK_BASE || address >= STUB_END || !address.is_multiple_of(CALLBACK_STRIDE) {
        return None;
    }
    let index = ((address - CALLBACK_BASE) / CALLBACK_STRIDE) as usize;
    Some((index / CALLBACK_SLOTS, index % CALLBACK_SLOTS))
}

/// The system-call gate of cubicle `index`.
pub const fn system_call_gate(index: usize) -> u64 {
    ENTRY_BASE + ENTRY_STRIDE * index as u64
}

/// The resume stub of cubicle `index`.
pub const fn resume_stub(index: usize) -> u64 {
    system_call_gate(index) + ENTRY_STRIDE / 2
}

/// The cubicle in whose system-call gate or resume stub `address` lies.
pub const fn entry_at(address: u64) -> Option<usize> {
    if address < ENTRY_BASE || address >= ENTRY_BASE + ENTRY_STRIDE * MAXIMUM_CUBICLES as u64 {
        return None;
    }
    Some(((address - ENTRY_BASE) / ENTRY_STRIDE) as usize)
}

/// Distance from a resume stub to its second entry, bytes.
pub const RESUME_AGAIN: u64 = 64;

/// The second entry of the resume stub of cubicle `index`: what a cubicle left in
/// vector and floating-point registers is its own and stays.
pub const fn resume_again(index: usize) -> u64 {
    resume_stub(index) + RESUME_AGAIN
}

/// The stub of patched site `index`.
pub const fn site(index: usize) -> u64 {
    SITE_BASE + SITE_STRIDE * index as u64
}

/// Where gate 0 starts.
pub const GATE_BASE: u64 = 0x0400_0000;
/// Distance between two gates in bytes. A gate that grows beyond it is an
/// error of the build, never an overlap.
pub const GATE_STRIDE: u64 = 1536;
/// End (exclusive) of the gates' range.
pub const GATE_END: u64 = SLOT_BASE;
/// As many gates as the range holds.
pub const MAXIMUM_GATES: u64 = (GATE_END - GATE_BASE) / GATE_STRIDE;

/// Where the slot of cubicle 0 starts.
pub const SLOT_BASE: u64 = 0x0800_0000;
/// Size of a slot in bytes: 128 MiB.
pub const SLOT_SIZE: u64 = 0x0800_0000;

/// As many cubicles (and keyed windows) as there are keys: 16, less key 0
/// (the monitor) and key 1 (public).
pub const MAXIMUM_CUBICLES: usize = 14;

/// Size of a cubicle's arena in bytes, also its alignment: 64 GiB.
pub const ARENA_SIZE: u64 = 1 << 36;
/// The first part of an arena holds frames, one page for each thread.
pub const ARENA_FRAMES: u64 = 16 << 20;
/// Offset in the arena where the heap that `brk` moves begins.
pub const ARENA_HEAP: u64 = ARENA_FRAMES;
/// Offset in the arena where the heap must end and mappings begin.
pub const ARENA_MAPPINGS: u64 = 16 << 30;
/// Offset in the arena where mappings must end and buffers for lends begin.
pub const ARENA_LENDS: u64 = 48 << 30;
/// Offset in the arena where buffers for lends must end and kept objects begin.
pub const ARENA_KEPT: u64 = 56 << 30;

/// First address of the slot of cubicle `index` (0-based).
pub const fn slot(index: usize) -> u64 {
    SLOT_BASE + index as u64 * SLOT_SIZE
}

/// The cubicle in whose slot `address` lies.
pub const fn slot_owner(address: u64) -> Option<usize> {
    if address < SLOT_BASE {
        return None;
    }
    let index = (address - SLOT_BASE) / SLOT_SIZE;
    if index < MAXIMUM_CUBICLES as u64 {
        Some(index as usize)
    } else {
        None
    }
}

/// First address of gate `index`.
pub const fn gate(index: usize) -> u64 {
    GATE_BASE + index as u64 * GATE_STRIDE
}

/// Bytes of the jump at the end of a gate's place.
pub const GATE_TAIL: u64 = 5;

/// Where gate `index` goes on if its callee will not return: as the caller, who is
/// given back what it saved, with the result in r10 and errno in r9. Only gates into
/// cubicles that can be restarted have it.
pub const fn gate_tail(index: usize) -> u64 {
    gate(index) + GATE_STRIDE - GATE_TAIL
}

/// The gate that contains `address`, if it lies among the gates.
pub const fn gate_at(address: u64) -> Option<usize> {
    if address >= GATE_BASE && address < GATE_END {
        Some(((address - GATE_BASE) / GATE_STRIDE) as usize)
    } else {
        None
    }
}

/// `address` rounded up to a page.
pub const fn page_up(address: u64) -> u64 {
    (address + PAGE - 1) & !(PAGE - 1)
}

/// `address` rounded down to a page.
pub const fn page_down(address: u64) -> u64 {
    address & !(PAGE - 1)
}
