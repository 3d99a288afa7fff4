//! Three components that call each other: this program, a Rust library and a
//! C++ library. Under plain cargo they share everything; under `cargo cubicle`
//! each has its own libc, heap, stack, thread-locals and unwinder, and the
//! output is the same.

mod exports;
mod shapes;

use std::ffi::{CStr, c_long};
use std::io::{self, Write};

fn main() {
    engine::engine_open();
    chain();
    recursion();
    shapes::show();
    failures();
    memory();
    thread_locals();
}

/// Prints a line and flushes it: each cubicle has a buffer of its own, and the
/// lines of all three are to stay in order.
fn say(text: &str) {
    println!("app: {text}");
    // Nothing can be done here about a closed standard output.
    let _ = io::stdout().flush();
}

/// app → engine → legacy → app, with a C string lent at each step.
fn chain() {
    say("-- a chain");
    // SAFETY: a C string.
    let length = unsafe { engine::engine_greet(c"neighbour".as_ptr()) };
    say(&format!("the greeting had {length} bytes"));
}

/// app → engine → legacy → app → engine → …
fn recursion() {
    say("-- recursion");
    let spoken = exports::app_descend(8, 2, true);
    say(&format!("8 steps: {spoken:016x}"));
    say(&format!(
        "300 steps: {:016x}",
        exports::app_descend(300, 1, false)
    ));
}

/// Panics, exceptions, longjmp and errno: each stays where it belongs.
fn failures() {
    say("-- failures");
    say(&format!("element 1 is {}", engine::engine_pick(1)));
    say(&format!("element 7 is {}", engine::engine_pick(7)));
    // SAFETY: no pointers are involved.
    let destructors = unsafe { legacy_sys::legacy_throw(5) };
    say(&format!("{destructors} destructors ran"));
    // SAFETY: the longjmp inside passes over frames of the C++ library only.
    let laps = unsafe { legacy_sys::legacy_rewind(3) };
    say(&format!("{laps} laps"));
    for text in [c"42", c"forty-two", c"99999999999999999999"] {
        say(&format!("{text:?}: {}", number(text)));
        // SAFETY: a C string.
        say(&format!("the engine's errno: {}", unsafe {
            engine::engine_errno(text.as_ptr())
        }));
    }
}

/// The number in `text`, or what errno says about it.
fn number(text: &CStr) -> String {
    let mut value: c_long = -1;
    // SAFETY: a C string, and a pointer to a local.
    match unsafe { legacy_sys::legacy_number(text.as_ptr(), &mut value) } {
        0 => value.to_string(),
        _ => io::Error::last_os_error().to_string(),
    }
}

/// Buffers that are read, written, and lent on; short ones and long ones.
fn memory() {
    say("-- memory");
    for length in [0, 1, 7, 5000] {
        let values: Vec<i64> = (0..length)
            .map(|i| (i * 7919 + 13) % 10_007 - 5000)
            .collect();
        say(&describe(&values));
    }
    let mut values: Vec<i64> = vec![3, 1, 2];
    // SAFETY: the vector is as long as it says.
    unsafe { legacy_sys::legacy_sort(values.as_mut_ptr(), values.len()) };
    say(&format!("sorted: {values:?}"));
}

fn describe(values: &[i64]) -> String {
    let mut text = [b'?'; 48];
    let mut written = usize::MAX;
    // SAFETY: the buffers are as long as they say.
    unsafe {
        engine::engine_describe(
            values.as_ptr(),
            values.len(),
            text.as_mut_ptr(),
            text.len(),
            &mut written,
        );
    }
    // What lies beyond `written` is as it was.
    assert!(text[written..].iter().all(|byte| *byte == b'?'));
    String::from_utf8_lossy(&text[..written]).into_owned()
}

/// Each side counted its own calls in its own thread-local variable.
fn thread_locals() {
    say("-- thread-locals");
    // SAFETY: no pointers are involved.
    let legacy = unsafe { legacy_sys::legacy_calls() };
    say(&format!(
        "calls counted: app {}, engine {}, legacy {legacy}",
        exports::calls(),
        engine::engine_calls()
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_what_errno_says_about_others() {
        assert_eq!(number(c"-7"), "-7");
        assert_eq!(number(c"7 "), "Invalid argument (os error 22)");
        assert_eq!(
            number(c"9223372036854775808"),
            "Numerical result out of range (os error 34)"
        );
    }

    #[test]
    fn a_description_is_cut_to_fit() {
        assert_eq!(describe(&[]), "no numbers");
        let line = describe(&[i64::MIN + 1, 0, i64::MAX]);
        assert_eq!(line, "3 numbers from -9223372036854775807 to 922337203");
    }

    #[test]
    fn a_panic_stays_in_the_engine() {
        assert_eq!(engine::engine_pick(2), 30);
        assert_eq!(engine::engine_pick(3), -1);
    }

    #[test]
    fn the_recursion_adds_up() {
        assert_eq!(exports::app_descend(300, 1, false), 0x2160_3e89_32bc_d211);
    }
}
