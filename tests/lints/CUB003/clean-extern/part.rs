use std::ffi::{CStr, c_char};

/// # Safety
/// `words` is a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn longest(words: *const c_char) -> usize {
    // SAFETY: as the caller says.
    let words = unsafe { CStr::from_ptr(words) };
    let words = words.to_str().unwrap_or_default();
    words.split(' ').map(str::len).max().unwrap_or(0)
}
