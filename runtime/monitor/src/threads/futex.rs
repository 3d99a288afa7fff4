//! `futex`: waiting and waking on words of the caller's own memory.
//!
//! The kernel does not check every address (rule 17): a wake succeeds on closed
//! pages. So each one must be a word that the caller may touch.

use crate::machine::kernel::{self, error, number};
use crate::machine::rights::call_as;
use crate::memory_calls::{owns_word, owns_writable_word};
use crate::process::rights;

const WAIT: u64 = 0;
const WAKE: u64 = 1;
const REQUEUE: u64 = 3;
const CMP_REQUEUE: u64 = 4;
const WAKE_OP: u64 = 5;
const WAIT_BITSET: u64 = 9;
const WAKE_BITSET: u64 = 10;
/// The flags PRIVATE and CLOCK_REALTIME are above it.
const COMMAND: u64 = 0x7f;

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
    perform(cubicle, arguments)
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
