//! Calls that change what a path leads to, or what is in a folder.

use super::held::Held;
use super::judge::{Caller, Level, judge, status};
use super::looking::AT_EMPTY_PATH;
use super::target::{AT_FDCWD, Name, O_NOFOLLOW, find_folder, find_or_itself};
use crate::machine::kernel::{self, error, number};
use crate::memory_calls;
use crate::system_calls::granted::perform;

const AT_SYMLINK_NOFOLLOW: u64 = 0x100;
const AT_SYMLINK_FOLLOW: u64 = 0x400;

/// A path: the folder it counts from, and its address.
#[derive(Clone, Copy)]
pub struct Path {
    pub base: u64,
    pub at: u64,
}

impl Path {
    /// One that counts from the working directory.
    pub fn of(at: u64) -> Path {
        Path { base: AT_FDCWD, at }
    }
}

/// What is to happen to what is there.
#[derive(Clone, Copy)]
pub enum Change {
    /// The length.
    Truncate(u64),
    Mode(u64),
    /// User and group.
    Owner(u64, u64),
    /// When it was used and changed, or now.
    Times(Option<[u64; 4]>),
}

/// Changes what `path` leads to. `flags`: those of the `at` calls.
///
/// # Errors
/// An error number, negative.
pub fn change(caller: Caller, path: Path, flags: u64, change: Change) -> Result<i64, i64> {
    const KNOWN: u64 = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
    if flags & !KNOWN != 0 {
        return Err(-error::EINVAL);
    }
    let empty = flags & AT_EMPTY_PATH != 0;
    let name = match path.at {
        0 if empty => Name::of(b"")?,
        _ => Name::read(caller.index, path.at)?,
    };
    let nofollow = if flags & AT_SYMLINK_NOFOLLOW != 0 {
        O_NOFOLLOW
    } else {
        0
    };
    let held = find_or_itself(caller, path.base, &name, nofollow, empty)?;
    judge(caller, &held, Level::Write, None)?;
    done(change_held(&held, change))
}

/// Makes a call that changes what its first argument, a descriptor, names, even if
/// that is not open for writing.
///
/// # Errors
/// An error number, negative.
pub fn change_open(caller: Caller, arguments: [u64; 6]) -> Result<i64, i64> {
    let [descriptor, b, c, d, e, f] = arguments;
    let held = Held::copy(descriptor)?;
    judge(caller, &held, Level::Write, None)?;
    let arguments = [held.number(), b, c, d, e, f];
    Ok(perform(caller.index, caller.number, arguments))
}

fn change_held(held: &Held, change: Change) -> i64 {
    const LINK: u32 = 0o120_000;
    const EOPNOTSUPP: i64 = 95;
    let path = held.path();
    let (path, nothing) = (path.address(), c"".as_ptr() as u64);
    let number = held.number();
    // SAFETY: all that is pointed to is the monitor's.
    unsafe {
        match change {
            Change::Truncate(length) => kernel::call(number::TRUNCATE, [path, length, 0, 0, 0, 0]),
            Change::Mode(_) if status(number).is_ok_and(|(mode, ..)| mode & 0o170_000 == LINK) => {
                -EOPNOTSUPP
            }
            Change::Mode(mode) => kernel::call(number::FCHMODAT, [AT_FDCWD, path, mode, 0, 0, 0]),
            Change::Owner(user, group) => {
                let arguments = [number, nothing, user, group, AT_EMPTY_PATH, 0];
                kernel::call(number::FCHOWNAT, arguments)
            }
            Change::Times(times) => {
                let at = times.as_ref().map_or(0, |times| times.as_ptr() as u64);
                let arguments = [number, nothing, at, AT_EMPTY_PATH, 0, 0];
                kernel::call(number::UTIMENSAT, arguments)
            }
        }
    }
}

