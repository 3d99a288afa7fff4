//! Numbers of threads, and the memory that belongs to each.
//!
//! ```text
//!   IDS        [ 0 ][ 1 ][ 2 ] …        the kernel's id; 0: the number is free
//!   reserved        [ 1 ][ 2 ] …        `ThreadMemory`, made accessible when the
//!                                       number is first used, empty when it ends
//! ```
//!
//! The kernel itself clears a thread's id once nothing of the thread runs any
//! more (CLONE_CHILD_CLEARTID). It does so with the rights that the thread ended
//! with, which are the monitor's: the table has key 0.

use crate::lock::Lock;
use crate::machine::kernel::{
    self, MAP_ANONYMOUS, MAP_NORESERVE, MAP_PRIVATE, PROT_READ, PROT_WRITE, number,
};
use crate::machine::rights::tag;
use crate::machine::thread::{FIRST, ThreadMemory};
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use cubicle_abi::frame::FRAME_SIZE;
use cubicle_abi::layout::{ARENA_FRAMES, PAGE};
use cubicle_abi::rights::KEY_PUBLIC;

/// As many threads as there may be at once: each has its place among the frames
/// of an arena.
pub const MOST_THREADS: usize = (ARENA_FRAMES / FRAME_SIZE) as usize;

const SIZE: u64 = size_of::<ThreadMemory>() as u64;
const ALIGNMENT: u64 = align_of::<ThreadMemory>() as u64;

/// Stands for an id that the kernel has not given yet.
const TAKEN: u32 = 0x7fff_ffff;

static IDS: [AtomicU32; MOST_THREADS] = [const { AtomicU32::new(0) }; MOST_THREADS];
/// Where number 0 would have its memory; 0 before the first thread is created.
static BASE: AtomicU64 = AtomicU64::new(0);

/// The numbers whose memory has been made accessible, one bit for each.
struct Ready([u64; MOST_THREADS / 64]);

static READY: Lock<Ready> = Lock::new(Ready([0; MOST_THREADS / 64]));

/// The word in which the kernel puts the id of thread `number`, and which it
/// clears when the thread is gone.
pub fn id_word(number: usize) -> &'static AtomicU32 {
    &IDS[number]
}

/// The memory of thread `number`, which must have been taken.
pub fn memory(number: usize) -> &'static ThreadMemory {
    if number == 0 {
        return &FIRST;
    }
    let at = BASE.load(Ordering::Relaxed) + number as u64 * SIZE;
    // SAFETY: `take` has made it accessible, and it is never unmapped.
    unsafe { &*(at as *const ThreadMemory) }
}

/// Is this the monitor's memory of some thread?
pub fn contains(address: u64) -> bool {
    let base = BASE.load(Ordering::Relaxed);
    base != 0 && address.wrapping_sub(base) < SIZE * MOST_THREADS as u64
}

/// Is there a thread with this number, or its memory at least?
pub fn is_used(number: usize) -> bool {
    IDS[number].load(Ordering::Acquire) != 0
}

/// The kernel's id of thread `number`, if there is one.
pub fn id(number: usize) -> Option<u32> {
    let id = IDS[number].load(Ordering::Acquire);
    (id != 0 && id != TAKEN).then_some(id)
}

/// The number of the thread with this id.
pub fn find(id: u32) -> Option<usize> {
    if id == 0 || id == TAKEN {
        return None;
    }
    IDS.iter()
        .position(|word| word.load(Ordering::Acquire) == id)
}

/// The first thread's number is 0, for ever.
pub fn enter_first(id: u32) {
    IDS[0].store(id, Ordering::Relaxed);
}

/// While it lives, no number is taken.
pub struct Unchanged {
    _ready: crate::lock::Guard<'static, Ready>,
}

/// Waits until no number is about to be taken.
pub fn hold() -> Unchanged {
    Unchanged {
        _ready: READY.lock(),
    }
}

