//! The frames of threads: one page in the arena of each cubicle they have entered.

use crate::lock::Guard;
use crate::machine::kernel::{self, PROT_READ, PROT_WRITE, number};
use crate::machine::rights::tag;
use crate::machine::thread;
use crate::mappings::{Kind, Mapping, Mappings};
use crate::process::cubicles;
use crate::process::run::frame_address;
use cubicle_abi::frame::FRAME_SIZE;
use cubicle_abi::rights::cubicle_key;
use cubicle_abi::thread_block::VirtualThread;

/// Gives thread `number` its frame in cubicle `index`, all zeroes. `None`: the
/// cubicle's memory limit, or the kernel, says no.
pub fn map(index: usize, number: usize) -> Option<u64> {
    let at = frame_address(index, number as u64);
    let mut mappings: Guard<'_, Mappings> = cubicles()[index].mappings.lock();
    if mappings.find(at).is_some() {
        // The thread that had it before has left it empty.
        return Some(at);
    }
    let protection = PROT_READ | PROT_WRITE;
    mappings
        .insert(Mapping {
            start: at,
            end: at + FRAME_SIZE,
            protection,
            kind: Kind::Frame,
        })
        .ok()?;
    tag(at, at + FRAME_SIZE, protection, cubicle_key(index)).ok()?;
    Some(at)
}

/// Ends what this thread has in cubicle `index`. The page stays the arena's, empty,
/// for the next thread with this number.
pub fn leave(index: usize) {
    // SAFETY: this thread's block.
    empty(unsafe { &mut (*thread::block()).virtual_threads[index] });
}

/// Empties the frame that a thread has there, if it has one.
pub fn empty(place: &mut VirtualThread) {
    const MADV_DONTNEED: u64 = 4;
    let frame = core::mem::replace(&mut place.frame, 0);
    place.fs = 0;
    if frame != 0 {
        // SAFETY: thread blocks name frames, and nothing else lies there.
        unsafe { kernel::call(number::MADVISE, [frame, FRAME_SIZE, MADV_DONTNEED, 0, 0, 0]) };
    }
}
