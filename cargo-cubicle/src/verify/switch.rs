//! What must stand where rights change, for each mechanism.

use cubicle_abi::plan::{MECHANISM_PAGETABLE, MECHANISM_PKU, MECHANISM_STAND_IN};
use cubicle_abi::rights::Rights;
use cubicle_abi::thread_block::ThreadBlock;
use iced_x86::Mnemonic::{Cmp, Imul, Jmp, Jne, Lfence, Mov, Rdgsbase, Rdpkru, Wrpkru, Xor};
use iced_x86::Register::{EAX, ECX, EDX, RAX, RCX};
use std::mem::offset_of;

use super::cursor::{Cursor, Label, Matched};
use super::step::write::{gs, imm, reg, to};

/// What all templates of one version have in common.
#[derive(Clone, Copy, Debug)]
pub struct Version {
    /// One of the `MECHANISM_` constants.
    pub mechanism: u32,
    /// Where page tables are switched.
    pub switch_pages: u64,
}

const RIGHTS: usize = offset_of!(ThreadBlock, rights);

impl Version {
    /// To exactly these rights. Whoever jumped into it with others must trap, and in
    /// 32-bit mode nobody may get past it (rule 2).
    pub fn switch(self, code: &mut Cursor<'_>, rights: Rights) -> Matched {
        let value = imm(rights.0.into());
        code.is(Mov, &[reg(EAX), value])?;
        match self.mechanism {
            MECHANISM_PKU => {
                code.is(Xor, &[reg(ECX), reg(ECX)])?;
                code.is(Xor, &[reg(EDX), reg(EDX)])?;
                code.is(Wrpkru, &[])?;
            }
            MECHANISM_PAGETABLE => {
                let back = code.near();
                code.address_of(RCX, back)?;
                code.is(Jmp, &[to(self.switch_pages)])?;
                code.define(back)?;
            }
            MECHANISM_STAND_IN => {
                code.is(Mov, &[gs(RIGHTS, 4), reg(EAX)])?;
                while code.take(Imul, &[reg(RAX), reg(RAX)]) {}
                code.is(Lfence, &[])?;
                code.is(Mov, &[reg(EAX), value])?;
            }
            _ => return code.mismatch("no such mechanism"),
        }
        code.is(Cmp, &[reg(EAX), value])?;
        code.jump(Jne, Label::Trap)?;
        code.is(Rdgsbase, &[reg(ECX)])
    }

    /// The rights in force, into eax.
    pub fn read(self, code: &mut Cursor<'_>) -> Matched {
        match self.mechanism {
            MECHANISM_PKU => {
                code.is(Xor, &[reg(ECX), reg(ECX)])?;
                code.is(Rdpkru, &[])
            }
            _ => code.is(Mov, &[reg(EAX), gs(RIGHTS, 4)]),
        }
    }
}
