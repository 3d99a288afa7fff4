//! A program of three cubicles: 0 calls 1 through gate 0 and 2 through gate 1;
//! callback 0 is from 1 to 0, callback 1 from 2 to 1, callback 2 from 0 to 2.

use super::*;
use cubicle_abi::layout::{CALLBACK_SLOTS, callback_stub, slot};
use cubicle_abi::plan::{GATE_UNION, Registers, Slice};

const FIRST: usize = 2;
/// What the slots 0 and 1 of each callback hold.
const CALLBACKS: [(u32, u32, [u64; 2]); 3] = [
    (1, 0, [slot(0) + 0x100, gate(1)]),
    (2, 1, [slot(1) + 0x200, 0]),
    (0, 2, [slot(2) + 0x300, 0]),
];

fn gate_of(from: u32, to: u32, target: u64, callback: u32) -> Gate {
    Gate {
        name: Slice::default(),
        from,
        to,
        target,
        lends: Slice::default(),
        stack_words: 0,
        callback,
        probes: Slice::default(),
        fault_value: 0,
        fault_errno: 0,
        kind: GATE_UNION,
        registers: Registers::default(),
        flags: 0,
        errno_callee: 0,
        errno_caller: 0,
    }
}

fn judge(callback: usize, pointer: u64) -> Result<Crossing, Refused> {
    judge_with(callback, pointer, &|_, _| true)
}

fn judge_with(
    callback: usize,
    pointer: u64,
    alike: &dyn Fn(&Gate, &Gate) -> bool,
) -> Result<Crossing, Refused> {
    let mut gates = vec![
        gate_of(0, 1, slot(1) + 0x50, 0),
        gate_of(0, 2, slot(2) + 0x60, 0),
    ];
    for (number, (from, to, _)) in CALLBACKS.into_iter().enumerate() {
        gates.push(gate_of(from, to, 0, number as u32 + 1));
    }
    let known = Known {
        gates: &gates,
        first: FIRST,
        is_code: &|cubicle, address| (slot(cubicle)..slot(cubicle) + 0x1000).contains(&address),
        slot: &|callback, slot| CALLBACKS[callback].2.get(slot).copied().unwrap_or(0),
        alike,
    };
    known.judge(&gates[FIRST + callback], pointer)
}

/// The same, where gate 0 and callback 1 lend something and the others do not.
fn judge_unlike(callback: usize, pointer: u64) -> Result<Crossing, Refused> {
    let known_lends = |gate: &Gate| gate.target == slot(1) + 0x50 || gate.callback == 2;
    judge_with(callback, pointer, &|one, other| {
        known_lends(one) == known_lends(other)
    })
}

#[test]
fn words_that_are_no_addresses_cross_as_they_are() {
    for word in [0, 1, 0xffff, u64::MAX, u64::MAX - 0xffff] {
        assert_eq!(judge(0, word), Ok(Crossing::As(word)));
    }
    for address in [0x1_0000, u64::MAX - 0x1_0000] {
        assert_eq!(judge(0, address), Err(Refused::NoFunction));
    }
}

#[test]
fn the_owner_passes_its_own_code_and_nothing_else() {
    let own = slot(0) + 0x123;
    assert_eq!(judge(0, own), Ok(Crossing::Slot(own)));
    for foreign in [
        slot(1) + 0x123,
        slot(0) + 0x1000,
        0x7fff_0000_0000,
        layout_monitor(),
        cubicle_abi::layout::callback_table(0),
    ] {
        assert_eq!(judge(0, foreign), Err(Refused::NoFunction), "{foreign:#x}");
    }
}

fn layout_monitor() -> u64 {
    cubicle_abi::layout::MONITOR_BASE
}

#[test]
fn a_pointer_that_comes_home_is_the_receivers_own() {
    // The gate's function, the receiver's.
    assert_eq!(judge(0, gate(0)), Ok(Crossing::As(slot(1) + 0x50)));
    // A stub, and one that stands for what the receiver was given itself.
    let home = |pointer| judge(1, pointer);
    assert_eq!(
        home(callback_stub(0, 0)),
        Ok(Crossing::Slot(callback_stub(0, 0)))
    );
    assert_eq!(judge(2, slot(2) + 1), Ok(Crossing::Slot(slot(2) + 1)));
}

#[test]
fn what_is_checked_on_the_way_does_not_come_home_unchecked() {
    assert_eq!(judge_unlike(0, gate(0)), Ok(Crossing::Slot(gate(0))));
    // What passes a function on is the same either way.
    assert_eq!(judge_unlike(0, gate(1)), Ok(Crossing::Slot(gate(1))));
}

#[test]
fn who_may_call_a_function_may_pass_it_on() {
    // 0 passes 1 the gate into 2, and what 2 gave it.
    assert_eq!(judge(0, gate(1)), Ok(Crossing::Slot(gate(1))));
    let given = callback_stub(2, 0);
    assert_eq!(judge(0, given), Ok(Crossing::Slot(given)));
    // 1 passes 2 what 0 gave it; 2 is not allowed to name that stub itself.
    let given = callback_stub(0, 0);
    assert_eq!(judge(1, given), Ok(Crossing::Slot(given)));
    assert_eq!(judge(2, given), Err(Refused::NotItsOwn));
    assert_eq!(judge(2, gate(0)), Err(Refused::NotItsOwn));
}

#[test]
fn a_stub_of_ones_own_function_is_that_function() {
    assert_eq!(
        judge(0, callback_stub(0, 0)),
        Ok(Crossing::Slot(slot(0) + 0x100))
    );
    // Slot 1 stands for the gate from 0 to 2, which 0 passes on.
    assert_eq!(judge(0, callback_stub(0, 1)), Ok(Crossing::Slot(gate(1))));
    // The gate into 1, as 1 itself passes it.
    assert_eq!(judge(1, gate(0)), Ok(Crossing::Slot(slot(1) + 0x50)));
}

#[test]
fn only_the_starts_of_gates_and_filled_stubs_are_doors() {
    for (pointer, expected) in [
        (gate(0) + 1, Refused::NoFunction),
        (gate(FIRST), Refused::NoFunction),
        (gate(999), Refused::NoFunction),
        (callback_stub(0, 0) + 1, Refused::NoFunction),
        (callback_stub(0, 0) + 5, Refused::NoFunction),
        (callback_stub(3, 0), Refused::NoFunction),
        (callback_stub(0, 2), Refused::EmptySlot),
        (callback_stub(0, CALLBACK_SLOTS - 1), Refused::EmptySlot),
        (callback_stub(1, 1), Refused::EmptySlot),
    ] {
        assert_eq!(judge(0, pointer), Err(expected), "{pointer:#x}");
    }
}
