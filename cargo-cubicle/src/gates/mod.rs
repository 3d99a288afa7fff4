//! Phase 7: machine code for every call across a border.
//!
//! A [`GateSpec`] is all a gate depends on; [`call::emit`] turns it into code.
//! Everything that executes WRPKRU is emitted here or stands in the monitor's
//! assembly, so that a reader of the binary knows each place (rule 1).

pub mod call;
pub mod callback_stubs;
pub mod clear;
pub mod listing;
pub mod spec;
pub mod switch;
pub mod system_call;
pub mod texts;
pub mod unintended;

pub use spec::{
    ErrnoOffsets, Fault, GateKind, GateResult, GateShape, GateSpec, GateTarget, MonitorEntries,
};
pub use switch::Mechanism;

/// Flags that would break the other side: DF, NT, AC (rule 3). TF is not among
/// them: it traps before any test of it, and the monitor steps through gates itself.
const HOSTILE_FLAGS: u32 = 0x4_4400;
/// MXCSR as a program starts with it (Intel SDM volume 1, 10.2.3): all
/// exceptions masked.
const MXCSR_DEFAULT: u32 = 0x1f80;

/// Why a gate could not be emitted. Each is a defect of the plan, not of the
/// user's program, except `Size`.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The assembler refused an instruction.
    #[error("the assembler refused an instruction of a gate: {0}")]
    Assembler(#[from] iced_x86::IcedError),
    /// The gate does not fit its stride.
    #[error(
        "the gate to `{function}` takes {size} bytes, and its place holds {stride}: let it take a pointer to a struct instead of so many arguments"
    )]
    Size {
        function: String,
        size: usize,
        stride: usize,
    },
    /// Bytes of the gate would change rights when jumped to, however it is
    /// shifted.
    #[error(
        "the gate to `{function}` contains an instruction nobody wrote; link the function elsewhere"
    )]
    Unintended { function: String },
}
