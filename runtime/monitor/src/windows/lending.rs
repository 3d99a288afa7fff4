//! Lends without a copy: a large range of whole pages is in a window of its own
//! for the time of a call, and changes hands at once instead of page by page.
//!
//! It is a window like any other: what the owner or a third cubicle touches
//! meanwhile comes back page by page, as `touch` decides.

use super::records::{WindowNumber, page_of};
use super::table::Handle;
use super::{ANY, WINDOWS, pages};
use crate::machine::rights::tag;
use crate::mappings::Kind;
use crate::process::cubicles;
use core::sync::atomic::Ordering;
use cubicle_abi::calls::ACCESS_READ_WRITE;
use cubicle_abi::layout::PAGE;
use cubicle_abi::rights::cubicle_key;

/// Ranges from this size on are worth a change of hands, bytes: below it a copy
/// is cheaper than two changes of page tables.
pub const SMALLEST: u64 = 256 << 10;

/// Opens `bytes` from `start`, memory of `from`, to `to` with this access.
/// `None`: it must be copied. Only anonymous memory of the cubicle's own, in whole
/// pages, all of them at home (rule 25: a file may become shorter).
pub fn lend(
    (from, to): (usize, usize),
    start: u64,
    bytes: u64,
    access: u32,
) -> Option<WindowNumber> {
    let end = start.checked_add(bytes)?;
    if bytes < SMALLEST || !start.is_multiple_of(PAGE) || !end.is_multiple_of(PAGE) {
        return None;
    }
    ANY.store(true, Ordering::Release);
    // Memory calls of other threads wait for this lock, too.
    let mut windows = WINDOWS.lock();
    let all = ACCESS_READ_WRITE as u32;
    let whole = cubicles()[from].mappings.lock().find(start).copied()?;
    let anonymous = matches!(whole.kind, Kind::Mapping | Kind::Heap);
    if !anonymous || whole.end < end || whole.protection != all {
        return None;
    }
    if windows.records.next(start, end).is_some() {
        return None;
    }
    let window = windows.table.create_lent(from).ok()?;
    if windows.add(window, start, bytes).is_err() || !give(start, end, access, to) {
        let _ = windows.destroy(window);
        return None;
    }
    windows.table.set_guest(window, to, access);
    for page in page_of(start)?..=page_of(end - 1)? {
        windows.records.give(page, from, to, access);
    }
    Some(window.number())
}

/// Takes back what [`lend`] opened.
pub fn take_back(number: WindowNumber) {
    let mut windows = WINDOWS.lock();
    let window = Handle::of(number);
    let owner = window.cubicle;
    let Some(range) = windows.table.ranges(window).next() else {
        return;
    };
    let all = ACCESS_READ_WRITE as u32;
    if !give(range.start, range.end, all, owner) {
        crate::violation::fatal("the kernel refused to give pages back to their owner");
    }
    for page in pages(range) {
        if windows.records.get(page).holder().is_some() {
            windows.records.take(page, owner);
        }
    }
    let _ = windows.destroy(window);
}

/// Changes the key of a whole range.
fn give(start: u64, end: u64, access: u32, cubicle: usize) -> bool {
    tag(start, end, access, cubicle_key(cubicle)).is_ok()
}
