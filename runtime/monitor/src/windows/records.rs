//! One record for each page that a cubicle could have, found by arithmetic: in
//! which windows it is, and who has it at the moment.
//!
//! ```text
//!   pages of slots │ pages of arena 0 │ pages of arena 1 │ …      16 bytes each
//! ```
//!
//! The table is address space that is reserved when the first window gets its
//! memory; a piece of it becomes memory when a page in it is put into a window.
//! Whoever uses no windows pays nothing, and of the others each page costs what
//! its record does.

use super::table::Handle;
use crate::machine::kernel::{
    self, MAP_ANONYMOUS, MAP_NORESERVE, MAP_PRIVATE, PROT_READ, PROT_WRITE, number,
};
use crate::process::arena;
use cubicle_abi::layout::{
    ARENA_SIZE, MAXIMUM_CUBICLES, PAGE, SLOT_BASE, SLOT_SIZE, page_down, slot_owner,
};

/// What the monitor keeps of a page. All zeroes: in no window, at home.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The window it is in, a [`WindowNumber`] plus one; 0: none.
    window: u16,
    /// Who has it, a cubicle plus one; 0: its owner.
    holder: u8,
    /// PROT_ bits: what its holder may do, if that is not the owner.
    access: u8,
    /// The other windows it is in: a place among the links, or 0.
    more: u32,
    /// The pages before and behind it in the list of its owner's that are away:
    /// [`Page`]s plus one, or 0.
    next: u32,
    previous: u32,
}

impl Record {
    /// The cubicle that has the page, if it is not its owner.
    pub fn holder(&self) -> Option<usize> {
        (self.holder != 0).then(|| usize::from(self.holder) - 1)
    }

    /// PROT_ bits: what the holder may do.
    pub fn access(&self) -> u32 {
        self.access.into()
    }

    /// Is it in no window, and at home?
    pub fn is_ordinary(&self) -> bool {
        self.window == 0 && self.holder == 0
    }
}

/// Number of a window among those of all cubicles.
pub type WindowNumber = u16;
/// Number of a page: its record's place.
pub type Page = u32;

const SLOT_PAGES: u64 = MAXIMUM_CUBICLES as u64 * SLOT_SIZE / PAGE;
const ARENA_PAGES: u64 = MAXIMUM_CUBICLES as u64 * ARENA_SIZE / PAGE;
const PAGES: u64 = SLOT_PAGES + ARENA_PAGES;
const _: () = assert!(PAGES < u32::MAX as u64);

/// Records that become memory together: 64 KiB of them, for 16 MiB of pages.
const PIECE: u64 = 4096;
const RECORD: u64 = size_of::<Record>() as u64;
const PIECES: usize = PAGES.div_ceil(PIECE) as usize;

/// The page that contains `address`.
pub fn page_of(address: u64) -> Option<Page> {
    let page = if slot_owner(address).is_some() {
        (address - SLOT_BASE) / PAGE
    } else {
        let from_arenas = address.checked_sub(arena(0))?;
        if arena(0) == 0 || from_arenas >= ARENA_PAGES * PAGE {
            return None;
        }
        SLOT_PAGES + from_arenas / PAGE
    };
    Some(page as Page)
}

/// Where a page begins.
pub fn address_of(page: Page) -> u64 {
    let page = u64::from(page);
    match page.checked_sub(SLOT_PAGES) {
        Some(in_arenas) => arena(0) + in_arenas * PAGE,
        None => SLOT_BASE + page * PAGE,
    }
}

/// As many further windows of one cubicle's as all pages together may be in: no
/// cubicle takes the room of others.
const OWN_LINKS: u16 = 4096;
/// The same for all cubicles, and number 0.
const LINKS: usize = MAXIMUM_CUBICLES * OWN_LINKS as usize + 1;

/// One more window that a page is in.
#[derive(Clone, Copy)]
struct Link {
    window: u16,
    /// Place of the next one, or 0.
    next: u32,
}

/// There is no room for more records or links.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

