//! Whether a callee still holds a pointer after the call: its memory is searched
//! for the address.

use super::memory::{Call, SEEN_CODE, SEEN_CONSTANT, SEEN_PRESENT, SEEN_REMEMBERED, SEEN_SEARCHED};
use crate::machine::kernel::PROT_WRITE;
use crate::mappings::Kind;
use crate::process::{cubicles, run};
use cubicle_abi::plan::MOST_PROBES;

/// At most so many bytes are searched for one call.
const MOST_BYTES: u64 = 64 << 20;

/// Looks for the caller's pointers in what the callee may write, but for the part
/// of its stack that it has left.
/// `lent` has the addresses under which the callee knew what was lent to it.
pub fn search(call: &mut Call, lent: impl Iterator<Item = (u64, u64)> + Clone) {
    let mut wanted = [(0u64, 0u64); MOST_PROBES];
    let (mut low, mut high) = (u64::MAX, 0);
    for (index, seen) in call.seen[..call.probes as usize].iter_mut().enumerate() {
        let leads_to_caller = seen.owner == call.from + 1
            && seen.flags & SEEN_PRESENT != 0
            && seen.flags & (SEEN_CONSTANT | SEEN_CODE) == 0
            && seen.before != 0;
        if leads_to_caller {
            seen.flags |= SEEN_SEARCHED;
            let mut lent = lent.clone();
            let copy = lent.find(|(caller, callee)| *caller == seen.before && *callee != 0);
            let copy = copy.map_or(seen.before, |(_, callee)| callee);
            wanted[index] = (seen.before, copy);
            low = low.min(seen.before).min(copy);
            high = high.max(seen.before).max(copy);
        }
    }
    if low > high {
        return;
    }
    let callee = call.to as usize;
    // SAFETY: the thread block's frames are mapped.
    let stack = run::frame(callee).map_or(0, |frame| unsafe { (*frame).stack });
    let size = crate::process::plan()
        .and_then(|plan| plan.cubicles().get(callee))
        .map_or(0, |cubicle| cubicle.stack);
    let dead = stack.saturating_sub(size)..stack;
    let mut room = MOST_BYTES;
    for mapping in cubicles()[callee].mappings.lock().iter() {
        let searched = matches!(mapping.kind, Kind::Mapping | Kind::Data | Kind::Heap);
        if !searched || mapping.protection & PROT_WRITE == 0 {
            continue;
        }
        let end = mapping.end.min(mapping.start.saturating_add(room));
        room -= end - mapping.start;
        let mut at = mapping.start;
        while at < end {
            if dead.contains(&at) {
                at = dead.end.next_multiple_of(8).min(end);
                continue;
            }
            // SAFETY: the callee's own mapping, open to the monitor while a call
            // is taken back, aligned to a page at first.
            let word = unsafe { core::ptr::read_volatile(at as *const u64) };
            if (low..=high).contains(&word) {
                found(call, &wanted, word);
            }
            at += 8;
        }
    }
}

fn found(call: &mut Call, wanted: &[(u64, u64); MOST_PROBES], word: u64) {
    for (seen, (own, copy)) in call.seen.iter_mut().zip(wanted) {
        if [*own, *copy].contains(&word) {
            seen.flags |= SEEN_REMEMBERED;
        }
    }
}
