//! What each call passes, and what it leaves.

use super::memory::{
    Again, Call, MOST_PAST, Memory, Origin, Passed, Past, SEEN_CODE, SEEN_CONSTANT, SEEN_PRESENT,
    Seen, Touched, When,
};
use super::{noting, remembered};
use crate::machine::assembly::{cubicle_copy, cubicle_string};
use crate::machine::kernel::{PROT_EXEC, PROT_READ};
use crate::plan::Plan;
use crate::process::{accessible, cubicles, owner};
use cubicle_abi::frame::Saved;
use cubicle_abi::layout::PAGE;
use cubicle_abi::plan::{
    Gate, MOST_PROBES, PLACE_ARGUMENT, PLACE_FIELD, PROBE_POINTER, PROBE_STRING, Place, Probe,
};
use cubicle_abi::rights::{KEY_PUBLIC, Rights};

/// A string that ends later is none, bytes.
const LONGEST_STRING: u64 = 64 << 10;
/// So many calls of one gate are noted in full whatever they do, and at most.
const ANY_SAMPLES: usize = 4;
const FIRST_SAMPLES: usize = 32;
const MOST_SAMPLES: usize = 96;

/// One call through a gate.
pub struct Passing<'a> {
    pub gate: &'a Gate,
    pub number: u32,
    /// The caller's.
    pub rights: Rights,
    pub arguments: &'a [u64; 6],
    /// The caller's stack pointer.
    pub stack: u64,
}

/// Before a call is prepared: both sides are open.
pub fn begin(passing: &Passing) {
    let Some(plan) = crate::process::plan() else {
        return;
    };
    noting(|memory| {
        forget_abandoned(memory, passing.gate.from, passing.stack);
        if let Some(count) = memory.counts.get_mut(passing.number as usize) {
            *count += 1;
        }
        let probes = plan.probes(passing.gate);
        let mut call = Call {
            gate: passing.number,
            from: passing.gate.from,
            to: passing.gate.to,
            probes: probes.len() as u32,
            function: 0,
            through: Origin::NONE,
            stack: passing.stack,
            seen: [NOTHING; MOST_PROBES],
        };
        if passing.gate.callback != 0 {
            call.function = core::mem::take(&mut memory.called);
            call.through = core::mem::take(&mut memory.called_through);
        }
        for (index, probe) in probes.iter().enumerate() {
            call.seen[index] = look(&call, probe, passing);
        }
        passed_again(memory, &call, probes);
        for (index, seen) in call.seen[..probes.len()].iter().enumerate() {
            if seen.flags & SEEN_CODE != 0 {
                keep_function(memory, &call, &probes[index], index, (seen.before, call.to));
            }
        }
        memory.calls.push(call);
    });
}

/// After a call was taken back: both sides are open.
/// `lent` has what was
/// lent in it: the caller's address, and the callee's.
pub fn end(
    number: u32,
    stack: u64,
    results: [u64; 2],
    rights: Rights,
    lent: impl Iterator<Item = (u64, u64)> + Clone,
) {
    let Some(plan) = crate::process::plan() else {
        return;
    };
    noting(|memory| {
        let calls = memory.calls.all();
        let Some(index) = calls
            .iter()
            .rposition(|call| call.gate == number && call.stack == stack)
        else {
            return;
        };
        let mut call = memory.calls.entries[index];
        memory.calls.length = index;
        let probes = plan.probes(&plan.gates()[number as usize]);
        for (index, probe) in probes.iter().enumerate() {
            look_again(&mut call, probe, index, results, rights);
            let seen = call.seen[index];
            if seen.after != seen.before && is_code(seen.after) {
                keep_function(memory, &call, probe, index, (seen.after, call.from));
            }
        }
        let searches = memory.samples.all().iter();
        let searches = searches.filter(|old| (old.gate, old.function) == (number, call.function));
        if searches.count() < FIRST_SAMPLES {
            remembered::search(&mut call, lent);
        }
        keep_sample(memory, &call);
        keep_past(memory, &call, probes);
    });
}

