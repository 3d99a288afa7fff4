//! Calls that ask about what a path leads to.

use super::judge::{Caller, Level, judge};
use super::target::{Name, O_NOFOLLOW, find_to_look};
use crate::machine::kernel::{self, error, number};
use crate::machine::thread;
use crate::system_calls::granted::perform;

const AT_SYMLINK_NOFOLLOW: u64 = 0x100;
pub const AT_EMPTY_PATH: u64 = 0x1000;
const AT_EACCESS: u64 = 0x200;

/// What is to be found out.
#[derive(Clone, Copy)]
pub enum Question {
    /// `struct stat`, to this address.
    Status(u64),
    /// `struct statx`: flags, mask and address.
    Extended(u64, u64, u64),
    /// `struct statfs`, to this address.
    FileSystem(u64),
    /// Where a link leads: address and size of a buffer.
    Link(u64, u64),
    /// What may be done with it: the mode and flags of faccessat2(2).
    Access(u64, u64),
    /// Nothing: it becomes the working directory.
    Enter,
}

/// Answers a question about what the path at `path` leads to. `flags` are those of
/// the `at` calls.
///
/// # Errors
/// An error number, negative.
pub fn look(
    caller: Caller,
    base: u64,
    path: u64,
    flags: u64,
    question: Question,
) -> Result<i64, i64> {
    let empty = flags & AT_EMPTY_PATH != 0;
    // Since 6.11 a null pointer is an empty path.
    let name = match path {
        0 if empty => Name::of(b"")?,
        _ => Name::read(caller.index, path)?,
    };
    if empty && name.is_empty() {
        // Of a descriptor that is open already, or of the working directory.
        return Ok(ask(caller, base, flags, question));
    }
    let link = flags & AT_SYMLINK_NOFOLLOW != 0 || matches!(question, Question::Link(..));
    let nofollow = if link { O_NOFOLLOW } else { 0 };
    let held = find_to_look(caller, base, &name, nofollow)?;
    judge(caller, &held, Level::Look, None)?;
    Ok(ask(caller, held.number(), flags, question))
}

/// Asks the kernel, which writes its answer with the rights of the caller.
fn ask(caller: Caller, descriptor: u64, flags: u64, question: Question) -> i64 {
    let cubicle = caller.index;
    // The only path that all can read and nobody can write.
    let nothing = nothing();
    match question {
        Question::Status(at) => {
            let flags = flags | AT_EMPTY_PATH;
            let arguments = [descriptor, nothing, at, flags, 0, 0];
            perform(cubicle, number::NEWFSTATAT, arguments)
        }
        Question::Extended(flags, mask, at) => {
            let arguments = [descriptor, nothing, flags | AT_EMPTY_PATH, mask, at, 0];
            perform(cubicle, number::STATX, arguments)
        }
        Question::FileSystem(at) => perform(cubicle, number::FSTATFS, [descriptor, at, 0, 0, 0, 0]),
        Question::Link(at, size) => {
            let arguments = [descriptor, nothing, at, size, 0, 0];
            match perform(cubicle, number::READLINKAT, arguments) {
                // What the kernel says of an empty path that is no link.
                result if result == -error::ENOENT => -error::EINVAL,
                result => result,
            }
        }
        Question::Access(mode, flags) => {
            let flags = flags & AT_EACCESS | AT_EMPTY_PATH;
            let arguments = [descriptor, nothing, mode, flags, 0, 0];
            perform(cubicle, number::FACCESSAT2, arguments)
        }
        // SAFETY: no memory is involved.
        Question::Enter => unsafe { kernel::call(number::FCHDIR, [descriptor, 0, 0, 0, 0, 0]) },
    }
}

/// The address of an empty string.
fn nothing() -> u64 {
    // SAFETY: the address of a field of this thread's block, which is public and
    // which only the monitor writes.
    unsafe { &raw const (*thread::block()).nothing as u64 }
}
