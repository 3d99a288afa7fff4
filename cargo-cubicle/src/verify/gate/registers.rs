//! Registers on their way through a gate: what carries words of the stack, what is cleared, what
//! is saved.

use super::*;

impl Template<'_> {
    pub(super) fn save_control_words(&self, code: &mut Cursor<'_>) -> Matched {
        code.is(Sub, &[reg(RSP), imm(8)])?;
        code.is(Stmxcsr, &[at(RSP, 0, 4)])?;
        code.is(Fnstcw, &[at(RSP, 4, 2)])
    }

    /// A variadic function learns how many vector registers carry arguments.
    pub(super) fn count_vectors(&self, code: &mut Cursor<'_>) -> Matched {
        match self.gate.has(GATE_VARIADIC) {
            true => code.is(Mov, &[reg(EAX), imm(self.gate.registers.vectors.into())]),
            false => zero(code, EAX),
        }
    }

    pub(super) fn clear_vectors(&self, code: &mut Cursor<'_>, kept: u8) -> Matched {
        if !self.gate.has(GATE_SCRUBS) {
            return Ok(());
        }
        let routine = STUB_BASE + CLEAR_STRIDE * u64::from(kept);
        code.is(Call, &[to(routine)])
    }

    /// Only fast gates rely on what the callee's code is known to use.
    pub(super) fn clears_x87(&self) -> bool {
        self.gate.kind != GATE_FAST || self.gate.has(GATE_X87)
    }

    /// Empty registers, and of the last instruction only what this side did itself with
    /// its own word, `depth` bytes below the stack pointer.
    pub(super) fn clear_x87(&self, code: &mut Cursor<'_>, depth: i64) -> Matched {
        if self.gate.has(GATE_SCRUBS) {
            for register in [MM0, MM1, MM2, MM3, MM4, MM5, MM6, MM7] {
                code.is(Pxor, &[reg(register), reg(register)])?;
            }
        }
        code.is(Emms, &[])?;
        code.is(Fild, &[below(RSP, depth, 4)])?;
        code.is(Ftst, &[])?;
        code.is(Fstp, &[reg(ST0)])
    }

    /// Words of stack arguments, read with the caller's rights from behind what the gate
    /// itself has pushed.
    pub(super) fn load_words(&self, code: &mut Cursor<'_>) -> Matched {
        let first = size_of::<Saved>();
        for word in Words::of(self.gate.stack_words) {
            let place = first + 8 * word.number;
            match word.pair {
                None => code.is(Mov, &[reg(word.register), at(RSP, place, 8)])?,
                Some(true) => code.is(Movups, &[reg(word.register), at(RSP, place, 16)])?,
                Some(false) => code.is(Movq, &[reg(word.register), at(RSP, place, 8)])?,
            }
        }
        Ok(())
    }

    /// The same, written with the callee's.
    pub(super) fn store_words(&self, code: &mut Cursor<'_>) -> Matched {
        let count = self.gate.stack_words;
        if count == 0 {
            return Ok(());
        }
        let space = (count * 8).next_multiple_of(16);
        code.is(Sub, &[reg(RSP), imm(space as i64)])?;
        for word in Words::of(count) {
            let place = 8 * word.number;
            match word.pair {
                None => code.is(Mov, &[at(RSP, place, 8), reg(word.register)])?,
                Some(true) => code.is(Movups, &[at(RSP, place, 16), reg(word.register)])?,
                Some(false) => code.is(Movq, &[at(RSP, place, 8), reg(word.register)])?,
            }
        }
        Ok(())
    }
}

/// What carries words of the stack, in order.
struct Words {
    next: usize,
    count: usize,
}

struct Word {
    number: usize,
    register: Register,
    /// For vector registers: whether it carries two words.
    pair: Option<bool>,
}

impl Words {
    fn of(count: usize) -> Words {
        Words { next: 0, count }
    }
}

impl Iterator for Words {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        let number = self.next;
        if number >= self.count {
            return None;
        }
        if let Some(register) = CARRIERS.get(number) {
            self.next += 1;
            return Some(Word {
                number,
                register: *register,
                pair: None,
            });
        }
        self.next += 2;
        // More words than there are carriers do not travel without the monitor.
        let register = VECTOR_CARRIERS.get((number - CARRIERS.len()) / 2)?;
        Some(Word {
            number,
            register: *register,
            pair: Some(number + 1 < self.count),
        })
    }
}

pub(super) fn zero(code: &mut Cursor<'_>, register: Register) -> Matched {
    code.is(Xor, &[reg(register), reg(register)])
}

/// Flags that would break this side trap.
pub fn check_flags(code: &mut Cursor<'_>) -> Matched {
    code.is(Pushfq, &[])?;
    code.is(Test, &[at(RSP, 0, 4), imm(HOSTILE_FLAGS)])?;
    code.jump(Jne, Label::Trap)?;
    code.is(Add, &[reg(RSP), imm(8)])
}

/// Nothing waits in the x87 unit, and nothing has happened.
pub(super) fn settle_x87(code: &mut Cursor<'_>) -> Matched {
    let nothing = code.near();
    code.is(Fnstsw, &[reg(AX)])?;
    code.is(Test, &[reg(AL), imm(HAPPENED)])?;
    code.jump(Je, nothing)?;
    code.is(Test, &[reg(AL), imm(WAITS)])?;
    code.jump(Jne, Label::Trap)?;
    code.is(Fnclex, &[])?;
    code.define(nothing)
}

/// The function in slot eax of a callback, into r11.
pub(super) fn load_slot(code: &mut Cursor<'_>, callback: usize) -> Matched {
    code.is(Cmp, &[reg(EAX), imm(CALLBACK_SLOTS as i64)])?;
    code.jump(Jae, Label::Trap)?;
    code.is(Mov, &[reg(R11), table(RAX, callback_table(callback))])?;
    code.is(Test, &[reg(R11), reg(R11)])?;
    code.jump(Je, Label::Trap)
}
