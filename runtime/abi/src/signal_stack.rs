//! The stack on which a kernel thread handles signals. Debuggers look there for what a signal interrupted.

/// Size and alignment of a signal stack in bytes. The kernel's frame takes up
/// to 3.5 KiB with AVX-512; a report of a violation takes most of the rest.
pub const SIGNAL_STACK: usize = 64 << 10;

/// The lowest bytes of a signal stack: what a handler leaves there before it
/// raises its rights (rule 1). Key 0: a cubicle can neither read nor write it.
#[repr(C)]
#[derive(Debug, Default)]
pub struct SignalHeader {
    /// 1 while a handler is about to raise its rights.
    pub proof: u64,
    /// The thread this stack belongs to: what GS must point to.
    pub block: u64,
    pub signal: u64,
    /// `siginfo_t` and `ucontext_t`, in the kernel's frame.
    pub information: u64,
    pub context: u64,
    /// The handler's stack pointer.
    pub stack: u64,
    /// What the selector was.
    pub selector: u64,
}