const NOTHING: Seen = Seen {
    flags: 0,
    owner: 0,
    before: 0,
    after: 0,
    string: 0,
    string_after: 0,
    first: 0,
    steps: 0,
    end: 0,
    read: UNTOUCHED,
    written: UNTOUCHED,
};

const UNTOUCHED: Touched = Touched {
    count: 0,
    low: 0,
    high: 0,
    instruction: 0,
    end: 0,
};

/// Calls that a `longjmp` left behind.
fn forget_abandoned(memory: &mut Memory, from: u32, stack: u64) {
    while let Some(last) = memory.calls.all().last() {
        if last.from != from || last.stack > stack {
            break;
        }
        memory.calls.length -= 1;
    }
}

fn look(call: &Call, probe: &Probe, passing: &Passing) -> Seen {
    let value = match probe.place.kind {
        PLACE_ARGUMENT => argument(passing, probe.place.index),
        PLACE_FIELD => field(call, &probe.place, passing.rights),
        _ => None,
    };
    let Some(value) = value else {
        return NOTHING;
    };
    let mut seen = Seen {
        flags: SEEN_PRESENT,
        before: narrow(value, probe.size),
        ..NOTHING
    };
    if probe.flags & PROBE_POINTER != 0 {
        describe(&mut seen, probe, passing.rights);
    }
    seen
}

fn narrow(value: u64, size: u32) -> u64 {
    value & (u64::MAX >> (64 - 8 * size.clamp(1, 8)))
}

fn argument(passing: &Passing, index: u32) -> Option<u64> {
    match passing.arguments.get(index as usize) {
        Some(value) => Some(*value),
        None => {
            let words = passing.stack + size_of::<Saved>() as u64;
            word(passing.rights, words + 8 * u64::from(index - 6))
        }
    }
}

fn field(call: &Call, place: &Place, rights: Rights) -> Option<u64> {
    let parent = call.seen.get(place.index as usize)?;
    // What lies in the callee's memory is no matter of the call.
    let passed = parent.flags & SEEN_PRESENT != 0 && parent.owner == call.from + 1;
    if !passed || parent.before == 0 {
        return None;
    }
    word(rights, parent.before.wrapping_add(place.offset))
}

/// Eight bytes, or as many as there are up to the end of the page.
fn word(rights: Rights, at: u64) -> Option<u64> {
    let size = 8.min(PAGE - at % PAGE);
    let mut value = 0u64;
    // SAFETY: the range was just checked; a fault is expected and answered.
    let missing = if accessible(rights, at, size, PROT_READ) {
        unsafe { cubicle_copy(&raw mut value as u64, at, size) }
    } else {
        size
    };
    (missing == 0).then_some(value)
}

/// Whose memory a pointer leads to, and what is known of what lies there.
fn describe(seen: &mut Seen, probe: &Probe, rights: Rights) {
    let at = seen.before;
    let Some(index) = owner(at) else {
        return;
    };
    let Some(plan) = crate::process::plan() else {
        return;
    };
    let Some(cubicle) = plan.cubicles().get(index) else {
        return;
    };
    let segments = plan.segments(cubicle).iter();
    let mut segments = segments.filter(|segment| (segment.start..segment.end).contains(&at));
    if let Some(segment) = segments.find(|segment| segment.key == KEY_PUBLIC) {
        seen.flags |= if segment.protection & PROT_EXEC != 0 {
            SEEN_CODE
        } else {
            SEEN_CONSTANT
        };
    }
    seen.owner = index as u32 + 1;
    seen.end = object_end(index, at, rights);
    if probe.flags & PROBE_STRING != 0 && seen.flags & SEEN_CODE == 0 {
        seen.string = string(at, rights);
    }
}

fn is_code(at: u64) -> bool {
    crate::process::plan().is_some_and(|plan| {
        let cubicles = plan.cubicles().iter();
        let mut segments = cubicles.flat_map(|cubicle| plan.segments(cubicle));
        segments.any(|segment| {
            segment.protection & PROT_EXEC != 0 && (segment.start..segment.end).contains(&at)
        })
    })
}

