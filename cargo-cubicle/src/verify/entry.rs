//! What a system-call gate and a resume stub must be.

use cubicle_abi::frame::{ANSWERED, CALLING, Context, Frame, RESUME};
use cubicle_abi::layout::{RESUME_AGAIN, STUB_BASE};
use cubicle_abi::plan::Entries;
use cubicle_abi::rights::Rights;
use cubicle_abi::thread_block::{SELECTOR_ALLOW, SELECTOR_BLOCK, ThreadBlock, frame_at, fs_at};
use iced_x86::Mnemonic::*;
use iced_x86::Register::{
    ESI, R8, R9, R10, R11, R11D, R12, R13, R14, R15, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP,
};
use std::mem::offset_of;

use super::cursor::{Cursor, Label, Matched};
use super::gate::check_flags;
use super::step::Operand;
use super::step::write::{at, gs, imm, reg, to};
use super::switch::Version;

const CALLING_AT: usize = offset_of!(Frame, calling);
const TOKEN: usize = offset_of!(Frame, token);
const SELECTOR: usize = offset_of!(ThreadBlock, selector);

/// One cubicle's ways to the monitor and back.
pub struct Template<'a> {
    pub cubicle: usize,
    pub version: Version,
    pub entries: &'a Entries,
    pub rights: Rights,
}