/// All records.
pub struct Records {
    /// Where the table begins; 0 before it is reserved.
    base: u64,
    /// One bit for each piece that is memory.
    ready: [u64; PIECES.div_ceil(64)],
    /// Number 0 is never used.
    links: [Link; LINKS],
    /// The first of those given back, and how many were ever used.
    free_link: u32,
    used_links: u32,
    /// For each cubicle, how many its windows take.
    held_links: [u16; MAXIMUM_CUBICLES],
    /// For each owner, the first of its pages that are away, plus one.
    away: [u32; MAXIMUM_CUBICLES],
}

impl Records {
    pub const fn new() -> Records {
        Records {
            base: 0,
            ready: [0; PIECES.div_ceil(64)],
            links: [Link { window: 0, next: 0 }; LINKS],
            free_link: 0,
            used_links: 0,
            held_links: [0; MAXIMUM_CUBICLES],
            away: [0; MAXIMUM_CUBICLES],
        }
    }

    /// Has somebody else pages of this cubicle's?
    pub fn has_away(&self, owner: usize) -> bool {
        self.away[owner] != 0
    }

    /// The record of a page.
    pub fn get(&self, page: Page) -> Record {
        if !self.is_ready(page) {
            return Record::default();
        }
        // SAFETY: the piece is memory, and the monitor's alone.
        unsafe { *self.place(page) }
    }

    fn place(&self, page: Page) -> *mut Record {
        (self.base + u64::from(page) * RECORD) as *mut Record
    }

    fn record(&mut self, page: Page) -> &mut Record {
        // SAFETY: every caller has seen that the piece is memory; it is the
        // monitor's alone, and `self` is the one way to it.
        unsafe { &mut *self.place(page) }
    }

    fn is_ready(&self, page: Page) -> bool {
        let piece = (u64::from(page) / PIECE) as usize;
        self.ready[piece / 64] >> (piece % 64) & 1 == 1
    }

    /// Makes the records from `first` to `last` memory.
    ///
    /// # Errors
    /// If the kernel has none.
    pub fn prepare(&mut self, first: Page, last: Page) -> Result<(), Full> {
        if self.base == 0 {
            let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
            // SAFETY: a new mapping, which nothing can reach yet.
            let at =
                unsafe { kernel::call(number::MMAP, [0, PAGES * RECORD, 0, flags, u64::MAX, 0]) };
            if at < 0 {
                return Err(Full);
            }
            self.base = at as u64;
        }
        for piece in u64::from(first) / PIECE..=u64::from(last) / PIECE {
            let bit = 1 << (piece % 64);
            if self.ready[piece as usize / 64] & bit != 0 {
                continue;
            }
            let size = PIECE.min(PAGES - piece * PIECE) * RECORD;
            let protection = u64::from(PROT_READ | PROT_WRITE);
            let at = self.base + piece * PIECE * RECORD;
            // SAFETY: part of the table's own mapping, with the monitor's key.
            let result = unsafe { kernel::call(number::MPROTECT, [at, size, protection, 0, 0, 0]) };
            if result < 0 {
                return Err(Full);
            }
            self.ready[piece as usize / 64] |= bit;
        }
        Ok(())
    }

    /// The first page from `start` to `end` that is in a window or away. Whole
    /// pieces without records are skipped.
    pub fn next(&self, start: u64, end: u64) -> Option<Page> {
        let end = end.checked_sub(1).filter(|last| *last >= start)?;
        let (mut page, last) = (page_of(start)?, page_of(end)?);
        while page <= last {
            if !self.is_ready(page) {
                page = page.next_multiple_of(PIECE as u32).max(page + 1);
            } else if self.get(page).is_ordinary() {
                page += 1;
            } else {
                return Some(page);
            }
        }
        None
    }

    /// The windows that a page is in.
    pub fn windows(&self, page: Page) -> impl Iterator<Item = WindowNumber> {
        let record = self.get(page);
        let mut link = record.more;
        let first = (record.window != 0).then(|| record.window - 1);
        first.into_iter().chain(core::iter::from_fn(move || {
            let found = self.links[link as usize];
            (link != 0).then(|| {
                link = found.next;
                found.window
            })
        }))
    }

