//! Which memory a cubicle has, and with which protection: a sorted table, so
//! that the monitor, and not the kernel, decides where mappings go, and so that
//! page tables can be closed and opened again as they were.

/// As many separate mappings as a cubicle may have (rule 18: without a limit,
/// fragments make a later change of protection fail).
pub const MAXIMUM: usize = 4096;

/// What a mapping is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What the cubicle mapped itself. The first, so that an empty table is
    /// all zeroes and takes no room in the file.
    Mapping,
    /// Writable data of the image.
    Data,
    /// Frames: nobody's to change.
    Frame,
    /// What `brk` moves.
    Heap,
    /// The stack its image started on, and buffers for lends.
    Monitor,
    /// What it mapped itself and made a thread's stack of.
    Stack,
    /// What it mapped itself of a file, or to share with other processes.
    File,
}

/// A range of whole pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    pub start: u64,
    /// Exclusive.
    pub end: u64,
    /// PROT_ bits as mmap(2) has them.
    pub protection: u32,
    pub kind: Kind,
}

/// Why a change of the table was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No room, or beyond the cubicle's limit: ENOMEM.
    Memory,
    /// Not the cubicle's to change: EPERM.
    Foreign,
}

/// All memory of one cubicle, ordered by address, nothing overlapping.
pub struct Mappings {
    entries: [Mapping; MAXIMUM],
    length: usize,
    /// Bytes that are accessible, and the most that may be.
    used: u64,
    /// The most of them that were accessible at once.
    most: u64,
    limit: u64,
}

const NOTHING: Mapping = Mapping {
    start: 0,
    end: 0,
    protection: 0,
    kind: Kind::Mapping,
};

impl Default for Mappings {
    fn default() -> Self {
        Self::new()
    }
}

impl Mappings {
    pub const fn new() -> Self {
        Mappings {
            entries: [NOTHING; MAXIMUM],
            length: 0,
            used: 0,
            most: 0,
            limit: 0,
        }
    }

    /// Sets the limit in bytes, 0 at first. Image data does not count.
    pub fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// The most bytes that were accessible at once, image data excepted.
    pub fn most(&self) -> u64 {
        self.most
    }

    /// From the lowest address to the highest.
    pub fn iter(&self) -> impl Iterator<Item = &Mapping> {
        self.entries[..self.length].iter()
    }

    /// The mapping that contains `address`.
    pub fn find(&self, address: u64) -> Option<&Mapping> {
        let index = self.first_ending_after(address);
        self.entries[..self.length]
            .get(index)
            .filter(|mapping| mapping.start <= address)
    }

    /// Is every byte of `start..end` mapped with all of `protection`?
    pub fn covers(&self, start: u64, end: u64, protection: u32) -> bool {
        let mut at = start;
        while at < end {
            match self.find(at) {
                Some(mapping) if mapping.protection & protection == protection => at = mapping.end,
                _ => return false,
            }
        }
        true
    }

    /// The lowest free range of `size` bytes within `low..high`.
    pub fn free(&self, low: u64, high: u64, size: u64) -> Option<u64> {
        let mut start = low;
        for mapping in &self.entries[self.first_ending_after(low)..self.length] {
            if mapping.start >= start && mapping.start - start >= size {
                break;
            }
            start = start.max(mapping.end);
        }
        (start.checked_add(size)? <= high).then_some(start)
    }

    /// Enters a mapping; whatever of the cubicle's own lay there is replaced.
    ///
    /// # Errors
    /// [`Refusal::Memory`] beyond the limit or with a full table, and
    /// [`Refusal::Foreign`] if something lies there that is not to be changed.
    /// The table is then as before.
    pub fn insert(&mut self, new: Mapping) -> Result<(), Refusal> {
        self.check_own(new.start, new.end)?;
        let released = self.counted_within(new.start, new.end);
        let cost = Self::counted(&new);
        if cost > 0 && self.used - released + cost > self.limit {
            return Err(Refusal::Memory);
        }
        self.check_room()?;
        self.replace(new);
        Ok(())
    }

    /// Enters a mapping in exchange for `old_size` bytes with the same
    /// protection, which the caller removes next: until then both count, and the
    /// limit is not to say so.
    ///
    /// # Errors
    /// As [`Mappings::insert`].
    pub fn insert_moved(&mut self, new: Mapping, old_size: u64) -> Result<(), Refusal> {
        let limit = self.limit;
        self.limit = limit.saturating_add(old_size);
        let result = self.insert(new);
        self.limit = limit;
        result
    }

    /// Forgets whatever of the cubicle's own lies in `start..end`.
    ///
    /// # Errors
    /// As [`Mappings::insert`].
    pub fn remove(&mut self, start: u64, end: u64) -> Result<(), Refusal> {
        self.check_own(start, end)?;
        self.check_room()?;
        self.cut(start, end);
        Ok(())
    }

