//! The clock that only runs forward.

use super::kernel::{call, number};

/// CLOCK_MONOTONIC, nanoseconds.
pub fn now() -> u64 {
    const CLOCK_MONOTONIC: u64 = 1;
    let mut time = [0u64; 2];
    // SAFETY: the kernel fills in the two words of a timespec.
    unsafe {
        call(
            number::CLOCK_GETTIME,
            [CLOCK_MONOTONIC, time.as_mut_ptr() as u64, 0, 0, 0, 0],
        );
    }
    time[0] * 1_000_000_000 + time[1]
}
