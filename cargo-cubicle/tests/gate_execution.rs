//! Gates that run: with the mechanisms that need no keys, which differ from the
//! one with keys only in the switch (`tests/gates.rs` compares them).
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]
// Tests run one at a time on statics that assembly fills; a reference to one
// never outlives an assertion.
#![allow(static_mut_refs)]

#[path = "gate_execution/attacks.rs"]
mod attacks;
#[path = "gate_execution/explore.rs"]
mod explore;
#[path = "gate_execution/probe.rs"]
mod probe;
#[path = "gate_execution/resume.rs"]
mod resume;
#[path = "gate_execution/trap.rs"]
mod trap;
#[path = "gate_execution/world.rs"]
mod world;

use cargo_cubicle::gates::spec::WORDS_OF_CALLBACKS;
use cargo_cubicle::gates::{
    ErrnoOffsets, GateKind, GateResult, GateShape, GateSpec, GateTarget, Mechanism,
};
use cubicle_abi::frame::Frame;
use cubicle_abi::{calls, layout};
use explore::{Attacker, Gain, Situation};
use probe::{AFTER, BEFORE, ENTERED, ENTRY, EXIT, HOOK, State};
use std::cell::Cell;
use trap::End;
use world::{
    BOTH, By, CALLEE, CALLER, LENT, OLDER_AWAITING, OLDER_STACK, World, to_probe, to_probe_by,
};

const KINDS: [GateKind; 5] = [
    GateKind::Fast,
    GateKind::Union,
    GateKind::CallerSees,
    GateKind::CalleeSees,
    GateKind::Lending,
];
const MECHANISMS: [Mechanism; 2] = [Mechanism::StandIn, Mechanism::PageTable];
const ARGUMENTS: [usize; 6] = [
    probe::RDI,
    probe::RSI,
    probe::RDX,
    probe::RCX,
    probe::R8,
    probe::R9,
];
const DF: u64 = 0x400;
const NT: u64 = 0x4000;
const AC: u64 = 0x4_0000;

fn shape(integers: usize, vectors: usize, stack_words: usize) -> GateShape {
    GateShape {
        integers,
        vectors,
        stack_words,
        variadic: false,
        result: GateResult {
            integers: 1,
            vectors: 0,
        },
    }
}

fn states() -> (
    &'static State,
    &'static State,
    &'static State,
    &'static State,
) {
    // SAFETY: nothing writes them until the next call.
    unsafe { (&BEFORE, &ENTRY, &EXIT, &AFTER) }
}

