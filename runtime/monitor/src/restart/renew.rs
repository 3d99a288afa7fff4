//! From dead to new.

use super::alive::{Life, Phase, set_dying};
use crate::machine::kernel::{self, PROT_READ, number};
use crate::machine::rights::tag;
use crate::machine::thread;
use crate::memory_calls;
use crate::process::run::frame_address;
use crate::process::{self, arena, callbacks, cubicles, lends};
use crate::signals;
use crate::threads::pool;
use crate::windows;
use core::sync::atomic::Ordering;
use cubicle_abi::frame::Frame;
use cubicle_abi::layout::ARENA_SIZE;
use cubicle_abi::rights::cubicle_key;

/// From here on nothing of the cubicle can be written, by whatever thread, and no
/// thread enters it. Those that are inside are noted, but for this one, of which the
/// caller knows more.
pub fn poison(cubicle: usize, life: &mut Life) {
    life.closed = true;
    windows::retire(cubicle);
    // What would wait for them could wait for long.
    signals::actions::retire(cubicle);
    // Nobody waits for a `main` that does not come back.
    cubicles()[cubicle].parked_main.forget();
    for number in 0..pool::MOST_THREADS {
        if pool::is_used(number) {
            let block = pool::memory(number).block();
            // SAFETY: the block of a thread that exists; gates read this word at any
            // time, and find that there is no frame.
            unsafe { (&raw mut (*block).virtual_threads[cubicle].frame).write_volatile(0) };
        }
    }
    let mut mappings = cubicles()[cubicle].mappings.lock();
    mappings.limit_protection(PROT_READ, |start, end, protection| {
        if tag(start, end, protection, cubicle_key(cubicle)).is_err() {
            crate::violation::fatal("the kernel refused to close a cubicle that has failed");
        }
    });
    // SAFETY: this thread's state.
    let own = unsafe { (*thread::state()).number };
    for number in (0..pool::MOST_THREADS).filter(|number| *number != own) {
        let frame = frame_address(cubicle, number as u64);
        // SAFETY: frames in the cubicle's table are mapped, and can be read.
        let inside = mappings.find(frame).is_some()
            && unsafe { (&raw const (*(frame as *const Frame)).inside).read_volatile() } != 0;
        if inside {
            life.inside[number / 64] |= 1 << (number % 64);
        }
    }
    drop(mappings);
    for number in (0..pool::MOST_THREADS).filter(|number| *number != own) {
        let inside = life.inside[number / 64] >> (number % 64) & 1 == 1;
        if pool::is_used(number) && (inside || runs(number, cubicle)) {
            signals::rouse::rouse(number, cubicle);
        }
    }
}

/// Does the monitor make the cubicle run on thread `number`? It cannot begin to any more.
fn runs(number: usize, cubicle: usize) -> bool {
    let state = pool::memory(number).state();
    // SAFETY: the state of a thread that exists, of which one byte is read.
    unsafe { (&raw const (*state).restart.runs[cubicle]).read_volatile() != 0 }
}

/// Nobody is inside: the cubicle gets the memory it had before it first ran.
pub fn renew(cubicle: usize, life: &mut Life) {
    let Some(plan) = process::plan() else {
        return;
    };
    let own = &cubicles()[cubicle];
    {
        let mut mappings = own.mappings.lock();
        // The whole arena, which nobody has memory of any more.
        memory_calls::reserve(arena(cubicle), arena(cubicle) + ARENA_SIZE);
        const MADV_DONTNEED: u64 = 4;
        let segments = plan.segments(&plan.cubicles()[cubicle]).iter();
        for segment in segments.filter(|segment| segment.key == cubicle_key(cubicle)) {
            let size = segment.end - segment.start;
            // SAFETY: the image's own data: its private pages go, and what comes in
            // their place is the file's.
            unsafe {
                kernel::call(
                    number::MADVISE,
                    [segment.start, size, MADV_DONTNEED, 0, 0, 0],
                )
            };
        }
        mappings.clear();
    }
    own.heap_end.store(0, Ordering::Relaxed);
    lends::retire(cubicle);
    callbacks::retire(cubicle);
    process::start::prepare(plan, cubicle);
    life.phase = Phase::New;
    life.closed = false;
    set_dying(cubicle, false);
}
