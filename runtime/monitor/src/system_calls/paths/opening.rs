//! Calls that open what a path leads to.

use super::held::{Held, close};
use super::judge::{Caller, Level, judge, status};
use super::maps;
use super::target::{Name, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_PATH, find, find_folder};
use crate::defences::off;
use crate::machine::kernel::{self, error, number};
use crate::memory_calls;
use crate::system_calls::files::is_harmless_file;
use cubicle_abi::defences::Defence;

const O_ACCMODE: u64 = 3;
pub const O_CREAT: u64 = 0o100;
pub const O_EXCL: u64 = 0o200;
pub const O_TRUNC: u64 = 0o1000;
pub const O_WRONLY: u64 = 1;
const TMPFILE: u64 = 0o20_000_000;
/// As many symbolic links that lead nowhere as a path may go through, and as often
/// as another thread may create the file in between.
const ATTEMPTS: u32 = 40;
const ELOOP: i64 = 40;

/// How a file is to be opened, as in openat2(2).
#[derive(Clone, Copy)]
pub struct How {
    pub flags: u64,
    pub mode: u64,
    pub resolve: u64,
}

/// `openat2`, whose third argument is a structure.
pub fn open_as(caller: Caller, base: u64, path: u64, how: u64, size: u64) -> Result<i64, i64> {
    const E2BIG: i64 = 7;
    let mut words = [0u64; 3];
    if size < 24 {
        return Err(-error::EINVAL);
    }
    // What a later kernel knows beyond these is nothing that was judged.
    if size > 24 {
        return Err(-E2BIG);
    }
    let mut bytes = [0; 24];
    if !memory_calls::read(caller.index, how, &mut bytes) {
        return Err(-error::EFAULT);
    }
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = u64::from_le_bytes(bytes.try_into().unwrap_or_default());
    }
    let [flags, mode, resolve] = words;
    let how = How {
        flags,
        mode,
        resolve,
    };
    open(caller, base, path, how)
}

/// Opens what the path at `path` leads to, or creates it.
///
/// # Errors
/// An error number, negative.
pub fn open(caller: Caller, base: u64, path: u64, how: How) -> Result<i64, i64> {
    let mut name = Name::read(caller.index, path)?;
    if name.bytes() == maps::NAME && how.flags & !(O_CLOEXEC | O_NOFOLLOW) == 0 {
        return maps::open(caller.index, how.flags & O_CLOEXEC != 0);
    }
    let creates = how.flags & O_CREAT != 0;
    let exclusive = how.flags & (O_CREAT | O_EXCL) == O_CREAT | O_EXCL;
    let temporary = how.flags & TMPFILE != 0;
    let mut looking = how.flags & (O_NOFOLLOW | O_DIRECTORY);
    if exclusive {
        looking |= O_NOFOLLOW;
    }
    if creates && looking & O_DIRECTORY != 0 {
        return Err(-error::EINVAL);
    }
    // Where a symbolic link that leads nowhere was found.
    let mut within: Option<Held> = None;
    for _ in 0..ATTEMPTS {
        let base = within.as_ref().map_or(base, Held::number);
        match find(caller, base, &name, looking, how.resolve) {
            Ok(held) if temporary => return create_unnamed(caller, &held, how),
            Ok(held) if exclusive => {
                judge(caller, &held, Level::Look, None)?;
                return Err(-error::EEXIST);
            }
            Ok(held) => return open_held(caller, &held, how.flags),
            Err(error) if error == -error::ENOENT && creates && !temporary => {}
            Err(error) => return Err(error),
        }
        let (folder, last) = find_folder(caller, base, &name, how.resolve)?;
        match create(caller, &folder, &last, how) {
            Err(error) if error == -error::EEXIST && !exclusive => {
                // It exists by now, or it is a link that leads nowhere.
                if let Some(target) = link_at(&folder, &last) {
                    if looking & O_NOFOLLOW != 0 || how.resolve != 0 {
                        return Err(-ELOOP);
                    }
                    name = target;
                    within = Some(folder);
                }
            }
            result => return result,
        }
    }
    Err(-ELOOP)
}

/// Opens what is held.
fn open_held(caller: Caller, held: &Held, flags: u64) -> Result<i64, i64> {
    const F_DUPFD: u64 = 0;
    const F_DUPFD_CLOEXEC: u64 = 1030;
    let writes = flags & O_ACCMODE != 0 || flags & O_TRUNC != 0;
    let level = match writes {
        _ if flags & O_PATH != 0 => Level::Keep,
        true => Level::Write,
        false => Level::Read,
    };
    judge(caller, held, level, None)?;
    let (mode, device, _) = status(held.number())?;
    if !is_harmless_file(mode, device) && !off(Defence::Devices) {
        return Err(-error::EACCES);
    }
    if flags & O_PATH != 0 {
        let command = if flags & O_CLOEXEC != 0 {
            F_DUPFD_CLOEXEC
        } else {
            F_DUPFD
        };
        // SAFETY: no memory is involved.
        return done(unsafe { kernel::call(number::FCNTL, [held.number(), command, 0, 0, 0, 0]) });
    }
    again(held, flags & !(O_CREAT | O_EXCL | O_NOFOLLOW), 0)
}

/// Opens what is held once more, by the link that procfs has for it.
fn again(held: &Held, flags: u64, mode: u64) -> Result<i64, i64> {
    done(held.through(|link| {
        let arguments = [link.base, link.address(), flags, mode, 0, 0];
        // SAFETY: the path is the monitor's.
        unsafe { kernel::call(number::OPENAT, arguments) }
    }))
}

/// Creates a file in the folder that is held: a new one in any case.
fn create(caller: Caller, folder: &Held, last: &Name, how: How) -> Result<i64, i64> {
    judge(caller, folder, Level::Write, Some(last.plain()))?;
    let flags = how.flags | O_CREAT | O_EXCL | O_NOFOLLOW;
    // SAFETY: the name is the monitor's. It is one name in that folder, and new:
    // nothing that exists is opened.
    done(unsafe {
        let at = last.address();
        kernel::call(number::OPENAT, [folder.number(), at, flags, how.mode, 0, 0])
    })
}

/// Creates a file without a name in the folder that is held.
fn create_unnamed(caller: Caller, folder: &Held, how: How) -> Result<i64, i64> {
    judge(caller, folder, Level::Write, None)?;
    again(folder, how.flags & !O_NOFOLLOW, how.mode)
}

/// Where the link leads that is called so in a folder, if it is one.
fn link_at(folder: &Held, last: &Name) -> Option<Name> {
    let mut target = [0; super::listed::LONGEST];
    // SAFETY: name and buffer are the monitor's.
    let length = unsafe {
        let (name, at) = (last.address(), target.as_mut_ptr() as u64);
        let size = target.len() as u64;
        kernel::call(number::READLINKAT, [folder.number(), name, at, size, 0, 0])
    };
    Name::of(target.get(..usize::try_from(length).ok()?)?).ok()
}

fn done(result: i64) -> Result<i64, i64> {
    if result < 0 { Err(result) } else { Ok(result) }
}

/// Without procfs at /proc: what was opened is looked at, and closed again if it
/// is not to be open.
pub fn opened(descriptor: i64) -> i64 {
    if descriptor < 0 {
        return descriptor;
    }
    let number = descriptor as u64;
    let view = super::judge::file_system(number).is_ok_and(super::views::is_view);
    let harmless = status(number).is_ok_and(|(mode, device, _)| is_harmless_file(mode, device));
    if (!view || off(Defence::Procfs)) && (harmless || off(Defence::Devices)) {
        return descriptor;
    }
    close(descriptor);
    -error::EACCES
}
