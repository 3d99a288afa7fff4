//! The calls that are pending on this thread, as frames and stacks show them.

use crate::defences::off;
use crate::machine::rights::open;
use crate::machine::thread;
use crate::memory_calls;
use crate::process::{plan, rights};
use crate::restart::{Dead, is_lost, waiting, waiting_for_report};
use core::mem::offset_of;
use cubicle_abi::defences::Defence;
use cubicle_abi::frame::{Saved, ticket_gate};
use cubicle_abi::layout::MAXIMUM_CUBICLES;
use cubicle_abi::rights::Rights;

/// One pending call.
#[derive(Clone, Copy, Debug)]
pub struct Pending {
    /// The number of its gate.
    pub gate: usize,
    /// The caller's stack pointer in it.
    pub stack: u64,
    /// The return address in the caller.
    pub site: u64,
}

impl Pending {
    pub const NONE: Pending = Pending {
        gate: 0,
        stack: 0,
        site: 0,
    };
}

/// A word of what was read of a frame or a stack.
pub fn word(bytes: &[u8], offset: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[offset..offset + 8]);
    u64::from_le_bytes(word)
}

fn saved(cubicle: usize, stack: u64) -> Option<[u8; size_of::<Saved>()]> {
    let mut saved = [0u8; size_of::<Saved>()];
    memory_calls::read(cubicle, stack, &mut saved).then_some(saved)
}

/// What a cubicle's frame said before the call that it waits for.
pub fn older(cubicle: usize, frame: Dead) -> Option<Dead> {
    let saved = saved(cubicle, frame.stack)?;
    Some(Dead {
        stack: word(&saved, offset_of!(Saved, older_stack)),
        awaiting: word(&saved, offset_of!(Saved, older_awaiting)),
    })
}

/// May `cubicle` not go back to the monitor, which has made it run? Nobody on this thread may wait for it: it was
/// called since, and owes that an answer first. And whoever asked for the monitor's service must be where it
/// asked: called back since, it may wait for somebody else, who has to answer before it goes on.
pub fn is_awaited(cubicle: usize) -> bool {
    let Some(plan) = plan() else {
        return false;
    };
    // SAFETY: this thread's state.
    let asker = unsafe { (*thread::state()).asking };
    open(Rights::NONE, Rights::ALL);
    let awaits = |other: usize| waiting(other).map_or(0, |frame| frame.awaiting);
    let awaited = (0..plan.cubicles().len()).any(|other| {
        // What others have written there concerns only whether they wait.
        ticket_gate(awaits(other))
            .and_then(|(number, _)| plan.gates().get(number))
            .is_some_and(|gate| gate.from as usize == other && gate.to as usize == cubicle)
    });
    // Who has failed goes on nowhere.
    let is_busy = asker.is_some_and(|asker| !is_lost(asker) && awaits(asker) != 0);
    open(Rights::NONE, rights(cubicle));
    (awaited || is_busy) && !off(Defence::Parking)
}

/// The innermost call into `cubicle` that is pending.
pub fn innermost(cubicle: usize) -> Option<Pending> {
    let mut calls = [Pending::NONE; 1];
    (follow(Some(cubicle), &mut calls, waiting) == 1).then_some(calls[0])
}

/// The pending calls for a report, from the innermost call into `current` outwards, as far as
/// `calls` has room. Answers with how many there are.
pub fn pending_calls(current: Option<usize>, calls: &mut [Pending]) -> usize {
    follow(current, calls, waiting_for_report)
}

/// Follows the frames, which `waiting` reads. What they say is taken with care: a cubicle
/// may have written anything into its own.
fn follow(
    current: Option<usize>,
    calls: &mut [Pending],
    waiting: fn(usize) -> Option<Dead>,
) -> usize {
    let (Some(plan), Some(mut callee)) = (plan(), current) else {
        return 0;
    };
    let mut frames = [Dead {
        stack: 0,
        awaiting: 0,
    }; MAXIMUM_CUBICLES];
    for (index, frame) in frames.iter_mut().enumerate() {
        if let Some(known) = waiting(index) {
            *frame = known;
        }
    }
    let mut count = 0;
    while count < calls.len() {
        let awaits = |index: usize, callee: usize| {
            let (number, _) = ticket_gate(frames[index].awaiting)?;
            let gate = plan.gates().get(number)?;
            (gate.from as usize == index && gate.to as usize == callee).then_some(number)
        };
        // Of several that wait for the same one, the last comes back through whom
        // that one called itself since.
        let mut through = callee;
        let mut caller = None;
        for _ in 0..MAXIMUM_CUBICLES {
            let next = ticket_gate(frames[through].awaiting)
                .and_then(|(number, _)| plan.gates().get(number))
                .filter(|gate| gate.from as usize == through)
                .map(|gate| gate.to as usize);
            let Some(next) = next.filter(|next| *next < MAXIMUM_CUBICLES) else {
                break;
            };
            if let Some(number) = awaits(next, callee) {
                caller = Some((next, number));
                break;
            }
            through = next;
        }
        let any =
            || (0..plan.cubicles().len()).find_map(|index| Some((index, awaits(index, callee)?)));
        let Some((caller, number)) = caller.or_else(any) else {
            break;
        };
        let Some(read) = saved(caller, frames[caller].stack) else {
            break;
        };
        calls[count] = Pending {
            gate: number,
            stack: frames[caller].stack,
            site: word(&read, offset_of!(Saved, return_address)),
        };
        count += 1;
        frames[caller] = Dead {
            stack: word(&read, offset_of!(Saved, older_stack)),
            awaiting: word(&read, offset_of!(Saved, older_awaiting)),
        };
        callee = caller;
    }
    count
}
