//! What the kernel does: system calls, and signals.

use super::state::*;
use super::step::{Flow, Machine, Violation};
use super::world::*;
use cubicle_abi::rights::Rights;
use cubicle_abi::thread_block::SELECTOR_BLOCK;

const RT_SIGRETURN: u64 = 15;
/// PKRU as the kernel enters a handler: key 0 and nothing else.
const INITIAL_RIGHTS: u32 = 0x5555_5554;

/// A `syscall` in the runtime's text.
pub fn system_call(machine: &mut Machine, at: u64) -> Result<Flow, Violation> {
    let state = &mut machine.state;
    if state.selector() == Value::Number(SELECTOR_BLOCK.into()) {
        // Dispatched; the monitor refuses what comes from its own text.
        return Ok(Flow::End);
    }
    match machine.world.text.piece(at) {
        "cubicle_signal_return" => signal_return(machine),
        "cubicle_call_as_keys" => {
            let is_performed = state.work.last().is_some_and(|work| {
                work.runs.is_none() && Rights(state.rights) == machine.world.rights[work.caller]
            });
            if !is_performed {
                return Err(Violation::Believed);
            }
            for register in [RAX, RCX, R11] {
                state.registers[register] = Value::Any;
            }
            Ok(Flow::On)
        }
        _ => Err(Violation::Selector),
    }
}

/// A signal interrupts whoever acts.
pub fn interrupt(world: &World, state: &State, instruction: Value) -> State {
    let mut state = state.clone();
    state.signal = Some(Interrupted {
        registers: state.registers,
        rights: state.rights,
        instruction,
        fs: state.fs,
        flags_are_clean: state.flags_are_clean,
        actor: state.actor,
        is_judged: false,
    });
    state.registers[RDI] = Value::Number(11);
    state.registers[RSI] = Value::Number(SIGNAL_FRAME + 0x400);
    state.registers[RDX] = Value::Number(SIGNAL_FRAME + 8);
    state.registers[RSP] = Value::Number(SIGNAL_FRAME);
    state.flags_are_clean = true;
    state.rights = INITIAL_RIGHTS;
    state.set(SIGNAL_FRAME, world.text.address("cubicle_signal_return"));
    state.instruction = world.text.address("cubicle_signal_entry_keys");
    state
}

/// Everything as the handler left it in the kernel's frame.
fn signal_return(machine: &mut Machine) -> Result<Flow, Violation> {
    let state = &mut machine.state;
    let is_frame = state.registers[RSP] == Value::Number(SIGNAL_FRAME + 8);
    match state.signal.take() {
        Some(signal)
            if signal.is_judged
                && is_frame
                && state.rights == 0
                && state.registers[RAX] == Value::Number(RT_SIGRETURN) =>
        {
            state.registers = signal.registers;
            state.rights = signal.rights;
            state.fs = signal.fs;
            state.flags_are_clean = signal.flags_are_clean;
            state.actor = signal.actor;
            state.memory.keep(|address| !is_signal_frame(address));
            let Value::Number(address) = signal.instruction else {
                return Err(Violation::Escaped);
            };
            state.instruction = address;
            Ok(Flow::On)
        }
        _ => Err(Violation::Believed),
    }
}

/// What lies on the signal stack behind its header.
fn is_signal_frame(address: u64) -> bool {
    (SIGNAL_STACK + 0x1000..SIGNAL_STACK + 0x1_0000).contains(&address)
}
