//! Sockets that have a place among the files: `files` narrows them, too.

use super::held::Held;
use super::judge::{Caller, Level, judge};
use super::target::{AT_FDCWD, Name, find, find_folder};
use crate::machine::kernel::{error, number};
use crate::machine::thread;
use crate::memory_calls;
use crate::system_calls::granted::perform;
use core::fmt::Write;
use cubicle_abi::thread_block::SCRATCH;

const AF_UNIX: u16 = 1;
/// As long as an address can be (`struct sockaddr_storage`), bytes.
const LONGEST_ADDRESS: usize = 128;
/// As long as a path in an address can be (`sun_path`), bytes.
const LONGEST_PATH: usize = 108;
/// `struct msghdr`, bytes.
const MESSAGE: usize = 56;

/// Answers a granted call of a narrowed cubicle if it passes an address.
pub fn answer(caller: Caller, arguments: [u64; 6]) -> Option<Result<i64, i64>> {
    if !caller.is_narrowed() {
        return None;
    }
    let [a, b, c, d, e, f] = arguments;
    Some(match caller.number {
        number::CONNECT => with_address(caller, b, c, false, |at, size| {
            perform(caller.index, number::CONNECT, [a, at, size, 0, 0, 0])
        }),
        number::BIND => with_address(caller, b, c, true, |at, size| {
            perform(caller.index, number::BIND, [a, at, size, 0, 0, 0])
        }),
        number::SENDTO if e != 0 => with_address(caller, e, f, false, |at, size| {
            perform(caller.index, number::SENDTO, [a, b, c, d, at, size])
        }),
        number::SENDMSG => send(caller, a, b, c),
        // One message is as many as the kernel may take, too.
        number::SENDMMSG if c as u32 == 0 => Ok(0),
        number::SENDMMSG => send(caller, a, b, d).and_then(|sent| {
            let told = memory_calls::write_word(caller.index, b + MESSAGE as u64, sent as u32);
            if told { Ok(1) } else { Err(-error::EFAULT) }
        }),
        _ => return None,
    })
}

/// `sendmsg`. The structure with the address is read once: the kernel reads a copy
/// that no cubicle can write.
fn send(caller: Caller, socket: u64, message: u64, flags: u64) -> Result<i64, i64> {
    let mut header = [0; MESSAGE];
    if !memory_calls::read(caller.index, message, &mut header) {
        return Err(-error::EFAULT);
    }
    let name = u64::from_le_bytes(header[..8].try_into().unwrap_or_default());
    let size = u32::from_le_bytes(header[8..12].try_into().unwrap_or_default());
    let send = |at: u64, size: u64, mut header: [u8; MESSAGE]| {
        header[..8].copy_from_slice(&at.to_le_bytes());
        header[8..12].copy_from_slice(&(size as u32).to_le_bytes());
        let scratch = scratch();
        // Behind the address.
        scratch[LONGEST_ADDRESS..][..MESSAGE].copy_from_slice(&header);
        let at = scratch[LONGEST_ADDRESS..].as_ptr() as u64;
        perform(caller.index, number::SENDMSG, [socket, at, flags, 0, 0, 0])
    };
    if name == 0 {
        return Ok(send(0, 0, header));
    }
    with_address(caller, name, size.into(), false, |at, size| {
        send(at, size, header)
    })
}

/// Makes a call with the address at `at`, read once; a path in it leads to what was
/// judged.
fn with_address(
    caller: Caller,
    at: u64,
    size: u64,
    creates: bool,
    call: impl FnOnce(u64, u64) -> i64,
) -> Result<i64, i64> {
    let mut address = [0; LONGEST_ADDRESS];
    let size = size as u32 as usize;
    let bytes = address.get_mut(..size).ok_or(-error::EINVAL)?;
    if !memory_calls::read(caller.index, at, bytes) {
        return Err(-error::EFAULT);
    }
    let family = u16::from_le_bytes([address[0], address[1]]);
    let path = address[..size].get(2..).unwrap_or_default();
    let scratch = scratch();
    // Names that begin with a zero byte are no files.
    if size < 2 || family != AF_UNIX || path.first().is_none_or(|byte| *byte == 0) {
        scratch[..size].copy_from_slice(&address[..size]);
        return Ok(call(scratch.as_ptr() as u64, size as u64));
    }
    let end = path.iter().position(|byte| *byte == 0);
    let name = Name::of(&path[..end.unwrap_or(path.len())])?;
    let mut text = crate::text::Text::<LONGEST_PATH>::new();
    // It stays held during the call.
    let held: Held;
    if creates {
        let (folder, last) = find_folder(caller, AT_FDCWD, &name, 0)?;
        judge(caller, &folder, Level::Write, Some(last.plain()))?;
        let last = core::str::from_utf8(last.plain()).map_err(|_| -error::EINVAL)?;
        let _ = write!(text, "/proc/thread-self/fd/{}/{last}", folder.number());
        held = folder;
    } else {
        held = find(caller, AT_FDCWD, &name, 0, 0)?;
        judge(caller, &held, Level::Write, None)?;
        let _ = write!(text, "/proc/thread-self/fd/{}", held.number());
    }
    if text.bytes().len() + 1 >= LONGEST_PATH {
        return Err(-error::EINVAL);
    }
    let size = 2 + text.bytes().len() + 1;
    scratch[..2].copy_from_slice(&AF_UNIX.to_le_bytes());
    scratch[2..size - 1].copy_from_slice(text.bytes());
    scratch[size - 1] = 0;
    let result = call(scratch.as_ptr() as u64, size as u64);
    drop(held);
    Ok(result)
}

/// Memory of this thread that every cubicle can read and only the monitor writes.
fn scratch() -> &'static mut [u8; SCRATCH] {
    // SAFETY: this thread's block, which nothing else of the monitor uses during a
    // system call.
    unsafe { &mut (*thread::block()).scratch }
}