    /// Forgets what the monitor itself has entered in `start..end`.
    pub fn release(&mut self, start: u64, end: u64) {
        // A cut through the middle takes one entry more.
        if self.check_room().is_ok() {
            self.cut(start, end);
        }
    }

    /// Changes the protection of `start..end`, all of which must be mapped.
    ///
    /// # Errors
    /// As [`Mappings::insert`]; a hole is [`Refusal::Memory`], as mprotect(2)
    /// has it.
    pub fn protect(&mut self, start: u64, end: u64, protection: u32) -> Result<(), Refusal> {
        self.check_protect(start, end, protection)?;
        let mut at = start;
        while at < end {
            let old = *self.find(at).expect("covered, as checked above");
            let part_end = old.end.min(end);
            self.replace(Mapping {
                start: at,
                end: part_end,
                protection,
                kind: old.kind,
            });
            at = part_end;
        }
        Ok(())
    }

    /// Puts an entry in the place of whatever it covers.
    fn replace(&mut self, new: Mapping) {
        self.cut(new.start, new.end);
        let index = self.first_ending_after(new.start);
        self.entries.copy_within(index..self.length, index + 1);
        self.entries[index] = new;
        self.length += 1;
        self.used += Self::counted(&new);
        self.most = self.most.max(self.used);
        self.join(index);
    }

    /// Notes that what the cubicle mapped itself in `start..end` is a thread's
    /// stack. Without room for that, it stays an ordinary mapping.
    pub fn mark_stack(&mut self, start: u64, end: u64) {
        let mut at = start;
        while at < end && self.check_room().is_ok() {
            let Some(old) = self.find(at).copied() else {
                return;
            };
            let part_end = old.end.min(end);
            if old.kind == Kind::Mapping {
                self.replace(Mapping {
                    start: at,
                    end: part_end,
                    kind: Kind::Stack,
                    ..old
                });
            }
            at = part_end;
        }
    }

    /// Would [`Mappings::protect`] do it? Changes nothing.
    ///
    /// # Errors
    /// As [`Mappings::protect`].
    pub fn check_protect(&self, start: u64, end: u64, protection: u32) -> Result<(), Refusal> {
        self.check_frames(start, end)?;
        if !self.covers(start, end, 0) {
            return Err(Refusal::Memory);
        }
        let more: u64 = self
            .iter()
            .filter(|m| m.kind != Kind::Data && m.protection == 0 && protection != 0)
            .map(|m| overlap(m, start, end))
            .sum();
        if self.used + more > self.limit && more > 0 {
            return Err(Refusal::Memory);
        }
        self.check_room()
    }

    /// Takes from all mappings whatever is not in `protection`, and tells of each that
    /// changes.
    pub fn limit_protection(&mut self, protection: u32, mut changed: impl FnMut(u64, u64, u32)) {
        for mapping in &mut self.entries[..self.length] {
            if mapping.protection & !protection != 0 {
                mapping.protection &= protection;
                changed(mapping.start, mapping.end, mapping.protection);
            }
        }
    }

    /// Forgets everything, but for the limit.
    pub fn clear(&mut self) {
        self.length = 0;
        self.used = 0;
    }

    fn counted(mapping: &Mapping) -> u64 {
        if mapping.kind == Kind::Data || mapping.protection == 0 {
            0
        } else {
            mapping.end - mapping.start
        }
    }

    fn counted_within(&self, start: u64, end: u64) -> u64 {
        self.iter()
            .filter(|mapping| Self::counted(mapping) > 0)
            .map(|mapping| overlap(mapping, start, end))
            .sum()
    }

    /// Image data may change protection, but never be replaced.
    fn check_own(&self, start: u64, end: u64) -> Result<(), Refusal> {
        let foreign = self.iter().any(|mapping| {
            matches!(mapping.kind, Kind::Data | Kind::Frame | Kind::Monitor)
                && overlap(mapping, start, end) > 0
        });
        if foreign {
            Err(Refusal::Foreign)
        } else {
            Ok(())
        }
    }

    fn check_frames(&self, start: u64, end: u64) -> Result<(), Refusal> {
        let frames = self.iter().any(|mapping| {
            matches!(mapping.kind, Kind::Frame | Kind::Monitor) && overlap(mapping, start, end) > 0
        });
        if frames {
            Err(Refusal::Foreign)
        } else {
            Ok(())
        }
    }

    /// A change makes at most two entries more than there were.
    fn check_room(&self) -> Result<(), Refusal> {
        if self.length + 2 > MAXIMUM {
            Err(Refusal::Memory)
        } else {
            Ok(())
        }
    }

