//! The part of the monitor that is Rust. The assembly calls it with all rights;
//! it does one of the things that the monitor does, and the properties say
//! whether it should have been asked at all.

use cargo_cubicle::gates::GateKind;
use cubicle_abi::frame::{Frame, RESUME, gathered, ticket, ticket_gate};
use cubicle_abi::layout::{gate_tail, resume_again, resume_stub, system_call_gate};
use cubicle_abi::rights::Rights;
use cubicle_abi::thread_block::{ThreadBlock, frame_at};
use std::mem::offset_of;

use super::arrive::LOCALS;
use super::state::*;
use super::step::{Flow, Machine, Violation};
use super::world::*;

/// Registers that a function may lose, but for rax.
const LOST: [usize; 8] = [RCX, RDX, RSI, RDI, R8, R9, R10, R11];

/// The assembly calls what the model has no text of.
pub fn called(machine: &mut Machine, at: u64) -> Result<Flow, Violation> {
    let state = &machine.state;
    let world = machine.world;
    if let Some(attacker) = world.attacker_with(Rights(state.rights)) {
        // Its own rights in the monitor's text: nothing it could not do itself.
        return super::arrive::arrive(machine, Value::Secret(attacker)).or(Ok(Flow::End));
    }
    let piece = world.text.piece(at);
    let is_key0 = |address: u64| key_at(address) == Some(0);
    if state.rights != 0 || !matches!(state.registers[RSP], Value::Number(stack) if is_key0(stack))
    {
        return Err(Violation::Deputy);
    }
    if !state.flags_are_clean {
        return Err(Violation::Flags);
    }
    let Value::Number(named) = state.registers[RSI] else {
        return match piece {
            "cubicle_signal_entry_keys" => handle(machine),
            _ => Err(Violation::Believed),
        };
    };
    match piece {
        "cubicle_system_call" => dispatch(machine, named as usize),
        "cubicle_gate_enter" => lend(machine, gathered(named) as usize),
        "cubicle_gate_leave" => take_back(machine, gathered(named) as usize),
        "cubicle_signal_entry_keys" => handle(machine),
        other => panic!("{other} calls something that the model does not know"),
    }
}

fn answer(state: &mut State, value: Value) {
    state.registers[RAX] = value;
    for register in LOST {
        state.registers[register] = Value::Any;
    }
}

/// `lends::enter`: may this call begin?
fn lend(machine: &mut Machine, gate: usize) -> Result<Flow, Violation> {
    let world = machine.world;
    let state = &mut machine.state;
    let spec = &world.edges[gate].spec;
    let is_called = match world.lost[spec.from] {
        true => matches!(state.actor, Actor::Attacker(_)),
        false => match state.levels[spec.from]
            .last_mut()
            .map(|level| &mut level.pending)
        {
            Some(Pending::Call {
                gate: called,
                phase,
                ..
            }) if *called == gate
                && *phase == CallPhase::Asked
                && state.actor == Actor::Honest(spec.from) =>
            {
                *phase = CallPhase::Believed;
                true
            }
            _ => false,
        },
    };
    if !is_called {
        return Err(Violation::Believed);
    }
    let stack = match state.word(frame_word(spec.to, "stack")) {
        Value::Number(stack) => Value::Number(stack & !15),
        other => other,
    };
    answer(state, stack);
    Ok(Flow::On)
}

/// `lends::leave`: has this call ended?
fn take_back(machine: &mut Machine, gate: usize) -> Result<Flow, Violation> {
    let world = machine.world;
    let state = &mut machine.state;
    let spec = &world.edges[gate].spec;
    let is_ended = match world.lost[spec.to] {
        true => matches!(state.actor, Actor::Attacker(_)),
        false => state.returning == Some(gate),
    };
    let is_pending = match world.lost[spec.from] {
        true => true,
        false => match state.levels[spec.from]
            .last_mut()
            .map(|level| &mut level.pending)
        {
            Some(Pending::Call {
                gate: called,
                phase,
                ..
            }) if *called == gate && *phase == CallPhase::Entered => {
                *phase = CallPhase::Answered;
                true
            }
            _ => false,
        },
    };
    if !is_ended || !is_pending {
        return Err(Violation::Believed);
    }
    answer(state, Value::Any);
    Ok(Flow::On)
}

