//! Register sets, as the assembly lays them out.

use cubicle_abi::frame::Context;

/// What a cubicle's registers were when it entered the monitor, on the
/// monitor's stack. `cubicle_system_call` builds the lower part, the
/// system-call gate the upper one.
#[repr(C)]
#[derive(Debug)]
pub struct Registers {
    /// xmm0 to xmm15. What lies above them in wider registers the monitor
    /// never touches: it is compiled for SSE2.
    pub vectors: [u128; 16],
    pub r15: u64,
    pub r14: u64,
    pub r13: u64,
    pub r12: u64,
    pub rbp: u64,
    pub rbx: u64,
    /// Into the system-call gate.
    pub gate: u64,
    /// The number of the call.
    pub number: u64,
    pub rdi: u64,
    pub rsi: u64,
    pub rdx: u64,
    pub r10: u64,
    pub r8: u64,
    pub r9: u64,
    /// Where the cubicle goes on.
    pub instruction: u64,
}

impl Registers {
    /// The arguments of the call.
    pub fn arguments(&self) -> [u64; 6] {
        [self.rdi, self.rsi, self.rdx, self.r10, self.r8, self.r9]
    }
}

/// Behind the system call that `registers` show, with `result`.
pub fn after(registers: &Registers, stack: u64, fs: u64, result: u64) -> Context {
    Context {
        rax: result,
        rbx: registers.rbx,
        rcx: 0,
        rdx: registers.rdx,
        rsi: registers.rsi,
        rdi: registers.rdi,
        rbp: registers.rbp,
        r8: registers.r8,
        r9: registers.r9,
        r10: registers.r10,
        r11: 0,
        r12: registers.r12,
        r13: registers.r13,
        r14: registers.r14,
        r15: registers.r15,
        stack,
        instruction: registers.instruction,
        fs,
        ..Context::START
    }
}
