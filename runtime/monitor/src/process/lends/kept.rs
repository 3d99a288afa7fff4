//! Objects that stay lent between calls: each has one place in the callee from
//! the call that keeps it until the one that ends it, because the callee may
//! remember where it is.
//!
//! ```text
//!   (caller, callee, address in the caller) ──► place in the callee
//!                                               rooms of 64 B, 128 B, 256 B …
//! ```
//!
//! Objects that were kept beside each other end together. What a caller forgets
//! to end takes room until the table or the callee's memory is full, and is
//! taken over when the same address is kept again.
//!
//! A callee may remember a place for longer than a caller says that it does. So a
//! room is only ever used again for what the same lend of the same gate keeps: it
//! never becomes another caller's, nor something of another shape.

/// As many objects as may be kept at once, in the whole process.
pub const MAXIMUM_KEPT: usize = 4096;

/// The smallest room, bytes.
const SMALLEST: u64 = 64;
const BUCKETS: usize = 4096;
const NONE: u16 = u16::MAX;

/// Set in a [`name`], and in no address.
const NAME: u64 = 1 << 63;

/// Under what the copy of a result is entered: what gate `number` returned last to
/// `thread`.
pub fn name(thread: usize, number: u32) -> u64 {
    NAME | (thread as u64) << 32 | u64::from(number)
}

/// Can no object be kept at this address? It is a name, or nothing is mapped there.
pub fn is_no_object(address: u64) -> bool {
    address & NAME != 0 || address <= u16::MAX.into()
}

/// The lend that keeps an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeper {
    pub from: u8,
    pub to: u8,
    /// Index among the gate's lends.
    pub lend: u16,
    /// Number of the gate.
    pub gate: u32,
}

/// One object.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    pub keeper: Keeper,
    /// Is it lent at the moment? If not, its room waits for another one.
    pub alive: bool,
    /// log2 of the bytes of its room.
    class: u8,
    /// The next of the same bucket while it is alive, else of the free ones.
    next: u16,
    /// The next of those that were kept beside it, a ring.
    beside: u16,
    /// The gate whose call ends it.
    pub until: u32,
    pub caller: u64,
    /// Its place in the callee.
    pub callee: u64,
    /// Bytes that are kept, at most its room.
    pub bytes: u64,
}

impl Kept {
    const NOTHING: Kept = Kept {
        keeper: Keeper {
            from: 0,
            to: 0,
            lend: 0,
            gate: 0,
        },
        alive: false,
        class: 0,
        next: 0,
        beside: 0,
        until: 0,
        caller: 0,
        callee: 0,
        bytes: 0,
    };

    fn is_of(&self, from: usize, to: usize) -> bool {
        (self.keeper.from.into(), self.keeper.to.into()) == (from, to)
    }

    /// Bytes of its room.
    pub fn room(&self) -> u64 {
        1 << self.class
    }
}

/// All kept objects of the process.
pub struct KeptObjects {
    entries: [Kept; MAXIMUM_KEPT],
    length: usize,
    /// First entry of each bucket, plus one: 0 is none, so that an empty table
    /// takes no room in the file.
    buckets: [u16; BUCKETS],
    /// Entries without an object, with a room.
    free: u16,
}

impl Default for KeptObjects {
    fn default() -> Self {
        Self::new()
    }
}

impl KeptObjects {
    pub const fn new() -> Self {
        KeptObjects {
            entries: [Kept::NOTHING; MAXIMUM_KEPT],
            length: 0,
            buckets: [0; BUCKETS],
            free: 0,
        }
    }

    /// The number of the object that `from` keeps in `to` under an address.
    pub fn find(&self, from: usize, to: usize, caller: u64) -> Option<usize> {
        let mut at = self.buckets[bucket(from, to, caller)];
        while at != 0 {
            let entry = &self.entries[usize::from(at) - 1];
            if entry.is_of(from, to) && entry.caller == caller {
                return Some(usize::from(at) - 1);
            }
            at = entry.next;
        }
        None
    }

    pub fn get(&self, number: usize) -> &Kept {
        &self.entries[number]
    }

    /// The object of `from` into whose place in `to` an address leads. Copies of
    /// results, which are entered under the number of a gate, are no objects.
    pub fn containing(&self, from: usize, to: usize, address: u64) -> Option<&Kept> {
        self.entries[..self.length].iter().find(|kept| {
            kept.alive
                && !is_no_object(kept.caller)
                && kept.is_of(from, to)
                && address.wrapping_sub(kept.callee) < kept.bytes.max(1)
        })
    }

