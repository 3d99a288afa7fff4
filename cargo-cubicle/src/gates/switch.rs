//! The switch from one set of rights to another, for each mechanism. Every
//! template uses it in the same places; only these few instructions differ.

use cubicle_abi::rights::Rights;
use cubicle_abi::thread_block::ThreadBlock;
use iced_x86::IcedError;
use iced_x86::code_asm::*;
use std::mem::offset_of;

/// What keeps memory apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mechanism {
    /// Protection keys and WRPKRU.
    Pku,
    /// mprotect(2), by the monitor.
    PageTable,
    /// Nothing: about the time WRPKRU takes, for benchmarks on machines
    /// without keys. Never in a binary that says it isolates.
    StandIn,
}

impl Mechanism {
    /// Its number in the plan.
    pub fn number(self) -> u32 {
        match self {
            Mechanism::Pku => cubicle_abi::plan::MECHANISM_PKU,
            Mechanism::PageTable => cubicle_abi::plan::MECHANISM_PAGETABLE,
            Mechanism::StandIn => cubicle_abi::plan::MECHANISM_STAND_IN,
        }
    }
}

/// Switches to `rights`. Loses rax, rcx, rdx and the flags, nothing else.
/// Behind it eax is proven to hold `rights`, in 64-bit mode.
pub(super) fn switch(
    a: &mut CodeAssembler,
    mechanism: Mechanism,
    switch_pages: u64,
    rights: Rights,
    trap: CodeLabel,
) -> Result<(), IcedError> {
    a.mov(eax, rights.0)?;
    match mechanism {
        Mechanism::Pku => {
            a.xor(ecx, ecx)?;
            a.xor(edx, edx)?;
            a.wrpkru()?;
        }
        Mechanism::PageTable => {
            // The stack may be out of reach behind the switch, so the return
            // address travels in rcx.
            let mut back = a.create_label();
            a.lea(rcx, ptr(back))?;
            a.jmp(switch_pages)?;
            a.set_label(&mut back)?;
        }
        Mechanism::StandIn => {
            a.mov(rights_word(), eax)?;
            for _ in 0..4 {
                a.imul_2(rax, rax)?;
            }
            a.lfence()?;
            a.mov(eax, rights.0)?;
        }
    }
    // Anybody can jump to the instruction with other rights in eax.
    a.cmp(eax, rights.0)?;
    a.jne(trap)?;
    // Rule 2: the same bytes decode differently in 32-bit mode, where this one
    // does not exist.
    a.rdgsbase(ecx)?;
    Ok(())
}

/// Reads the rights in force into eax. Loses rcx and rdx.
pub(super) fn read(a: &mut CodeAssembler, mechanism: Mechanism) -> Result<(), IcedError> {
    match mechanism {
        Mechanism::Pku => {
            a.xor(ecx, ecx)?;
            a.rdpkru()
        }
        Mechanism::PageTable | Mechanism::StandIn => a.mov(eax, rights_word()),
    }
}

fn rights_word() -> AsmMemoryOperand {
    dword_ptr(offset_of!(ThreadBlock, rights) as u64).gs()
}
