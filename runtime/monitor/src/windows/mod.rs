//! Windows: memory that its owner opens for others, page by page, and that
//! changes hands when somebody touches it.
//!
//! A page has the key of whoever touched it last. Its owner finds it closed while
//! a guest has it, and a guest finds it closed while it is at home: either touch
//! faults, and the fault is answered here, by what the page's record and the
//! windows it is in say (`touch`). So closing a window moves nothing: it only
//! decides the next fault. That is the paper's causal closing; `revoke` is for
//! those who cannot wait.
//!
//! Misuse is an error number, never more: whatever a cubicle asks for concerns its
//! own windows, and memory that is its own or that a window lends it.

pub mod arguments;
pub mod keyed;
pub mod lending;
pub mod records;
pub mod retire;
pub mod table;
pub mod touch;

pub use retire::retire;
pub use touch::bring_home;

use crate::lock::{Guard, Lock};
use crate::machine::kernel::error;
use crate::mappings::Kind;
use crate::process::{cubicle_count, cubicles, owner, rights};
use core::sync::atomic::{AtomicBool, Ordering};
use cubicle_abi::calls;
use cubicle_abi::layout::{MAXIMUM_CUBICLES, PAGE, page_down, page_up};
use cubicle_abi::rights::cubicle_key;
use records::{Page, Records, address_of, page_of, same_region};
use table::{Handle, Range, Table};

/// All windows, and all pages that are in one or away from their owner.
pub struct Windows {
    table: Table,
    records: Records,
}

/// The lock comes before the lock of any cubicle's mappings.
static WINDOWS: Lock<Windows> = Lock::new(Windows {
    table: Table::new(),
    records: Records::new(),
});

/// Some page has been in a window: until then there is nothing to look up.
static IN_USE: AtomicBool = AtomicBool::new(false);

/// Has any page ever been in a window?
pub fn in_use() -> bool {
    IN_USE.load(Ordering::Relaxed)
}

/// Set before the first window is made, and never taken back: until then every
/// page is at home.
static ANY: AtomicBool = AtomicBool::new(false);

fn any() -> bool {
    ANY.load(Ordering::Acquire)
}

/// Answers the call `number` of `cubicle`: a result, or an error number, negative.
pub fn call(cubicle: usize, number: u64, arguments: [u64; 6]) -> i64 {
    let [window, a, b, ..] = arguments;
    let mut windows = WINDOWS.lock();
    if number == calls::WINDOW_INIT {
        ANY.store(true, Ordering::Release);
        return flat(windows.table.create(cubicle));
    }
    let window = match windows.table.find(cubicle, window) {
        Ok(window) => window,
        Err(error) => return error,
    };
    if number == calls::WINDOW_FAULTS {
        return windows.table.faults(window);
    }
    let result = match number {
        calls::WINDOW_ADD => windows.add(window, a, b),
        calls::WINDOW_REMOVE => windows.remove(window, a),
        calls::WINDOW_OPEN => windows.open(window, a, b),
        calls::WINDOW_CLOSE => windows.close(window, a),
        calls::WINDOW_CLOSE_ALL => windows.close_all(window),
        calls::WINDOW_REVOKE => windows.revoke(window, a),
        calls::WINDOW_DESTROY => windows.destroy(window),
        _ => Err(-error::ENOSYS),
    };
    flat(result.map(|()| 0))
}

fn flat(result: Result<u64, i64>) -> i64 {
    match result {
        Ok(value) => value as i64,
        Err(error) => error,
    }
}

/// The cubicle that a program names by its number, an `int`.
fn guest(window: Handle, number: u64) -> Result<usize, i64> {
    let guest = number as u32 as usize;
    if guest >= cubicle_count() {
        return Err(-error::ESRCH);
    }
    if guest == window.cubicle {
        return Err(-error::EINVAL);
    }
    Ok(guest)
}

/// Before a memory call of `cubicle` changes `start..end`: pages in its own
/// windows stay as they are (rule 18); others come home and leave the windows
/// that guests made. While the answer lives, no window changes.
///
/// # Errors
/// EBUSY: some of it is in a window of the cubicle's. EPERM: some of it is not the
/// cubicle's.
pub fn settle(cubicle: usize, start: u64, end: u64) -> Result<Guard<'static, Windows>, i64> {
    let mut guard = WINDOWS.lock();
    let windows = &mut *guard;
    // Pages that come home come home to the cubicle itself.
    if start < end && (owner(start) != Some(cubicle) || !same_region(start, end)) {
        return Err(-error::EPERM);
    }
    let own = |window| Handle::of(window).cubicle == cubicle;
    let mut at = start;
    while let Some(page) = windows.records.next(at, end) {
        if windows.records.windows(page).any(own) {
            return Err(-error::EBUSY);
        }
        at = address_of(page) + PAGE;
    }
    while let Some(page) = windows.records.next(start, end) {
        let first = |records: &Records| records.windows(page).next();
        while let Some(window) = first(&windows.records) {
            windows.records.unlink(page, window);
        }
        windows.take_home(page, cubicle);
    }
    Ok(guard)
}