/// The end of a heap object, as glibc's allocator writes it before its start; 0
/// if what stands there is nothing it would have written.
fn object_end(index: usize, at: u64, rights: Rights) -> u64 {
    const SMALLEST: u64 = 32;
    let Some(size) = at
        .is_multiple_of(16)
        .then(|| word(rights, at.wrapping_sub(8)))
        .flatten()
    else {
        return 0;
    };
    let size = size & !7;
    let mappings = cubicles()[index].mappings.lock();
    let Some(mapping) = mappings.find(at) else {
        return 0;
    };
    let end = at.saturating_add(size.saturating_sub(8));
    let plausible = size >= SMALLEST && size.is_multiple_of(16) && end <= mapping.end;
    if plausible { end } else { 0 }
}

fn string(at: u64, rights: Rights) -> u32 {
    let mut length = 0;
    while length < LONGEST_STRING {
        let from = at.wrapping_add(length);
        let room = PAGE - from % PAGE;
        if !accessible(rights, from, room, PROT_READ) {
            break;
        }
        // SAFETY: a fault is expected and answered.
        let found = unsafe { cubicle_string(from, room) };
        if found <= room {
            return (length + found) as u32;
        }
        length += room;
    }
    0
}

fn look_again(call: &mut Call, probe: &Probe, index: usize, results: [u64; 2], rights: Rights) {
    let mut seen = call.seen[index];
    let value = match probe.place.kind {
        PLACE_ARGUMENT => Some(seen.before),
        PLACE_FIELD => field(call, &probe.place, rights),
        _ => Some(results[0]),
    };
    let Some(value) = value else {
        return;
    };
    seen.after = narrow(value, probe.size);
    if !matches!(probe.place.kind, PLACE_ARGUMENT | PLACE_FIELD) {
        // A result is there only now.
        seen.flags |= SEEN_PRESENT;
        if probe.flags & PROBE_POINTER != 0 {
            seen.before = seen.after;
            let callee = crate::process::rights(call.to as usize);
            describe(&mut seen, probe, rights.union(callee));
            seen.before = 0;
        }
    } else if probe.flags & PROBE_STRING != 0 && seen.before != 0 {
        seen.string_after = string(seen.before, rights);
    }
    call.seen[index] = seen;
}

/// Notes how arguments were passed the last time before, if they were.
fn passed_again(memory: &mut Memory, call: &Call, probes: &[Probe]) {
    for (index, seen) in call.seen[..call.probes as usize].iter().enumerate() {
        let probe = &probes[index];
        if probe.flags & PROBE_POINTER == 0
            || probe.place.kind != PLACE_ARGUMENT
            || seen.owner != call.from + 1
            || seen.flags & (SEEN_CONSTANT | SEEN_CODE) != 0
        {
            continue;
        }
        let origin = Origin::new(call.gate as usize, index);
        let past = memory.past.all().iter().filter(|past| {
            (past.value, past.knows, past.owner) == (seen.before, call.to, seen.owner)
                && is_argument(past.origin)
        });
        let earlier = past.max_by_key(|past| past.time);
        let earlier = earlier.map_or(Origin::NONE, |past| past.origin);
        let new = Again {
            origin,
            earlier,
            count: 0,
        };
        let same = |old: &Again| (old.origin, old.earlier) == (origin, earlier);
        if let Some(entry) = memory.again.entry(same, new) {
            entry.count += 1;
        }
    }
}

fn is_argument(origin: Origin) -> bool {
    let (Some(plan), Some(number)) = (crate::process::plan(), origin.gate()) else {
        return false;
    };
    let probes = plan.probes(&plan.gates()[number]);
    let probe = probes.get(origin.probe as usize);
    probe.is_some_and(|probe| probe.place.kind == PLACE_ARGUMENT)
}

