//! What is noted, in tables of fixed size: integers only, and all zeroes at first.

use crate::text::Text;
use cubicle_abi::plan::MOST_PROBES;

/// As many calls as may be pending.
pub const MOST_CALLS: usize = 512;
/// As many pointers of finished calls as are known.
pub const MOST_PAST: usize = 1024;
/// As many different accesses as are noted; a power of two.
pub const MOST_ACCESSES: usize = 16384;
/// As many calls as are noted with all their values.
pub const MOST_SAMPLES: usize = 4096;
/// As many of one kind of anything else.
pub const MOST_OTHERS: usize = 1024;
/// As many gates are told apart where it is counted how closely they were looked at.
pub const MOST_SPENT: usize = 4096;
/// As many pages as one instruction may touch.
pub const MOST_STEPPED: usize = 64;
/// As many pages as are left open until the next switch.
pub const MOST_LEFT: usize = 4096;

/// A pointer that crossed: the number of a gate plus one, and of one of its
/// probes. All zeroes: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    pub gate: u32,
    pub probe: u32,
}

impl Origin {
    pub const NONE: Origin = Origin { gate: 0, probe: 0 };

    pub fn new(gate: usize, probe: usize) -> Origin {
        Origin {
            gate: gate as u32 + 1,
            probe: probe as u32,
        }
    }

    /// The number of the gate.
    pub fn gate(self) -> Option<usize> {
        (self.gate as usize).checked_sub(1)
    }
}

/// How what is touched came to be known to who touches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum When {
    /// Not at all, as far as was seen.
    Never = 0,
    /// It was passed in a call that is pending.
    Pending = 1,
    /// It was passed in an earlier call.
    Later = 2,
    /// It is the result of an earlier call, or was left by one.
    Returned = 3,
}

/// Bytes of what a pointer leads to, relative to it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Touched {
    /// How often; 0: the rest says nothing.
    pub count: u64,
    /// Where accesses began, the lowest and the highest.
    pub low: i64,
    pub high: i64,
    /// The instruction that made the highest. How wide it is, the tool knows.
    pub instruction: u64,
    /// The highest end that is known, exclusive.
    pub end: i64,
}

impl Touched {
    /// An access that begins `offset` bytes behind the pointer; `size` if it is
    /// known, else 0.
    pub fn note(&mut self, offset: i64, size: u64, instruction: u64) {
        if self.count == 0 {
            *self = Touched {
                count: 0,
                low: offset,
                high: offset,
                instruction,
                end: i64::MIN,
            };
        }
        self.count += 1;
        self.low = self.low.min(offset);
        if size == 0 && offset > self.high {
            self.high = offset;
            self.instruction = instruction;
        }
        if size > 0 {
            if self.count == 1 {
                // What the tool would add its width to.
                self.instruction = 0;
            }
            self.end = self.end.max(offset + size as i64);
        }
    }
}

/// What was first done with what a pointer leads to.
pub const FIRST_READ: u32 = 1;
pub const FIRST_WRITTEN: u32 = 2;

/// What one probe saw in one call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// `SEEN_` flags.
    pub flags: u32,
    /// Whose memory a pointer leads to: number plus one, 0 nobody's.
    pub owner: u32,
    pub before: u64,
    pub after: u64,
    /// Length of the string, with its zero byte, before and after; 0: there is
    /// none that ends soon.
    pub string: u32,
    pub string_after: u32,
    /// `FIRST_` constants.
    pub first: u32,
    /// Instructions that were stepped over for it.
    pub steps: u32,
    /// Where the heap object that begins there ends, as an allocator wrote it.
    pub end: u64,
    pub read: Touched,
    pub written: Touched,
}

/// It was there to be seen.
pub const SEEN_PRESENT: u32 = 1;
/// It was touched so often that pages were left open: not all was seen.
pub const SEEN_TRUNCATED: u32 = 2;
/// After the call the callee's memory still held the pointer.
pub const SEEN_REMEMBERED: u32 = 4;
/// The callee's memory was searched for it.
pub const SEEN_SEARCHED: u32 = 8;
/// It leads to constants, which everybody may read.
pub const SEEN_CONSTANT: u32 = 16;
/// It leads to somebody's code.
pub const SEEN_CODE: u32 = 32;

