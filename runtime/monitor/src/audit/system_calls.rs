//! System calls with pointers to another cubicle's memory: the kernel answers
//! EFAULT, then they are noted and made again with everything open.

use super::memory::{Memory, Origin, SystemCall, When};
use super::noting;
use super::objects::{Touch, find};
use crate::machine::kernel;
use crate::machine::rights::open;
use crate::process::{self, cubicles, owner};
use cubicle_abi::rights::Rights;

/// readv, writev, preadv, pwritev, preadv2, pwritev2.
const VECTORED: [u64; 6] = [19, 20, 295, 296, 327, 328];
/// So many parts of a vectored call are looked at.
const MOST_PARTS: u64 = 64;

/// What a call does with one of its arguments, if that is known.
struct Use {
    argument: usize,
    writes: bool,
    /// Which argument says how many bytes.
    size: Option<usize>,
}

fn use_of(number: u64) -> Option<Use> {
    let (argument, writes, size) = match number {
        // read, pread64
        0 | 17 => (1, true, Some(2)),
        // write, pwrite64
        1 | 18 => (1, false, Some(2)),
        // getrandom, getcwd
        318 | 79 => (0, true, Some(1)),
        // stat, fstat, lstat
        4..=6 => (1, true, None),
        _ => return None,
    };
    Some(Use {
        argument,
        writes,
        size,
    })
}

/// Makes a call again that answered EFAULT, if that was the border's doing.
pub fn again(rights: Rights, number: u64, arguments: [u64; 6]) -> i64 {
    const EFAULT: i64 = -kernel::error::EFAULT;
    let Some(cubicle) = process::cubicle_with(rights) else {
        return EFAULT;
    };
    open(rights, Rights::ALL);
    let foreign = noting(|memory| {
        let mut any = false;
        for (index, argument) in arguments.into_iter().enumerate() {
            let known = use_of(number).filter(|known| known.argument == index);
            let size = known.as_ref().and_then(|known| known.size);
            let size = size.map_or(0, |size| arguments[size]);
            let writes = known.is_some_and(|known| known.writes);
            any |= note(memory, cubicle, number, index, argument, size, writes);
        }
        if VECTORED.contains(&number) {
            let writes = !matches!(number, 20 | 296 | 328);
            for part in 0..arguments[2].min(MOST_PARTS) {
                if let Some([start, size]) = part_of(arguments[1] + 16 * part) {
                    any |= note(memory, cubicle, number, 1, start, size, writes);
                }
            }
        }
        any
    });
    let result = if foreign == Some(true) {
        // SAFETY: an audit protects nothing; the kernel checks the pointers as it
        // would for the plain program.
        unsafe { kernel::call(number, arguments) }
    } else {
        EFAULT
    };
    open(rights, rights);
    result
}

/// A part of a vectored call: address and size.
fn part_of(at: u64) -> Option<[u64; 2]> {
    let owner = owner(at)?;
    let mut bytes = [0u8; 16];
    if !crate::memory_calls::read(owner, at, &mut bytes) {
        return None;
    }
    let word = |from: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[from..from + 8]);
        u64::from_le_bytes(word)
    };
    Some([word(0), word(8)])
}

/// Notes a pointer of the call if it leads to another cubicle.
fn note(
    memory: &mut Memory,
    cubicle: usize,
    number: u64,
    argument: usize,
    address: u64,
    size: u64,
    writes: bool,
) -> bool {
    let Some(owner) = owner(address).filter(|owner| *owner != cubicle) else {
        return false;
    };
    let Some(mapping) = cubicles()[owner].mappings.lock().find(address).copied() else {
        return false;
    };
    let found = find(
        memory,
        Touch {
            cubicle: cubicle as u32,
            owner: owner as u32 + 1,
            address,
            low: mapping.start,
        },
    );
    if let Some(found) = found.filter(|found| found.when == When::Pending) {
        let call = &mut memory.calls.entries[found.index];
        let seen = &mut call.seen[found.origin.probe as usize];
        let touched = if writes {
            &mut seen.written
        } else {
            &mut seen.read
        };
        touched.note(found.offset, size.max(1), 0);
    }
    let new = SystemCall {
        number: number as u32,
        argument: argument as u32,
        cubicle: cubicle as u32,
        owner: owner as u32,
        origin: found.map_or(Origin::NONE, |found| found.origin),
        address,
        count: 0,
    };
    let same = |old: &SystemCall| {
        (old.number, old.argument, old.cubicle, old.owner, old.origin)
            == (new.number, new.argument, new.cubicle, new.owner, new.origin)
    };
    if let Some(entry) = memory.system_calls.entry(same, new) {
        entry.count += 1;
    }
    true
}
