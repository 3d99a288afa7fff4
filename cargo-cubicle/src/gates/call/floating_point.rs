//! Flags and floating-point state: what one side set must neither break the
//! other nor tell it anything (rule 3).

use cubicle_abi::defences::Defence;
use iced_x86::IcedError;
use iced_x86::code_asm::*;

use super::Emitter;
use crate::gates::spec::GateKind;
use crate::gates::{HOSTILE_FLAGS, MXCSR_DEFAULT};

/// The x87 control word as FNINIT leaves it.
const X87_DEFAULT: u32 = 0x037f;
/// ES in the x87 status word: an exception waits for the next instruction.
const X87_PENDING: i32 = 0x80;
/// What happened, whether or not it waits: it would wait as soon as the other
/// side's control word unmasks it.
const X87_HAPPENED: i32 = 0xbf;

impl Emitter<'_> {
    pub(super) fn check_flags(&mut self) -> Result<(), IcedError> {
        if self.is_without(Defence::Flags) {
            return Ok(());
        }
        self.a.pushfq()?;
        self.a.test(dword_ptr(rsp), HOSTILE_FLAGS)?;
        self.a.jne(self.trap)?;
        self.a.add(rsp, 8)
    }

    /// The caller's rounding, exception masks and exceptions are not the callee's.
    /// LDMXCSR takes a tenth of the time of the STMXCSR that would find out
    /// whether it is needed.
    pub(super) fn default_floating_point(&mut self) -> Result<(), IcedError> {
        self.a.mov(dword_ptr(rsp - 8), MXCSR_DEFAULT)?;
        self.a.ldmxcsr(dword_ptr(rsp - 8))?;
        if self.clears_x87() {
            self.settle_x87()?;
            self.clear_x87(dword_ptr(rsp - 8))?;
            self.a.mov(dword_ptr(rsp - 8), X87_DEFAULT)?;
            self.a.fldcw(word_ptr(rsp - 8))?;
        }
        Ok(())
    }

    /// rsp points to what `save_caller` stored.
    pub(super) fn restore_floating_point(&mut self) -> Result<(), IcedError> {
        self.a.ldmxcsr(dword_ptr(rsp))?;
        self.settle_x87()?;
        match self.clears_x87() {
            true => self.clear_x87(dword_ptr(rsp))?,
            false => self.a.emms()?,
        }
        self.a.fldcw(word_ptr(rsp + 4))
    }

    /// Whoever attacks can execute bytes that are x87 instructions somewhere in
    /// the process, whatever its own functions use. Only where the callee is
    /// trusted with that does the analysis of its code say enough.
    fn clears_x87(&self) -> bool {
        self.spec.kind != GateKind::Fast || self.spec.callee_uses_x87
    }

    /// Nothing waits, and nothing has happened.
    fn settle_x87(&mut self) -> Result<(), IcedError> {
        let mut nothing = self.a.create_label();
        self.a.fnstsw(ax)?;
        self.a.test(al, X87_HAPPENED)?;
        self.a.je(nothing)?;
        self.a.test(al, X87_PENDING)?;
        self.a.jne(self.trap)?;
        self.a.fnclex()?;
        self.a.set_label(&mut nothing)?;
        Ok(())
    }

    /// An empty register still holds what was computed in it, the condition codes
    /// the last comparison, and the pointers the last instruction and operand.
    /// MMX zeroes the registers (whose upper 16 bits become ones) in a quarter of
    /// the time of FLDZ; a number of this side's own, tested, replaces the rest.
    fn clear_x87(&mut self, own: AsmMemoryOperand) -> Result<(), IcedError> {
        if self.scrubs() {
            for register in [mm0, mm1, mm2, mm3, mm4, mm5, mm6, mm7] {
                self.a.pxor(register, register)?;
            }
        }
        self.a.emms()?;
        self.a.fild(own)?;
        self.a.ftst()?;
        self.a.fstp(st0)
    }
}