/// One call.
#[derive(Clone, Copy)]
pub struct Call {
    pub gate: u32,
    pub from: u32,
    pub to: u32,
    pub probes: u32,
    /// For a function that was called by its address: which, and how that had
    /// crossed.
    pub function: u64,
    pub through: Origin,
    /// The caller's stack pointer: which of several pending calls it is.
    pub stack: u64,
    pub seen: [Seen; MOST_PROBES],
}

/// A pointer of a finished call.
#[derive(Clone, Copy)]
pub struct Past {
    pub origin: Origin,
    /// The function, if it was called by its address.
    pub function: u64,
    /// Who may know it now, and whose memory it leads to.
    pub knows: u32,
    pub owner: u32,
    /// A [`When`].
    pub when: u32,
    pub steps: u32,
    pub value: u64,
    pub end: u64,
    /// A running number: the newest has the highest.
    pub time: u64,
}

/// Accesses of one instruction to one thing.
#[derive(Clone, Copy)]
pub struct Access {
    pub instruction: u64,
    pub cubicle: u32,
    pub owner: u32,
    pub origin: Origin,
    pub function: u64,
    /// A [`When`].
    pub when: u32,
    pub write: u32,
    /// The first one.
    pub address: u64,
    pub touched: Touched,
}

/// A function that crossed as a pointer.
#[derive(Clone, Copy)]
pub struct Passed {
    pub function: u64,
    pub origin: Origin,
    /// Who knows it since.
    pub knows: u32,
    /// The lower, the more it says.
    pub rank: u32,
}

/// A call of a function of another cubicle by its address.
#[derive(Clone, Copy)]
pub struct Callback {
    pub cubicle: u32,
    pub owner: u32,
    pub function: u64,
    pub origin: Origin,
    /// Where it returns to.
    pub site: u64,
    pub count: u64,
}

/// A system call with a pointer to another cubicle's memory.
#[derive(Clone, Copy)]
pub struct SystemCall {
    pub number: u32,
    pub argument: u32,
    pub cubicle: u32,
    pub owner: u32,
    pub origin: Origin,
    pub address: u64,
    pub count: u64,
}

/// Something that the manifest wants to be lent and that could not be.
#[derive(Clone, Copy)]
pub struct Refused {
    pub gate: u32,
    pub lend: u32,
    pub address: u64,
    pub bytes: u64,
    /// 0: may not be read; 1: may not be written; 2: is no function to pass.
    pub why: u32,
    pub count: u64,
}

/// A call about a window that answered an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misuse {
    pub cubicle: u32,
    /// The error number, positive.
    pub error: u32,
    /// One of the ABI's calls.
    pub number: u64,
    /// Where it returns to.
    pub instruction: u64,
    pub count: u64,
}

/// A pointer that is passed, and how it was passed the last time before; by
/// nothing, if it was not.
#[derive(Clone, Copy)]
pub struct Again {
    pub origin: Origin,
    pub earlier: Origin,
    pub count: u64,
}

/// A page that is open although it ought not to be.
#[derive(Clone, Copy)]
pub struct OpenPage {
    pub page: u64,
    pub owner: u32,
    pub protection: u32,
}

/// A table that is filled from its start. What does not fit is counted.
pub struct Table<T, const CAPACITY: usize> {
    pub length: usize,
    pub dropped: u64,
    pub entries: [T; CAPACITY],
}

impl<T: Copy, const CAPACITY: usize> Table<T, CAPACITY> {
    pub fn all(&self) -> &[T] {
        &self.entries[..self.length]
    }

    /// The entry that is `same`, else a new one.
    pub fn entry(&mut self, same: impl Fn(&T) -> bool, new: T) -> Option<&mut T> {
        let index = match self.all().iter().position(same) {
            Some(index) => index,
            None if self.length == CAPACITY => {
                self.dropped += 1;
                return None;
            }
            None => {
                self.entries[self.length] = new;
                self.length += 1;
                self.length - 1
            }
        };
        Some(&mut self.entries[index])
    }

