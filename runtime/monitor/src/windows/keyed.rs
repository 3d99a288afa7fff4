//! Allocation in keyed windows: whole pages, with the window's key, which is in the
//! rights of its owner and guests. No access to them ever faults.

use crate::machine::kernel::{PROT_READ, PROT_WRITE, error};
use crate::machine::rights::tag;
use crate::mappings::{Kind, Mapping};
use crate::memory_calls::{give_back, refused};
use crate::process::{arena, cubicle_count, cubicles, region_count, rights};
use cubicle_abi::calls;
use cubicle_abi::layout::{ARENA_LENDS, ARENA_MAPPINGS, PAGE, page_up};
use cubicle_abi::rights::cubicle_key;

/// Answers the call `number` of `cubicle`: an address or 0, or an error number.
pub fn call(cubicle: usize, number: u64, arguments: [u64; 6]) -> Result<u64, i64> {
    let [window, a, b, ..] = arguments;
    let window = window as u32 as usize;
    if !(cubicle_count()..region_count()).contains(&window) {
        return Err(-error::ESRCH);
    }
    // Who may write in it may also make room in it: both sides of a queue do.
    if !rights(cubicle).writes(cubicle_key(window)) {
        return Err(-error::EPERM);
    }
    match number {
        calls::KEYED_ALLOC => allocate(window, a),
        calls::KEYED_FREE => free(window, a, b),
        _ => Err(-error::ENOSYS),
    }
}

fn allocate(window: usize, size: u64) -> Result<u64, i64> {
    if size == 0 {
        return Err(-error::EINVAL);
    }
    if size > ARENA_LENDS - ARENA_MAPPINGS {
        return Err(-error::ENOMEM);
    }
    let size = page_up(size);
    let (low, high) = (arena(window) + ARENA_MAPPINGS, arena(window) + ARENA_LENDS);
    let mut mappings = cubicles()[window].mappings.lock();
    let start = mappings.free(low, high, size).ok_or(-error::ENOMEM)?;
    let protection = PROT_READ | PROT_WRITE;
    let new = Mapping {
        start,
        end: start + size,
        protection,
        kind: Kind::Mapping,
    };
    mappings.insert(new).map_err(refused)?;
    // The reservation is anonymous private memory already, and empty.
    if let Err(error) = tag(start, start + size, protection, cubicle_key(window)) {
        give_back(&mut mappings, start, start + size);
        return Err(error);
    }
    Ok(start)
}

fn free(window: usize, start: u64, size: u64) -> Result<u64, i64> {
    let low = arena(window) + ARENA_MAPPINGS;
    let high = arena(window) + ARENA_LENDS;
    let end = start.checked_add(size).ok_or(-error::EINVAL)?;
    if size == 0 || !start.is_multiple_of(PAGE) || start < low || end > high {
        return Err(-error::EINVAL);
    }
    let mut mappings = cubicles()[window].mappings.lock();
    if !mappings.covers(start, page_up(end), PROT_WRITE) {
        return Err(-error::EINVAL);
    }
    give_back(&mut mappings, start, page_up(end));
    Ok(0)
}
