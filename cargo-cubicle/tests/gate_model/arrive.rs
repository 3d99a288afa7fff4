//! Control leaves the text: whoever runs now, what must be true of it.

use cubicle_abi::layout;
use cubicle_abi::rights::{Rights, cubicle_key};
use cubicle_abi::thread_block::SELECTOR_BLOCK;

use super::monitor;
use super::state::*;
use super::step::{Flow, Machine, Violation};
use super::world::*;

/// Control goes to `target`.
pub fn arrive(machine: &mut Machine, target: Value) -> Result<Flow, Violation> {
    let rights = Rights(machine.state.rights);
    let world = machine.world;
    let Value::Number(address) = target else {
        return match world.attacker_with(rights) {
            Some(attacker) => give_to(machine, attacker),
            None => Err(Violation::Escaped),
        };
    };
    if world.text.at(address).is_some() {
        machine.state.instruction = address;
        return Ok(Flow::On);
    }
    // An attacker may run whatever it likes with its own rights.
    if let Some(attacker) = world.attacker_with(rights) {
        return give_to(machine, attacker);
    }
    if address == MONITOR_RETURN {
        return monitor::returned(machine);
    }
    match layout::slot_owner(address) {
        Some(cubicle) if cubicle < CUBICLES && rights == world.rights[cubicle] => {
            run(machine, cubicle, address)
        }
        _ => Err(Violation::Escaped),
    }
}

/// What must hold whenever a cubicle's code begins to run.
fn check(machine: &Machine, cubicle: usize) -> Result<(), Violation> {
    let state = &machine.state;
    if state.selector() != Value::Number(SELECTOR_BLOCK.into()) {
        return Err(Violation::Selector);
    }
    let rights = machine.world.rights[cubicle];
    for register in state.registers {
        if let Value::Secret(owner) = register
            && !rights.reads(cubicle_key(owner))
        {
            return Err(Violation::Leaked);
        }
    }
    Ok(())
}

fn give_to(machine: &mut Machine, attacker: usize) -> Result<Flow, Violation> {
    check(machine, attacker)?;
    // An honest caller's call has arrived, if it was for this one.
    // One that is still being let in, at the same level, has called nobody yet.
    let work = machine.state.work.clone();
    for (cubicle, levels) in machine.state.levels.iter_mut().enumerate() {
        for (number, level) in levels.iter_mut().enumerate() {
            let is_attaching =
                (work.iter()).any(|work| work.caller == cubicle && work.levels == number + 1);
            if let Pending::Call { gate, phase, .. } = &mut level.pending
                && *phase != CallPhase::Answered
                && !is_attaching
                && machine.world.lost[machine.world.edges[*gate].spec.to]
            {
                *phase = CallPhase::Entered;
            }
        }
    }
    let state = &mut machine.state;
    state.actor = Actor::Attacker(attacker);
    state.returning = None;
    Ok(Flow::Chosen)
}

/// An honest cubicle's code, with its rights.
fn run(machine: &mut Machine, cubicle: usize, address: u64) -> Result<Flow, Violation> {
    check(machine, cubicle)?;
    if !machine.state.flags_are_clean {
        return Err(Violation::Flags);
    }
    match machine.world.gate_to(address) {
        Some(gate) => enter(machine, cubicle, gate)?,
        None => go_on(machine, cubicle, address)?,
    }
    machine.state.actor = Actor::Honest(cubicle);
    machine.state.returning = None;
    Ok(Flow::Chosen)
}

/// The first instruction of a function.
fn enter(machine: &mut Machine, cubicle: usize, gate: usize) -> Result<(), Violation> {
    let world = machine.world;
    let caller = world.edges[gate].spec.from;
    let is_lending = world.edges[gate].spec.kind == cargo_cubicle::gates::GateKind::Lending;
    let state = &mut machine.state;
    if world.lost[caller] {
        // It may call whenever it likes; nobody else may in its name.
        if !matches!(state.actor, Actor::Attacker(_)) {
            return Err(Violation::Entered);
        }
    } else {
        let pending = state.levels[caller]
            .last_mut()
            .map(|level| &mut level.pending);
        match pending {
            Some(Pending::Call {
                gate: called,
                phase,
                ..
            }) if *called == gate
                && state.actor == Actor::Honest(caller)
                && *phase == expected(is_lending) =>
            {
                *phase = CallPhase::Entered;
            }
            _ => return Err(Violation::Entered),
        }
    }
    let Value::Number(stack) = state.registers[RSP] else {
        return Err(Violation::Damaged);
    };
    let lowest = state.levels[cubicle].last().map_or(0, lowest_in_use);
    if owner(stack) != Some(cubicle) || stack >= lowest || stack % 16 != 8 {
        return Err(Violation::Damaged);
    }
    state.levels[cubicle].push(Level {
        entered: Some((gate, PRESERVED.map(|register| state.registers[register]))),
        stack,
        pending: Pending::Nothing,
    });
    Ok(())
}

fn expected(is_lending: bool) -> CallPhase {
    match is_lending {
        true => CallPhase::Believed,
        false => CallPhase::Asked,
    }
}

/// Below what address a level's stack is free.
fn lowest_in_use(level: &Level) -> u64 {
    match level.pending {
        // The return address, and what the gate saves.
        Pending::Call { .. } => {
            level.stack - LOCALS - 8 - size_of::<cubicle_abi::frame::Saved>() as u64 + 8
        }
        // Its red zone.
        _ => level.stack - LOCALS - 128,
    }
}

/// What a function keeps below its return address.
pub const LOCALS: u64 = 0x48;

/// Behind a call, behind a system call, or where it was interrupted.
fn go_on(machine: &mut Machine, cubicle: usize, address: u64) -> Result<(), Violation> {
    let world = machine.world;
    let number = machine.state.levels[cubicle].len().wrapping_sub(1);
    let state = &mut machine.state;
    let Some(level) = state.levels[cubicle].last_mut() else {
        return Err(Violation::Escaped);
    };
    if address == running(cubicle, number) {
        return match level.pending {
            Pending::Interrupted => {
                level.pending = Pending::Nothing;
                Ok(())
            }
            _ => Err(Violation::Escaped),
        };
    }
    if address != continuation(cubicle, number) {
        return Err(Violation::Escaped);
    }
    let expected_stack = level.stack - LOCALS;
    match &level.pending {
        Pending::Call { gate, phase, frame } => {
            let spec = &world.edges[*gate].spec;
            let is_lending = spec.kind == cargo_cubicle::gates::GateKind::Lending;
            let wanted = match is_lending {
                true => CallPhase::Answered,
                false => CallPhase::Entered,
            };
            let is_ended = match world.lost[spec.to] {
                true => matches!(state.actor, Actor::Attacker(_)),
                false => state.returning == Some(*gate),
            };
            if *phase != wanted || !is_ended {
                return Err(Violation::Returned);
            }
            let found =
                ["stack", "awaiting"].map(|field| state.memory.get(frame_word(cubicle, field)));
            if found != *frame {
                return Err(Violation::Damaged);
            }
        }
        Pending::SystemCall { phase } => {
            if *phase != CallPhase::Answered {
                return Err(Violation::Returned);
            }
        }
        _ => return Err(Violation::Returned),
    }
    level.pending = Pending::Nothing;
    let is_own = |register: &usize| state.registers[*register] == Value::Secret(cubicle);
    if state.registers[RSP] != Value::Number(expected_stack)
        || !PRESERVED.iter().all(is_own)
        || state.fs != Value::Number(thread_pointer(cubicle))
    {
        return Err(Violation::Damaged);
    }
    Ok(())
}
