//! What `c/codec.c` exports.

use std::ffi::{c_char, c_int, c_ulong};

// The library has no Rust of its own that would bring it in.
use cubicle as _;

#[repr(C)]
pub struct State {
    pub name: *const c_char,
    pub calls: c_ulong,
}

unsafe extern "C" {
    pub static codec_state: State;
    pub fn codec_shift(also: *mut u8, size: usize);
    pub fn codec_fill(to: *mut u8, size: usize);
    pub fn codec_sum(from: *const u8, size: usize) -> c_ulong;
    pub fn codec_table() -> *const c_char;
    pub fn codec_knows() -> c_int;
}