    /// Puts a page, whose record is prepared, into a window.
    ///
    /// # Errors
    /// If it is in others and there is no room to say so.
    pub fn link(&mut self, page: Page, window: WindowNumber) -> Result<(), Full> {
        if self.windows(page).any(|found| found == window) {
            return Ok(());
        }
        if self.get(page).window == 0 {
            self.record(page).window = window + 1;
            return Ok(());
        }
        let cubicle = Handle::of(window).cubicle;
        if self.held_links[cubicle] == OWN_LINKS {
            return Err(Full);
        }
        let place = self.new_link();
        self.held_links[cubicle] += 1;
        let next = self.get(page).more;
        self.links[place as usize] = Link { window, next };
        self.record(page).more = place;
        Ok(())
    }

    /// Takes a page out of a window, if it is in it.
    pub fn unlink(&mut self, page: Page, window: WindowNumber) {
        let record = self.get(page);
        if record.window == window + 1 {
            let more = record.more;
            let link = self.links[more as usize];
            let record = self.record(page);
            if more == 0 {
                record.window = 0;
            } else {
                record.window = link.window + 1;
                record.more = link.next;
                self.free(more);
            }
            return;
        }
        let mut before = 0;
        let mut place = record.more;
        while place != 0 {
            let link = self.links[place as usize];
            if link.window == window {
                match before {
                    0 => self.record(page).more = link.next,
                    before => self.links[before as usize].next = link.next,
                }
                self.free(place);
                return;
            }
            (before, place) = (place, link.next);
        }
    }

    /// There are as many as all cubicles together may hold.
    fn new_link(&mut self) -> u32 {
        if self.free_link != 0 {
            let place = self.free_link;
            self.free_link = self.links[place as usize].next;
            return place;
        }
        self.used_links += 1;
        self.used_links
    }

    fn free(&mut self, place: u32) {
        let cubicle = Handle::of(self.links[place as usize].window).cubicle;
        self.held_links[cubicle] -= 1;
        self.links[place as usize].next = self.free_link;
        self.free_link = place;
    }

    /// The pages of `owner` that others have, in no order.
    pub fn away(&self, owner: usize) -> impl Iterator<Item = Page> {
        let mut next = self.away[owner];
        core::iter::from_fn(move || {
            let page = next.checked_sub(1)?;
            next = self.get(page).next;
            Some(page)
        })
    }

    /// Notes that `holder` has a page of `owner`'s, and what it may do. The page's
    /// record is prepared: it is in a window.
    pub fn give(&mut self, page: Page, owner: usize, holder: usize, access: u32) {
        self.take(page, owner);
        let next = self.away[owner];
        if next != 0 {
            self.record(next - 1).previous = page + 1;
        }
        self.away[owner] = page + 1;
        let record = self.record(page);
        record.holder = holder as u8 + 1;
        record.access = access as u8;
        record.next = next;
        record.previous = 0;
    }

    /// Notes that `owner` has its page again.
    pub fn take(&mut self, page: Page, owner: usize) {
        let old = self.get(page);
        if old.holder == 0 {
            return;
        }
        match old.previous {
            0 => self.away[owner] = old.next,
            previous => self.record(previous - 1).next = old.next,
        }
        if old.next != 0 {
            self.record(old.next - 1).previous = old.previous;
        }
        let record = self.record(page);
        (record.holder, record.access) = (0, 0);
        (record.next, record.previous) = (0, 0);
    }
}

impl Default for Records {
    fn default() -> Self {
        Self::new()
    }
}

/// Do `start` and `end` (exclusive) lie in one cubicle's slot or arena?
pub fn same_region(start: u64, end: u64) -> bool {
    let last = page_down(end - 1);
    slot_owner(start).is_some() == slot_owner(last).is_some()
        && crate::process::owner(start) == crate::process::owner(last)
}

#[cfg(test)]
mod tests {
    use super::super::table::WINDOWS;
    use super::*;
    use cubicle_abi::layout::slot;

    fn prepared(pages: u64) -> (Box<Records>, Page) {
        // As large as a stack of a test's thread.
        let mut records: Box<Records> =
            // SAFETY: an empty table is all zeroes.
            unsafe { Box::new_zeroed().assume_init() };
        let first = page_of(slot(3)).unwrap();
        records.prepare(first, first + pages as Page - 1).unwrap();
        (records, first)
    }

    fn windows(records: &Records, page: Page) -> Vec<WindowNumber> {
        let mut found: Vec<_> = records.windows(page).collect();
        found.sort();
        found
    }