/// How a cubicle says when: pairs of seconds and a fraction, whose unit is
/// `nanoseconds` long; 0 means that there are no fractions.
///
/// # Errors
/// An error number, negative.
pub fn times(cubicle: usize, at: u64, nanoseconds: u64) -> Result<Change, i64> {
    if at == 0 {
        return Ok(Change::Times(None));
    }
    let mut bytes = [0; 32];
    let size = if nanoseconds == 0 { 16 } else { 32 };
    if !memory_calls::read(cubicle, at, &mut bytes[..size]) {
        return Err(-error::EFAULT);
    }
    let word =
        |index: usize| u64::from_le_bytes(bytes[8 * index..][..8].try_into().unwrap_or_default());
    if nanoseconds == 0 {
        return Ok(Change::Times(Some([word(0), 0, word(1), 0])));
    }
    // timeval has less than a million of its unit; timespec has words that mean
    // "now" and "leave it", and is the kernel's to judge.
    if nanoseconds != 1 && (word(1) >= 1_000_000 || word(3) >= 1_000_000) {
        return Err(-error::EINVAL);
    }
    let fraction = |index| word(index).wrapping_mul(nanoseconds);
    Ok(Change::Times(Some([
        word(0),
        fraction(1),
        word(2),
        fraction(3),
    ])))
}

/// A call about a name in a folder.
#[derive(Clone, Copy)]
pub enum Entry {
    /// A new folder with this mode.
    Folder(u64),
    /// It goes; the flags of unlinkat(2).
    Remove(u64),
    /// A symbolic link with the contents at this address.
    Link(u64),
}

/// Creates or removes a name.
///
/// # Errors
/// An error number, negative.
pub fn entry(caller: Caller, path: Path, entry: Entry) -> Result<i64, i64> {
    let (folder, last) = named(caller, path)?;
    let (base, at) = (folder.number(), last.address());
    // SAFETY: all that is pointed to is the monitor's.
    done(unsafe {
        match entry {
            Entry::Folder(mode) => kernel::call(number::MKDIRAT, [base, at, mode, 0, 0, 0]),
            Entry::Remove(flags) => kernel::call(number::UNLINKAT, [base, at, flags, 0, 0, 0]),
            Entry::Link(target) => {
                let target = Name::read(caller.index, target)?;
                let arguments = [target.address(), base, at, 0, 0, 0];
                kernel::call(number::SYMLINKAT, arguments)
            }
        }
    })
}

/// Gives something another name, or two names to each other.
///
/// # Errors
/// An error number, negative.
pub fn rename(caller: Caller, from: Path, to: Path, flags: u64) -> Result<i64, i64> {
    let (from, old) = named(caller, from)?;
    let (to, new) = named(caller, to)?;
    let (old, new) = (old.address(), new.address());
    // SAFETY: the names are the monitor's.
    done(unsafe {
        let arguments = [from.number(), old, to.number(), new, flags, 0];
        kernel::call(number::RENAMEAT2, arguments)
    })
}

/// Gives a file one more name. It must be one that may be changed: by the new name
/// it could be.
///
/// # Errors
/// An error number, negative.
pub fn link(caller: Caller, from: Path, to: Path, flags: u64) -> Result<i64, i64> {
    if flags & !(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(-error::EINVAL);
    }
    let follow = if flags & AT_SYMLINK_FOLLOW != 0 {
        0
    } else {
        O_NOFOLLOW
    };
    let name = Name::read(caller.index, from.at)?;
    let empty = flags & AT_EMPTY_PATH != 0;
    let held = find_or_itself(caller, from.base, &name, follow, empty)?;
    judge(caller, &held, Level::Write, None)?;
    let (folder, last) = named(caller, to)?;
    let path = held.path();
    // SAFETY: path and name are the monitor's.
    done(unsafe {
        let (path, at) = (path.address(), last.address());
        let arguments = [AT_FDCWD, path, folder.number(), at, AT_SYMLINK_FOLLOW, 0];
        kernel::call(number::LINKAT, arguments)
    })
}

/// The folder in which a name stands that may be changed, and the name.
fn named(caller: Caller, path: Path) -> Result<(Held, Name), i64> {
    let name = Name::read(caller.index, path.at)?;
    let (folder, last) = find_folder(caller, path.base, &name, 0)?;
    judge(caller, &folder, Level::Write, Some(last.plain()))?;
    Ok((folder, last))
}

fn done(result: i64) -> Result<i64, i64> {
    if result < 0 { Err(result) } else { Ok(result) }
}
