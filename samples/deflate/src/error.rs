//! What can go wrong, in words for the person at the terminal.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Every failure of this program.
#[derive(Debug)]
pub enum Error {
    /// The command line makes no sense; the text says why.
    Usage(String),
    /// A file could not be opened or created.
    File(PathBuf, io::Error),
    /// Reading or writing failed in between.
    Io(io::Error),
    /// zlib returned something other than `Z_OK`.
    Zlib {
        /// The function of zlib.
        function: &'static str,
        /// Its status, a negative number.
        status: i32,
    },
    /// zlib delivered another number of bytes than it should have.
    Length {
        /// How many bytes there should have been.
        expected: usize,
        /// How many there were.
        found: usize,
    },
    /// The file to restore is not one of ours, or is damaged; the text says where.
    Format(&'static str),
    /// What came back is not what went in.
    Different,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Usage(text) => write!(formatter, "{text}\n\n{}", crate::arguments::USAGE),
            Error::File(path, error) => write!(formatter, "{}: {error}", path.display()),
            Error::Io(error) => write!(formatter, "{error}"),
            Error::Zlib { function, status } => {
                let meaning = match *status {
                    libz_sys::Z_MEM_ERROR => "out of memory",
                    libz_sys::Z_BUF_ERROR => "the data do not fit",
                    libz_sys::Z_DATA_ERROR => "the data are damaged",
                    libz_sys::Z_STREAM_ERROR => "a parameter is invalid",
                    _ => "unknown status",
                };
                write!(formatter, "zlib's {function} returned {status}: {meaning}")
            }
            Error::Length { expected, found } => {
                write!(
                    formatter,
                    "a block of {expected} bytes came back as {found} bytes"
                )
            }
            Error::Format(text) => write!(formatter, "not a file this program wrote: {text}"),
            Error::Different => write!(formatter, "the restored bytes differ from the original"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Error::Io(error)
    }
}