/// What holds of every call, whatever it passes.
fn check(world: &World, spec: &GateSpec) {
    let (before, entry, exit, after) = states();
    let shape = spec.shape;
    assert_eq!(unsafe { ENTERED }, 1);
    // Arrival: what is declared, and nothing else.
    for (number, register) in ARGUMENTS.into_iter().enumerate() {
        let lent = spec.kind == GateKind::Lending && number == 0;
        let expected = match number < shape.integers {
            true if lent => world::LENT_POINTER,
            true => before.general[register],
            false => 0,
        };
        assert_eq!(entry.general[register], expected, "argument {number}");
    }
    let vectors_in_use = if shape.variadic { shape.vectors } else { 0 };
    assert_eq!(entry.general[probe::RAX], vectors_in_use as u64);
    for register in [probe::RBX, probe::RBP, probe::R10] {
        assert_eq!(entry.general[register], 0, "register {register}");
    }
    // Of a callback, the function's own address.
    let function = match spec.target {
        GateTarget::Function(_) => 0,
        GateTarget::Callback(_) => layout::gate(world::GATES),
    };
    assert_eq!(entry.general[probe::R11], function);
    assert_eq!(entry.general[probe::R12 + 1..=probe::R15], [0; 3]);
    // Where the callee's next entry would start, which is its own.
    assert_eq!(entry.general[probe::R12], world.frames[CALLEE].stack);
    only_vectors(before, entry, shape.vectors);
    assert_eq!(
        entry.words[..shape.stack_words],
        before.words[..shape.stack_words]
    );
    assert_eq!(entry.mxcsr(), 0x1f80);
    if spec.kind != GateKind::Fast {
        assert_eq!(entry.x87(), (0x037f, 0, 0));
        nothing_in_x87(entry);
        assert_eq!(after.x87(), (before.x87().0, 0, 0));
        nothing_in_x87(after);
    }
    assert_eq!(entry.flags & (DF | NT | AC), 0);
    assert_eq!((entry.stack + 8) % 16, 0, "an aligned stack at the call");
    let end = world.stack_end(1);
    assert!(
        entry.stack < end && end - entry.stack < 4096,
        "its own stack"
    );
    // Return: the results and what a call preserves, and nothing else.
    let results = [probe::RAX, probe::RDX];
    for (number, register) in results.into_iter().enumerate() {
        let expected = match number < shape.result.integers {
            true => exit.general[register],
            false => 0,
        };
        assert_eq!(after.general[register], expected, "result {number}");
    }
    for register in [
        probe::RCX,
        probe::RSI,
        probe::RDI,
        probe::R8,
        probe::R9,
        probe::R10,
        probe::R11,
    ] {
        assert_eq!(after.general[register], 0, "register {register}");
    }
    for register in [probe::RBX, probe::RBP] {
        assert_eq!(after.general[register], before.general[register]);
    }
    assert_eq!(
        after.general[probe::R12..=probe::R15],
        before.general[probe::R12..=probe::R15]
    );
    only_vectors(exit, after, shape.result.vectors);
    assert_eq!(after.mxcsr(), before.mxcsr());
    assert_eq!(after.flags & (DF | NT | AC), 0);
    assert_eq!(after.stack, before.stack);
    assert_eq!(after.fs, world.block.virtual_threads[CALLER].fs);
    // The frames are as before.
    assert_eq!(world.frames[CALLER].awaiting, OLDER_AWAITING);
    assert_eq!(world.frames[CALLER].stack, OLDER_STACK);
    assert_eq!(world.frames[CALLER].token, 0);
    assert_eq!(world.frames[CALLEE].awaiting, 0);
    assert_eq!(world.frames[CALLEE].token, 0);
    assert_eq!(world.frames[CALLEE].stack, world.stack_end(1) - 8);
    assert_eq!(world.block.rights, spec.rights_from.0);
}

/// The low halves of the first `count` vector registers passed; all else is
/// zero.
fn only_vectors(from: &State, to: &State, count: usize) {
    for number in 0..32 {
        let mut expected = vec![0; 64];
        if number < count {
            expected[..16].copy_from_slice(&from.vector(number)[..16]);
        }
        assert_eq!(to.vector(number), expected, "vector register {number}");
    }
    assert!(to.masks().iter().all(|byte| *byte == 0));
}