/// In a child: of all threads only `own` is there, and the kernel calls it `id`.
pub fn only_this_one(own: usize, id: u32) {
    for number in (0..MOST_THREADS).filter(|number| *number != own) {
        if IDS[number].load(Ordering::Acquire) == 0 {
            continue;
        }
        let memory = memory(number);
        // SAFETY: the thread is in the parent, and its memory here is nobody's.
        unsafe {
            crate::process::lends::forget_thread(number, &mut (*memory.state()).lends);
            for place in &mut (*memory.block()).virtual_threads {
                super::frames::empty(place);
            }
        }
        // The first number is never given again.
        match number {
            0 => IDS[0].store(TAKEN, Ordering::Relaxed),
            _ => give_back(number),
        }
    }
    IDS[own].store(id, Ordering::Relaxed);
    if own != 0 {
        let word = IDS[own].as_ptr() as u64;
        // SAFETY: the kernel clears the word of its number at its end.
        unsafe { kernel::call(number::SET_TID_ADDRESS, [word, 0, 0, 0, 0, 0]) };
    }
}

/// A free number and its memory, all zeroes but for the thread block and the
/// header of the signal stack. `None`: there are too many threads, or no memory.
pub fn take() -> Option<usize> {
    let mut ready = READY.lock();
    let number = (1..MOST_THREADS).find(|number| IDS[*number].load(Ordering::Acquire) == 0)?;
    if BASE.load(Ordering::Relaxed) == 0 {
        BASE.store(reserve()?, Ordering::Relaxed);
    }
    let (word, bit) = (number / 64, 1 << (number % 64));
    if ready.0[word] & bit == 0 {
        make_ready(number)?;
        ready.0[word] |= bit;
    }
    IDS[number].store(TAKEN, Ordering::Relaxed);
    // SAFETY: ready, and the number is nobody else's.
    unsafe { memory(number).prepare() };
    Some(number)
}

/// Gives a number back for which no thread was created after all.
pub fn give_back(number: usize) {
    empty(number);
    IDS[number].store(0, Ordering::Release);
}

/// Returns to the kernel what a thread has written in its memory, but for the
/// stack that it may be running on and its block. What is used again is zeroes.
pub fn empty(number: usize) {
    const MADV_DONTNEED: u64 = 4;
    let memory = memory(number);
    let state = memory.state() as u64;
    let (stack, size) = memory.signal_range();
    let end = memory as *const ThreadMemory as u64 + SIZE;
    for (start, size) in [(state, end - state), (stack, size)] {
        // SAFETY: key-0 memory of this thread only, which has no use for it now.
        unsafe { kernel::call(number::MADVISE, [start, size, MADV_DONTNEED, 0, 0, 0]) };
    }
}

/// Address space for all of them, aligned.
fn reserve() -> Option<u64> {
    let size = SIZE * MOST_THREADS as u64 + ALIGNMENT;
    // SAFETY: a fresh mapping.
    let at = unsafe {
        kernel::call(
            number::MMAP,
            [
                0,
                size,
                0,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                u64::MAX,
                0,
            ],
        )
    };
    (at > 0).then(|| (at as u64).next_multiple_of(ALIGNMENT))
}

/// Makes the memory of a number accessible: the monitor's key, which is the
/// kernel's default, but for the block; the page below the signal stack stays
/// closed.
fn make_ready(number: usize) -> Option<()> {
    let memory = memory(number);
    let (start, guard) = (memory as *const ThreadMemory as u64, memory.signal_guard());
    let block = memory.block() as u64;
    for (from, to) in [(start, guard), (guard + PAGE, start + SIZE)] {
        // SAFETY: reserved for this thread.
        let result = unsafe {
            kernel::call(
                number::MPROTECT,
                [from, to - from, u64::from(PROT_READ | PROT_WRITE), 0, 0, 0],
            )
        };
        if result < 0 {
            return None;
        }
    }
    tag(block, block + PAGE, PROT_READ | PROT_WRITE, KEY_PUBLIC).ok()
}
