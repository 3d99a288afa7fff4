//! `futex`: waiting and waking on words of the caller's own memory.
//!
//! The kernel does not check every address (rule 17): a wake succeeds on closed
//! pages. So each one must be a word that the caller may touch.

use crate::machine::kernel::{self, error, number};
use crate::machine::rights::call_as;
use crate::machine::thread;
use crate::memory_calls::{self, owns_word, owns_writable_word};
use crate::process::{self, rights};
use crate::restart;
use crate::threads::pool;
use core::sync::atomic::Ordering;

const WAIT: u64 = 0;
const WAKE: u64 = 1;
const REQUEUE: u64 = 3;
const CMP_REQUEUE: u64 = 4;
const WAKE_OP: u64 = 5;
const WAIT_BITSET: u64 = 9;
const WAKE_BITSET: u64 = 10;
/// The flags [`PRIVATE`] and CLOCK_REALTIME are above it.
const COMMAND: u64 = 0x7f;
const PRIVATE: u64 = 0x80;

/// `futex` of `cubicle`. What inherits priorities is not there: the kernel would
/// write the words at the thread's end.
pub fn call(cubicle: usize, arguments: [u64; 6]) -> i64 {
    let [address, operation, _, _, second, _] = arguments;
    let owned = match operation & COMMAND {
        WAIT | WAKE | WAIT_BITSET | WAKE_BITSET => owns_word(cubicle, address),
        REQUEUE | CMP_REQUEUE => owns_word(cubicle, address) && owns_word(cubicle, second),
        WAKE_OP => owns_word(cubicle, address) && owns_writable_word(cubicle, second),
        _ => return -error::ENOSYS,
    };
    if !owned {
        return -error::EFAULT;
    }
    match operation & COMMAND {
        WAIT | WAIT_BITSET if restart::is_restartable(cubicle) => wait(cubicle, arguments),
        _ => perform(cubicle, arguments),
    }
}

/// Waits in a cubicle that may fail meanwhile: whom it waits for may never come back then.
fn wait(cubicle: usize, arguments: [u64; 6]) -> i64 {
    // SAFETY: this thread's state.
    let waits = unsafe { &(*thread::state()).waits };
    waits.store(arguments[0], Ordering::SeqCst);
    // Whoever finds it dying after this has not been seen by `wake_all`.
    let result = match restart::is_dying(cubicle) {
        true => -error::EINTR,
        false => perform(cubicle, arguments),
    };
    waits.store(0, Ordering::SeqCst);
    result
}

/// The cubicle is dying: wakes all that wait for words of its memory, which is still open. Who
/// is about to wait finds that the word has changed.
pub fn wake_all(cubicle: usize) {
    for number in (0..pool::MOST_THREADS).filter(|number| pool::is_used(*number)) {
        // SAFETY: the memory of a thread stays mapped when it has ended, and the word is
        // there for others to read.
        let at = unsafe { (*pool::memory(number).state()).waits.load(Ordering::SeqCst) };
        let mut word = [0; 4];
        if process::owner(at) != Some(cubicle) || !memory_calls::read(cubicle, at, &mut word) {
            continue;
        }
        // Nobody reads it any more for what it says.
        memory_calls::write_word(cubicle, at, !u32::from_ne_bytes(word));
        for private in [0, PRIVATE] {
            const ALL: u64 = i32::MAX as u64;
            // SAFETY: nothing is written.
            unsafe { kernel::call(number::FUTEX, [at, WAKE | private, ALL, 0, 0, 0]) };
        }
    }
}

/// With the caller's rights. A word in a window may have changed hands between the
/// check and the kernel's look at it; another cubicle that does that all the time
/// is not waited for.
fn perform(cubicle: usize, arguments: [u64; 6]) -> i64 {
    const ATTEMPTS: usize = 64;
    let own = rights(cubicle);
    for _ in 0..ATTEMPTS {
        crate::windows::arguments::admit(cubicle, number::FUTEX, &arguments, 4);
        let result = call_as(own, number::FUTEX, arguments);
        if result != -error::EFAULT || !crate::windows::in_use() {
            return result;
        }
    }
    -error::EFAULT
}

/// Wakes one thread that waits for a word of a cubicle's, which it may touch, as
/// the kernel does it at the end of a thread.
pub fn wake_shared(at: u64) {
    // SAFETY: nothing is written.
    unsafe { kernel::call(number::FUTEX, [at, WAKE, 1, 0, 0, 0]) };
}