impl Template<'_> {
    /// The system-call gate: the caller proves itself by what it leaves in its frame, and
    /// is proven to be answered by what the monitor leaves there.
    pub fn gate(&self, code: &mut Cursor<'_>) -> Matched {
        code.step("a call, as the cubicle");
        self.frame(code, R11)?;
        for (number, register) in [RAX, RDX, RCX, RSP].into_iter().enumerate() {
            code.is(Mov, &[saved(number), reg(register)])?;
        }
        code.is(Mov, &[at(R11, CALLING_AT, 8), imm(CALLING as i64)])?;
        code.step("a call, with all rights");
        self.version.switch(code, Rights::ALL)?;
        self.frame(code, R11)?;
        code.is(Cmp, &[at(R11, CALLING_AT, 8), imm(CALLING as i64)])?;
        code.jump(Jne, Label::Trap)?;
        code.is(Mov, &[at(R11, CALLING_AT, 8), imm(0)])?;
        let stack = offset_of!(ThreadBlock, monitor_stack);
        code.is(Mov, &[reg(RSP), gs(stack, 8)])?;
        code.is(Push, &[saved(2)])?;
        for register in [R9, R8, R10] {
            code.is(Push, &[reg(register)])?;
        }
        code.is(Push, &[saved(1)])?;
        for register in [RSI, RDI] {
            code.is(Push, &[reg(register)])?;
        }
        code.is(Push, &[saved(0)])?;
        check_flags(code)?;
        code.is(Mov, &[reg(RDI), reg(RSP)])?;
        code.is(Mov, &[reg(ESI), imm(self.cubicle as i64)])?;
        code.is(Mov, &[gs(SELECTOR, 1), imm(SELECTOR_ALLOW.into())])?;
        code.is(Call, &[to(self.entries.system_call)])?;
        code.is(Mov, &[gs(SELECTOR, 1), imm(SELECTOR_BLOCK.into())])?;
        self.frame(code, R11)?;
        code.is(Mov, &[saved(0), reg(RAX)])?;
        code.is(Mov, &[at(R11, CALLING_AT, 8), imm(ANSWERED as i64)])?;
        code.is(Add, &[reg(RSP), imm(8)])?;
        code.is(Pop, &[reg(RDI)])?;
        code.is(Pop, &[reg(RSI)])?;
        code.is(Add, &[reg(RSP), imm(8)])?;
        for register in [R10, R8, R9] {
            code.is(Pop, &[reg(register)])?;
        }
        code.is(Add, &[reg(RSP), imm(8)])?;
        code.step("an answer, as the cubicle");
        self.version.switch(code, self.rights)?;
        self.frame(code, R11)?;
        code.is(Cmp, &[at(R11, CALLING_AT, 8), imm(ANSWERED as i64)])?;
        code.jump(Jne, Label::Trap)?;
        code.is(Mov, &[at(R11, CALLING_AT, 8), imm(0)])?;
        let same = code.near();
        code.is(Mov, &[reg(RAX), gs(fs_at(self.cubicle), 8)])?;
        code.is(Rdfsbase, &[reg(RCX)])?;
        code.is(Cmp, &[reg(RCX), reg(RAX)])?;
        code.jump(Je, same)?;
        code.is(Wrfsbase, &[reg(RAX)])?;
        code.define(same)?;
        for (number, register) in [(3, RSP), (2, RCX), (1, RDX), (0, RAX)] {
            code.is(Mov, &[reg(register), saved(number)])?;
        }
        code.is(Xor, &[reg(R11D), reg(R11D)])?;
        code.is(Jmp, &[reg(RCX)])?;
        self.trap(code)
    }

    /// The resume stub: with all rights it clears what others left and blocks system
    /// calls; with the cubicle's it requires the monitor's token.
    pub fn resume(&self, code: &mut Cursor<'_>) -> Matched {
        code.step("resume, clearing");
        let start = code.here();
        code.is(Call, &[to(STUB_BASE)])?;
        for _ in 0..8 {
            code.is(Fldz, &[])?;
        }
        code.is(Fninit, &[])?;
        code.is(Push, &[imm(0x1f80)])?;
        code.is(Ldmxcsr, &[at(RSP, 0, 4)])?;
        code.is(Add, &[reg(RSP), imm(8)])?;
        code.nops(RESUME_AGAIN as usize);
        if code.here() != start + RESUME_AGAIN {
            return code.mismatch("the second entry must begin here");
        }
        code.step("resume, closing");
        code.is(Mov, &[gs(SELECTOR, 1), imm(SELECTOR_BLOCK.into())])?;
        self.version.switch(code, self.rights)?;
        code.step("resume, as the cubicle");
        self.frame(code, RAX)?;
        code.is(Cmp, &[at(RAX, TOKEN, 8), imm(RESUME as i64)])?;
        code.jump(Jne, Label::Trap)?;
        code.is(Mov, &[at(RAX, TOKEN, 8), imm(0)])?;
        code.is(Mov, &[reg(RCX), gs(fs_at(self.cubicle), 8)])?;
        code.is(Wrfsbase, &[reg(RCX)])?;
        for (register, offset) in [
            (RBX, offset_of!(Context, rbx)),
            (RDX, offset_of!(Context, rdx)),
            (RSI, offset_of!(Context, rsi)),
            (RDI, offset_of!(Context, rdi)),
            (RBP, offset_of!(Context, rbp)),
            (R8, offset_of!(Context, r8)),
            (R9, offset_of!(Context, r9)),
            (R10, offset_of!(Context, r10)),
            (R11, offset_of!(Context, r11)),
            (R12, offset_of!(Context, r12)),
            (R13, offset_of!(Context, r13)),
            (R14, offset_of!(Context, r14)),
            (R15, offset_of!(Context, r15)),
        ] {
            code.is(Mov, &[reg(register), context(offset, 8)])?;
        }
        code.is(Lea, &[reg(RSP), context(offset_of!(Context, flags), 0)])?;
        code.is(Popfq, &[])?;
        for (register, offset) in [
            (RSP, offset_of!(Context, stack)),
            (RCX, offset_of!(Context, rcx)),
            (RAX, offset_of!(Context, rax)),
        ] {
            code.is(Mov, &[reg(register), context(offset, 8)])?;
        }
        code.is(Jmp, &[gs(offset_of!(ThreadBlock, resume_target), 8)])?;
        self.trap(code)
    }

    fn frame(&self, code: &mut Cursor<'_>, register: iced_x86::Register) -> Matched {
        code.is(Mov, &[reg(register), gs(frame_at(self.cubicle), 8)])
    }

    fn trap(&self, code: &mut Cursor<'_>) -> Matched {
        code.step("trap");
        code.define(Label::Trap)?;
        code.is(Ud2, &[])?;
        code.end()
    }
}

/// One of the registers that the caller's frame keeps.
fn saved(number: usize) -> Operand {
    at(R11, offset_of!(Frame, saved) + 8 * number, 8)
}

fn context(offset: usize, size: usize) -> Operand {
    at(RAX, offset_of!(Frame, resume) + offset, size)
}
