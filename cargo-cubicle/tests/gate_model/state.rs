//! A state of the model: the machine of one thread, what nobody but its owner
//! can have written, and what really happened, for the properties to compare with.

use cubicle_abi::layout::callback_table;
use cubicle_abi::thread_block::{SELECTOR_BLOCK, ThreadBlock, frame_at, fs_at};
use iced_x86::Register;
use std::mem::offset_of;

use super::memory::Memory;
use super::world::*;

/// What a register or a word holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// Whatever an attacker wants it to be.
    Any,
    Number(u64),
    /// Something that this cubicle computed and passes to nobody.
    Secret(usize),
    /// The flags, as PUSHFQ stores them.
    Flags,
}

/// What the last comparison says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    Unknown,
    Result {
        equal: bool,
        below: bool,
    },
    /// Both is possible; what it means for the place that was compared.
    Open {
        place: Place,
        with: u64,
    },
    /// The flags themselves were tested.
    Hostile,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    Register(usize),
    Word(u64),
    Elsewhere,
}

/// Who decides what happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The code of a cubicle that follows the rules.
    Honest(usize),
    Attacker(usize),
}

/// One activation on an honest cubicle's stack.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Level {
    /// The gate it was entered through, and what must be preserved for it.
    pub entered: Option<(usize, [Value; PRESERVED.len()])>,
    /// Its stack pointer at entry.
    pub stack: u64,
    pub pending: Pending,
}

/// What a level waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pending {
    /// Nothing: it runs.
    Nothing,
    /// To be called.
    Parked,
    /// A call's return; the frame as it was before the call.
    Call {
        gate: usize,
        phase: CallPhase,
        frame: [Value; 2],
    },
    SystemCall {
        phase: CallPhase,
    },
    /// The return from a signal handler.
    Interrupted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallPhase {
    Asked,
    /// The monitor has lent, or performs the call.
    Believed,
    /// The function runs.
    Entered,
    /// The monitor has taken back what it lent, or answered.
    Answered,
}

/// What the model's monitor is in the middle of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Work {
    /// The cubicle whose system call it answers.
    pub caller: usize,
    /// How many levels that one's stack has.
    pub levels: usize,
    /// The cubicle that it made run; none if it performs a call.
    pub runs: Option<usize>,
    /// Words of the caller's frame meanwhile: `Suspended` of the monitor.
    pub suspended: [Value; 6],
    pub instruction: u64,
    pub stack: u64,
    pub preserved: [Value; PRESERVED.len()],
}

/// What a signal interrupted, and how the handler changed it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Interrupted {
    pub registers: [Value; 17],
    pub rights: u32,
    pub instruction: Value,
    pub fs: Value,
    pub flags_are_clean: bool,
    pub actor: Actor,
    pub is_judged: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// In the order of the encoding; the last is xmm15, which carries slots.
    pub registers: [Value; 17],
    pub comparison: Comparison,
    /// Are DF, NT and AC known to be clear?
    pub flags_are_clean: bool,
    pub fs: Value,
    pub rights: u32,
    pub instruction: u64,
    /// Words that are not what an attacker wants them to be.
    pub memory: Memory,
    /// Who ran last.
    pub actor: Actor,
    /// Levels of each cubicle that is not lost, the outermost first.
    pub levels: Vec<Vec<Level>>,
    /// The gate through which an honest cubicle is just returning.
    pub returning: Option<usize>,
    pub work: Vec<Work>,
    pub signal: Option<Interrupted>,
}

pub const RAX: usize = 0;
pub const RCX: usize = 1;
pub const RDX: usize = 2;
pub const RBX: usize = 3;
pub const RSP: usize = 4;
pub const RBP: usize = 5;
pub const RSI: usize = 6;
pub const RDI: usize = 7;
pub const R8: usize = 8;
pub const R9: usize = 9;
pub const R10: usize = 10;
pub const R11: usize = 11;
pub const R12: usize = 12;
pub const R13: usize = 13;
pub const R14: usize = 14;
pub const R15: usize = 15;
/// Registers that a function preserves (System V ABI, 3.2.1), but for rsp.
pub const PRESERVED: [usize; 6] = [RBX, RBP, R12, R13, R14, R15];

/// The number of a general register, or of xmm15.
pub fn number(register: Register) -> Option<usize> {
    match register {
        Register::XMM15 => Some(16),
        one if one.is_gpr() => Some(one.full_register().number()),
        _ => None,
    }
}

