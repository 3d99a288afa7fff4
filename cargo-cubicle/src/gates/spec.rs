//! What a gate depends on.

use cubicle_abi::defences::Defences;
use cubicle_abi::rights::Rights;

use crate::graph::shape::{CallShape, ResultPlace};

/// One gate, completely: from this alone follow its instructions.
#[derive(Clone, Debug)]
pub struct GateSpec {
    /// The function's name, for messages.
    pub function: String,
    /// Number of the gate: its address and its tickets follow from it.
    pub index: usize,
    /// Number of the calling cubicle.
    pub from: usize,
    /// Number of the cubicle that is called.
    pub to: usize,
    pub rights_from: Rights,
    pub rights_to: Rights,
    pub target: GateTarget,
    pub kind: GateKind,
    pub shape: GateShape,
    /// Does anything reachable from the function use FS?
    pub switch_fs: bool,
    /// Does anything reachable from the function use x87 or MMX? Only fast gates
    /// rely on the answer.
    pub callee_uses_x87: bool,
    /// Clear vector, mask and x87 registers that carry nothing.
    pub scrub_vectors: bool,
    /// Copy the callee's errno to the caller's libc; implies `switch_fs`.
    pub errno: Option<ErrnoOffsets>,
    /// What the caller gets if the callee is restarted meanwhile, which it may be: the
    /// monitor can go on at [`cubicle_abi::layout::gate_tail`].
    pub fault: Option<Fault>,
}

/// What a call returns whose callee is restarted: in rax, and in the caller's errno.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    pub value: u64,
    /// 0: none; where the gate carries errno, that becomes 0, too.
    pub errno: u32,
}

/// What a gate calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateTarget {
    /// The function at this address.
    Function(u64),
    /// One of the functions in the table of the callback with this number: eax
    /// says which slot.
    Callback(usize),
}

/// How a gate proves that a call is one and a return is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateKind {
    /// It does not: two switches, for callees without authority.
    Fast,
    /// Four switches, through the union of both sides' rights.
    Union,
    /// Two switches: the caller may write the callee's frame.
    CallerSees,
    /// Two switches: the callee may write the caller's frame.
    CalleeSees,
    /// Four switches, through the monitor, which lends the arguments.
    Lending,
}

/// What is passed and what comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateShape {
    /// Integer argument registers in use, 0 to 6.
    pub integers: usize,
    /// SSE argument registers in use, 0 to 8.
    pub vectors: usize,
    /// Words of stack arguments.
    pub stack_words: usize,
    /// Variadic: al tells the callee how many vector registers are in use.
    pub variadic: bool,
    pub result: GateResult,
}

/// Registers that carry the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GateResult {
    /// Integer registers: rax, then rdx. 0 to 2.
    pub integers: usize,
    /// Vector registers: xmm0, then xmm1. 0 to 2.
    pub vectors: usize,
}

impl GateShape {
    /// The registers and words of a call.
    pub fn of(shape: &CallShape) -> GateShape {
        let (integers, vectors) = match shape.result {
            ResultPlace::None => (0, 0),
            ResultPlace::Integer | ResultPlace::Memory { .. } => (1, 0),
            ResultPlace::IntegerPair => (2, 0),
            ResultPlace::Sse => (0, 1),
            ResultPlace::SsePair => (0, 2),
            ResultPlace::IntegerThenSse | ResultPlace::SseThenInteger => (1, 1),
        };
        GateShape {
            integers: shape.integer_registers.into(),
            vectors: shape.sse_registers.into(),
            stack_words: shape.stack_words as usize,
            variadic: shape.vector_count,
            result: GateResult { integers, vectors },
        }
    }
}

/// Words of stack arguments that travel in registers a call does not use: six
/// callee-saved ones, and two words in each of xmm8 to xmm15. Beyond them the
/// gate lends through the monitor, which copies any number.
pub const WORDS_IN_REGISTERS: usize = 6 + 2 * 8;

/// The same for callbacks, whose slot takes one of the registers.
pub const WORDS_OF_CALLBACKS: usize = 5;

/// Offsets of `errno` from the thread pointer, in the two images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrnoOffsets {
    pub callee: i32,
    pub caller: i32,
}

/// Addresses in the monitor that gates jump to.
#[derive(Clone, Copy, Debug)]
pub struct MonitorEntries {
    /// `cubicle_switch_pages`: eax holds the rights, rcx the return address.
    pub switch_pages: u64,
    /// `cubicle_system_call(registers, cubicle) -> result`.
    pub system_call: u64,
    /// `cubicle_gate_enter(arguments, gate) -> callee's stack`.
    pub gate_enter: u64,
    /// `cubicle_gate_leave(results, gate)`.
    pub gate_leave: u64,
    /// What the text goes without: nothing, but in programs of the tests.
    pub without: Defences,
}