/// `dispatch`: a system call.
fn dispatch(machine: &mut Machine, cubicle: usize) -> Result<Flow, Violation> {
    let world = machine.world;
    let state = &mut machine.state;
    let is_attached: Vec<bool> = (0..CUBICLES)
        .map(|cubicle| state.word(BLOCK + frame_at(cubicle) as u64) != Value::Number(0))
        .collect();
    let level = state.levels[cubicle].last_mut();
    let is_asked = match world.lost[cubicle] {
        true => matches!(state.actor, Actor::Attacker(_)),
        false => match level.map(|level| &mut level.pending) {
            Some(Pending::SystemCall { phase })
                if *phase == CallPhase::Asked && state.actor == Actor::Honest(cubicle) =>
            {
                *phase = CallPhase::Believed;
                true
            }
            // A gate asks for a virtual thread on the way to its function.
            Some(Pending::Call { gate, phase, .. }) => {
                *phase == CallPhase::Asked
                    && state.actor == Actor::Honest(cubicle)
                    && !is_attached[world.edges[*gate].spec.to]
            }
            _ => false,
        },
    };
    if !is_asked {
        return Err(Violation::Believed);
    }
    // Go back to whoever made the cubicle run.
    let runs = state.work.last().and_then(|work| work.runs);
    let is_awaited = (0..CUBICLES).any(|other| {
        let Value::Number(awaiting) = state.word(frame_word(other, "awaiting")) else {
            return false;
        };
        ticket_gate(awaiting).is_some_and(|(gate, _)| {
            let edge = world.edges.get(gate).map(|edge| &edge.spec);
            edge.is_some_and(|edge| edge.from == other && edge.to == cubicle)
        })
    });
    // Whoever asked for it has called back, and waits for somebody.
    let asker = state.work.last().map(|work| work.caller);
    let is_busy = asker.is_some_and(|asker| {
        !world.lost[asker] && state.word(frame_word(asker, "awaiting")) != Value::Number(0)
    });
    if runs == Some(cubicle) && state.levels[cubicle].len() <= 1 && !is_awaited && !is_busy {
        let mut back = state.clone();
        for level in &mut back.levels[cubicle] {
            level.pending = Pending::Parked;
        }
        back.registers[RDI] = Value::Any;
        back.instruction = world.text.address("cubicle_back");
        machine.forks.push(back);
    }
    // Let others run first.
    for (other, attached) in is_attached.iter().enumerate() {
        let is_callee = |edge: &Edge| edge.spec.from == cubicle && edge.spec.to == other;
        if !attached && world.edges.iter().any(is_callee) {
            let forks = attach(world, state, cubicle, other);
            machine.forks.push(forks);
        }
    }
    if let Some(Pending::Call { .. }) = state.levels[cubicle].last().map(|level| &level.pending) {
        // The gate wants nothing else.
        return Ok(Flow::End);
    }
    // Perform it with the caller's rights.
    let mut performed = state.clone();
    begin(&mut performed, cubicle, None);
    performed.registers[RDI] = Value::Number(MONITOR_STACK - 0x100);
    performed.registers[RSI] = Value::Number(world.rights[cubicle].0.into());
    performed.instruction = world.text.address("cubicle_call_as_keys");
    machine.forks.push(performed);
    // Or answer it at once.
    answer_call(state, cubicle);
    answer(state, Value::Any);
    Ok(Flow::On)
}

fn answer_call(state: &mut State, cubicle: usize) {
    if let Some(level) = state.levels[cubicle].last_mut()
        && let Pending::SystemCall { phase } = &mut level.pending
    {
        *phase = CallPhase::Answered;
    }
}

/// The monitor calls its own assembly: what it goes on with, and a return address.
fn begin(state: &mut State, caller: usize, runs: Option<usize>) {
    let Value::Number(stack) = state.registers[RSP] else {
        unreachable!("it was compared");
    };
    let words = suspended_words(caller);
    state.work.push(Work {
        caller,
        levels: state.levels[caller].len(),
        runs,
        suspended: words.map(|address| state.word(address)),
        instruction: state.instruction,
        stack,
        preserved: PRESERVED.map(|register| state.registers[register]),
    });
    let below = (stack - 0x100) & !15;
    state.registers[RSP] = Value::Number(below - 8);
    state.set(below - 8, MONITOR_RETURN);
    // The monitor's own registers say nothing of its callers'.
    for register in LOST.into_iter().chain(PRESERVED).chain([RAX]) {
        state.registers[register] = Value::Any;
    }
}

