//! From a path, as a cubicle passes it, to what it leads to.

use super::held::Held;
use super::judge::{Caller, Level, judge};
use super::listed::LONGEST;
use crate::machine::kernel::{self, error, number};
use crate::memory_calls;
use cubicle_abi::layout::PAGE;

pub const AT_FDCWD: u64 = -100i64 as u64;
pub const O_PATH: u64 = 0x20_0000;
pub const O_CLOEXEC: u64 = 0x8_0000;
pub const O_NOFOLLOW: u64 = 0x2_0000;
pub const O_DIRECTORY: u64 = 0x1_0000;
const RESOLVE_NO_MAGICLINKS: u64 = 2;
const ENAMETOOLONG: i64 = 36;

/// A path, read once from the cubicle's memory (rule 16).
pub struct Name {
    bytes: [u8; LONGEST + 1],
    length: usize,
}

impl Name {
    /// Reads the C string at `at`, with the cubicle's own rights.
    ///
    /// # Errors
    /// An error number, negative.
    pub fn read(cubicle: usize, at: u64) -> Result<Name, i64> {
        let mut name = Name {
            bytes: [0; LONGEST + 1],
            length: 0,
        };
        while name.length < LONGEST {
            let from = at.wrapping_add(name.length as u64);
            let size = (PAGE - from % PAGE).min((LONGEST - name.length) as u64) as usize;
            let piece = &mut name.bytes[name.length..name.length + size];
            if !memory_calls::read(cubicle, from, piece) {
                return Err(-error::EFAULT);
            }
            match piece.iter().position(|byte| *byte == 0) {
                Some(end) => {
                    name.length += end;
                    name.bytes[name.length] = 0;
                    return Ok(name);
                }
                None => name.length += size,
            }
        }
        Err(-ENAMETOOLONG)
    }

    /// A path that the monitor has.
    ///
    /// # Errors
    /// If it is too long.
    pub fn of(text: &[u8]) -> Result<Name, i64> {
        let mut name = Name {
            bytes: [0; LONGEST + 1],
            length: text.len(),
        };
        if text.len() >= LONGEST {
            return Err(-ENAMETOOLONG);
        }
        name.bytes[..text.len()].copy_from_slice(text);
        Ok(name)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Its address; a zero byte stands behind it.
    pub fn address(&self) -> u64 {
        self.bytes.as_ptr() as u64
    }

    /// The folder, and the name in it. A slash that ends the path stays with the
    /// name: it says that a folder is meant.
    ///
    /// # Errors
    /// ENOENT if it is empty.
    pub fn split(&self) -> Result<(Name, Name), i64> {
        let bytes = self.bytes();
        if bytes.is_empty() {
            return Err(-error::ENOENT);
        }
        let end = bytes.iter().rposition(|byte| *byte != b'/');
        let Some(end) = end.map(|last| last + 1) else {
            return Ok((Name::of(b"/")?, Name::of(b".")?));
        };
        let start = bytes[..end].iter().rposition(|byte| *byte == b'/');
        let start = start.map_or(0, |slash| slash + 1);
        let folder = match start {
            0 => Name::of(b".")?,
            _ => Name::of(&bytes[..start])?,
        };
        Ok((folder, Name::of(&bytes[start..bytes.len().min(end + 1)])?))
    }

    /// The name in a folder, without a slash behind it.
    pub fn plain(&self) -> &[u8] {
        self.bytes().strip_suffix(b"/").unwrap_or(self.bytes())
    }
}

/// Finds what `name` leads to, from the folder `base`. `flags`: O_NOFOLLOW,
/// O_DIRECTORY; `resolve` as in openat2(2).
///
/// # Errors
/// An error number, negative.
pub fn find(caller: Caller, base: u64, name: &Name, flags: u64, resolve: u64) -> Result<Held, i64> {
    match open(caller, base, name, flags, resolve) {
        Ok(held) => Ok(held),
        Err(error) => Err(what_is_missing(caller, base, name, error)),
    }
}

/// [`find`] for calls that only ask. Without `files`, they may ask about anything but
/// what shows the kernel's state, and about that they learn nothing that matters,
/// should another thread put it there in between: so it is not held.
///
/// # Errors
/// An error number, negative.
pub fn find_to_look(caller: Caller, base: u64, name: &Name, flags: u64) -> Result<Held, i64> {
    if caller.is_narrowed() {
        return find(caller, base, name, flags, 0);
    }
    open_loose(caller, base, name, flags, 0).map(Held::loose)
}

fn open(caller: Caller, base: u64, name: &Name, flags: u64, resolve: u64) -> Result<Held, i64> {
    Held::take(open_loose(caller, base, name, flags, resolve)?)
}

fn open_loose(
    caller: Caller,
    base: u64,
    name: &Name,
    flags: u64,
    resolve: u64,
) -> Result<i64, i64> {
    // Such links lead where no path does; nobody could say if that is listed.
    let links = if caller.is_narrowed() {
        RESOLVE_NO_MAGICLINKS
    } else {
        0
    };
    let how = [O_PATH | O_CLOEXEC | flags, 0, resolve | links];
    // SAFETY: both structures are the monitor's.
    let found = unsafe {
        let (path, how) = (name.address(), how.as_ptr() as u64);
        kernel::call(number::OPENAT2, [base, path, how, 24, 0, 0])
    };
    if found < 0 { Err(found) } else { Ok(found) }
}

/// What a cubicle learns about a path that leads nowhere: `error`, if it may know
/// what there is at that place; otherwise the same as if there were something.
fn what_is_missing(caller: Caller, base: u64, name: &Name, error: i64) -> i64 {
    if !caller.is_narrowed() || name.is_empty() {
        return error;
    }
    let Ok(mut name) = Name::of(name.bytes()) else {
        return error;
    };
    // The nearest folder that exists, and what is missing in it.
    loop {
        let (folder, child) = match name.split() {
            Ok(parts) => parts,
            Err(_) => return error,
        };
        match open(caller, base, &folder, O_DIRECTORY, 0) {
            Ok(held) => {
                return match judge(caller, &held, Level::Look, Some(child.plain())) {
                    Ok(()) => error,
                    Err(refused) => refused,
                };
            }
            Err(_) if matches!(folder.bytes(), b"." | b"/") => return caller.refused(name.bytes()),
            Err(_) => name = folder,
        }
    }
}

/// Finds the folder in which `name` stands or is to stand, and the name there.
///
/// # Errors
/// An error number, negative.
pub fn find_folder(
    caller: Caller,
    base: u64,
    name: &Name,
    resolve: u64,
) -> Result<(Held, Name), i64> {
    let (folder, last) = name.split()?;
    Ok((find(caller, base, &folder, O_DIRECTORY, resolve)?, last))
}

/// What is to be changed: `find`, or with an empty name, where that is allowed, the
/// descriptor itself.
///
/// # Errors
/// An error number, negative.
pub fn find_or_itself(
    caller: Caller,
    base: u64,
    name: &Name,
    flags: u64,
    empty: bool,
) -> Result<Held, i64> {
    if !empty || !name.is_empty() {
        return find(caller, base, name, flags, 0);
    }
    if base as u32 == AT_FDCWD as u32 {
        return find(caller, base, &Name::of(b".")?, flags, 0);
    }
    Held::copy(base)
}