    pub fn push(&mut self, new: T) {
        let _ = self.entry(|_| false, new);
    }
}

/// Everything.
pub struct Memory {
    pub calls: Table<Call, MOST_CALLS>,
    pub past: Table<Past, MOST_PAST>,
    /// The highest [`Past::time`].
    pub time: u64,
    pub samples: Table<Call, MOST_SAMPLES>,
    /// By a hash of what makes them different.
    pub accesses: [Access; MOST_ACCESSES],
    pub access_count: usize,
    pub accesses_dropped: u64,
    pub passed: Table<Passed, MOST_OTHERS>,
    pub callbacks: Table<Callback, MOST_OTHERS>,
    pub system_calls: Table<SystemCall, MOST_OTHERS>,
    pub refused: Table<Refused, MOST_OTHERS>,
    pub misuses: Table<Misuse, MOST_OTHERS>,
    pub again: Table<Again, MOST_OTHERS>,
    /// For each gate: how often it was called.
    pub counts: [u64; MOST_ACCESSES],
    /// For each pointer that crosses: instructions stepped over for it, in all calls.
    pub spent: [[u32; MOST_PROBES]; MOST_SPENT],
    /// The function that was just called by its address, and how it crossed.
    pub called: u64,
    pub called_through: Origin,
    /// Pages of the instruction that is stepped over.
    pub stepped: Table<OpenPage, MOST_STEPPED>,
    /// Pages left open until the next switch.
    pub left: Table<OpenPage, MOST_LEFT>,
    pub written: u64,
    /// The line that is being written.
    pub line: Text<65536>,
}

impl Memory {
    /// Counts an instruction that is stepped over for a pointer; answers how many
    /// that makes.
    pub fn spend(&mut self, origin: Origin) -> u32 {
        let gate = origin.gate().unwrap_or(0) % MOST_SPENT;
        let spent = &mut self.spent[gate][origin.probe as usize % MOST_PROBES];
        *spent = spent.saturating_add(1);
        *spent
    }

    /// The access that is the same but for its address.
    pub fn access(&mut self, new: Access) -> Option<&mut Access> {
        let mut at = new
            .instruction
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .wrapping_add(u64::from(new.origin.gate) << 8 | u64::from(new.origin.probe))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15) as usize
            >> 20
            & (MOST_ACCESSES - 1);
        loop {
            let old = &self.accesses[at];
            if old.touched.count == 0 {
                if self.access_count == MOST_ACCESSES / 4 * 3 {
                    self.accesses_dropped += 1;
                    return None;
                }
                self.access_count += 1;
                self.accesses[at] = new;
                break;
            }
            let same = (old.instruction, old.cubicle, old.owner, old.origin)
                == (new.instruction, new.cubicle, new.owner, new.origin)
                && (old.function, old.when, old.write) == (new.function, new.when, new.write);
            if same {
                break;
            }
            at = (at + 1) % MOST_ACCESSES;
        }
        Some(&mut self.accesses[at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_touched_grows_in_both_directions() {
        let mut touched = Touched::default();
        touched.note(8, 0, 0x100);
        touched.note(0, 0, 0x200);
        touched.note(16, 0, 0x300);
        touched.note(12, 0, 0x400);
        assert_eq!((touched.low, touched.high, touched.count), (0, 16, 4));
        assert_eq!(touched.instruction, 0x300);
        touched.note(4, 100, 0x500);
        assert_eq!((touched.high, touched.end), (16, 104));
    }

    #[test]
    fn a_table_finds_what_it_has_and_counts_what_it_lacks() {
        let mut table = Table {
            length: 0,
            dropped: 0,
            entries: [0u32; 2],
        };
        assert!(table.entry(|old| *old == 1, 1).is_some());
        assert!(table.entry(|old| *old == 1, 7).is_some());
        table.push(2);
        table.push(3);
        assert_eq!((table.all(), table.dropped), (&[1, 2][..], 1));
    }
}