    /// Index of the first mapping that ends behind `address`.
    fn first_ending_after(&self, address: u64) -> usize {
        self.entries[..self.length].partition_point(|mapping| mapping.end <= address)
    }

    /// Removes `start..end` from the table, splitting what it cuts through.
    fn cut(&mut self, start: u64, end: u64) {
        let mut index = self.first_ending_after(start);
        while index < self.length && self.entries[index].start < end {
            let old = self.entries[index];
            if Self::counted(&old) > 0 {
                self.used -= overlap(&old, start, end);
            }
            let before = Mapping {
                end: start.max(old.start),
                ..old
            };
            let after = Mapping {
                start: end.min(old.end),
                ..old
            };
            match (before.start < before.end, after.start < after.end) {
                (true, true) => {
                    self.entries.copy_within(index..self.length, index + 1);
                    self.length += 1;
                    self.entries[index] = before;
                    self.entries[index + 1] = after;
                    index += 2;
                }
                (true, false) => {
                    self.entries[index] = before;
                    index += 1;
                }
                (false, true) => {
                    self.entries[index] = after;
                    index += 1;
                }
                (false, false) => {
                    self.entries.copy_within(index + 1..self.length, index);
                    self.length -= 1;
                }
            }
        }
    }

    /// Joins the entry with equal neighbours, so that the table stays short.
    fn join(&mut self, index: usize) {
        for left in [index, index.wrapping_sub(1)] {
            let Some([a, b]) = self.entries[..self.length].get(left..left.wrapping_add(2)) else {
                continue;
            };
            if a.end == b.start && a.protection == b.protection && a.kind == b.kind {
                self.entries[left].end = b.end;
                self.entries.copy_within(left + 2..self.length, left + 1);
                self.length -= 1;
            }
        }
    }
}

