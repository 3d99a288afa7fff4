//! Windows: memory that its owner opens for other cubicles of a program that
//! `cargo cubicle` partitions.
//!
//! ```
//! # fn decode(_: *mut u8, _: usize) {}
//! # fn main() -> Result<(), cubicle::Error> {
//! use cubicle::{Access, Cubicle, Window};
//!
//! let mut frame = vec![0u8; 65536];
//! let size = frame.len();
//! let mut window = Window::new()?;
//! let pointer = window.add(&mut frame)?;
//! window.open(Cubicle::find("codec")?, Access::ReadWrite)?;
//! decode(pointer, size); // runs in cubicle `codec`
//! drop(window); // closed and destroyed: `frame` is the caller's alone again
//! assert_eq!(frame[0], 0);
//! # Ok(())
//! # }
//! ```
//!
//! In a plain build all of this compiles to nothing, and everything succeeds, so a
//! library can depend on it whether or not the program is partitioned.
//!
//! A window holds whole pages: every page with a byte of what is added. Whatever
//! else lies there is open, too, so large or page-aligned buffers belong in windows.
//! Access is given and taken back page by page, when somebody touches one; closing
//! takes effect when the owner next touches a page, and [`Window::revoke`] at once.

#![no_std]

extern crate alloc;

mod calls;
mod error;
mod keyed;
mod window;

pub use error::Error;
pub use keyed::{KeyedWindow, SharedMemory};
pub use window::{Access, Window};

/// A cubicle of this program, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cubicle(#[cfg_attr(not(cubicle), allow(dead_code))] i32);

impl Cubicle {
    /// The cubicle that the manifest calls `name`.
    ///
    /// # Errors
    /// [`Error::NotFound`]. Never in a plain build.
    pub fn find(name: &str) -> Result<Cubicle, Error> {
        calls::find(name).map(Cubicle)
    }
}