impl State {
    /// The caller's cubicle runs; the others wait to be called.
    pub fn start(world: &World) -> State {
        let mut state = State {
            registers: [Value::Any; 17],
            comparison: Comparison::Unknown,
            flags_are_clean: true,
            fs: Value::Number(thread_pointer(CALLER)),
            rights: world.rights[CALLER].0,
            instruction: 0,
            memory: Memory::default(),
            actor: Actor::Honest(CALLER),
            levels: vec![Vec::new(); CUBICLES],
            returning: None,
            work: Vec::new(),
            signal: None,
        };
        for cubicle in 0..CUBICLES {
            let there = u64::from(world.attached[cubicle]);
            state.set(BLOCK + frame_at(cubicle) as u64, there * frame(cubicle));
            state.set(BLOCK + fs_at(cubicle) as u64, thread_pointer(cubicle));
            if !world.lost[cubicle] {
                for field in ["awaiting", "token", "calling"] {
                    state.set(frame_word(cubicle, field), 0);
                }
                state.set(frame_word(cubicle, "stack"), stack(cubicle) - 0x1100);
            }
            let pending = match cubicle {
                CALLER => Pending::Nothing,
                _ => Pending::Parked,
            };
            if world.attached[cubicle] {
                state.levels[cubicle].push(Level {
                    entered: None,
                    stack: stack(cubicle) - 0x1000,
                    pending,
                });
            }
        }
        for (offset, value) in [
            (offset_of!(ThreadBlock, selector), SELECTOR_BLOCK.into()),
            (
                offset_of!(ThreadBlock, monitor_stack),
                MONITOR_STACK - 0x1000,
            ),
            (offset_of!(ThreadBlock, state), STATE),
            (offset_of!(ThreadBlock, signal_header), SIGNAL_STACK),
        ] {
            state.set(BLOCK + offset as u64, value);
        }
        let call_proof = cubicle_monitor::machine::thread::CALL_PROOF as u64;
        state.set(STATE + call_proof, 0);
        // No signal is on its way: the monitor would step out of its text first.
        let due = cubicle_monitor::machine::thread::DUE as u64;
        state.set(STATE + due, 0);
        state.set(header_word("proof"), 0);
        state.set(header_word("block"), BLOCK);
        for edge in &world.edges {
            if let Some(number) = edge.callback() {
                let place = |slot: usize| callback_table(number) + 8 * slot as u64;
                state.set(place(SLOT), function(edge.spec.to, edge.spec.index));
                state.set(place(EMPTY_SLOT), 0);
            }
        }
        for (instruction, piece) in world.text.all() {
            // The first raise has happened.
            if piece == "cubicle_raise_first" && instruction.is_ip_rel_memory_operand() {
                state.set(instruction.ip_rel_memory_address(), 1);
            }
        }
        if world.lost[CALLER] {
            state.actor = Actor::Attacker(CALLER);
        }
        state
    }

    pub fn set(&mut self, address: u64, value: u64) {
        self.memory.set(address, Value::Number(value));
    }

    pub fn word(&self, address: u64) -> Value {
        self.memory.get(address)
    }

    pub fn store(&mut self, address: u64, value: Value) {
        self.memory.set(address, value);
    }

    pub fn selector(&self) -> Value {
        self.word(BLOCK + offset_of!(ThreadBlock, selector) as u64)
    }
}

/// Address of a word of a cubicle's frame.
pub fn frame_word(cubicle: usize, field: &str) -> u64 {
    use cubicle_abi::frame::Frame;
    let offset = match field {
        "stack" => offset_of!(Frame, stack),
        "awaiting" => offset_of!(Frame, awaiting),
        "token" => offset_of!(Frame, token),
        "calling" => offset_of!(Frame, calling),
        "saved" => offset_of!(Frame, saved),
        "resume" => offset_of!(Frame, resume),
        other => panic!("frames have no {other}"),
    };
    frame(cubicle) + offset as u64
}

/// Address of a word at the start of the signal stack.
pub fn header_word(field: &str) -> u64 {
    use cubicle_abi::signal_stack::SignalHeader;
    let offset = match field {
        "proof" => offset_of!(SignalHeader, proof),
        "block" => offset_of!(SignalHeader, block),
        "signal" => offset_of!(SignalHeader, signal),
        "context" => offset_of!(SignalHeader, context),
        "stack" => offset_of!(SignalHeader, stack),
        other => panic!("the header has no {other}"),
    };
    SIGNAL_STACK + offset as u64
}
