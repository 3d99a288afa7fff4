//! Which function a callback gate calls: eax says so when it starts, and r15
//! on the way to the call. Nobody needs to be believed: whoever jumps into the
//! gate with a slot of its own choice could as well have called that slot's stub,
//! if it may call the gate at all.

use cubicle_abi::layout::{CALLBACK_SLOTS, callback_table};
use iced_x86::IcedError;
use iced_x86::code_asm::*;

use super::Emitter;
use crate::gates::spec::GateTarget;

impl Emitter<'_> {
    pub(super) fn holds_slot(&self) -> bool {
        matches!(self.spec.target, GateTarget::Callback(_))
    }

    /// Before anything else, because reading the rights needs eax. xmm15 carries
    /// no argument, and survives a first entry's system call.
    pub(super) fn carry_slot(&mut self) -> Result<(), IcedError> {
        match self.holds_slot() {
            true => self.a.movd(xmm15, eax),
            false => Ok(()),
        }
    }

    /// As soon as the caller's r15 is saved: the other registers of a call that
    /// are free here are lost in a switch, or carry words of the stack.
    pub(super) fn keep_slot(&mut self) -> Result<(), IcedError> {
        match self.holds_slot() {
            true => self.a.movd(r15d, xmm15),
            false => Ok(()),
        }
    }

    /// Loads the function of slot eax into r11, or traps. The table is public,
    /// so that both sides can read it, and only the monitor writes it.
    pub(super) fn load_slot(&mut self, number: usize) -> Result<(), IcedError> {
        self.a.cmp(eax, CALLBACK_SLOTS as u32)?;
        self.a.jae(self.trap)?;
        self.a
            .mov(r11, qword_ptr(rax * 8 + callback_table(number) as i32))?;
        self.a.test(r11, r11)?;
        self.a.je(self.trap)
    }
}
