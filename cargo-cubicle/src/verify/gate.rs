//! What a gate must be: the table of GATES.md, instruction by instruction.
//!
//! Code may be entered anywhere, so nothing here is a matter of taste: behind each
//! WRPKRU only what follows it counts, up to the next. The template leaves no
//! freedom but how an instruction is encoded, and how many NOPs come first.

use cubicle_abi::calls;
use cubicle_abi::frame::{ATTACHING, Frame, Saved, spread, ticket};
use cubicle_abi::layout::{
    CALLBACK_SLOTS, CLEAR_STRIDE, GATE_STRIDE, GATE_TAIL, STUB_BASE, callback_table,
    system_call_gate,
};
use cubicle_abi::plan::{
    Entries, GATE_CALLEE_SEES, GATE_CALLER_SEES, GATE_ERRNO, GATE_FAST, GATE_FS, GATE_LENDING,
    GATE_SCRUBS, GATE_UNION, GATE_VARIADIC, GATE_X87, MECHANISM_PAGETABLE,
};
use cubicle_abi::rights::Rights;
use cubicle_abi::thread_block::{ThreadBlock, frame_at, fs_at};
use iced_x86::Mnemonic::{self, *};
use iced_x86::Register::{
    self, AL, AX, EAX, EBP, ECX, EDI, EDX, ESI, MM0, MM1, MM2, MM3, MM4, MM5, MM6, MM7, R8, R8D,
    R9, R9D, R10, R10D, R11, R11D, R12, R13, R13D, R14, R14D, R15, R15D, RAX, RBP, RBX, RCX, RDI,
    RDX, RSI, RSP, ST0, XMM8, XMM9, XMM10, XMM11, XMM12, XMM13, XMM14, XMM15,
};
use std::mem::offset_of;

use super::cursor::{Cursor, Label, Matched};
use super::plan::Gate;
use super::step::write::{at, below, fs, gs, imm, reg, table, to};
use super::switch::Version;

mod registers;

pub use registers::check_flags;
use registers::{load_slot, settle_x87, zero};

/// DF, NT and AC: what would break the other side (rule 3).
const HOSTILE_FLAGS: i64 = 1 << 10 | 1 << 14 | 1 << 18;
/// All exceptions masked, rounding to nearest (Intel SDM volume 1, 10.2.3 and 8.1.5).
const MXCSR: i64 = 0x1f80;
const CONTROL_WORD: i64 = 0x037f;
/// The x87 status word: any exception; an exception that waits.
const HAPPENED: i64 = 0xbf;
const WAITS: i64 = 0x80;

const STACK: usize = offset_of!(Frame, stack);
const AWAITING: usize = offset_of!(Frame, awaiting);
const TOKEN: usize = offset_of!(Frame, token);
const INSIDE: usize = offset_of!(Frame, inside);
const MONITOR_STACK: usize = offset_of!(ThreadBlock, monitor_stack);

/// Where integer arguments travel.
const ARGUMENTS: [Register; 6] = [EDI, ESI, EDX, ECX, R8D, R9D];
/// Where words of the stack travel; behind them two each in xmm8 to xmm15.
const CARRIERS: [Register; 6] = [RBX, RBP, R12, R13, R14, R15];
const VECTOR_CARRIERS: [Register; 8] = [XMM8, XMM9, XMM10, XMM11, XMM12, XMM13, XMM14, XMM15];
/// As many NOPs as may stand before a gate.
const MOST_NOPS: usize = 256;

/// A gate and what its constants follow from.
pub struct Template<'a> {
    pub gate: &'a Gate,
    pub version: Version,
    pub entries: &'a Entries,
    pub rights_from: Rights,
    pub rights_to: Rights,
}