/// What MMX leaves of a register that it zeroed; and in the last one, which the
/// gate itself used, this side's own MXCSR as a number.
fn nothing_in_x87(state: &State) {
    let registers = state.x87_registers();
    for register in &registers[..7] {
        assert_eq!(*register, [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);
    }
    let number = u64::from(state.mxcsr());
    let exponent = number.ilog2();
    let mantissa = (number << (63 - exponent)).to_le_bytes();
    assert_eq!(registers[7][..8], mantissa);
    assert_eq!(registers[7][8..], (16383 + exponent as u16).to_le_bytes());
}

fn call_and_check(kind: GateKind, mechanism: Mechanism, change: impl Fn(&mut GateSpec)) {
    for by in BOTH {
        call_by_and_check(by, kind, mechanism, &change);
    }
}

fn call_by_and_check(
    by: By,
    kind: GateKind,
    mechanism: Mechanism,
    change: &impl Fn(&mut GateSpec),
) {
    let mut world = World::new();
    let mut spec = to_probe_by(by, &mut world, kind);
    change(&mut spec);
    let is_lending = kind == GateKind::Lending;
    if by == By::Slot && !is_lending && spec.shape.stack_words > WORDS_OF_CALLBACKS {
        return;
    }
    unsafe { world::WORDS_TO_COPY = spec.shape.stack_words };
    world.call(&spec, mechanism);
    check(&world, &spec);
    if kind == GateKind::Lending {
        let (before, _, exit, _) = states();
        unsafe {
            assert_eq!(LENT, ARGUMENTS.map(|register| before.general[register]));
            let results = [exit.general[probe::RAX], exit.general[probe::RDX]];
            assert_eq!(world::GIVEN_BACK, results);
            assert_eq!(world::ASKED, (spec.index << 16 | spec.index) as u32);
        }
    }
}

#[test]
fn integers_arrive_and_nothing_else() {
    for kind in KINDS {
        for mechanism in MECHANISMS {
            for integers in 0..=6 {
                call_and_check(kind, mechanism, |spec| spec.shape = shape(integers, 0, 0));
            }
        }
    }
}

#[test]
fn vectors_arrive_and_nothing_else() {
    for kind in KINDS {
        for mechanism in MECHANISMS {
            for vectors in 0..=8 {
                call_and_check(kind, mechanism, |spec| spec.shape = shape(2, vectors, 0));
            }
        }
    }
}

#[test]
fn stack_arguments_arrive() {
    for kind in KINDS {
        for words in 0..=22 {
            call_and_check(kind, Mechanism::StandIn, |spec| {
                spec.shape = shape(6, 8, words);
            });
        }
    }
}

#[test]
fn results_return_and_nothing_else() {
    for kind in KINDS {
        for mechanism in MECHANISMS {
            for integers in 0..=2 {
                for vectors in 0..=2 {
                    call_and_check(kind, mechanism, |spec| {
                        spec.shape.result = GateResult { integers, vectors };
                    });
                }
            }
        }
    }
}

#[test]
fn variadic_functions_learn_how_many_vectors_there_are() {
    for vectors in [0, 1, 8] {
        call_and_check(GateKind::Union, Mechanism::StandIn, |spec| {
            spec.shape = shape(3, vectors, 2);
            spec.shape.variadic = true;
        });
    }
}

#[test]
fn another_gate_number() {
    call_and_check(GateKind::Lending, Mechanism::StandIn, |spec| spec.index = 3);
}

/// Real code on both sides: each level calls the other cubicle and adds what
/// its own stack kept meanwhile.
static mut CALL_DOWN: [u64; 2] = [0; 2];

fn descend(side: usize, depth: u64, salt: f64) -> u64 {
    let kept: [u64; 16] = std::array::from_fn(|word| depth * 100 + word as u64);
    let kept = std::hint::black_box(kept);
    let below = if depth == 0 {
        0
    } else {
        // SAFETY: the test put the addresses of two gates there.
        let next: extern "C" fn(u64, f64) -> u64 = unsafe { std::mem::transmute(CALL_DOWN[side]) };
        next(depth - 1, salt + 0.5)
    };
    below + kept.iter().sum::<u64>() + (salt * 2.0) as u64
}

extern "C" fn descend_caller(depth: u64, salt: f64) -> u64 {
    descend(0, depth, salt)
}

extern "C" fn descend_callee(depth: u64, salt: f64) -> u64 {
    descend(1, depth, salt)
}

#[test]
fn calls_nest_and_recur() {
    for kind in KINDS {
        for mechanism in MECHANISMS {
            let mut world = World::new();
            unsafe { world::WORDS_TO_COPY = 0 };
            // Back from the callee, its caller is the side that is seen.
            let back_kind = match kind {
                GateKind::CallerSees => GateKind::CalleeSees,
                GateKind::CalleeSees => GateKind::CallerSees,
                // The test monitor replaces an argument; depth would be lost.
                GateKind::Lending => GateKind::Union,
                other => other,
            };
            let there_kind = match kind {
                GateKind::Lending => GateKind::Union,
                other => other,
            };
            let callee = world.thunk(descend_callee as *const () as u64);
            let caller = world.thunk(descend_caller as *const () as u64);
            // There by address, back by slot.
            let mut there = world::spec(there_kind, By::Address.target(callee));
            there.shape = shape(1, 1, 0);
            let mut back = there.clone();
            (back.index, back.kind, back.target) = (1, back_kind, By::Slot.target(caller));
            (back.from, back.to) = (CALLEE, CALLER);
            (back.rights_from, back.rights_to) = (there.rights_to, there.rights_from);
            world.place(&there, mechanism);
            world.place(&back, mechanism);
            unsafe { CALL_DOWN = [&there, &back].map(world::entry) };
            world.block.rights = there.rights_from.0;
            let depth = 40;
            let expected: u64 = (0..=depth)
                .map(|level| {
                    let salt = 1.0 + 0.5 * (depth - level) as f64;
                    (0..16).map(|word| level * 100 + word).sum::<u64>() + (salt * 2.0) as u64
                })
                .sum();
            assert_eq!(descend_caller(depth, 1.0), expected, "{kind:?}");
            assert_eq!(world.frames[CALLER].awaiting, OLDER_AWAITING);
            assert_eq!(world.frames[CALLER].stack, OLDER_STACK);
            assert_eq!(world.frames[CALLEE].awaiting, 0);
            assert_eq!(world.frames[CALLEE].stack, world.stack_end(1) - 8);
        }
    }
}

#[test]
fn fs_is_switched_and_restored() {
    let memory = [0u64; 64];
    let base = &raw const memory[32] as u64;
    for kind in KINDS {
        let mut world = World::new();
        world.block.virtual_threads[CALLEE].fs = base;
        let mut spec = to_probe(&mut world, kind);
        spec.switch_fs = true;
        unsafe { world::WORDS_TO_COPY = 0 };
        if kind == GateKind::Lending {
            // What stands for the monitor is Rust code that uses FS as it is:
            // the caller's on the way in, the callee's on the way back. The
            // real monitor uses none.
            continue;
        }
        world.call(&spec, Mechanism::StandIn);
        check(&world, &spec);
        let (_, entry, _, _) = states();
        assert_eq!(entry.fs, base);
    }
}

/// A callee that moves FS where the gate left it alone (rule 5).
#[unsafe(naked)]
extern "C" fn move_fs() {
    std::arch::naked_asm!("xor eax, eax", "wrfsbase rax", "ret");
}

#[test]
fn fs_is_repaired_where_it_was_not_switched() {
    for kind in [GateKind::Fast, GateKind::Union, GateKind::CalleeSees] {
        let mut world = World::new();
        let own = world::fs_base();
        let target = world.thunk(move_fs as *const () as u64);
        let spec = world::spec(kind, By::Address.target(target));
        world.call(&spec, Mechanism::StandIn);
        assert_eq!(world::fs_base(), own);
        let (_, _, _, after) = states();
        assert_eq!(after.fs, own);
    }
}

thread_local! {
    static OWN_ERRNO: Cell<u32> = const { Cell::new(0) };
}

#[test]
fn errno_is_copied() {
    let mut memory = [0u64; 64];
    memory[16] = 0xdead_beef_0000_0075;
    let base = &raw const memory[32] as u64;
    for kind in [GateKind::Fast, GateKind::Union, GateKind::CallerSees] {
        let mut world = World::new();
        OWN_ERRNO.set(7);
        let own = OWN_ERRNO.with(|cell| cell.as_ptr() as u64);
        world.block.virtual_threads[CALLEE].fs = base;
        let mut spec = to_probe(&mut world, kind);
        spec.switch_fs = true;
        spec.errno = Some(ErrnoOffsets {
            callee: -128,
            caller: i32::try_from(own as i64 - world::fs_base() as i64).unwrap(),
        });
        world.call(&spec, Mechanism::StandIn);
        check(&world, &spec);
        assert_eq!(OWN_ERRNO.get(), 0x75);
    }
}

#[test]
fn rounding_and_masks_stay_on_their_side() {
    // Every control bit differs: rounding, flush to zero, all unmasked.
    for (caller, callee) in [
        (0x0040 | 0x6000, 0x1f80),
        (0x1f80, 0xe040),
        (0x9fc0, 0x1fbf),
    ] {
        for kind in KINDS {
            let mut world = World::new();
            unsafe {
                BEFORE.set_mxcsr(caller);
                EXIT.set_mxcsr(callee);
                world::WORDS_TO_COPY = 0;
            }
            if kind == GateKind::Lending {
                continue;
            }
            let spec = to_probe(&mut world, kind);
            world.call(&spec, Mechanism::StandIn);
            check(&world, &spec);
        }
    }
}

#[test]
fn x87_stays_on_its_side() {
    for kind in [GateKind::Fast, GateKind::Union, GateKind::CallerSees] {
        let mut world = World::new();
        unsafe {
            // Full stacks, other precision, on both sides.
            BEFORE.set_x87(0x027f, 0x1800, 0xff);
            EXIT.set_x87(0x0c7f, 0x2800, 0xff);
        }
        let mut spec = to_probe(&mut world, kind);
        spec.callee_uses_x87 = true;
        world.call(&spec, Mechanism::StandIn);
        check(&world, &spec);
        let (_, entry, _, after) = states();
        // A trusted callee that uses x87 is given none of it, either.
        assert_eq!(entry.x87(), (0x037f, 0, 0));
        assert_eq!(after.x87(), (0x027f, 0, 0));
        nothing_in_x87(entry);
        nothing_in_x87(after);
    }
}

/// Exceptions that happened, the last comparison's condition codes, and where the
/// last instruction and its operand were.
#[test]
fn nothing_says_what_was_computed_last() {
    for kind in KINDS.into_iter().filter(|kind| *kind != GateKind::Fast) {
        let mut world = World::new();
        unsafe {
            BEFORE.set_mxcsr(0x1fa5);
            EXIT.set_mxcsr(0x1fba);
            BEFORE.set_x87(0x037f, 0x4521, 0xff);
            EXIT.set_x87(0x037f, 0x4131, 0x0f);
            BEFORE.set_x87_pointers(0x5ec1, 0x5ec2);
            EXIT.set_x87_pointers(0x5ec3, 0x5ec4);
            world::WORDS_TO_COPY = 0;
        }
        let spec = to_probe(&mut world, kind);
        world.call(&spec, Mechanism::StandIn);
        check(&world, &spec);
        let (_, entry, _, after) = states();
        for (state, secrets) in [(entry, [0x5ec1, 0x5ec2]), (after, [0x5ec3, 0x5ec4])] {
            let (instruction, operand) = state.x87_pointers();
            assert!(!secrets.contains(&instruction) && !secrets.contains(&operand));
        }
    }
}

/// Whoever asked for it keeps what vector and x87 registers hold, on both sides,
/// but not each other's control words.
#[test]
fn an_unscrubbed_cubicle_is_given_what_there_is() {
    for kind in KINDS {
        let mut world = World::new();
        unsafe {
            BEFORE.set_mxcsr(0x7f80);
            EXIT.set_mxcsr(0x3f80);
            world::WORDS_TO_COPY = 0;
        }
        if kind == GateKind::Lending {
            // What stands for the monitor here uses vectors.
            continue;
        }
        let mut spec = to_probe(&mut world, kind);
        spec.scrub_vectors = false;
        world.call(&spec, Mechanism::StandIn);
        let (before, entry, exit, after) = states();
        for number in 0..32 {
            assert_eq!(entry.vector(number), before.vector(number), "{number}");
            assert_eq!(after.vector(number), exit.vector(number), "{number}");
        }
        assert_eq!(entry.masks(), before.masks());
        assert_eq!((entry.mxcsr(), after.mxcsr()), (0x1f80, 0x7f80));
        // General registers are always cleared.
        assert_eq!(entry.general[probe::RBP], 0);
        assert_eq!(after.general[probe::RSI], 0);
    }
}

/// A division by zero that the callee had masked must not wait for a caller
/// who has it unmasked.
#[test]
fn a_masked_x87_exception_stays_with_the_callee() {
    for callee_uses_x87 in [false, true] {
        let mut world = World::new();
        unsafe {
            BEFORE.set_x87(0x037b, 0, 0);
            EXIT.set_x87(0x037f, 0x0004, 0);
        }
        let mut spec = to_probe(&mut world, GateKind::Union);
        spec.callee_uses_x87 = callee_uses_x87;
        world.call(&spec, Mechanism::StandIn);
        check(&world, &spec);
        let (_, _, _, after) = states();
        assert_eq!(after.x87(), (0x037b, 0, 0));
    }
}