impl Windows {
    fn add(&mut self, window: Handle, start: u64, size: u64) -> Result<(), i64> {
        let end = start.checked_add(size).filter(|end| *end > start);
        let end = end.ok_or(-error::EINVAL)?;
        let (low, high) = (page_down(start), page_up(end));
        let owner = owner(start).filter(|_| same_region(start, end));
        let owner = owner.ok_or(-error::EPERM)?;
        let (first, last) = match (page_of(low), page_of(high - 1)) {
            (Some(first), Some(last)) => (first, last),
            _ => return Err(-error::EPERM),
        };
        if owner == window.cubicle {
            check_own(owner, low, high)?;
        } else if !(first..=last).all(|page| self.rights_on(page, owner)[window.cubicle] != 0) {
            return Err(-error::EPERM);
        }
        self.table.add(window, start, end)?;
        IN_USE.store(true, Ordering::Relaxed);
        let full = |_| -error::ENOSPC;
        let entered = self.records.prepare(first, last).map_err(full);
        let entered = entered.and_then(|()| {
            (first..=last)
                .try_for_each(|page| self.records.link(page, window.number()).map_err(full))
        });
        if entered.is_err() {
            self.remove(window, start)?;
        }
        entered
    }

    fn remove(&mut self, window: Handle, start: u64) -> Result<(), i64> {
        let removed = self.table.remove(window, start)?;
        for page in pages(removed) {
            let address = address_of(page);
            let covers =
                |range: Range| page_down(range.start) <= address && address < page_up(range.end);
            if !self.table.ranges(window).any(covers) {
                self.records.unlink(page, window.number());
                self.lapse(page, false);
            }
        }
        Ok(())
    }

    fn open(&mut self, window: Handle, number: u64, access: u64) -> Result<(), i64> {
        let guest = guest(window, number)?;
        if !matches!(access, calls::ACCESS_READ | calls::ACCESS_READ_WRITE) {
            return Err(-error::EINVAL);
        }
        self.let_in(window, guest, access as u32, false);
        Ok(())
    }

    fn close(&mut self, window: Handle, number: u64) -> Result<(), i64> {
        let guest = guest(window, number)?;
        if self.table.guest(window, guest) == 0 {
            return Err(-error::ENOENT);
        }
        self.let_in(window, guest, 0, false);
        Ok(())
    }

    fn close_all(&mut self, window: Handle) -> Result<(), i64> {
        for guest in 0..MAXIMUM_CUBICLES {
            if self.table.guest(window, guest) != 0 {
                self.let_in(window, guest, 0, false);
            }
        }
        Ok(())
    }

    fn revoke(&mut self, window: Handle, number: u64) -> Result<(), i64> {
        let guest = guest(window, number)?;
        self.let_in(window, guest, 0, true);
        Ok(())
    }

    fn destroy(&mut self, window: Handle) -> Result<(), i64> {
        self.close_all(window)?;
        let first = |table: &Table| table.ranges(window).next();
        while let Some(range) = first(&self.table) {
            self.remove(window, range.start)?;
        }
        self.table.destroy(window);
        Ok(())
    }

    /// Opens a window to a guest for this access and no other; 0 closes it.
    fn let_in(&mut self, window: Handle, guest: usize, access: u32, at_once: bool) {
        let before = self.table.guest(window, guest);
        self.table.set_guest(window, guest, access);
        let may_lapse = at_once || before & !access != 0 && is_anybody_seen();
        if !may_lapse {
            return;
        }
        // A range at a time, because taking a page home needs all of `self`.
        let nth = |table: &Table, at| table.ranges(window).nth(at);
        let mut at = 0;
        while let Some(range) = nth(&self.table, at) {
            for page in pages(range) {
                self.lapse(page, at_once);
            }
            at += 1;
        }
    }

