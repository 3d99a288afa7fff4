//! What a cubicle may do when it is its turn: an honest one what its program
//! could, an attacker anything.

use cubicle_abi::layout::system_call_gate;

use super::arrive::LOCALS;
use super::kernel;
use super::state::*;
use super::world::*;

/// What an honest cubicle may do: descriptions, and the states in which its first
/// instruction outside of its own code is next.
pub fn honest(world: &World, state: &State, cubicle: usize) -> Vec<(String, State)> {
    let mut choices = Vec::new();
    let levels = &state.levels[cubicle];
    let number = levels.len() - 1;
    let level = &levels[number];
    let running_state = prepared(world, state, cubicle);
    if levels.len() <= world.depth {
        for edge in world.edges.iter().filter(|edge| edge.spec.from == cubicle) {
            choices.push((
                format!("{cubicle} calls through gate {}", edge.spec.index),
                call(&running_state, cubicle, number, edge),
            ));
        }
    }
    if let Some((gate, preserved)) = level.entered {
        let mut next = running_state.clone();
        for (register, value) in PRESERVED.into_iter().zip(preserved) {
            next.registers[register] = value;
        }
        next.registers[RAX] = Value::Any;
        next.registers[RSP] = Value::Number(level.stack + 8);
        next.levels[cubicle].pop();
        next.returning = Some(gate);
        // Its own return address, from its own stack.
        if let Value::Number(address) = state.word(level.stack) {
            next.instruction = address;
            choices.push((format!("{cubicle} returns through gate {gate}"), next));
        } else {
            panic!("the return address of an honest function is anybody's");
        }
    }
    // Not out of another cubicle's start: the monitor is in the middle of it.
    let outers = if state.work.is_empty() { number } else { 0 };
    for (outer, level) in levels.iter().enumerate().take(outers) {
        if matches!(level.pending, Pending::Call { .. }) {
            let mut next = state.clone();
            next.levels[cubicle].truncate(outer + 1);
            next.levels[cubicle][outer].pending = Pending::Nothing;
            let next = prepared(world, &next, cubicle);
            // Which call it makes then is decided in that state.
            choices.push((format!("{cubicle} jumps to its level {outer}"), next));
        }
    }
    let mut next = running_state.clone();
    next.levels[cubicle][number].pending = Pending::SystemCall {
        phase: CallPhase::Asked,
    };
    next.registers[RCX] = Value::Number(continuation(cubicle, number));
    next.instruction = system_call_gate(cubicle);
    choices.push((format!("{cubicle} makes a system call"), next));
    if world.signals && state.signal.is_none() {
        let at = Value::Number(running(cubicle, number));
        choices.push((
            format!("{cubicle} is interrupted"),
            kernel::interrupt(world, &running_state, at),
        ));
    }
    choices
}

/// The registers of a cubicle that runs: everything is its own.
fn prepared(world: &World, state: &State, cubicle: usize) -> State {
    let mut state = state.clone();
    state.registers = [Value::Secret(cubicle); 17];
    let level = state.levels[cubicle].last().expect("a level");
    state.registers[RSP] = Value::Number(level.stack - LOCALS);
    state.comparison = Comparison::Unknown;
    state.flags_are_clean = true;
    state.fs = Value::Number(thread_pointer(cubicle));
    state.rights = world.rights[cubicle].0;
    // 0: no instruction of the runtime's is next.
    state.instruction = 0;
    state.actor = Actor::Honest(cubicle);
    state
}

fn call(state: &State, cubicle: usize, number: usize, edge: &Edge) -> State {
    let mut next = state.clone();
    let stack = next.levels[cubicle][number].stack - LOCALS - 8;
    next.set(stack, continuation(cubicle, number));
    next.registers[RSP] = Value::Number(stack);
    // What it passes, it gives away.
    for register in [RDI, RSI] {
        next.registers[register] = Value::Any;
    }
    for word in 0..edge.spec.shape.stack_words as u64 {
        next.store(stack + 8 + 8 * word, Value::Any);
    }
    let frame = ["stack", "awaiting"].map(|field| next.word(frame_word(cubicle, field)));
    next.levels[cubicle][number].pending = Pending::Call {
        gate: edge.spec.index,
        phase: CallPhase::Asked,
        frame,
    };
    next.instruction = edge.entry();
    next
}

/// An attacker at its own code, about to do anything.
pub fn attacker(world: &World, state: &State, attacker: usize) -> State {
    let mut next = state.clone();
    next.registers = [Value::Any; 17];
    next.comparison = Comparison::Unknown;
    next.flags_are_clean = false;
    next.fs = Value::Any;
    next.rights = world.rights[attacker].0;
    next.instruction = 0;
    next.actor = Actor::Attacker(attacker);
    next.returning = None;
    next
}

/// What differs between two states only because of what is dead: words below
/// stack pointers, and registers of whoever runs, which it can choose.
pub fn forget_what_is_dead(world: &World, state: &State) -> State {
    let mut state = match state.actor {
        Actor::Honest(cubicle) => prepared(world, state, cubicle),
        Actor::Attacker(one) => attacker(world, state, one),
    };
    let mut lowest = [u64::MAX; CUBICLES];
    for (cubicle, low) in lowest.iter_mut().enumerate() {
        for level in &state.levels[cubicle] {
            let used = match level.pending {
                Pending::Call { .. } => level.stack - LOCALS - 8 - 72,
                _ => level.stack - LOCALS,
            };
            *low = (*low).min(used);
        }
    }
    let monitor = match state.word(
        BLOCK + std::mem::offset_of!(cubicle_abi::thread_block::ThreadBlock, monitor_stack) as u64,
    ) {
        Value::Number(stack) => stack,
        _ => 0,
    };
    let resume = std::mem::offset_of!(cubicle_abi::frame::Frame, resume) as u64;
    let saved = std::mem::offset_of!(cubicle_abi::frame::Frame, saved) as u64;
    let is_waiting = |cubicle: usize| state.work.iter().any(|work| work.caller == cubicle);
    let is_live = |address: u64| match owner(address) {
        Some(cubicle) if is_stack(address) => address >= lowest[cubicle],
        // What the resume stub and the system-call gate have read.
        Some(cubicle) if address >= frame(cubicle) + resume => false,
        Some(cubicle) if address >= frame(cubicle) + saved => is_waiting(cubicle),
        Some(_) => true,
        None if (MONITOR_STACK - (1 << 20)..MONITOR_STACK).contains(&address) => address >= monitor,
        None => true,
    };
    state.memory.keep(is_live);
    for field in ["signal", "context", "stack"] {
        state.store(header_word(field), Value::Any);
    }
    let target = std::mem::offset_of!(cubicle_abi::thread_block::ThreadBlock, resume_target);
    state.store(BLOCK + target as u64, Value::Any);
    state
}
