//! What the libraries call in the program.

use std::cell::Cell;
use std::ffi::{CStr, c_char};

use crate::say;

thread_local! {
    /// How many times this thread was called by a library.
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

/// How many times this thread was called by a library.
pub fn calls() -> u32 {
    CALLS.get()
}

/// One step down: calls the engine for the next one.
#[unsafe(no_mangle)]
pub extern "C" fn app_descend(depth: u32, sum: u64, spoken: bool) -> u64 {
    CALLS.set(CALLS.get() + 1);
    if spoken {
        say(&format!("depth {depth}"));
    }
    let kept = Box::new(sum ^ u64::from(depth));
    let below = match depth {
        0 => sum,
        _ => engine::engine_descend(depth - 1, sum.rotate_left(5), spoken),
    };
    below.wrapping_mul(31).wrapping_add(*kept)
}

/// Prints a note.
///
/// # Safety
/// `text` is a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn app_note(text: *const c_char) {
    CALLS.set(CALLS.get() + 1);
    // SAFETY: the caller's promise.
    say(&format!("noted: {:?}", unsafe { CStr::from_ptr(text) }));
}
