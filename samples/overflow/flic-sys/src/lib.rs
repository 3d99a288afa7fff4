//! What `c/flic.h` declares.

#![no_std]

use core::ffi::c_int;

/// The width of every FLI animation in pixels.
pub const WIDTH: usize = 320;

/// The height of every FLI animation in pixels.
pub const HEIGHT: usize = 200;

/// A decoder. Its inside is the decoder's own business.
#[repr(C)]
pub struct Flic {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    /// Copies `length` bytes of a file. Null if it is no FLI animation.
    pub fn flic_open(file: *const u8, length: usize) -> *mut Flic;
    /// Decodes the next frame into `length` bytes: 1, or 0 at the end, or -1 if
    /// the file is damaged or `length` is not `WIDTH * HEIGHT`.
    pub fn flic_next(flic: *mut Flic, pixels: *mut u8, length: usize) -> c_int;
    /// Frees everything. Null is allowed.
    pub fn flic_close(flic: *mut Flic);
}
