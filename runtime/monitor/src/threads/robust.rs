//! Robust mutexes that a thread holds when it ends (Linux,
//! Documentation/locking/robust-futex-ABI.rst): the next one who locks such a mutex
//! is told that its owner died.
//!
//! ```text
//!   head: first entry │ offset of the word from an entry │ entry that is being
//!                                                          locked or unlocked
//! ```
//!
//! Everything is the cubicle's own memory, read and written with its rights; it may
//! change while it is read, so the list is followed for so long and no longer.

use super::words;
use crate::machine::assembly::cubicle_exchange;
use crate::machine::kernel::{PROT_READ, PROT_WRITE};
use crate::memory_calls;
use crate::process::{accessible, rights};

/// As many entries as the kernel follows.
const LONGEST: usize = 2048;

const WAITERS: u32 = 0x8000_0000;
const OWNER_DIED: u32 = 0x4000_0000;
const OWNER: u32 = 0x3fff_ffff;

/// Marks the words of the mutexes in the list at `head` that thread `id` owns.
pub fn give_up(cubicle: usize, head: u64, id: u32) {
    if head == 0 {
        return;
    }
    let words = [head, head.wrapping_add(8), head.wrapping_add(16)];
    let [Some(first), Some(offset), Some(pending)] = words.map(|at| word(cubicle, at)) else {
        return;
    };
    let mut entry = first;
    for _ in 0..LONGEST {
        if entry & !1 == head {
            break;
        }
        // The next one first: the word may free the mutex.
        let next = word(cubicle, entry & !1);
        if entry != pending {
            mark(cubicle, entry, offset, id);
        }
        match next {
            Some(next) => entry = next,
            None => break,
        }
    }
    if pending != 0 {
        mark(cubicle, pending, offset, id);
    }
}

fn mark(cubicle: usize, entry: u64, offset: u64, id: u32) {
    // Bit 0 says that it inherits priorities; those are refused.
    let at = (entry & !1).wrapping_add(offset);
    let both = PROT_READ | PROT_WRITE;
    if !at.is_multiple_of(4) || !accessible(rights(cubicle), at, 4, both) {
        words::exchange_undefended(at, Some(id), OWNER_DIED);
        return;
    }
    let mut bytes = [0; 4];
    for _ in 0..LONGEST {
        if !memory_calls::read(cubicle, at, &mut bytes) {
            return;
        }
        let old = u32::from_le_bytes(bytes);
        if old & OWNER != id {
            return;
        }
        // SAFETY: checked above; a fault that comes nevertheless is answered.
        let result = unsafe { cubicle_exchange(at, old, old & WAITERS | OWNER_DIED) };
        match result {
            0 if old & WAITERS != 0 => return super::futex::wake_shared(at),
            // Changed meanwhile.
            1 => {}
            _ => return,
        }
    }
}

fn word(cubicle: usize, at: u64) -> Option<u64> {
    let mut bytes = [0; 8];
    memory_calls::read(cubicle, at, &mut bytes).then(|| u64::from_le_bytes(bytes))
}
