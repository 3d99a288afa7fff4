//! Who may touch a page now, and what has to change for it.

use super::records::{Page, address_of, page_of};
use super::table::Handle;
use super::{WINDOWS, Windows, in_use};
use crate::defences::off;
use crate::lock::Guard;
use crate::machine::kernel::{PROT_READ, PROT_WRITE};
use crate::machine::pages::protect;
use crate::machine::rights::{effective, tag};
use crate::process::{cubicle_with, cubicles, owner, rights};
use cubicle_abi::defences::Defence;
use cubicle_abi::layout::{PAGE, page_down};
use cubicle_abi::rights::{Rights, cubicle_key};

/// What became of a touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// It may not be, or it is not for windows to say.
    Refused,
    /// The page was as it should be.
    Unchanged,
    /// The page changed hands.
    Changed,
}

/// What a refused touch was up against, for the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    ReadOnly,
    Closed,
}

/// `cubicle` touches `address`, with `needed` (PROT_READ or PROT_WRITE).
pub fn touch(cubicle: usize, address: u64, needed: u32) -> Touch {
    let mut windows = WINDOWS.lock();
    match page_of(address) {
        Some(page) if in_use() => {
            let touched = windows.touch(cubicle, rights(cubicle), page, needed);
            if touched == Touch::Changed {
                let Windows { table, records } = &mut *windows;
                records
                    .windows(page)
                    .for_each(|window| table.count_fault(Handle::of(window)));
            }
            touched
        }
        _ => Touch::Refused,
    }
}

/// Is the page of `address`, which `cubicle` could not touch, in windows?
pub fn against(cubicle: usize, address: u64) -> Option<Against> {
    let windows = WINDOWS.try_lock()?;
    let (page, owner) = (page_of(address)?, owner(address)?);
    if owner == cubicle || windows.records.get(page).is_ordinary() {
        return None;
    }
    match windows.rights_on(page, owner)[cubicle] {
        0 => Some(Against::Closed),
        _ => Some(Against::ReadOnly),
    }
}

/// Brings home whatever of the cubicle's own pages from `start` to `end` others
/// have at the moment, so that the monitor finds them as their owner left them.
pub fn bring_home(cubicle: usize, start: u64, end: u64) {
    // Every lend asks, and most programs have no window.
    if !super::any() {
        return;
    }
    let mut windows = WINDOWS.lock();
    if !windows.records.has_away(cubicle) {
        return;
    }
    let mut at = start;
    while let Some(page) = windows.records.next(at, end) {
        windows.take_home(page, cubicle);
        at = address_of(page) + PAGE;
    }
}

/// Gives a cubicle with these rights all pages of `start..end` that windows admit
/// it to. Answers whether those are all.
pub fn admit(rights: Rights, start: u64, end: u64, needed: u32) -> bool {
    in_use() && WINDOWS.lock().admit(rights, start, end, needed)
}

/// Performs a copy of what `rights` were found to reach. If that is so by windows
/// only, their owner may have closed them since, on another thread: so they are
/// asked again, and no page changes hands before the copy is done. Answers what the
/// copy does, or `bytes` if nothing may be copied any longer.
pub fn steadily(
    rights: Rights,
    (start, bytes, needed): (u64, u64, u32),
    copy: impl FnOnce() -> u64,
) -> u64 {
    let by_window = |owner: usize| {
        let key = cubicle_key(owner);
        !rights.reads(key) || needed & PROT_WRITE != 0 && !rights.writes(key)
    };
    if !in_use() || !owner(start).is_some_and(by_window) {
        return copy();
    }
    let end = start.saturating_add(bytes);
    let mut windows = WINDOWS.lock();
    // Constants that everybody may read are in no window.
    if windows.records.next(page_down(start), end).is_some()
        && !off(Defence::Steady)
        && !windows.admit(rights, start, end, needed)
    {
        return bytes;
    }
    copy()
}

/// As far as windows admit it, gives `cubicle` the pages of `start..end` that are
/// in one, in order; pages in none are passed over.
pub fn prepare(cubicle: usize, start: u64, end: u64) {
    let mut windows = WINDOWS.lock();
    let rights = rights(cubicle);
    let mut at = start;
    while let Some(page) = windows.records.next(at, end) {
        if windows.touch(cubicle, rights, page, PROT_READ) == Touch::Refused {
            return;
        }
        at = address_of(page) + PAGE;
    }
}

/// Page tables: no page changes hands while this lives.
pub struct Held {
    windows: Guard<'static, Windows>,
}

/// Page tables: waits until no page is about to change hands.
pub fn held() -> Held {
    Held {
        windows: WINDOWS.lock(),
    }
}