    /// Keeps an object; `place` makes room for so many bytes if none is free.
    /// Answers with its number, or `None` if there is no room or no entry.
    pub fn keep(
        &mut self,
        keeper: Keeper,
        caller: u64,
        bytes: u64,
        until: u32,
        place: impl FnOnce(u64) -> Option<u64>,
    ) -> Option<usize> {
        let size = bytes.max(SMALLEST).checked_next_power_of_two()?;
        let class = size.trailing_zeros() as u8;
        let number = match self.take_free(keeper, class) {
            Some(number) => number,
            None if self.length < MAXIMUM_KEPT => {
                let callee = place(size)?;
                let number = self.length;
                self.length += 1;
                self.entries[number].callee = callee;
                number
            }
            None => return None,
        };
        let head = &mut self.buckets[bucket(keeper.from.into(), keeper.to.into(), caller)];
        let callee = self.entries[number].callee;
        self.entries[number] = Kept {
            keeper,
            alive: true,
            class,
            next: *head,
            beside: number as u16,
            until,
            caller,
            callee,
            bytes,
        };
        *head = number as u16 + 1;
        Some(number)
    }

    /// Two objects end together from now on.
    pub fn join(&mut self, one: usize, other: usize) {
        let mut at = one;
        loop {
            if at == other {
                return;
            }
            at = usize::from(self.entries[at].beside);
            if at == one {
                break;
            }
        }
        let next = self.entries[one].beside;
        self.entries[one].beside = self.entries[other].beside;
        self.entries[other].beside = next;
    }

    /// Ends an object and those kept beside it.
    pub fn end(&mut self, number: usize) {
        let mut at = number;
        loop {
            let next = usize::from(self.entries[at].beside);
            self.end_one(at);
            if next == number {
                return;
            }
            at = next;
        }
    }

    /// Ends the copies of results that `thread` has in `holder`.
    pub fn end_names(&mut self, holder: usize, thread: usize) {
        let of_thread = name(thread, 0)..=name(thread, u32::MAX);
        for number in 0..self.length {
            let entry = &self.entries[number];
            if usize::from(entry.keeper.to) == holder && of_thread.contains(&entry.caller) {
                self.end_one(number);
            }
        }
    }

    /// Ends an object that is about to be kept elsewhere: what was kept beside
    /// it stays.
    pub fn replace(&mut self, number: usize) {
        let mut before = number;
        while usize::from(self.entries[before].beside) != number {
            before = usize::from(self.entries[before].beside);
        }
        self.entries[before].beside = self.entries[number].beside;
        self.end_one(number);
    }

    /// Ends everything that is kept in a cubicle, or by it.
    pub fn end_all(&mut self, cubicle: usize) {
        for number in 0..self.length {
            let keeper = self.entries[number].keeper;
            if usize::from(keeper.to) == cubicle || usize::from(keeper.from) == cubicle {
                self.end(number);
            }
        }
    }

    fn end_one(&mut self, number: usize) {
        let entry = self.entries[number];
        if !entry.alive {
            return;
        }
        let mark = number as u16 + 1;
        let head = bucket(
            entry.keeper.from.into(),
            entry.keeper.to.into(),
            entry.caller,
        );
        if self.buckets[head] == mark {
            self.buckets[head] = entry.next;
        } else {
            let mut at = self.buckets[head];
            while at != 0 {
                let before = usize::from(at) - 1;
                if self.entries[before].next == mark {
                    self.entries[before].next = entry.next;
                    break;
                }
                at = self.entries[before].next;
            }
        }
        self.entries[number] = Kept {
            alive: false,
            next: self.free,
            beside: number as u16,
            ..entry
        };
        self.free = mark;
    }

    /// A free room of this size that the same lend has left.
    fn take_free(&mut self, keeper: Keeper, class: u8) -> Option<usize> {
        let (mut before, mut at) = (NONE, self.free);
        while at != 0 {
            let number = usize::from(at) - 1;
            let entry = self.entries[number];
            if entry.keeper == keeper && entry.class == class {
                if before == NONE {
                    self.free = entry.next;
                } else {
                    self.entries[usize::from(before)].next = entry.next;
                }
                return Some(number);
            }
            (before, at) = (number as u16, entry.next);
        }
        None
    }
}

