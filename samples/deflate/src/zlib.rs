//! The three functions of zlib this program calls, with slices instead of pointers.
//!
//! Every call here crosses into the cubicle `zlib`. What `Cubicle.toml` lends
//! for it is exactly what the slices say.

use std::ffi::{c_int, c_ulong};

use crate::error::Error;

/// The level zlib itself takes for its default.
pub const DEFAULT_LEVEL: i32 = 6;

/// The most bytes that `length` bytes can be compressed to.
pub fn bound(length: usize) -> usize {
    // SAFETY: no pointers are involved.
    unsafe { libz_sys::compressBound(length as c_ulong) as usize }
}

/// Compresses `source` into `packed`, which is cleared first.
///
/// `level` is 0 (store) to 9 (smallest).
///
/// # Errors
/// [`Error::Zlib`] if zlib refuses the level or finds no memory.
pub fn compress(source: &[u8], level: i32, packed: &mut Vec<u8>) -> Result<(), Error> {
    packed.clear();
    packed.resize(bound(source.len()), 0);
    let mut length = packed.len() as c_ulong;
    // SAFETY: both buffers are as long as zlib is told, and do not overlap.
    let status = unsafe {
        libz_sys::compress2(
            packed.as_mut_ptr(),
            &mut length,
            source.as_ptr(),
            source.len() as c_ulong,
            level as c_int,
        )
    };
    check("compress2", status)?;
    // zlib lives on the other side of a border: what it returns is checked.
    if length as usize > packed.len() {
        return Err(Error::Length {
            expected: packed.len(),
            found: length as usize,
        });
    }
    packed.truncate(length as usize);
    Ok(())
}

/// Restores `packed` into `source`, which becomes exactly `length` bytes long.
///
/// # Errors
/// [`Error::Zlib`] if `packed` is damaged, [`Error::Length`] if it holds fewer
/// bytes than `length`.
pub fn restore(packed: &[u8], length: usize, source: &mut Vec<u8>) -> Result<(), Error> {
    source.clear();
    source.resize(length, 0);
    let mut restored = length as c_ulong;
    // SAFETY: both buffers are as long as zlib is told, and do not overlap.
    let status = unsafe {
        libz_sys::uncompress(
            source.as_mut_ptr(),
            &mut restored,
            packed.as_ptr(),
            packed.len() as c_ulong,
        )
    };
    check("uncompress", status)?;
    if restored as usize != length {
        return Err(Error::Length {
            expected: length,
            found: restored as usize,
        });
    }
    Ok(())
}

fn check(function: &'static str, status: c_int) -> Result<(), Error> {
    match status {
        libz_sys::Z_OK => Ok(()),
        _ => Err(Error::Zlib { function, status }),
    }
}
