//! Windows of a cubicle that starts anew.

use super::table::Table;
use super::{WINDOWS, any};
use crate::process::cubicle_count;
use cubicle_abi::layout::{ARENA_SIZE, SLOT_SIZE, slot};

/// Ends every window of the cubicle's, takes its own pages out of those of others, and
/// what it has of others goes home.
pub fn retire(cubicle: usize) {
    if !any() {
        return;
    }
    let mut guard = WINDOWS.lock();
    let windows = &mut *guard;
    let first = |table: &Table| table.used(cubicle).next();
    while let Some(window) = first(&windows.table) {
        // What it lends at the moment, too: nobody comes back for it.
        let _ = windows.destroy(window);
    }
    for owner in (0..cubicle_count()).filter(|owner| *owner != cubicle) {
        loop {
            let held = windows
                .records
                .away(owner)
                .find(|page| windows.records.get(*page).holder() == Some(cubicle));
            match held {
                Some(page) => windows.take_home(page, owner),
                None => break,
            }
        }
    }
    let (base, arena) = (slot(cubicle), crate::process::arena(cubicle));
    for (start, end) in [(base, base + SLOT_SIZE), (arena, arena + ARENA_SIZE)] {
        while let Some(page) = windows.records.next(start, end) {
            while let Some(window) = { windows.records.windows(page).next() } {
                windows.records.unlink(page, window);
            }
            windows.take_home(page, cubicle);
        }
    }
}