fn suspended_words(cubicle: usize) -> [u64; 6] {
    let saved = frame_word(cubicle, "saved");
    [
        frame_word(cubicle, "stack"),
        frame_word(cubicle, "awaiting"),
        saved,
        saved + 8,
        saved + 16,
        saved + 24,
    ]
}

/// `virtual_threads::attach`: the other cubicle's start of a thread runs first.
fn attach(world: &World, state: &State, caller: usize, other: usize) -> State {
    let mut state = state.clone();
    begin(&mut state, caller, Some(other));
    if !world.lost[caller] {
        let saved = frame_word(caller, "saved") + 24;
        if let Value::Number(stack) = state.word(saved) {
            state.set(frame_word(caller, "stack"), (stack - 128) & !15);
            state.set(frame_word(caller, "awaiting"), 0);
        }
    }
    state.set(BLOCK + frame_at(other) as u64, frame(other));
    if !world.lost[other] {
        state.levels[other].push(Level {
            entered: None,
            stack: stack(other) - 0x1000,
            pending: Pending::Interrupted,
        });
    }
    let registers = [Value::Any; 17];
    let stack = Value::Number(stack(other) - 0x1000 - LOCALS);
    resume(
        world,
        &mut state,
        other,
        &registers,
        stack,
        running(other, 0),
    );
    state.registers[RDI] = Value::Number(resume_stub(other));
    state.instruction = world.text.address("cubicle_enter");
    state
}

/// What the resume stub of a cubicle needs to make it run at `target`.
fn resume(
    world: &World,
    state: &mut State,
    cubicle: usize,
    registers: &[Value; 17],
    stack: Value,
    target: u64,
) {
    use cubicle_abi::frame::Context;
    let context = frame(cubicle) + offset_of!(Frame, resume) as u64;
    if !world.lost[cubicle] {
        let mut store = |offset: usize, value: Value| {
            state.store(context + offset as u64, value);
        };
        store(offset_of!(Context, rax), registers[RAX]);
        store(offset_of!(Context, rbx), registers[RBX]);
        store(offset_of!(Context, rcx), registers[RCX]);
        store(offset_of!(Context, rdx), registers[RDX]);
        store(offset_of!(Context, rsi), registers[RSI]);
        store(offset_of!(Context, rdi), registers[RDI]);
        store(offset_of!(Context, rbp), registers[RBP]);
        store(offset_of!(Context, r8), registers[R8]);
        store(offset_of!(Context, r9), registers[R9]);
        store(offset_of!(Context, r10), registers[R10]);
        store(offset_of!(Context, r11), registers[R11]);
        store(offset_of!(Context, r12), registers[R12]);
        store(offset_of!(Context, r13), registers[R13]);
        store(offset_of!(Context, r14), registers[R14]);
        store(offset_of!(Context, r15), registers[R15]);
        store(offset_of!(Context, flags), Value::Number(0x202));
        store(offset_of!(Context, stack), stack);
        state.set(frame_word(cubicle, "token"), RESUME);
    }
    let target = match world.lost[cubicle] {
        true => Value::Any,
        false => Value::Number(target),
    };
    state.store(
        BLOCK + offset_of!(ThreadBlock, resume_target) as u64,
        target,
    );
}

/// The assembly returns to the monitor.
pub fn returned(machine: &mut Machine) -> Result<Flow, Violation> {
    let world = machine.world;
    let state = &mut machine.state;
    let Some(work) = state.work.pop() else {
        return Err(Violation::Believed);
    };
    let below = (work.stack - 0x100) & !15;
    if state.rights != 0 || state.registers[RSP] != Value::Number(below) {
        return Err(Violation::Believed);
    }
    if let Some(other) = work.runs {
        if !world.lost[other] {
            state.set(
                frame_word(other, "stack"),
                (stack(other) - 0x1000 - LOCALS - 128) & !15,
            );
        }
        if !world.lost[work.caller] {
            for (address, value) in suspended_words(work.caller).into_iter().zip(work.suspended) {
                state.store(address, value);
            }
        }
        // It was the caller who asked, and whom the answer is for.
        state.actor = match world.lost[work.caller] {
            true => Actor::Attacker(work.caller),
            false => Actor::Honest(work.caller),
        };
    }
    state.registers[RSP] = Value::Number(work.stack);
    for (register, value) in PRESERVED.into_iter().zip(work.preserved) {
        state.registers[register] = value;
    }
    answer_call(state, work.caller);
    answer(state, Value::Number(0));
    state.instruction = work.instruction;
    Ok(Flow::On)
}

