//! A function with buffers in both directions.

use std::slice;

use crate::count_call;

/// Describes numbers in a line of text: stores as much of it as fits into
/// `capacity` bytes, and its length there in `written`.
///
/// # Safety
/// `values` has `length` elements, `text` room for `capacity` bytes, and
/// `written` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn engine_describe(
    values: *const i64,
    length: usize,
    text: *mut u8,
    capacity: usize,
    written: *mut usize,
) {
    count_call();
    // What was lent to this library is lent on as it is.
    // SAFETY: the caller's promise.
    let sum = unsafe { legacy_sys::legacy_sum(values, length) };
    // SAFETY: the caller's promise.
    let mut sorted = unsafe { slice::from_raw_parts(values, length) }.to_vec();
    // This is the library's own.
    // SAFETY: the vector is as long as it says.
    unsafe { legacy_sys::legacy_sort(sorted.as_mut_ptr(), sorted.len()) };
    let line = match sorted[..] {
        [] => "no numbers".to_owned(),
        [first, .., last] => {
            let middle = sorted[sorted.len() / 2];
            format!("{length} numbers from {first} to {last}, median {middle}, sum {sum}")
        }
        [only] => format!("1 number, {only}"),
    };
    let fitting = line.len().min(capacity);
    // SAFETY: `text` has room for `capacity` bytes, which `fitting` does not exceed.
    unsafe { text.copy_from_nonoverlapping(line.as_ptr(), fitting) };
    // SAFETY: the caller's promise.
    unsafe { *written = fitting };
}
