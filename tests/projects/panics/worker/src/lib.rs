//! A library that panics, and says so to its caller.

use std::panic::catch_unwind;

/// The sum of the numbers up to `count`, or -1.
#[unsafe(no_mangle)]
pub extern "C" fn worker_total(count: u32) -> i32 {
    catch_unwind(|| summed(count)).unwrap_or(-1)
}

#[inline(never)]
fn summed(count: u32) -> i32 {
    match count {
        0 => panic!("nothing to add"),
        _ => count as i32 + summed(count - 1),
    }
}
