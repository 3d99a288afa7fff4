//! An explicit-state model of everything that changes rights: gates of every kind,
//! system-call gates, resume stubs, callbacks, the monitor's entries and the
//! signal entry.
//!
//! Its instructions are those that the tool emits and the monitor contains,
//! decoded: a changed gate is a changed model, and an instruction that the model
//! does not know fails the test. An attacker jumps to every one of them with
//! registers of its choice, at every moment at which it runs, and its memory holds
//! whatever helps it whenever somebody reads it, so that a second thread of the
//! attacker's would do no better. Honest cubicles call, are called, call back, make
//! system calls, are interrupted, and leave calls by `longjmp`.
//!
//! `tests/gate_execution.rs` runs the same text on a processor instead: for one
//! call, with every register and the real flags. The model has all orders of
//! events, but of registers only what an attacker may choose, numbers, and whose
//! secret they are. What it has not: two threads in one cubicle's frames (each
//! thread has its own), signals in the runtime's text (the monitor steps out of it
//! instruction by instruction, so that they are signals in a cubicle's), faults in
//! gates that windows mend, and a `longjmp` out of another cubicle's start.
#![cfg(target_arch = "x86_64")]

#[path = "gate_model/actors.rs"]
mod actors;
#[path = "gate_model/arrive.rs"]
mod arrive;
#[path = "gate_model/explore.rs"]
mod explore;
#[path = "gate_model/kernel.rs"]
mod kernel;
#[path = "gate_model/memory.rs"]
mod memory;
#[path = "gate_model/mixer.rs"]
mod mixer;
#[path = "gate_model/monitor.rs"]
mod monitor;
#[path = "gate_model/mutations.rs"]
mod mutations;
#[path = "gate_model/other_mode.rs"]
mod other_mode;
#[path = "gate_model/state.rs"]
mod state;
#[path = "gate_model/step.rs"]
mod step;
#[path = "gate_model/text.rs"]
mod text;
#[path = "gate_model/world.rs"]
mod world;

use cargo_cubicle::gates::GateKind;
use explore::{Report, explore};
use step::Violation;
use world::*;

/// The kinds that prove something.
const CHECKED: [GateKind; 4] = [
    GateKind::Union,
    GateKind::CallerSees,
    GateKind::CalleeSees,
    GateKind::Lending,
];

/// Who attacks: the third cubicle, the callee, the caller, and pairs of them.
const ATTACKERS: [&[usize]; 5] = [
    &[THIRD],
    &[CALLEE],
    &[CALLER],
    &[CALLEE, THIRD],
    &[CALLER, THIRD],
];

fn must_hold(world: &World, what: &str) {
    let report = explore(world, false);
    say(what, &report);
    assert!(report.found.is_empty(), "{what}: {:#?}", report.found);
    assert!(report.arrivals > 40, "{what}: {report:?}");
}

/// With `--nocapture`, how much there was.
fn say(what: &str, report: &Report) {
    let Report {
        states,
        arrivals,
        instructions,
        ..
    } = report;
    println!("{what}: {states} states, reached {arrivals} times, {instructions} instructions");
}

/// Nobody attacks: what a call leaves, keeps and clears, however calls nest.
#[test]
fn honest_cubicles_come_back_as_they_went() {
    for kind in CHECKED.into_iter().chain([GateKind::Fast]) {
        for callee_is_attached in [true, false] {
            let mut world = World::new(kind, &[]);
            world.depth = 1;
            world.signals = callee_is_attached;
            world.attached[CALLEE] = callee_is_attached;
            must_hold(&world, &format!("{kind:?}, nobody attacks"));
        }
    }
}

#[test]
fn checked_gates_hold_against_a_third_cubicle() {
    attacked_by(&[THIRD], 2);
}

#[test]
fn checked_gates_hold_against_their_callee() {
    attacked_by(&[CALLEE], 2);
}

#[test]
fn checked_gates_hold_against_their_caller() {
    attacked_by(&[CALLER], 2);
}

#[test]
fn checked_gates_hold_against_two() {
    attacked_by(&[CALLEE, THIRD], 1);
    attacked_by(&[CALLER, THIRD], 1);
}

fn attacked_by(attackers: &[usize], depth: usize) {
    for kind in CHECKED {
        let mut world = World::new(kind, attackers);
        world.depth = depth;
        must_hold(&world, &format!("{kind:?}, {attackers:?} attack"));
    }
}

#[test]
fn signals_and_first_entries_help_nobody() {
    for kind in CHECKED {
        for attackers in ATTACKERS {
            for callee_is_attached in [true, false] {
                let mut world = World::new(kind, attackers);
                world.depth = 1;
                world.signals = callee_is_attached;
                world.attached[CALLEE] = callee_is_attached;
                must_hold(&world, &format!("{kind:?}, {attackers:?} attack"));
            }
        }
    }
}

/// A callee that fails, or pretends to, gets no more than one that returns.
#[test]
fn restarts_help_nobody() {
    for kind in CHECKED {
        for attackers in ATTACKERS {
            let mut world = World::restarting(kind, attackers);
            world.depth = 1;
            must_hold(&world, &format!("{kind:?}, {attackers:?} attack"));
        }
    }
}

/// What a fast gate promises, and what it does not: the model must find that.
#[test]
fn a_fast_gate_proves_nothing() {
    let found = |attackers: &[usize]| -> Vec<Violation> {
        let world = World::new(GateKind::Fast, attackers);
        let mut kinds: Vec<_> = (explore(&world, false).found.iter())
            .map(|found| found.violation)
            .collect();
        kinds.sort();
        kinds
    };
    // A third cubicle enters the function, and ends a pending call.
    assert_eq!(found(&[THIRD]), [Violation::Entered, Violation::Returned]);
    // Between the two sides nothing is gained.
    assert_eq!(found(&[CALLEE]), []);
    assert_eq!(found(&[CALLER]), []);
}

/// More of everything. Most of a minute.
#[test]
#[ignore = "takes minutes"]
fn deeper() {
    for kind in CHECKED {
        for attackers in ATTACKERS {
            let mut world = World::new(kind, attackers);
            world.depth = 2;
            world.signals = true;
            must_hold(&world, &format!("{kind:?}, {attackers:?} attack"));
            world.attached[CALLEE] = false;
            must_hold(&world, &format!("{kind:?}, {attackers:?}, first entry"));
        }
        must_hold(&World::new(kind, &[]), &format!("{kind:?}, nobody attacks"));
    }
}