/// `signals::handle`: a dispatched system call goes on in its gate; what windows
/// permit starts over. All else ends the process.
fn handle(machine: &mut Machine) -> Result<Flow, Violation> {
    let world = machine.world;
    let state = &mut machine.state;
    let Some(mut signal) = state.signal.take() else {
        return Err(Violation::Believed);
    };
    if signal.is_judged {
        return Err(Violation::Believed);
    }
    signal.is_judged = true;
    let (Actor::Honest(cubicle) | Actor::Attacker(cubicle)) = signal.actor;
    answer(state, Value::Any);
    // What it touched may be touched now.
    let mut again = state.clone();
    if again.word(frame_word(cubicle, "token")) != Value::Number(RESUME) {
        let mut mended = signal.clone();
        let target = match signal.instruction {
            Value::Number(address) => address,
            _ => 0,
        };
        resume(
            world,
            &mut again,
            cubicle,
            &signal.registers,
            signal.registers[RSP],
            target,
        );
        mended.instruction = Value::Number(resume_again(cubicle));
        mended.rights = 0;
        mended.flags_are_clean = true;
        if let Some(level) = again.levels[cubicle].last_mut() {
            level.pending = Pending::Interrupted;
        }
        again.signal = Some(mended);
        machine.forks.push(again);
    }
    // It made a system call: behind it, it goes on.
    let mut dispatched = signal;
    let number = state.levels[cubicle].len().wrapping_sub(1);
    if let Some(level) = state.levels[cubicle].last_mut() {
        level.pending = Pending::SystemCall {
            phase: CallPhase::Asked,
        };
        dispatched.registers[RCX] = Value::Number(continuation(cubicle, number));
    } else {
        dispatched.registers[RCX] = Value::Any;
    }
    dispatched.instruction = Value::Number(system_call_gate(cubicle));
    dispatched.flags_are_clean = true;
    state.signal = Some(dispatched);
    Ok(Flow::On)
}

/// `restart::contain`: a callee that attacks fails instead, or pretends to. Its
/// caller's gate goes on at its end.
pub fn fail(world: &World, state: &State, attacker: usize) -> Option<State> {
    if !state.work.is_empty() || state.signal.is_some() {
        return None;
    }
    let is_called = |level: &Level| match level.pending {
        Pending::Call { gate, .. } => {
            let spec = &world.edges[gate].spec;
            spec.to == attacker && spec.fault.is_some()
        }
        _ => false,
    };
    // The innermost call into it, whose caller waits for nobody else.
    let caller =
        (0..CUBICLES).find(|caller| state.levels[*caller].last().is_some_and(is_called))?;
    let mut next = state.clone();
    let Some(Level {
        pending: Pending::Call { gate, phase, .. },
        ..
    }) = next.levels[caller].last_mut()
    else {
        unreachable!("it was found");
    };
    if *phase != CallPhase::Entered {
        return None;
    }
    let gate = *gate;
    if world.edges[gate].spec.kind == GateKind::Lending {
        *phase = CallPhase::Answered;
    }
    let awaiting = frame_word(caller, "awaiting");
    let phase = match next.word(awaiting) {
        Value::Number(now) if now & 3 == 1 => 1,
        _ => 3,
    };
    next.set(awaiting, ticket(gate, phase));
    next.set(BLOCK + frame_at(attacker) as u64, 0);
    let stack = next.word(frame_word(caller, "stack"));
    let registers = [Value::Any; 17];
    resume(world, &mut next, caller, &registers, stack, gate_tail(gate));
    next.registers = [Value::Any; 17];
    next.registers[RDI] = Value::Number(resume_stub(caller));
    next.registers[RSP] = Value::Number(MONITOR_STACK - 0x1000);
    next.rights = 0;
    next.flags_are_clean = true;
    next.instruction = world.text.address("cubicle_resume");
    Some(next)
}
