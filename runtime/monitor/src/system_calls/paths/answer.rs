//! Which call it is, and what its arguments mean.

use super::changing::{Change, Entry, Path, change, change_open, entry, link, rename, times};
use super::judge::Caller;
use super::looking::{AT_EMPTY_PATH, Question, look};
use super::opening::{How, O_CREAT, O_TRUNC, O_WRONLY, open, open_as, opened};
use super::target::AT_FDCWD;
use super::{held, sockets};
use crate::machine::kernel::number::*;
use crate::system_calls::granted::perform;

const AT_SYMLINK_NOFOLLOW: u64 = 0x100;
const AT_REMOVEDIR: u64 = 0x200;

/// Answers a granted call if it names a path.
pub fn answer(caller: Caller, arguments: [u64; 6]) -> Option<i64> {
    if !held::is_ready() {
        return match caller.number {
            OPEN | OPENAT | CREAT | OPENAT2 => {
                Some(opened(perform(caller.index, caller.number, arguments)))
            }
            _ => None,
        };
    }
    let result = opening(caller, arguments)
        .or_else(|| looking(caller, arguments))
        .or_else(|| changing(caller, arguments))
        .or_else(|| entries(caller, arguments))
        .or_else(|| sockets::answer(caller, arguments))?;
    Some(result.unwrap_or_else(|error| error))
}

type Answer = Option<Result<i64, i64>>;

fn opening(caller: Caller, arguments: [u64; 6]) -> Answer {
    let [a, b, c, d, ..] = arguments;
    let how = |flags, mode| How {
        flags,
        mode,
        resolve: 0,
    };
    Some(match caller.number {
        OPEN => open(caller, AT_FDCWD, a, how(b as u32 as u64, c)),
        CREAT => open(caller, AT_FDCWD, a, how(O_CREAT | O_WRONLY | O_TRUNC, b)),
        OPENAT => open(caller, a, b, how(c as u32 as u64, d)),
        OPENAT2 => open_as(caller, a, b, c, d),
        _ => return None,
    })
}

fn looking(caller: Caller, arguments: [u64; 6]) -> Answer {
    let [a, b, c, d, e, _] = arguments;
    let here = |flags, question| look(caller, AT_FDCWD, a, flags, question);
    let at = |flags, question| look(caller, a, b, flags, question);
    Some(match caller.number {
        STAT => here(0, Question::Status(b)),
        LSTAT => here(AT_SYMLINK_NOFOLLOW, Question::Status(b)),
        NEWFSTATAT => at(d, Question::Status(c)),
        STATX => at(c, Question::Extended(c, d, e)),
        STATFS => here(0, Question::FileSystem(b)),
        READLINK => here(0, Question::Link(b, c)),
        READLINKAT => at(AT_EMPTY_PATH, Question::Link(c, d)),
        ACCESS => here(0, Question::Access(b, 0)),
        FACCESSAT => at(0, Question::Access(c, 0)),
        FACCESSAT2 => at(d, Question::Access(c, d)),
        CHDIR => here(0, Question::Enter),
        _ => return None,
    })
}

fn changing(caller: Caller, arguments: [u64; 6]) -> Answer {
    let [a, b, c, d, e, _] = arguments;
    let here = |flags, what| change(caller, Path::of(a), flags, what);
    let at = |flags, what| change(caller, Path { base: a, at: b }, flags, what);
    let when = |at, nanoseconds| times(caller.index, at, nanoseconds);
    Some(match caller.number {
        TRUNCATE => here(0, Change::Truncate(b)),
        CHMOD => here(0, Change::Mode(b)),
        FCHMODAT => at(0, Change::Mode(c)),
        FCHMODAT2 => at(d, Change::Mode(c)),
        CHOWN => here(0, Change::Owner(b, c)),
        LCHOWN => here(AT_SYMLINK_NOFOLLOW, Change::Owner(b, c)),
        FCHOWNAT => at(e, Change::Owner(c, d)),
        UTIME => when(b, 0).and_then(|times| here(0, times)),
        UTIMES => when(b, 1000).and_then(|times| here(0, times)),
        // Without a path these are about the descriptor.
        UTIMENSAT if b == 0 => {
            let flags = d | AT_EMPTY_PATH;
            when(c, 1).and_then(|times| at(flags, times))
        }
        UTIMENSAT => when(c, 1).and_then(|times| at(d, times)),
        FUTIMESAT if b == 0 => when(c, 1000).and_then(|times| at(AT_EMPTY_PATH, times)),
        FUTIMESAT => when(c, 1000).and_then(|times| at(0, times)),
        FCHMOD | FCHOWN | FSETXATTR | FREMOVEXATTR if caller.is_narrowed() => {
            change_open(caller, arguments)
        }
        _ => return None,
    })
}

fn entries(caller: Caller, arguments: [u64; 6]) -> Answer {
    let [a, b, c, d, e, _] = arguments;
    let here = |what| entry(caller, Path::of(a), what);
    let at = |what| entry(caller, Path { base: a, at: b }, what);
    let from = Path { base: a, at: b };
    let to = Path { base: c, at: d };
    Some(match caller.number {
        MKDIR => here(Entry::Folder(b)),
        MKDIRAT => at(Entry::Folder(c)),
        RMDIR => here(Entry::Remove(AT_REMOVEDIR)),
        UNLINK => here(Entry::Remove(0)),
        UNLINKAT => at(Entry::Remove(c)),
        SYMLINK => entry(caller, Path::of(b), Entry::Link(a)),
        SYMLINKAT => entry(caller, Path { base: b, at: c }, Entry::Link(a)),
        RENAME => rename(caller, Path::of(a), Path::of(b), 0),
        RENAMEAT => rename(caller, from, to, 0),
        RENAMEAT2 => rename(caller, from, to, e),
        LINK => link(caller, Path::of(a), Path::of(b), 0),
        LINKAT => link(caller, from, to, e),
        _ => return None,
    })
}
