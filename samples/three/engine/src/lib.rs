//! A Rust library that can live in a cubicle of its own: what others call are
//! functions with C names and C types; everything Rust stays inside.
//!
//! It has its own copy of std there, with its own heap, standard output buffer, thread-locals,
//! panic hook and unwinder. So no panic may leave it, which every `extern "C"`
//! function has to see to anyway.

mod descend;
mod describe;

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_long};
use std::io::Write;
use std::panic::{self, catch_unwind};

use legacy_sys::{Big, Mixed, Point};

pub use descend::engine_descend;
pub use describe::engine_describe;

thread_local! {
    /// How many times this thread has entered the library.
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

fn count_call() {
    CALLS.set(CALLS.get() + 1);
}

/// Prints a line and flushes it: each cubicle has a buffer of its own, and the
/// lines of all three are to stay in order.
fn say(text: &str) {
    println!("engine: {text}");
    // Nothing can be done here about a closed standard output.
    let _ = std::io::stdout().flush();
}

/// Makes panics in this library print one line to standard output.
#[unsafe(no_mangle)]
pub extern "C" fn engine_open() {
    count_call();
    panic::set_hook(Box::new(|panic| {
        say(&format!(
            "panicked: {}",
            panic.payload_as_str().unwrap_or("?")
        ));
    }));
}

/// How many times this thread has entered the library.
#[unsafe(no_mangle)]
pub extern "C" fn engine_calls() -> u32 {
    CALLS.get()
}

/// Greets through the next library; returns the length of its greeting.
///
/// # Safety
/// `name` is a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn engine_greet(name: *const c_char) -> usize {
    count_call();
    // SAFETY: the caller's promise.
    let name = unsafe { CStr::from_ptr(name) };
    say(&format!("passing {name:?} on"));
    // SAFETY: a C string.
    unsafe { legacy_sys::legacy_greet(name.as_ptr()) }
}

/// Takes element `index` of a list of three and returns it, or -1 after a caught panic.
#[unsafe(no_mangle)]
pub extern "C" fn engine_pick(index: usize) -> i64 {
    count_call();
    let list: Vec<i64> = (1..=3).map(|tens| tens * 10).collect();
    catch_unwind(|| list[index]).unwrap_or(-1)
}

/// The errno value, as this library sees it, of reading `text` as a number; 0 if it is one.
///
/// # Safety
/// `text` is a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn engine_errno(text: *const c_char) -> c_int {
    count_call();
    let mut value: c_long = 0;
    // SAFETY: the caller's promise, and a pointer to a local.
    match unsafe { legacy_sys::legacy_number(text, &mut value) } {
        0 => 0,
        _ => std::io::Error::last_os_error().raw_os_error().unwrap_or(0),
    }
}

/// Structs by value, in registers, further on to the next library.
#[unsafe(no_mangle)]
pub extern "C" fn engine_mix(mixed: Mixed, point: Point) -> Mixed {
    count_call();
    // SAFETY: no pointers are involved.
    unsafe { legacy_sys::legacy_mix(mixed, legacy_sys::legacy_turn(point)) }
}

/// A struct in memory as argument and result, further on to the next library.
#[unsafe(no_mangle)]
pub extern "C" fn engine_shift(big: Big, by: i64) -> Big {
    count_call();
    // SAFETY: no pointers are involved.
    let shifted = unsafe { legacy_sys::legacy_shift(big, by) };
    Big {
        parts: shifted.parts.map(|part| part * 2),
    }
}
