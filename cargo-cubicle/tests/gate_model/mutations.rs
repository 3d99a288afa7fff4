//! A model that finds nothing proves nothing. Each thing that a gate requires is
//! left out once, and the model must find what comes of it.

use iced_x86::{ConditionCode, Instruction, Mnemonic, OpKind, Register};

use super::*;

/// What an instruction is there for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    /// `cmp [frame + …], ticket; jne trap`.
    Requirement,
    /// `wrpkru; cmp eax, rights; jne trap`.
    Comparison,
    /// `mov [frame + …], ticket`.
    Step,
    /// `test [flags], …; jne trap`.
    Flags,
}

/// What stands in a piece of text, in order.
fn roles(world: &World, wanted: &str) -> Vec<(u64, Role)> {
    let code: Vec<&Instruction> = (world.text.all())
        .filter(|(_, piece)| *piece == wanted)
        .map(|(one, _)| one)
        .collect();
    let is_frame = |one: &Instruction| {
        one.op0_kind() == OpKind::Memory
            && matches!(one.memory_base(), Register::RAX | Register::R11)
            && !matches!(one.op1_kind(), OpKind::Register)
    };
    let mut roles = Vec::new();
    for (number, one) in code.iter().enumerate().skip(2) {
        let (first, second) = (code[number - 2], code[number - 1]);
        let role = match (one.condition_code(), second.mnemonic()) {
            (ConditionCode::ne, Mnemonic::Cmp) if is_frame(second) => Role::Requirement,
            (ConditionCode::ne, Mnemonic::Cmp) if first.mnemonic() == Mnemonic::Wrpkru => {
                Role::Comparison
            }
            (ConditionCode::ne, Mnemonic::Test) if second.memory_base() == Register::RSP => {
                Role::Flags
            }
            _ if one.mnemonic() == Mnemonic::Mov && is_frame(one) => Role::Step,
            _ => continue,
        };
        roles.push((one.ip(), role));
    }
    roles
}

/// Forgets one instruction after the other: each must be missed, but for second
/// walls.
fn each_is_missed(kind: GateKind, piece: &str, second_walls: &[(usize, Role)]) {
    let roles = roles(&World::new(kind, &[]), piece);
    assert!(roles.len() >= 3, "{piece} of {kind:?}: {roles:?}");
    for wall in second_walls {
        assert_eq!(roles.get(wall.0).map(|(_, role)| *role), Some(wall.1));
    }
    for (number, (address, role)) in roles.into_iter().enumerate() {
        if second_walls.contains(&(number, role)) {
            continue;
        }
        let text = World::new(kind, &[]).text.describe(address);
        assert!(is_missed(kind, address), "{number}: {role:?} {text}");
    }
}

/// Does a call fail, or an attack succeed, without this instruction?
fn is_missed(kind: GateKind, address: u64) -> bool {
    for callee_is_attached in [true, false] {
        let mut world = World::new(kind, &[]);
        world.depth = 1;
        world.attached[CALLEE] = callee_is_attached;
        let arrivals = explore(&world, false).arrivals;
        world.text.forget(address);
        let without = explore(&world, true);
        if !without.found.is_empty() || without.arrivals < arrivals {
            return true;
        }
    }
    for (depth, attackers) in [
        (1, THIRD),
        (1, CALLEE),
        (1, CALLER),
        (2, THIRD),
        (2, CALLEE),
        (2, CALLER),
    ] {
        let mut world = World::new(kind, &[attackers]);
        world.depth = depth;
        world.text.forget(address);
        if !explore(&world, true).found.is_empty() {
            return true;
        }
    }
    // The callee's first entry.
    [CALLEE, THIRD].into_iter().any(|attacker| {
        let mut world = World::new(kind, &[attacker]);
        (world.depth, world.attached[CALLEE]) = (1, false);
        world.text.forget(address);
        !explore(&world, true).found.is_empty()
    })
}

// Second walls are of four sorts. Whoever raises out of turn, to rights of its
// choice, finds the requirement behind it unmet. Flags that came with a caller who
// sees the callee, or from a callee who sees the caller, could have been set by the
// victim as well; and a lending gate has tested them for the monitor before. What a
// gate answers no older call with, during a first entry, the monitor also clears.
// And a callback's token is spent a second time by the next call.

#[test]
fn nothing_can_be_left_out_of_a_union_gate() {
    let walls = [
        (1, Role::Comparison),
        (10, Role::Comparison),
        (18, Role::Step),
    ];
    each_is_missed(GateKind::Union, "gate 0", &walls);
}

#[test]
fn nothing_can_be_left_out_of_a_callback_gate() {
    let walls = [
        (1, Role::Comparison),
        (10, Role::Comparison),
        (12, Role::Step),
        (18, Role::Step),
    ];
    each_is_missed(GateKind::Union, "gate 1", &walls);
}

#[test]
fn nothing_can_be_left_out_of_a_gate_whose_caller_sees() {
    let walls = [(5, Role::Flags), (12, Role::Step)];
    each_is_missed(GateKind::CallerSees, "gate 0", &walls);
}

#[test]
fn nothing_can_be_left_out_of_a_gate_whose_callee_sees() {
    let walls = [(9, Role::Flags), (10, Role::Step)];
    each_is_missed(GateKind::CalleeSees, "gate 0", &walls);
}

#[test]
fn nothing_can_be_left_out_of_a_lending_gate() {
    let walls = [
        (1, Role::Comparison),
        (9, Role::Flags),
        (11, Role::Comparison),
        (19, Role::Flags),
        (20, Role::Step),
    ];
    each_is_missed(GateKind::Lending, "gate 0", &walls);
}

#[test]
fn nothing_can_be_left_out_of_the_way_to_the_monitor() {
    let walls = [(1, Role::Comparison), (3, Role::Step)];
    each_is_missed(GateKind::Union, "system-call gate 1", &walls);
}

#[test]
fn nothing_can_be_left_out_of_a_resume_stub() {
    each_is_missed(GateKind::Union, "resume stub 1", &[]);
}
