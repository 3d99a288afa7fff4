//! Runs the C programs, in the folder that is named.

use std::ffi::CString;

// Their native code is what this is about.
use libsqlite3_sys as _;
use libz_sys as _;

unsafe extern "C" {
    fn use_zlib(folder: *const std::ffi::c_char);
    fn use_sqlite3(folder: *const std::ffi::c_char);
}

fn main() {
    let folder = std::env::args().nth(1).expect("a folder");
    let folder = CString::new(folder).expect("no zero byte");
    // SAFETY: both read a string during the call.
    unsafe {
        use_zlib(folder.as_ptr());
        use_sqlite3(folder.as_ptr());
    }
}