/// A call is worth keeping if it is one of the first, or goes further than all.
fn keep_sample(memory: &mut Memory, call: &Call) {
    let touched = |seen: &Seen| seen.read.count + seen.written.count > 0;
    let mut count = 0;
    let mut further = call.seen.map(|seen| touched(&seen));
    for old in memory.samples.all() {
        if (old.gate, old.function) != (call.gate, call.function) {
            continue;
        }
        count += 1;
        for (index, further) in further.iter_mut().enumerate() {
            let (new, old) = (&call.seen[index], &old.seen[index]);
            *further &=
                goes_further(&new.read, &old.read) || goes_further(&new.written, &old.written);
        }
    }
    let any = call.seen.iter().any(touched);
    if count < ANY_SAMPLES
        || any && count < FIRST_SAMPLES
        || further.contains(&true) && count < MOST_SAMPLES
    {
        memory.samples.push(*call);
    }
}

fn goes_further(new: &Touched, old: &Touched) -> bool {
    new.count > 0
        && (old.count == 0 || new.high > old.high || new.end > old.end || new.low < old.low)
}

/// Notes where a function crosses, and who knows it since, for when it is called.
fn keep_function(
    memory: &mut Memory,
    call: &Call,
    probe: &Probe,
    index: usize,
    (function, knows): (u64, u32),
) {
    if probe.flags & PROBE_POINTER == 0 {
        return;
    }
    let new = Passed {
        function,
        origin: Origin::new(call.gate as usize, index),
        knows,
        // In a call of which nothing is known anything may lie in a register; and
        // what was passed by itself says more than what stands in a struct.
        rank: u32::from(call.function != 0) * 2 + u32::from(probe.place.kind != PLACE_ARGUMENT),
    };
    let same = |old: &Passed| {
        (old.function, old.origin, old.knows) == (new.function, new.origin, new.knows)
    };
    let _ = memory.passed.entry(same, new);
}

/// The pointers of a call, for who touches what they lead to later.
fn keep_past(memory: &mut Memory, call: &Call, probes: &[Probe]) {
    for (index, seen) in call.seen[..call.probes as usize].iter().enumerate() {
        let probe = &probes[index];
        let nowhere = seen.flags & (SEEN_CONSTANT | SEEN_CODE) != 0;
        if probe.flags & PROBE_POINTER == 0 || seen.flags & SEEN_PRESENT == 0 || nowhere {
            continue;
        }
        let mut past = Past {
            origin: Origin::new(call.gate as usize, index),
            function: call.function,
            knows: call.to,
            owner: seen.owner,
            when: When::Later as u32,
            steps: 0,
            value: seen.before,
            end: seen.end,
            time: 0,
        };
        if seen.owner != 0 && seen.before != 0 {
            keep_one(memory, past);
        }
        // What it left, or returned, belongs to the callee or leads to it.
        let Some(left_owner) = owner(seen.after) else {
            continue;
        };
        if seen.after != seen.before && seen.after != 0 {
            past.knows = call.from;
            past.owner = left_owner as u32 + 1;
            past.value = seen.after;
            past.when = When::Returned as u32;
            past.end = if seen.before == 0 { seen.end } else { 0 };
            if past.owner != past.knows + 1 {
                keep_one(memory, past);
            }
        }
    }
}

fn keep_one(memory: &mut Memory, mut past: Past) {
    memory.time += 1;
    past.time = memory.time;
    let same = |old: &Past| {
        (old.origin, old.function, old.value, old.knows)
            == (past.origin, past.function, past.value, past.knows)
    };
    if memory.past.length < MOST_PAST {
        if let Some(entry) = memory.past.entry(same, past) {
            *entry = past;
        }
        return;
    }
    // It itself, else the oldest, makes room.
    let entries = &mut memory.past.entries;
    let place = entries.iter().position(same).or_else(|| {
        let oldest = entries.iter().enumerate();
        oldest
            .min_by_key(|(_, past)| past.time)
            .map(|(index, _)| index)
    });
    if let Some(place) = place {
        entries[place] = past;
    }
}

impl Plan {
    pub fn probes(self, gate: &Gate) -> &'static [Probe] {
        let probes = self.slice(gate.probes);
        &probes[..probes.len().min(MOST_PROBES)]
    }
}
