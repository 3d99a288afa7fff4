//! What becomes of a call that is refused: it answers an error, and if the
//! manifest wants it so, the first of its kind is reported, or the last thing
//! that the process does.

use super::sets::NUMBERS;
use crate::machine::kernel::error;
use crate::violation::{self, Denied};
use core::sync::atomic::{AtomicU64, Ordering};
use cubicle_abi::layout::MAXIMUM_CUBICLES;
use cubicle_abi::plan::{CUBICLE_DENIED_KILL, CUBICLE_DENIED_LOG, Cubicle};

/// For each cubicle, which calls have been reported: a bit for each number.
type Reported = [[AtomicU64; NUMBERS as usize / 64 + 1]; MAXIMUM_CUBICLES];

static CALLS: Reported =
    [const { [const { AtomicU64::new(0) }; NUMBERS as usize / 64 + 1] }; MAXIMUM_CUBICLES];
static PLACES: Reported =
    [const { [const { AtomicU64::new(0) }; NUMBERS as usize / 64 + 1] }; MAXIMUM_CUBICLES];

/// Refuses a call as such, or for its arguments.
pub fn call(cubicle: usize, policy: &Cubicle, number: u64, why: &str) -> i64 {
    tell(&CALLS, cubicle, policy, number, why.as_bytes());
    -error::EPERM
}

/// Refuses a call for what its path leads to.
pub fn place(cubicle: usize, policy: &Cubicle, number: u64, place: &[u8]) -> i64 {
    tell(&PLACES, cubicle, policy, number, place);
    -error::EACCES
}

fn tell(reported: &Reported, cubicle: usize, policy: &Cubicle, number: u64, detail: &[u8]) {
    let denied = Denied {
        cubicle,
        number,
        detail,
    };
    if policy.flags & CUBICLE_DENIED_KILL != 0 {
        violation::denied_and_ended(&denied);
    }
    if policy.flags & CUBICLE_DENIED_LOG == 0 {
        return;
    }
    // All numbers that no kernel has are one kind.
    let (word, bit) = match number {
        0..NUMBERS => (number as usize / 64, number % 64),
        _ => (NUMBERS as usize / 64, 0),
    };
    let before = reported[cubicle][word].fetch_or(1 << bit, Ordering::Relaxed);
    if before >> bit & 1 == 0 {
        violation::denied(&denied);
    }
}