    #[test]
    fn pages_are_numbered_both_ways() {
        for address in [slot(0), slot(5) + 7 * PAGE, slot(13) + SLOT_SIZE - PAGE] {
            let page = page_of(address).unwrap();
            assert_eq!(address_of(page), address);
            assert_eq!(page_of(address + PAGE - 1), Some(page));
        }
        assert_eq!(page_of(0), None);
        assert_eq!(page_of(SLOT_BASE - 1), None);
    }

    #[test]
    fn a_page_is_in_any_number_of_windows() {
        let (mut records, page) = prepared(2);
        for window in [4, 0, 9, 4, 7] {
            records.link(page, window).unwrap();
        }
        assert_eq!(windows(&records, page), [0, 4, 7, 9]);
        assert_eq!(windows(&records, page + 1), []);
        for (gone, left) in [
            (4, &[0, 7, 9][..]),
            (5, &[0, 7, 9]),
            (0, &[7, 9]),
            (9, &[7]),
            (7, &[]),
        ] {
            records.unlink(page, gone);
            assert_eq!(windows(&records, page), left);
        }
        assert!(records.get(page).is_ordinary());
        // What was given back is used again.
        for _ in 0..3 * LINKS {
            records.link(page, 1).unwrap();
            records.link(page, 2).unwrap();
            records.unlink(page, 1);
            records.unlink(page, 2);
        }
    }

    #[test]
    fn links_run_out_and_nothing_breaks() {
        let (mut records, first) = prepared(20);
        let windows = WINDOWS as u32;
        // The first window of a page takes none.
        let room = (0..20 * windows).take_while(|number| {
            let window = (number % windows) as WindowNumber;
            records.link(first + number / windows, window).is_ok()
        });
        let links = u32::from(OWN_LINKS);
        let pages = links / (windows - 1);
        assert_eq!(room.count() as u32, links + pages + 1);
        // Other cubicles' windows have room of their own.
        assert_eq!(records.link(first, WINDOWS as WindowNumber), Ok(()));
        let last = first + pages + 1;
        assert_eq!(records.link(last, 1), Ok(()));
        assert_eq!(records.link(last, 2), Err(Full));
        records.unlink(first, 17);
        assert_eq!(records.link(last, 2), Ok(()));
    }

    #[test]
    fn pages_that_are_away_are_listed() {
        let (mut records, first) = prepared(8);
        let listed = |records: &Records| {
            let mut pages: Vec<_> = records.away(3).map(|page| page - first).collect();
            pages.sort();
            pages
        };
        for page in [1, 5, 2, 7] {
            records.give(first + page, 3, 1, PROT_READ);
        }
        records.give(first + 5, 3, 2, PROT_READ | PROT_WRITE);
        assert_eq!(listed(&records), [1, 2, 5, 7]);
        assert_eq!(records.get(first + 5).holder(), Some(2));
        assert_eq!(records.get(first + 5).access(), PROT_READ | PROT_WRITE);
        for page in [2, 7, 3, 1] {
            records.take(first + page, 3);
        }
        assert_eq!(listed(&records), [5]);
        assert!(records.has_away(3) && !records.has_away(2));
        records.take(first + 5, 3);
        assert!(!records.has_away(3) && records.get(first + 5).is_ordinary());
    }

    #[test]
    fn what_is_not_ordinary_is_found() {
        let (mut records, first) = prepared(8);
        let (begin, end) = (slot(3), slot(3) + SLOT_SIZE);
        assert_eq!(records.next(slot(0), end), None);
        records.link(first + 5, 1).unwrap();
        records.give(first + 7, 3, 1, PROT_READ);
        assert_eq!(records.next(slot(0), end), Some(first + 5));
        assert_eq!(records.next(begin + 6 * PAGE - 1, end), Some(first + 5));
        assert_eq!(records.next(begin + 6 * PAGE, end), Some(first + 7));
        assert_eq!(records.next(begin, begin + 5 * PAGE), None);
        assert_eq!(records.next(begin, begin + 5 * PAGE + 1), Some(first + 5));
        assert_eq!(records.next(begin + 5 * PAGE, begin + 5 * PAGE), None);
        assert_eq!(records.next(0, 0), None);
    }
}
