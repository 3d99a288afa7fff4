//! Arguments on the stack, on their way through registers.

use cubicle_abi::frame::Saved;
use iced_x86::IcedError;
use iced_x86::code_asm::*;

use super::Emitter;
use crate::gates::spec::{GateTarget, WORDS_IN_REGISTERS, WORDS_OF_CALLBACKS};

const CARRIERS: [AsmRegister64; 6] = [rbx, rbp, r12, r13, r14, r15];

/// The vector register that carries stack word `word` (even, 6 to 20) and the
/// one after it.
fn vector_carrier(word: usize) -> AsmRegisterXmm {
    let registers = [xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14, xmm15];
    registers[(word - CARRIERS.len()) / 2]
}

impl Emitter<'_> {
    /// Rule 4: read under the caller's rights, into registers that carry no
    /// argument.
    pub(super) fn load_stack_arguments(&mut self) -> Result<(), IcedError> {
        let words = self.spec.shape.stack_words;
        let most = match self.spec.target {
            GateTarget::Function(_) => WORDS_IN_REGISTERS,
            GateTarget::Callback(_) => WORDS_OF_CALLBACKS,
        };
        assert!(words <= most, "the plan lends larger ones");
        let first = size_of::<Saved>() as i32;
        for (word, register) in CARRIERS.into_iter().enumerate().take(words) {
            self.a
                .mov(register, qword_ptr(rsp + first + 8 * word as i32))?;
        }
        for word in (CARRIERS.len()..words).step_by(2) {
            let register = vector_carrier(word);
            let place = rsp + first + 8 * word as i32;
            if word + 1 < words {
                self.a.movups(register, xmmword_ptr(place))?;
            } else {
                self.a.movq(register, qword_ptr(place))?;
            }
        }
        Ok(())
    }

    /// Written under the callee's rights, below an aligned stack pointer.
    pub(super) fn store_stack_arguments(&mut self) -> Result<(), IcedError> {
        let words = self.spec.shape.stack_words;
        if words == 0 {
            return Ok(());
        }
        let space = (words * 8).next_multiple_of(16);
        self.a.sub(rsp, space as i32)?;
        for (word, register) in CARRIERS.into_iter().enumerate().take(words) {
            self.a.mov(qword_ptr(rsp + 8 * word as i32), register)?;
        }
        for word in (CARRIERS.len()..words).step_by(2) {
            let register = vector_carrier(word);
            let place = rsp + 8 * word as i32;
            if word + 1 < words {
                self.a.movups(xmmword_ptr(place), register)?;
            } else {
                self.a.movq(qword_ptr(place), register)?;
            }
        }
        Ok(())
    }
}
