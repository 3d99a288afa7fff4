//! Flags and floating-point state: what one side set must neither break the
//! other nor tell it anything (rule 3).

use iced_x86::IcedError;
use iced_x86::code_asm::*;

use super::Emitter;
use crate::gates::{HOSTILE_FLAGS, MXCSR_DEFAULT};

/// The low six bits only record what happened.
const MXCSR_CONTROL: u32 = !0x3f;
/// The x87 control word as FNINIT leaves it.
const X87_DEFAULT: u32 = 0x037f;
/// ES in the x87 status word: an exception waits for the next instruction.
const X87_PENDING: i32 = 0x80;
/// What happened, whether or not it waits: it would wait as soon as the other
/// side's control word unmasks it.
const X87_HAPPENED: i32 = 0xbf;

impl Emitter<'_> {
    pub(super) fn check_flags(&mut self) -> Result<(), IcedError> {
        self.a.pushfq()?;
        self.a.test(dword_ptr(rsp), HOSTILE_FLAGS)?;
        self.a.jne(self.trap)?;
        self.a.add(rsp, 8)
    }

    /// The caller's rounding and exception masks are not the callee's.
    pub(super) fn default_floating_point(&mut self) -> Result<(), IcedError> {
        let a = &mut self.a;
        let mut good = a.create_label();
        a.stmxcsr(dword_ptr(rsp - 8))?;
        a.mov(eax, dword_ptr(rsp - 8))?;
        a.and(eax, MXCSR_CONTROL)?;
        a.cmp(eax, MXCSR_DEFAULT)?;
        a.je(good)?;
        a.mov(dword_ptr(rsp - 8), MXCSR_DEFAULT)?;
        a.ldmxcsr(dword_ptr(rsp - 8))?;
        a.set_label(&mut good)?;
        if self.spec.callee_uses_x87 {
            self.empty_x87()?;
            self.a.mov(dword_ptr(rsp - 8), X87_DEFAULT)?;
            self.a.fldcw(word_ptr(rsp - 8))?;
        }
        Ok(())
    }

    /// rsp points to what `save_caller` stored.
    pub(super) fn restore_floating_point(&mut self) -> Result<(), IcedError> {
        let a = &mut self.a;
        let mut good = a.create_label();
        a.stmxcsr(dword_ptr(rsp - 8))?;
        a.mov(eax, dword_ptr(rsp - 8))?;
        a.xor(eax, dword_ptr(rsp))?;
        a.test(eax, MXCSR_CONTROL)?;
        a.je(good)?;
        a.ldmxcsr(dword_ptr(rsp))?;
        a.set_label(&mut good)?;
        if self.spec.callee_uses_x87 || self.spec.caller_uses_x87 {
            self.empty_x87()?;
        }
        if self.spec.callee_uses_x87 {
            // An empty register still holds what was computed in it.
            for _ in 0..8 {
                self.a.fldz()?;
            }
            self.a.emms()?;
        }
        if self.spec.caller_uses_x87 {
            self.a.fldcw(word_ptr(rsp + 4))?;
        }
        Ok(())
    }

    pub(super) fn empty_x87(&mut self) -> Result<(), IcedError> {
        let mut nothing = self.a.create_label();
        self.a.fnstsw(ax)?;
        self.a.test(al, X87_HAPPENED)?;
        self.a.je(nothing)?;
        self.a.test(al, X87_PENDING)?;
        self.a.jne(self.trap)?;
        self.a.fnclex()?;
        self.a.set_label(&mut nothing)?;
        self.a.emms()
    }
}