fn overlap(mapping: &Mapping, start: u64, end: u64) -> u64 {
    mapping
        .end
        .min(end)
        .saturating_sub(mapping.start.max(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(start: u64, end: u64, protection: u32) -> Mapping {
        Mapping {
            start,
            end,
            protection,
            kind: Kind::Mapping,
        }
    }

    fn roomy() -> Mappings {
        let mut table = Mappings::new();
        table.set_limit(1 << 40);
        table
    }

    fn listed(table: &Mappings) -> Vec<(u64, u64, u32)> {
        table
            .iter()
            .map(|m| (m.start, m.end, m.protection))
            .collect()
    }

    #[test]
    fn a_hole_is_found_between_neighbours() {
        let mut table = roomy();
        table.insert(mapping(0x1000, 0x2000, 3)).unwrap();
        table.insert(mapping(0x4000, 0x5000, 1)).unwrap();
        assert_eq!(table.free(0, 0x10000, 0x1000), Some(0));
        assert_eq!(table.free(0x1000, 0x10000, 0x2000), Some(0x2000));
        assert_eq!(table.free(0x1000, 0x10000, 0x3000), Some(0x5000));
        assert_eq!(table.free(0x1000, 0x6000, 0x3000), None);
    }

    #[test]
    fn protection_splits_and_joins() {
        let mut table = roomy();
        table.insert(mapping(0x1000, 0x5000, 3)).unwrap();
        table.protect(0x2000, 0x3000, 1).unwrap();
        assert_eq!(
            listed(&table),
            [
                (0x1000, 0x2000, 3),
                (0x2000, 0x3000, 1),
                (0x3000, 0x5000, 3)
            ]
        );
        table.protect(0x2000, 0x3000, 3).unwrap();
        assert_eq!(listed(&table), [(0x1000, 0x5000, 3)]);
        assert_eq!(table.protect(0x4000, 0x6000, 1), Err(Refusal::Memory));
        assert_eq!(listed(&table), [(0x1000, 0x5000, 3)]);
    }

    #[test]
    fn a_stack_is_told_from_its_neighbours() {
        let mut table = roomy();
        table.insert(mapping(0x1000, 0x2000, 0)).unwrap();
        table.insert(mapping(0x2000, 0x9000, 3)).unwrap();
        table.mark_stack(0x1000, 0x5000);
        let kinds: Vec<_> = table.iter().map(|m| (m.start, m.end, m.kind)).collect();
        assert_eq!(
            kinds,
            [
                (0x1000, 0x2000, Kind::Stack),
                (0x2000, 0x5000, Kind::Stack),
                (0x5000, 0x9000, Kind::Mapping)
            ]
        );
        assert_eq!(table.used, 0x7000);
        // Its libc may take it apart again.
        table.remove(0x1000, 0x5000).unwrap();
        table.insert(mapping(0x2000, 0x5000, 3)).unwrap();
        assert_eq!(listed(&table), [(0x2000, 0x9000, 3)]);
    }

    #[test]
    fn removal_cuts_through() {
        let mut table = roomy();
        table.insert(mapping(0x1000, 0x5000, 3)).unwrap();
        table.remove(0x2000, 0x3000).unwrap();
        assert_eq!(listed(&table), [(0x1000, 0x2000, 3), (0x3000, 0x5000, 3)]);
        assert!(table.covers(0x3000, 0x5000, 2));
        assert!(!table.covers(0x1000, 0x5000, 0));
    }

    #[test]
    fn the_limit_counts_what_is_accessible() {
        let mut table = roomy();
        table.set_limit(0x3000);
        table.insert(mapping(0x10000, 0x20000, 0)).unwrap();
        assert_eq!(table.protect(0x10000, 0x14000, 3), Err(Refusal::Memory));
        table.protect(0x10000, 0x13000, 3).unwrap();
        assert_eq!(
            table.insert(mapping(0x1000, 0x2000, 3)),
            Err(Refusal::Memory)
        );
        // Replacing what is there costs nothing more.
        table.insert(mapping(0x10000, 0x13000, 1)).unwrap();
        table.remove(0x10000, 0x12000).unwrap();
        table.insert(mapping(0x1000, 0x3000, 3)).unwrap();
    }

    #[test]
    fn what_moves_counts_once() {
        let mut table = roomy();
        table.set_limit(0x5000);
        table.insert(mapping(0x1000, 0x4000, 3)).unwrap();
        let moved = mapping(0x8000, 0xc000, 3);
        assert_eq!(table.insert(moved), Err(Refusal::Memory));
        table.insert_moved(moved, 0x3000).unwrap();
        table.remove(0x1000, 0x4000).unwrap();
        assert_eq!(table.used, 0x4000);
        let larger = mapping(0x10000, 0x16000, 3);
        assert_eq!(table.insert_moved(larger, 0x4000), Err(Refusal::Memory));
        table.insert(mapping(0x1000, 0x2000, 3)).unwrap();
        assert_eq!(
            table.insert(mapping(0x2000, 0x3000, 3)),
            Err(Refusal::Memory)
        );
    }

    #[test]
    fn a_check_of_protection_changes_nothing() {
        let mut table = roomy();
        table.set_limit(0x1000);
        table.insert(mapping(0x1000, 0x4000, 0)).unwrap();
        table.check_protect(0x2000, 0x3000, 3).unwrap();
        assert_eq!(table.check_protect(0x1000, 0x3000, 3), Err(Refusal::Memory));
        assert_eq!(listed(&table), [(0x1000, 0x4000, 0)]);
    }

    #[test]
    fn image_data_and_frames_stay() {
        let mut table = roomy();
        for kind in [Kind::Data, Kind::Frame] {
            let start = if kind == Kind::Data { 0x1000 } else { 0x9000 };
            table
                .insert(Mapping {
                    kind,
                    ..mapping(start, start + 0x1000, 3)
                })
                .unwrap();
        }
        assert_eq!(table.remove(0, 0x2000), Err(Refusal::Foreign));
        assert_eq!(
            table.insert(mapping(0x9000, 0xa000, 3)),
            Err(Refusal::Foreign)
        );
        assert_eq!(table.protect(0x9000, 0xa000, 0), Err(Refusal::Foreign));
        table.protect(0x1000, 0x2000, 1).unwrap();
    }

    #[test]
    fn the_table_agrees_with_a_page_map() {
        // A plain array of pages is the model; a fixed generator the operator.
        let mut model = [None::<u32>; 64];
        let mut table = roomy();
        let mut seed = 0x9e37_79b9_7f4a_7c15u64;
        for _ in 0..20_000 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let first = (seed >> 8) as usize % 64;
            let last = (first + 1 + (seed >> 16) as usize % 8).min(64);
            let protection = (seed >> 32) as u32 % 4;
            let (start, end) = (first as u64 * 4096, last as u64 * 4096);
            match seed >> 40 & 3 {
                0 | 1 => {
                    table.insert(mapping(start, end, protection)).unwrap();
                    model[first..last].fill(Some(protection));
                }
                2 => {
                    table.remove(start, end).unwrap();
                    model[first..last].fill(None);
                }
                _ => {
                    let whole = model[first..last].iter().all(Option::is_some);
                    assert_eq!(table.protect(start, end, protection).is_ok(), whole);
                    if whole {
                        model[first..last].fill(Some(protection));
                    }
                }
            }
            for (page, expected) in model.iter().enumerate() {
                let found = table.find(page as u64 * 4096).map(|m| m.protection);
                assert_eq!(found, *expected);
            }
            let used = model.iter().flatten().filter(|p| **p != 0).count() as u64 * 4096;
            assert_eq!(table.used, used);
        }
    }
}