fn bucket(from: usize, to: usize, caller: u64) -> usize {
    // Objects are aligned, and the low bits say little.
    let mixed = (caller >> 3).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    (mixed as usize ^ from << 4 ^ to) % BUCKETS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Box<KeptObjects> {
        Box::new(KeptObjects::new())
    }

    fn keeper(from: u8, to: u8) -> Keeper {
        Keeper {
            from,
            to,
            lend: 1,
            gate: 5,
        }
    }

    #[test]
    fn an_object_has_one_place_until_it_ends() {
        let mut kept = table();
        let one = kept.keep(keeper(0, 1), 0x10_0000, 112, 7, |size| {
            assert_eq!(size, 128);
            Some(0x9000)
        });
        assert_eq!(one, kept.find(0, 1, 0x10_0000));
        assert_eq!(kept.find(1, 0, 0x10_0000), None);
        let number = one.expect("kept");
        assert_eq!(kept.get(number).callee, 0x9000);
        assert!(kept.containing(0, 1, 0x906f).is_some());
        assert!(kept.containing(0, 1, 0x9070).is_none());
        kept.end(number);
        assert_eq!(kept.find(0, 1, 0x10_0000), None);
        assert!(kept.containing(0, 1, 0x9000).is_none());
        // Its room is used again for what the same lend keeps, and for nothing else.
        let other_lend = Keeper {
            lend: 2,
            ..keeper(0, 1)
        };
        let other_gate = Keeper {
            gate: 6,
            ..keeper(0, 1)
        };
        for other in [keeper(2, 1), keeper(0, 3), other_lend, other_gate] {
            assert!(kept.keep(other, 0x2000, 100, 7, |_| None).is_none());
        }
        let again = kept.keep(keeper(0, 1), 0x2000, 100, 7, |_| {
            panic!("there is a free room")
        });
        assert_eq!(kept.get(again.expect("kept")).callee, 0x9000);
    }

    #[test]
    fn what_was_kept_together_ends_together() {
        let mut kept = table();
        let mut next = 0;
        let mut keep = |kept: &mut KeptObjects, caller| {
            next += 0x1000;
            kept.keep(keeper(0, 1), caller, 8, 0, |_| Some(next))
                .expect("kept")
        };
        let (a, b, c) = (
            keep(&mut kept, 0x10),
            keep(&mut kept, 0x20),
            keep(&mut kept, 0x30),
        );
        let d = keep(&mut kept, 0x40);
        kept.join(a, b);
        kept.join(a, c);
        kept.join(b, c);
        kept.replace(b);
        assert_eq!(kept.find(0, 1, 0x20), None);
        kept.end(c);
        assert_eq!(kept.find(0, 1, 0x10), None);
        assert_eq!(kept.find(0, 1, 0x30), None);
        assert_eq!(kept.find(0, 1, 0x40), Some(d));
    }

    #[test]
    fn copies_of_results_end_with_their_thread() {
        let mut kept = table();
        let mut next = 0;
        let mut keep = |kept: &mut KeptObjects, holder, name| {
            next += 0x1000;
            let done = kept.keep(keeper(1, holder), name, 8, u32::MAX, |_| Some(next));
            assert!(done.is_some());
        };
        for holder in [0, 2] {
            for thread in [4, 5] {
                keep(&mut kept, holder, name(thread, 7));
                keep(&mut kept, holder, name(thread, u32::MAX));
            }
        }
        kept.end_names(0, 5);
        for (holder, thread, there) in [(0, 5, false), (0, 4, true), (2, 5, true)] {
            let last = kept.find(1, holder, name(thread, u32::MAX));
            assert_eq!(kept.find(1, holder, name(thread, 7)).is_some(), there);
            assert_eq!(last.is_some(), there);
        }
        // No address is a name, and no name leads to an object.
        assert!(is_no_object(name(0, 0)) && !is_no_object(1 << 46));
        assert!(kept.containing(1, 0, 0x1000).is_none());
    }

    #[test]
    fn many_objects_come_and_go() {
        let mut kept = table();
        let mut place = 0;
        for round in 0..3 {
            for number in 0..MAXIMUM_KEPT as u64 {
                let done = kept.keep(keeper(0, 1), number * 16, 64, 0, |size| {
                    assert_eq!(round, 0, "rooms are used again");
                    place += size;
                    Some(place)
                });
                assert!(done.is_some());
            }
            assert!(kept.keep(keeper(0, 1), 1, 64, 0, |_| Some(1)).is_none());
            for number in 0..MAXIMUM_KEPT as u64 {
                let found = kept.find(0, 1, number * 16).expect("kept");
                assert_eq!(kept.get(found).caller, number * 16);
                kept.end(found);
            }
        }
    }
}
