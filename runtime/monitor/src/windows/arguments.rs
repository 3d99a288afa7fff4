//! System calls on memory in windows. The kernel does not raise a fault that
//! could be answered, it fails with EFAULT; so what a call's arguments point to
//! changes hands before the call.
//!
//! Before, and not only after a failure: a `recv` that fails has lost its message,
//! and a `read` that fails on its second page comes back short.

use super::touch::prepare;
use crate::memory_calls;
use cubicle_abi::layout::PAGE;

/// As many buffers as readv(2) and its kin take (UIO_MAXIOV).
const MOST_BUFFERS: u64 = 1024;
/// A length that is longer is no length, bytes.
const LONGEST: u64 = 1 << 32;

const READV: u64 = 19;
const WRITEV: u64 = 20;
const SENDMSG: u64 = 46;
const RECVMSG: u64 = 47;
const PREADV: u64 = 295;
const PWRITEV: u64 = 296;
const PREADV2: u64 = 327;
const PWRITEV2: u64 = 328;

/// Gives `cubicle` what the arguments of its system call point to, as far as
/// windows admit it. An argument may be a pointer, and the next one its length; a
/// number that only looks like one does no harm, because nothing is given that the
/// cubicle could not take by itself. `least`: bytes behind each pointer.
pub fn admit(cubicle: usize, number: u64, arguments: &[u64; 6], least: u64) {
    if !super::in_use() {
        return;
    }
    for (index, start) in arguments.iter().enumerate() {
        let length = match arguments.get(index + 1) {
            Some(length) if *length < LONGEST => *length,
            _ => 0,
        };
        prepare(cubicle, *start, start.saturating_add(length.max(least)));
    }
    match number {
        READV | WRITEV | PREADV | PWRITEV | PREADV2 | PWRITEV2 => {
            buffers(cubicle, arguments[1], arguments[2]);
        }
        SENDMSG | RECVMSG => {
            // struct msghdr: name and length, buffers and count, control and
            // length.
            let mut words = [0; 6];
            for (index, word) in words.iter_mut().enumerate() {
                let Some(found) = read_word(cubicle, arguments[1] + 8 * index as u64) else {
                    return;
                };
                *word = found;
            }
            let [name, name_length, first, count, control, control_length] = words;
            for (start, length) in [(name, name_length), (control, control_length)] {
                prepare(cubicle, start, start.saturating_add(length.min(PAGE)));
            }
            buffers(cubicle, first, count);
        }
        _ => {}
    }
}

/// What `count` structures of pointer and length point to.
fn buffers(cubicle: usize, first: u64, count: u64) {
    for index in 0..count.min(MOST_BUFFERS) {
        let at = first.saturating_add(16 * index);
        let (Some(start), Some(length)) = (
            read_word(cubicle, at),
            read_word(cubicle, at.saturating_add(8)),
        ) else {
            return;
        };
        prepare(cubicle, start, start.saturating_add(length.min(LONGEST)));
    }
}

/// A word that the cubicle itself may read. Another thread may change it before
/// the kernel reads it: then the kernel finds what it would have found anyway.
fn read_word(cubicle: usize, at: u64) -> Option<u64> {
    let mut bytes = [0; 8];
    memory_calls::read(cubicle, at, &mut bytes).then(|| u64::from_le_bytes(bytes))
}
