//! Where in the callee something lent is placed: below its stack pointer, in a
//! buffer of its arena, or, for what is kept, at a place of its own.

use super::LARGE;
use super::buffer::{Buffer, Piece};
use super::kept::KeptObjects;
use crate::lock::Lock;
use crate::machine::kernel::{PROT_READ, PROT_WRITE};
use crate::machine::rights;
use crate::mappings::{Kind, Mapping, Mappings};
use crate::process::{accessible, arena, cubicles};
use core::sync::atomic::{AtomicU64, Ordering};
use cubicle_abi::layout::{ARENA_KEPT, ARENA_LENDS, ARENA_SIZE, MAXIMUM_CUBICLES, PAGE, page_up};
use cubicle_abi::rights::{Rights, cubicle_key};

/// Room a callee finds below its arguments at least, bytes (rule 25).
const HEADROOM: u64 = 4096;

/// All kept objects. Never held while something may be refused: a report
/// needs no lock.
pub static KEPT: Lock<KeptObjects> = Lock::new(KeptObjects::new());

/// For each cubicle: bytes used of its range for kept objects.
static KEPT_USED: [AtomicU64; MAXIMUM_CUBICLES] = [const { AtomicU64::new(0) }; MAXIMUM_CUBICLES];
/// Kept objects' memory grows by so much, bytes.
const KEPT_STEP: u64 = 64 << 10;

/// Why there is no place.
pub enum NoPlace {
    /// The callee's stack pointer does not lead to enough of its own memory.
    Stack,
    /// Its memory limit says no.
    Memory,
}

/// The callee's stack while a call is prepared: it grows downwards.
pub struct Stack {
    to: usize,
    /// Where the callee last left.
    high: u64,
    pub low: u64,
}

impl Stack {
    pub fn new(to: usize, stack: u64) -> Stack {
        Stack {
            to,
            high: stack,
            low: stack & !15,
        }
    }

    /// Room for `bytes`, aligned to 16. The callee's frame may say anything, so
    /// its memory must be its own.
    pub fn take(&mut self, bytes: u64) -> Result<u64, NoPlace> {
        if bytes == 0 && self.low != self.high & !15 {
            // There is room for what was taken before, and below it.
            return Ok(self.low);
        }
        let low = self.low.checked_sub(bytes).ok_or(NoPlace::Stack)? & !15;
        let start = low.saturating_sub(HEADROOM);
        let protection = PROT_READ | PROT_WRITE;
        if low > self.high || !accessible(own_rights(self.to), start, self.high - start, protection)
        {
            return Err(NoPlace::Stack);
        }
        self.low = low;
        Ok(low)
    }
}

/// What belongs to a cubicle itself, not to those it sees.
pub fn own_rights(index: usize) -> Rights {
    Rights::NONE.writing(cubicle_key(index))
}

/// A place for the time of the call.
pub fn borrow(stack: &mut Stack, buffer: &mut Buffer, bytes: u64) -> Result<u64, NoPlace> {
    if bytes < LARGE {
        return stack.take(bytes);
    }
    let size = page_up(bytes);
    if let Some(place) = buffer.take(size) {
        return Ok(place);
    }
    grow(stack.to, buffer, size)?;
    buffer.take(size).ok_or(NoPlace::Memory)
}

/// One more piece, as large as the last two, or just large enough if the callee's
/// memory limit does not admit that.
fn grow(to: usize, buffer: &mut Buffer, size: u64) -> Result<(), NoPlace> {
    let wanted = buffer.next_size(size).ok_or(NoPlace::Memory)?;
    let piece = new_piece(to, wanted).or_else(|| new_piece(to, size));
    buffer.add(piece.ok_or(NoPlace::Memory)?);
    Ok(())
}

fn new_piece(to: usize, size: u64) -> Option<Piece> {
    let (low, high) = (arena(to) + ARENA_LENDS, arena(to) + ARENA_KEPT);
    let mut mappings = cubicles()[to].mappings.lock();
    let start = mappings.free(low, high, size)?;
    map(&mut mappings, to, start, start + size)?;
    Some(Piece { start, size })
}

/// The thread that had these buffers has ended in cubicle `index`.
pub fn give_back(index: usize, buffer: &mut Buffer) {
    let mut mappings = cubicles()[index].mappings.lock();
    for piece in buffer.pieces() {
        let (start, end) = (piece.start, piece.start + piece.size);
        mappings.release(start, end);
        crate::memory_calls::reserve(start, end);
    }
    *buffer = Buffer::EMPTY;
}

/// Makes part of the arena the callee's memory, while its table is locked.
fn map(mappings: &mut Mappings, to: usize, start: u64, end: u64) -> Option<()> {
    let protection = PROT_READ | PROT_WRITE;
    mappings
        .insert(Mapping {
            start,
            end,
            protection,
            kind: Kind::Monitor,
        })
        .ok()?;
    if rights::tag(start, end, protection, cubicle_key(to)).is_err() {
        mappings.release(start, end);
        return None;
    }
    Some(())
}

/// New room for kept objects in a cubicle; `size` is a power of two.
pub fn kept_room(to: usize, size: u64) -> Option<u64> {
    let base = arena(to) + ARENA_KEPT;
    let used = KEPT_USED[to].load(Ordering::Relaxed);
    // No object crosses a page needlessly, and large ones begin with one.
    let start = used.next_multiple_of(size.min(PAGE));
    let end = start.checked_add(size)?;
    if base + end > arena(to) + ARENA_SIZE {
        return None;
    }
    let mapped = used.next_multiple_of(KEPT_STEP);
    if end > mapped {
        let mut mappings = cubicles()[to].mappings.lock();
        let new_end = base + end.next_multiple_of(KEPT_STEP);
        map(&mut mappings, to, base + mapped, new_end)?;
    }
    KEPT_USED[to].store(end, Ordering::Relaxed);
    Some(base + start)
}

/// The memory of rooms for kept objects, in an arena that has just been reserved anew.
pub fn map_kept_again(to: usize) {
    let used = KEPT_USED[to].load(Ordering::Relaxed);
    if used == 0 {
        return;
    }
    let base = arena(to) + ARENA_KEPT;
    let end = base + used.next_multiple_of(KEPT_STEP);
    let mut mappings = cubicles()[to].mappings.lock();
    if map(&mut mappings, to, base, end).is_none() {
        crate::violation::fatal("there is no memory for a cubicle that starts anew");
    }
}

/// Has anything ever been kept in a cubicle? Until then no call need look for it,
/// which takes the lock.
pub fn has_kept(to: usize) -> bool {
    KEPT_USED[to].load(Ordering::Relaxed) != 0
}

/// Could this address lead to a kept object of a cubicle?
pub fn is_kept(to: usize, address: u64) -> bool {
    address.wrapping_sub(arena(to) + ARENA_KEPT) < KEPT_USED[to].load(Ordering::Relaxed)
}
