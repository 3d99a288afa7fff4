//! What the monitor refuses.

use core::fmt;

/// Why a window could not be made or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// There is no cubicle or keyed window of this name, nothing was added at this address, or the
    /// window is not open to this cubicle.
    NotFound,
    /// The memory is another cubicle's, and no window lends it to this one; or this
    /// cubicle may not write in a keyed window.
    NotOwned,
    /// The memory is a stack: whoever runs on it could not go on without it.
    Stack,
    /// The memory is not mapped, or is constant: then everybody can read it anyway.
    NotMapped,
    /// Something was added at this address already.
    AlreadyAdded,
    /// What was added for reading only cannot be opened for writing.
    ReadOnly,
    /// A cubicle needs no window onto its own memory.
    Itself,
    /// There is nothing to add.
    Empty,
    /// The cubicle has as many windows, or as many ranges in them, as there can be; or
    /// there is no memory left.
    Exhausted,
    /// Another error number of `errno.h`.
    Other(i32),
}

impl fmt::Display for Error {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Error::NotFound => "no such cubicle, window, memory or opening",
            Error::NotOwned => "the memory is not this cubicle's to share",
            Error::Stack => "the memory is a stack",
            Error::NotMapped => "the memory is not mapped, or constant",
            Error::AlreadyAdded => "something was added at this address already",
            Error::ReadOnly => "the window holds memory that is for reading only",
            Error::Itself => "a cubicle needs no window onto its own memory",
            Error::Empty => "there are no bytes to add",
            Error::Exhausted => "there are too many windows or ranges, or there is no memory",
            Error::Other(number) => return write!(to, "error {number}"),
        })
    }
}

impl core::error::Error for Error {}