impl Template<'_> {
    /// Reads the whole place of the gate.
    pub fn read(&self, code: &mut Cursor<'_>) -> Matched {
        code.nops(MOST_NOPS);
        if self.gate.callback.is_some() {
            // The slot, because reading the rights needs eax.
            code.is(Movd, &[reg(XMM15), reg(EAX)])?;
        }
        code.define(Label::Start)?;
        self.enter_as_caller(code)?;
        self.cross_to_callee(code)?;
        self.call(code)?;
        self.leave_as_callee(code)?;
        self.cross_to_caller(code)?;
        self.return_to_caller(code)?;
        self.stranger(code)?;
        self.first_entry(code)?;
        code.step("trap");
        code.define(Label::Trap)?;
        code.is(Ud2, &[])?;
        if self.gate.restarts {
            code.only_traps((GATE_STRIDE - GATE_TAIL) as usize)?;
            code.step("the tail for a callee that does not return");
            code.jump(Jmp, Label::Returned)?;
        }
        code.end()
    }

    /// A's rights are in force, B's frame exists, and A's state is on A's stack.
    fn enter_as_caller(&self, code: &mut Cursor<'_>) -> Matched {
        code.step("enter, as the caller");
        code.is(Cmp, &[gs(frame_at(self.gate.to), 8), imm(0)])?;
        code.jump(Je, Label::Attach)?;
        code.is(Mov, &[reg(R10), reg(RDX)])?;
        code.is(Mov, &[reg(R11), reg(RCX)])?;
        self.version.read(code)?;
        code.is(Cmp, &[reg(EAX), imm(self.rights_from.0.into())])?;
        code.jump(Jne, Label::Stranger)?;
        for register in [RBP, RBX, R12, R13, R14, R15] {
            code.is(Push, &[reg(register)])?;
        }
        self.save_control_words(code)?;
        self.frame(code, self.gate.from)?;
        code.is(Push, &[at(RAX, AWAITING, 8)])?;
        code.is(Push, &[at(RAX, STACK, 8)])?;
        code.is(Mov, &[at(RAX, STACK, 8), reg(RSP)])?;
        self.leave(code, AWAITING, 1)?;
        if self.gate.callback.is_some() {
            code.is(Movd, &[reg(R15D), reg(XMM15)])?;
        }
        if self.gate.kind != GATE_LENDING {
            self.load_words(code)?;
        }
        Ok(())
    }

    /// Up to B's rights, with what that kind of gate requires on the way, and B's stack.
    fn cross_to_callee(&self, code: &mut Cursor<'_>) -> Matched {
        let Gate { from, to, kind, .. } = *self.gate;
        match kind {
            GATE_FAST => {
                code.step("enter, the only switch");
                self.version.switch(code, self.rights_to)?;
                self.frame(code, to)?;
            }
            GATE_UNION | GATE_LENDING => {
                code.step("enter, in the middle");
                self.version.switch(code, self.middle())?;
                self.frame(code, from)?;
                self.require(code, AWAITING, 1)?;
                self.leave(code, AWAITING, 2)?;
                if kind == GATE_LENDING {
                    self.lend(code)?;
                }
                self.frame(code, to)?;
                self.leave(code, TOKEN, 1)?;
                self.arrive_with_token(code)?;
            }
            GATE_CALLER_SEES => {
                code.step("enter, as the caller who sees");
                self.frame(code, to)?;
                self.leave(code, TOKEN, 1)?;
                self.arrive_with_token(code)?;
            }
            GATE_CALLEE_SEES => {
                code.step("enter, as the callee who sees");
                self.version.switch(code, self.rights_to)?;
                self.frame(code, from)?;
                self.require(code, AWAITING, 1)?;
                self.leave(code, AWAITING, 2)?;
                self.frame(code, to)?;
            }
            _ => return code.mismatch("no such kind of gate"),
        }
        if self.gate.restarts {
            code.is(Inc, &[at(RAX, INSIDE, 8)])?;
        }
        if kind == GATE_LENDING {
            return code.is(Mov, &[reg(RSP), reg(RBX)]);
        }
        code.is(Mov, &[reg(RSP), at(RAX, STACK, 8)])?;
        code.is(And, &[reg(RSP), imm(-16)])
    }

    fn arrive_with_token(&self, code: &mut Cursor<'_>) -> Matched {
        code.step("enter, as the callee");
        self.version.switch(code, self.rights_to)?;
        self.frame(code, self.gate.to)?;
        self.require(code, TOKEN, 1)?;
        self.clear(code, TOKEN)
    }

    /// A clean machine, then the function.
    fn call(&self, code: &mut Cursor<'_>) -> Matched {
        let gate = self.gate;
        code.step("the call");
        check_flags(code)?;
        code.is(Mov, &[below(RSP, 8, 4), imm(MXCSR)])?;
        code.is(Ldmxcsr, &[below(RSP, 8, 4)])?;
        if self.clears_x87() {
            settle_x87(code)?;
            self.clear_x87(code, 8)?;
            code.is(Mov, &[below(RSP, 8, 4), imm(CONTROL_WORD)])?;
            code.is(Fldcw, &[below(RSP, 8, 2)])?;
        }
        if gate.has(GATE_FS) {
            code.is(Mov, &[reg(RAX), gs(fs_at(gate.to), 8)])?;
            code.is(Wrfsbase, &[reg(RAX)])?;
        }
        if gate.kind != GATE_LENDING {
            self.store_words(code)?;
        }
        self.clear_vectors(code, gate.registers.vectors)?;
        for (number, register) in ARGUMENTS.into_iter().enumerate() {
            match (number < usize::from(gate.registers.integers), register) {
                (true, EDX) => code.is(Mov, &[reg(RDX), reg(R10)])?,
                (true, ECX) => code.is(Mov, &[reg(RCX), reg(R11)])?,
                (true, _) => {}
                (false, _) => zero(code, register)?,
            }
        }
        for register in [R10D, R11D, EBP, R13D, R14D] {
            zero(code, register)?;
        }
        if gate.callback.is_none() {
            zero(code, R15D)?;
        }
        self.frame(code, gate.to)?;
        code.is(Mov, &[reg(RBX), at(RAX, AWAITING, 8)])?;
        code.is(Mov, &[reg(R12), at(RAX, STACK, 8)])?;
        if gate.restarts {
            code.is(Mov, &[reg(R13), at(RAX, INSIDE, 8)])?;
        }
        match gate.callback {
            None => {
                self.count_vectors(code)?;
                self.go(code, Call)
            }
            Some(callback) => {
                code.is(Mov, &[reg(EAX), reg(R15D)])?;
                load_slot(code, callback)?;
                zero(code, R15D)?;
                self.count_vectors(code)?;
                code.is(Call, &[reg(R11)])
            }
        }
    }

    /// To the function: by its distance or, if a forbidden instruction would begin in that, by its address.
    fn go(&self, code: &mut Cursor<'_>, how: Mnemonic) -> Matched {
        let target = self.gate.target;
        match code.take(Mov, &[reg(R11D), imm(target as i64)]) {
            true => code.is(how, &[reg(R11)]),
            false => code.is(how, &[to(target)]),
        }
    }

    /// B's own state as it was before, and its errno, while it is still B.
    fn leave_as_callee(&self, code: &mut Cursor<'_>) -> Matched {
        code.step("leave, as the callee");
        code.is(Mov, &[reg(R10), reg(RAX)])?;
        code.is(Mov, &[reg(R11), reg(RDX)])?;
        self.frame(code, self.gate.to)?;
        code.is(Mov, &[at(RAX, AWAITING, 8), reg(RBX)])?;
        code.is(Mov, &[at(RAX, STACK, 8), reg(R12)])?;
        if self.gate.restarts {
            code.is(Dec, &[reg(R13)])?;
            code.is(Mov, &[at(RAX, INSIDE, 8), reg(R13)])?;
        }
        if self.gate.has(GATE_ERRNO) {
            code.is(Mov, &[reg(R9D), fs(self.gate.errno_callee, 4)])?;
        }
        Ok(())
    }

    /// Back to A's rights, and the proof that it is A's call that returns.
    fn cross_to_caller(&self, code: &mut Cursor<'_>) -> Matched {
        let Gate { from, to, kind, .. } = *self.gate;
        let mut last = 3;
        match kind {
            GATE_FAST => last = 1,
            GATE_UNION | GATE_LENDING => {
                self.frame(code, to)?;
                self.leave(code, TOKEN, 2)?;
                code.step("leave, in the middle");
                self.version.switch(code, self.middle())?;
                self.frame(code, to)?;
                self.require(code, TOKEN, 2)?;
                self.clear(code, TOKEN)?;
                self.frame(code, from)?;
                self.require(code, AWAITING, 2)?;
                if kind == GATE_LENDING {
                    self.take_back(code)?;
                    self.frame(code, from)?;
                }
                self.leave(code, AWAITING, 3)?;
            }
            GATE_CALLER_SEES => {
                self.frame(code, to)?;
                self.leave(code, TOKEN, 2)?;
                last = 1;
            }
            GATE_CALLEE_SEES => {
                self.frame(code, from)?;
                self.require(code, AWAITING, 2)?;
                self.leave(code, AWAITING, 3)?;
            }
            _ => return code.mismatch("no such kind of gate"),
        }
        code.step("leave, as the caller");
        self.version.switch(code, self.rights_from)?;
        if kind == GATE_CALLER_SEES {
            self.frame(code, to)?;
            self.require(code, TOKEN, 2)?;
            self.clear(code, TOKEN)?;
        }
        code.define(Label::Returned)?;
        self.frame(code, from)?;
        self.require(code, AWAITING, last)
    }

    /// A's state as it was, and nothing of B's but the result.
    fn return_to_caller(&self, code: &mut Cursor<'_>) -> Matched {
        let gate = self.gate;
        code.step("the return");
        code.is(Mov, &[reg(RSP), at(RAX, STACK, 8)])?;
        code.is(Pop, &[at(RAX, STACK, 8)])?;
        code.is(Pop, &[at(RAX, AWAITING, 8)])?;
        check_flags(code)?;
        code.is(Mov, &[reg(RAX), gs(fs_at(gate.from), 8)])?;
        if gate.has(GATE_FS) {
            code.is(Wrfsbase, &[reg(RAX)])?;
        } else {
            let same = code.near();
            code.is(Rdfsbase, &[reg(RCX)])?;
            code.is(Cmp, &[reg(RCX), reg(RAX)])?;
            code.jump(Je, same)?;
            code.is(Wrfsbase, &[reg(RAX)])?;
            code.define(same)?;
            code.is(Nop, &[])?;
        }
        if gate.has(GATE_ERRNO) {
            code.is(Mov, &[fs(gate.errno_caller, 4), reg(R9D)])?;
        }
        code.is(Ldmxcsr, &[at(RSP, 0, 4)])?;
        settle_x87(code)?;
        match self.clears_x87() {
            true => self.clear_x87(code, 0)?,
            false => code.is(Emms, &[])?,
        }
        code.is(Fldcw, &[at(RSP, 4, 2)])?;
        code.is(Add, &[reg(RSP), imm(8)])?;
        for register in [R15, R14, R13, R12, RBX, RBP] {
            code.is(Pop, &[reg(register)])?;
        }
        self.clear_vectors(code, gate.registers.result_vectors)?;
        match gate.registers.result_integers {
            0 => zero(code, EAX)?,
            _ => code.is(Mov, &[reg(RAX), reg(R10)])?,
        }
        match gate.registers.result_integers {
            2 => code.is(Mov, &[reg(RDX), reg(R11)])?,
            _ => zero(code, EDX)?,
        }
        for register in [ECX, ESI, EDI, R8D, R9D, R10D, R11D] {
            zero(code, register)?;
        }
        code.is(Ret, &[])
    }

    /// Whoever calls is the callee itself, or is trapped.
    fn stranger(&self, code: &mut Cursor<'_>) -> Matched {
        code.step("a caller that is not the declared one");
        code.define(Label::Stranger)?;
        code.is(Cmp, &[reg(EAX), imm(self.rights_to.0.into())])?;
        code.jump(Jne, Label::Trap)?;
        code.is(Mov, &[reg(RDX), reg(R10)])?;
        code.is(Mov, &[reg(RCX), reg(R11)])?;
        match self.gate.callback {
            None => {
                code.is(Mov, &[reg(EAX), imm(8)])?;
                self.go(code, Jmp)
            }
            Some(callback) => {
                code.is(Movd, &[reg(EAX), reg(XMM15)])?;
                load_slot(code, callback)?;
                code.is(Mov, &[reg(EAX), imm(8)])?;
                code.is(Jmp, &[reg(R11)])
            }
        }
    }

    /// As the caller: its own system-call gate makes the virtual thread.
    fn first_entry(&self, code: &mut Cursor<'_>) -> Matched {
        let gate = self.gate;
        code.step("the first entry of a thread");
        code.define(Label::Attach)?;
        code.is(Push, &[reg(RCX)])?;
        code.is(Push, &[reg(RDI)])?;
        self.save_control_words(code)?;
        self.frame(code, gate.from)?;
        code.is(Push, &[at(RAX, AWAITING, 8)])?;
        code.is(Push, &[at(RAX, STACK, 8)])?;
        code.is(Mov, &[at(RAX, STACK, 8), reg(RSP)])?;
        code.is(Mov, &[at(RAX, AWAITING, 8), imm(ATTACHING as i64)])?;
        code.is(Mov, &[reg(EDI), imm(gate.to as i64)])?;
        code.is(Mov, &[reg(EAX), imm(calls::ATTACH as i64)])?;
        code.address_of(RCX, Label::Again)?;
        code.is(Jmp, &[to(system_call_gate(gate.from))])?;
        code.define(Label::Again)?;
        match gate.restarts {
            true => code.is(Mov, &[reg(R11), reg(RAX)])?,
            false => {
                code.is(Test, &[reg(RAX), reg(RAX)])?;
                code.jump(Jne, Label::Trap)?;
            }
        }
        self.frame(code, gate.from)?;
        code.is(Pop, &[at(RAX, STACK, 8)])?;
        code.is(Pop, &[at(RAX, AWAITING, 8)])?;
        code.is(Ldmxcsr, &[at(RSP, 0, 4)])?;
        code.is(Fnclex, &[])?;
        code.is(Fldcw, &[at(RSP, 4, 2)])?;
        code.is(Add, &[reg(RSP), imm(8)])?;
        code.is(Pop, &[reg(RDI)])?;
        code.is(Pop, &[reg(RCX)])?;
        if !gate.restarts {
            return code.jump(Jmp, Label::Start);
        }
        code.is(Test, &[reg(R11), reg(R11)])?;
        code.jump(Je, Label::Start)?;
        code.step("the answer of a callee that is being restarted");
        if gate.has(GATE_ERRNO) {
            let errno = imm(gate.fault_errno.into());
            code.is(Mov, &[fs(gate.errno_caller, 4), errno])?;
        }
        code.is(Call, &[to(STUB_BASE)])?;
        code.is(Mov, &[reg(RAX), imm(gate.fault_value as i64)])?;
        for register in [ECX, EDX, ESI, EDI, R8D, R9D, R10D, R11D] {
            zero(code, register)?;
        }
        code.is(Ret, &[])
    }

    /// With all rights, on the monitor's stack: the arguments in order, then the
    /// monitor, which answers with the callee's stack.
    fn lend(&self, code: &mut Cursor<'_>) -> Matched {
        code.step("lending");
        code.is(Mov, &[reg(RSP), gs(MONITOR_STACK, 8)])?;
        check_flags(code)?;
        for register in [R9, R8, R11, R10, RSI, RDI] {
            code.is(Push, &[reg(register)])?;
        }
        code.is(Mov, &[reg(RDI), reg(RSP)])?;
        code.is(
            Mov,
            &[reg(ESI), imm(spread(self.gate.number as u64) as i64)],
        )?;
        code.is(Call, &[to(self.entries.gate_enter)])?;
        code.is(Mov, &[reg(RBX), reg(RAX)])?;
        for register in [RDI, RSI, R10, R11, R8, R9] {
            code.is(Pop, &[reg(register)])?;
        }
        Ok(())
    }

    fn take_back(&self, code: &mut Cursor<'_>) -> Matched {
        code.step("taking back");
        code.is(Mov, &[reg(RSP), gs(MONITOR_STACK, 8)])?;
        check_flags(code)?;
        for register in [R9, R9, R11, R10] {
            code.is(Push, &[reg(register)])?;
        }
        code.is(Mov, &[reg(RDI), reg(RSP)])?;
        code.is(
            Mov,
            &[reg(ESI), imm(spread(self.gate.number as u64) as i64)],
        )?;
        code.is(Call, &[to(self.entries.gate_leave)])?;
        for register in [R10, R11, R9, R9] {
            code.is(Pop, &[reg(register)])?;
        }
        Ok(())
    }

    /// Between the two sides: the monitor's for lends, else both sides'. Without keys
    /// the monitor is never closed.
    fn middle(&self) -> Rights {
        match self.gate.kind == GATE_LENDING && self.version.mechanism != MECHANISM_PAGETABLE {
            true => Rights::ALL,
            false => self.rights_from.union(self.rights_to),
        }
    }

    fn frame(&self, code: &mut Cursor<'_>, cubicle: usize) -> Matched {
        code.is(Mov, &[reg(RAX), gs(frame_at(cubicle), 8)])
    }

    /// The frame in rax holds this gate's ticket of a phase.
    fn require(&self, code: &mut Cursor<'_>, field: usize, phase: u64) -> Matched {
        let ticket = imm(ticket(self.gate.number, phase) as i64);
        code.is(Cmp, &[at(RAX, field, 8), ticket])?;
        code.jump(Jne, Label::Trap)
    }

    fn leave(&self, code: &mut Cursor<'_>, field: usize, phase: u64) -> Matched {
        let ticket = imm(ticket(self.gate.number, phase) as i64);
        code.is(Mov, &[at(RAX, field, 8), ticket])
    }

    fn clear(&self, code: &mut Cursor<'_>, field: usize) -> Matched {
        code.is(Mov, &[at(RAX, field, 8), imm(0)])
    }
}
