//! Which pointer that crossed leads to an address: the nearest at or below it.

use super::memory::{Memory, Origin, SEEN_PRESENT, When};

/// What an address belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    pub origin: Origin,
    pub function: u64,
    pub when: When,
    /// Bytes from the pointer; an allocator's header lies before it.
    pub offset: i64,
    /// Where the pointer stands: among the pending calls, or the past ones.
    pub index: usize,
}

/// An allocator keeps what it knows of an object in so many bytes before it.
const HEADER: u64 = 16;

/// Who touches what.
#[derive(Clone, Copy, Debug)]
pub struct Touch {
    pub cubicle: u32,
    /// Whose memory it is: its number plus one.
    pub owner: u32,
    pub address: u64,
    /// The mapping in which it lies begins there: no object reaches beyond.
    pub low: u64,
}

/// The better of two that lead there: one in whose heap object the address lies,
/// then the nearer one, then the one found first.
type Rank = (bool, u64);

fn rank(touch: Touch, value: u64, end: u64) -> Option<Rank> {
    let reaches = value <= touch.address.saturating_add(HEADER) && value >= touch.low;
    if !reaches {
        return None;
    }
    let outside = !(value..end).contains(&touch.address);
    Some((outside, touch.address.abs_diff(value)))
}

/// The pointer of a pending call, innermost first, else of an earlier one.
pub fn find(memory: &Memory, touch: Touch) -> Option<Found> {
    let mut best: Option<(Rank, Found)> = None;
    let mut consider = |value: u64, end: u64, found: Found| {
        let Some(rank) = rank(touch, value, end) else {
            return;
        };
        if best.as_ref().is_none_or(|(other, _)| rank < *other) {
            best = Some((rank, found));
        }
    };
    for (index, call) in memory.calls.all().iter().enumerate().rev() {
        if call.to != touch.cubicle {
            continue;
        }
        for (probe, seen) in call.seen[..call.probes as usize].iter().enumerate() {
            if seen.flags & SEEN_PRESENT == 0 || seen.owner != touch.owner {
                continue;
            }
            consider(
                seen.before,
                seen.end,
                Found {
                    origin: Origin::new(call.gate as usize, probe),
                    function: call.function,
                    when: When::Pending,
                    offset: touch.address.wrapping_sub(seen.before) as i64,
                    index,
                },
            );
        }
    }
    for (index, past) in memory.past.all().iter().enumerate() {
        if past.knows != touch.cubicle || past.owner != touch.owner {
            continue;
        }
        let when = match past.when {
            when if when == When::Returned as u32 => When::Returned,
            _ => When::Later,
        };
        consider(
            past.value,
            past.end,
            Found {
                origin: past.origin,
                function: past.function,
                when,
                offset: touch.address.wrapping_sub(past.value) as i64,
                index,
            },
        );
    }
    best.map(|(_, found)| found)
}

#[cfg(test)]
mod tests {
    use super::super::memory::{Call, Past};
    use super::*;

    fn memory() -> Box<Memory> {
        // SAFETY: all zeroes are a memory without a record.
        unsafe { Box::new_zeroed().assume_init() }
    }

    fn call(memory: &mut Memory, gate: u32, pointers: &[(u64, u64)]) {
        // SAFETY: integers.
        let mut call: Call = unsafe { core::mem::zeroed() };
        (call.gate, call.from, call.to, call.probes) = (gate, 0, 1, pointers.len() as u32);
        for (seen, (value, end)) in call.seen.iter_mut().zip(pointers) {
            (seen.flags, seen.owner, seen.before, seen.end) = (SEEN_PRESENT, 1, *value, *end);
        }
        memory.calls.push(call);
    }

    fn at(memory: &Memory, address: u64) -> Option<(u32, u32, i64)> {
        let touch = Touch {
            cubicle: 1,
            owner: 1,
            address,
            low: 0x1000,
        };
        find(memory, touch).map(|found| (found.origin.gate - 1, found.origin.probe, found.offset))
    }

    #[test]
    fn the_nearest_pointer_below_is_meant() {
        let mut memory = memory();
        call(&mut memory, 3, &[(0x2000, 0), (0x3000, 0)]);
        call(&mut memory, 4, &[(0x2800, 0)]);
        assert_eq!(at(&memory, 0x2010), Some((3, 0, 0x10)));
        assert_eq!(at(&memory, 0x2800), Some((4, 0, 0)));
        assert_eq!(at(&memory, 0x9000), Some((3, 1, 0x6000)));
        assert_eq!(at(&memory, 0x1ff8), Some((3, 0, -8)));
        assert_eq!(at(&memory, 0x1800), None);
    }

    #[test]
    fn the_object_that_ends_behind_it_is_meant_before_a_nearer_one() {
        let mut memory = memory();
        call(&mut memory, 3, &[(0x2000, 0x3000), (0x2100, 0x2200)]);
        assert_eq!(at(&memory, 0x2180), Some((3, 1, 0x80)));
        assert_eq!(at(&memory, 0x2280), Some((3, 0, 0x280)));
    }

    #[test]
    fn pointers_of_earlier_calls_are_known() {
        let mut memory = memory();
        memory.past.push(Past {
            origin: Origin::new(7, 2),
            function: 0,
            knows: 1,
            owner: 1,
            when: When::Returned as u32,
            steps: 0,
            value: 0x5000,
            end: 0,
            time: 1,
        });
        assert_eq!(at(&memory, 0x5020), Some((7, 2, 0x20)));
        call(&mut memory, 3, &[(0x5010, 0)]);
        assert_eq!(at(&memory, 0x5020), Some((3, 0, 0x10)));
    }
}