    /// PROT_ bits: what each cubicle may do to a page of `owner`'s by the windows
    /// it is in. A guest's own window lends no more than the guest may do itself.
    fn rights_on(&self, page: Page, owner: usize) -> [u32; MAXIMUM_CUBICLES] {
        const ALL: u32 = calls::ACCESS_READ_WRITE as u32;
        let mut found = [0; MAXIMUM_CUBICLES];
        // Rights only grow, two steps for each cubicle at most.
        loop {
            let before = found;
            for window in self.records.windows(page).map(Handle::of) {
                let lent = match window.cubicle {
                    from if from == owner => ALL,
                    from => found[from],
                };
                for (guest, right) in found.iter_mut().enumerate() {
                    *right |= self.table.guest(window, guest) & lent;
                }
            }
            if found == before {
                return found;
            }
        }
    }

    /// A right to a page may have ended: if whoever has it has none any longer, it
    /// goes home at once, or else when its owner touches it. An owner that sees its
    /// guest would touch it without a fault, so it is taken home now.
    fn lapse(&mut self, page: Page, at_once: bool) {
        let record = self.records.get(page);
        let (Some(holder), Some(owner)) = (record.holder(), owner(address_of(page))) else {
            return;
        };
        let left = self.rights_on(page, owner)[holder];
        if record.access() & !left != 0 && (at_once || rights(owner).reads(cubicle_key(holder))) {
            self.take_home(page, owner);
        }
    }
}

/// Does any cubicle see another one? Whoever has a page may be a guest's guest.
fn is_anybody_seen() -> bool {
    let sees = |one: usize, other: usize| other != one && rights(one).reads(cubicle_key(other));
    (0..cubicle_count()).any(|one| (0..cubicle_count()).any(|other| sees(one, other)))
}

/// The pages that hold a byte of a range.
fn pages(range: Range) -> core::ops::Range<Page> {
    match (page_of(range.start), page_of(range.end - 1)) {
        (Some(first), Some(last)) => first..last + 1,
        _ => 0..0,
    }
}

/// May the cubicle put these pages of its own into a window? Not what it runs on
/// (rule 25), nor what is not there.
fn check_own(cubicle: usize, start: u64, end: u64) -> Result<(), i64> {
    let mappings = cubicles()[cubicle].mappings.lock();
    let mut at = start;
    while at < end {
        // What nobody can touch costs a cubicle nothing, but a record does.
        let mapping = mappings.find(at).filter(|mapping| mapping.protection != 0);
        let mapping = mapping.ok_or(-error::EFAULT)?;
        match mapping.kind {
            Kind::Mapping | Kind::File | Kind::Data | Kind::Heap => at = mapping.end,
            Kind::Frame | Kind::Monitor | Kind::Stack => return Err(-error::EACCES),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::kernel::{PROT_READ, PROT_WRITE};
    use cubicle_abi::layout::slot;

    const BOTH: u32 = PROT_READ | PROT_WRITE;

    /// Cubicle 3 owns the page; each other window is made by a guest.
    fn with_windows(made: &[(usize, &[(usize, u32)])]) -> [u32; MAXIMUM_CUBICLES] {
        // SAFETY: empty tables are all zeroes.
        let mut windows: Box<Windows> = unsafe { Box::new_zeroed().assume_init() };
        let page = page_of(slot(3)).unwrap();
        windows.records.prepare(page, page).unwrap();
        for (maker, guests) in made {
            let name = windows.table.create(*maker).unwrap();
            let window = windows.table.find(*maker, name).unwrap();
            windows.records.link(page, window.number()).unwrap();
            for (guest, access) in *guests {
                windows.table.set_guest(window, *guest, *access);
            }
        }
        windows.rights_on(page, 3)
    }

    #[test]
    fn a_guest_has_what_its_windows_give_together() {
        let rights = with_windows(&[(3, &[(1, PROT_READ), (2, BOTH)]), (3, &[(1, BOTH)])]);
        assert_eq!(rights[..4], [0, BOTH, BOTH, 0]);
    }

    #[test]
    fn a_guest_lends_no_more_than_it_has() {
        let second = (1, &[(2, BOTH)][..]);
        assert_eq!(with_windows(&[second])[2], 0);
        assert_eq!(
            with_windows(&[second, (3, &[(1, PROT_READ)])])[2],
            PROT_READ
        );
        assert_eq!(with_windows(&[second, (3, &[(1, BOTH)])])[2], BOTH);
        assert_eq!(
            with_windows(&[second, (3, &[(2, PROT_READ)])])[2],
            PROT_READ
        );
    }

    #[test]
    fn a_circle_of_guests_ends() {
        let circle = [(1, &[(2, BOTH)][..]), (2, &[(1, BOTH)])];
        assert_eq!(with_windows(&circle), [0; MAXIMUM_CUBICLES]);
        let entered = [circle[0], circle[1], (3, &[(2, PROT_READ)])];
        assert_eq!(with_windows(&entered)[1..3], [PROT_READ; 2]);
    }
}
