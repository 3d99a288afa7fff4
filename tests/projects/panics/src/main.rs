//! Panics in two cubicles, each with a std of its own.

use worker as _;

unsafe extern "C" {
    fn worker_total(count: u32) -> i32;
}

fn main() {
    // SAFETY: it takes and returns numbers.
    let total = unsafe { worker_total(3) };
    check(total);
}

fn check(total: i32) {
    assert_eq!(total, 6, "the worker failed");
}