impl Held {
    /// The parts of `start..end`, memory of `owner`'s, that nobody else has.
    pub fn at_home(&self, owner: usize, start: u64, end: u64, mut part: impl FnMut(u64, u64)) {
        let records = &self.windows.records;
        let mut from = start;
        if in_use() && records.has_away(owner) {
            let mut at = start;
            while let Some(page) = records.next(at, end) {
                let address = address_of(page);
                at = address + PAGE;
                if records.get(page).holder().is_none() {
                    continue;
                }
                if from < address {
                    part(from, address);
                }
                from = at;
            }
        }
        if from < end {
            part(from, end);
        }
    }

    /// Closes and opens what is away from its owner by the key of whoever has it.
    /// `changed` says for which keys.
    pub fn reapply(&self, new: Rights, changed: impl Fn(u32) -> bool) {
        for owner in 0..cubicles().len() {
            let mut run: Option<Run> = None;
            for page in self.windows.records.away(owner) {
                let record = self.windows.records.get(page);
                let key = record.holder().map_or(0, cubicle_key);
                if !changed(key) {
                    continue;
                }
                let one = Run {
                    start: address_of(page),
                    end: address_of(page) + PAGE,
                    protection: effective(new, key, record.access()),
                };
                if run.as_mut().is_some_and(|run| run.join(&one)) {
                    continue;
                }
                if let Some(before) = run.replace(one) {
                    before.protect();
                }
            }
            if let Some(last) = run {
                last.protect();
            }
        }
    }
}

/// Neighbouring pages that are closed or opened alike: a system call for each would
/// take most of the time of a call that lends a megabyte.
struct Run {
    start: u64,
    end: u64,
    protection: u32,
}

impl Run {
    /// Takes in `other`, if it lies beside this one and is alike.
    fn join(&mut self, other: &Run) -> bool {
        if self.protection != other.protection {
            return false;
        }
        // The pages that went last come first.
        if other.end == self.start {
            self.start = other.start;
        } else if other.start == self.end {
            self.end = other.end;
        } else {
            return false;
        }
        true
    }

    fn protect(&self) {
        protect(self.start, self.end, self.protection);
    }
}

impl Windows {
    fn admit(&mut self, rights: Rights, start: u64, end: u64, needed: u32) -> bool {
        let Some(cubicle) = cubicle_with(rights) else {
            return false;
        };
        let mut at = page_down(start);
        while at < end {
            let touched = page_of(at).map(|page| self.touch(cubicle, rights, page, needed));
            if matches!(touched, None | Some(Touch::Refused)) {
                return false;
            }
            at += PAGE;
        }
        true
    }

    pub(super) fn touch(
        &mut self,
        cubicle: usize,
        rights: Rights,
        page: Page,
        needed: u32,
    ) -> Touch {
        let address = address_of(page);
        let Some(owner) = owner(address) else {
            return Touch::Refused;
        };
        let record = self.records.get(page);
        let Some(protection) = protection(owner, address) else {
            return Touch::Refused;
        };
        let key = cubicle_key(owner);
        let own = rights.reads(key) && (needed & PROT_WRITE == 0 || rights.writes(key));
        if own && protection & needed == needed {
            return match record.holder() {
                None => Touch::Unchanged,
                Some(_) => {
                    self.take_home(page, owner);
                    Touch::Changed
                }
            };
        }
        // All that the guest may do, so that a write behind a read is no second
        // fault.
        let mut granted = self.rights_on(page, owner)[cubicle] & protection;
        if granted & needed != needed {
            if !off(Defence::WindowRights) {
                return Touch::Refused;
            }
            granted = protection;
        }
        if record.holder() == Some(cubicle) && record.access() == granted {
            return Touch::Unchanged;
        }
        // A fragment too many for the kernel: the guest does not get it.
        if tag(address, address + PAGE, granted, cubicle_key(cubicle)).is_err() {
            return Touch::Refused;
        }
        self.records.give(page, owner, cubicle, granted);
        Touch::Changed
    }

    /// Gives a page back to its owner, if somebody else has it.
    pub(super) fn take_home(&mut self, page: Page, owner: usize) {
        if self.records.get(page).holder().is_none() {
            return;
        }
        let address = address_of(page);
        let protection = protection(owner, address).unwrap_or(0);
        if tag(address, address + PAGE, protection, cubicle_key(owner)).is_err() {
            crate::violation::fatal("the kernel refused to give a page back to its owner");
        }
        self.records.take(page, owner);
    }
}

/// PROT_ bits: what the owner itself may do to its page.
fn protection(owner: usize, address: u64) -> Option<u32> {
    let mappings = cubicles()[owner].mappings.lock();
    mappings.find(address).map(|mapping| mapping.protection)
}
