//! Reads code against a template, one instruction at a time.

use std::collections::{BTreeMap, BTreeSet};

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, Register};

use super::step::write::{here, reg, to};
use super::step::{Memory, Operand, Step};

/// A place in a template that is jumped to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    Start,
    Trap,
    Stranger,
    Attach,
    Again,
    Returned,
    /// Within a few instructions of the jump to it; each is its own.
    Near(usize),
}

/// Where code differs from its template.
#[derive(Clone, Debug)]
pub struct Mismatch {
    pub address: u64,
    /// The step of the protocol.
    pub step: &'static str,
    pub message: String,
}

pub type Matched = Result<(), Mismatch>;

/// Code that is being read.
pub struct Cursor<'a> {
    code: &'a [u8],
    base: u64,
    at: usize,
    step: &'static str,
    labels: BTreeMap<Label, u64>,
    defined: BTreeSet<Label>,
    nears: usize,
    /// Instructions read.
    pub count: usize,
    /// Addresses of the forbidden bytes that the template asked for.
    pub intended: BTreeSet<u64>,
    /// How many of them are WRPKRU.
    pub switches: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(code: &'a [u8], base: u64) -> Cursor<'a> {
        Cursor {
            code,
            base,
            at: 0,
            step: "start",
            labels: BTreeMap::new(),
            defined: BTreeSet::new(),
            nears: 0,
            count: 0,
            intended: BTreeSet::new(),
            switches: 0,
        }
    }

    /// From here on it is this step of the protocol.
    pub fn step(&mut self, name: &'static str) {
        self.step = name;
    }

    /// The next address.
    pub fn here(&self) -> u64 {
        self.base + self.at as u64
    }

    pub fn mismatch<T>(&self, message: impl Into<String>) -> Result<T, Mismatch> {
        Err(Mismatch {
            address: self.here(),
            step: self.step,
            message: message.into(),
        })
    }

    fn peek(&self) -> Instruction {
        let mut decoder =
            Decoder::with_ip(64, &self.code[self.at..], self.here(), DecoderOptions::NONE);
        decoder.decode()
    }

    /// What the next instruction does, on every processor: behind 66, Intel's branch and return as
    /// without it, AMD's to 16-bit addresses.
    fn decoded(&self) -> Option<Step> {
        let instruction = self.peek();
        let branches = instruction.flow_control() != FlowControl::Next;
        let begins_with = self.code.get(self.at);
        let prefixed = matches!(begins_with, Some(0x66 | 0x67 | 0xf2 | 0xf3));
        Step::decoded(&instruction).filter(|_| !(branches && prefixed))
    }

    /// The next instruction, whatever it is.
    pub fn next(&mut self) -> Result<(Instruction, Step), Mismatch> {
        let instruction = self.peek();
        let Some(step) = self.decoded() else {
            return self.mismatch("no instruction that could stand here");
        };
        self.at += instruction.len();
        self.count += 1;
        Ok((instruction, step))
    }

    /// The operand in memory of the next instruction.
    pub fn memory(&self) -> Option<Memory> {
        let step = self.decoded()?;
        step.operands.list.iter().find_map(|operand| match operand {
            Operand::Memory(memory) => Some(*memory),
            _ => None,
        })
    }

    /// The constant in the next instruction.
    pub fn immediate(&self) -> Option<u64> {
        let step = self.decoded()?;
        step.operands.list.iter().find_map(|operand| match operand {
            Operand::Immediate(value) => Some(*value),
            _ => None,
        })
    }

    /// Is the next instruction this one?
    pub fn sees(&self, mnemonic: Mnemonic, operands: &[Operand]) -> bool {
        self.decoded() == Some(Step::new(mnemonic, operands))
    }

    /// Takes the next instruction if it is this one.
    pub fn take(&mut self, mnemonic: Mnemonic, operands: &[Operand]) -> bool {
        let found = self.sees(mnemonic, operands);
        if found {
            self.at += self.peek().len();
            self.count += 1;
        }
        found
    }

    /// Requires that the next instruction is this one.
    pub fn is(&mut self, mnemonic: Mnemonic, operands: &[Operand]) -> Matched {
        let wanted = Step::new(mnemonic, operands);
        let instruction = self.peek();
        let found = self.decoded();
        if found.as_ref() != Some(&wanted) {
            let found = match found {
                Some(step) => format!("`{step}`"),
                None => "no instruction that could stand here".to_owned(),
            };
            return self.mismatch(format!("`{wanted}` must stand here, not {found}"));
        }
        if matches!(mnemonic, Mnemonic::Wrpkru | Mnemonic::Wrfsbase) {
            // Prefixes come first; the pattern is the last three bytes.
            self.intended.insert(instruction.next_ip() - 3);
            self.switches += usize::from(mnemonic == Mnemonic::Wrpkru);
        }
        self.at += instruction.len();
        self.count += 1;
        Ok(())
    }

    /// A jump to a label, before or behind it.
    pub fn jump(&mut self, mnemonic: Mnemonic, label: Label) -> Matched {
        let instruction = self.peek();
        let target = match self.labels.get(&label) {
            Some(target) => *target,
            None => instruction.near_branch_target(),
        };
        self.is(mnemonic, &[to(target)])?;
        self.labels.insert(label, target);
        Ok(())
    }

    /// The address of a label, relative to the instruction.
    pub fn address_of(&mut self, register: Register, label: Label) -> Matched {
        let target = match self.labels.get(&label) {
            Some(target) => *target,
            None => self.peek().ip_rel_memory_address(),
        };
        self.is(Mnemonic::Lea, &[reg(register), here(target, 0)])?;
        self.labels.insert(label, target);
        Ok(())
    }

    /// A label of its own.
    pub fn near(&mut self) -> Label {
        self.nears += 1;
        Label::Near(self.nears)
    }

    /// The label stands here.
    pub fn define(&mut self, label: Label) -> Matched {
        let here = self.here();
        let wanted = *self.labels.entry(label).or_insert(here);
        if wanted != here || !self.defined.insert(label) {
            return self.mismatch(format!("jumps that should lead here lead to {wanted:#x}"));
        }
        Ok(())
    }

    /// Everything that was jumped to has been there, and what is left is never reached.
    pub fn end(&mut self) -> Matched {
        if let Some(label) = self
            .labels
            .keys()
            .find(|label| !self.defined.contains(label))
        {
            return self.mismatch(format!("{label:?} is nowhere"));
        }
        self.step = "the rest";
        self.only_traps(self.code.len())
    }

    /// Only INT3 up to `end`, which is an offset.
    pub fn only_traps(&mut self, end: usize) -> Matched {
        const INT3: u8 = 0xcc;
        let Some(rest) = self.code.get(self.at..end) else {
            return self.mismatch("it is longer than its place");
        };
        if let Some(position) = rest.iter().position(|byte| *byte != INT3) {
            self.at += position;
            return self.mismatch("nothing but INT3 may stand behind the code");
        }
        self.at = end;
        Ok(())
    }

    /// NOPs of one byte, as many as there are up to `most`.
    pub fn nops(&mut self, most: usize) {
        for _ in 0..most {
            if self.code.get(self.at) != Some(&0x90) {
                break;
            }
            self.at += 1;
            self.count += 1;
        }
    }

    /// Up to 15 bytes at `address`, to be shown.
    pub fn bytes_at(&self, address: u64) -> &'a [u8] {
        let start = (address.saturating_sub(self.base) as usize).min(self.code.len());
        &self.code[start..self.code.len().min(start + 15)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iced_x86::Mnemonic::{Call, Mov, Ret};
    use iced_x86::Register::{EAX, RAX, RSP};

    use super::super::step::write::{at, imm};

    fn is(code: &[u8], mnemonic: Mnemonic, operands: &[Operand]) -> bool {
        Cursor::new(code, 0x1000).is(mnemonic, operands).is_ok()
    }

    #[test]
    fn an_encoding_does_not_matter_and_a_prefix_does() {
        assert!(is(&[0x48, 0x89, 0xc4], Mov, &[reg(RSP), reg(RAX)]));
        assert!(is(&[0x48, 0x8b, 0xe0], Mov, &[reg(RSP), reg(RAX)]));
        assert!(is(
            &[0xb8, 0xff, 0xff, 0xff, 0xff],
            Mov,
            &[reg(EAX), imm(-1)]
        ));
        assert!(is(&[0xe8, 0, 0, 0, 0], Call, &[to(0x1005)]));
        assert!(is(&[0xc3], Ret, &[]));
        // What AMD's processors take for a branch of 16 bits.
        assert!(!is(&[0x66, 0xe8, 0, 0, 0, 0], Call, &[to(0x1006)]));
        assert!(!is(&[0x66, 0xc3], Ret, &[]));
        assert!(!is(&[0xf2, 0xc3], Ret, &[]));
        assert!(!is(&[0xc2, 8, 0], Ret, &[]));
        assert!(!is(&[0xcb], Ret, &[]));
    }

    #[test]
    fn operands_are_compared_with_segment_and_size() {
        let load = |code: &[u8]| is(code, Mov, &[reg(RAX), at(RSP, 8, 8)]);
        assert!(load(&[0x48, 0x8b, 0x44, 0x24, 8]));
        assert!(load(&[0x48, 0x8b, 0x84, 0x24, 8, 0, 0, 0]));
        // Four bytes; GS; another displacement; a pointer of 32 bits; with an index.
        assert!(!load(&[0x8b, 0x44, 0x24, 8]));
        assert!(!load(&[0x65, 0x48, 0x8b, 0x44, 0x24, 8]));
        assert!(!load(&[0x48, 0x8b, 0x44, 0x24, 9]));
        assert!(!load(&[0x67, 0x48, 0x8b, 0x44, 0x24, 8]));
        assert!(!load(&[0x48, 0x8b, 0x44, 0x04, 8]));
        // Not to RAX; to memory; a locked one; cut off.
        assert!(!load(&[0x4c, 0x8b, 0x44, 0x24, 8]));
        assert!(!load(&[0x48, 0x89, 0x44, 0x24, 8]));
        assert!(!load(&[0xf0, 0x48, 0x8b, 0x44, 0x24, 8]));
        assert!(!load(&[0x48, 0x8b, 0x44, 0x24]));
        assert!(!load(&[]));
    }

    #[test]
    fn labels_must_be_where_jumps_lead() {
        use iced_x86::Mnemonic::{Jne, Ud2};
        let read = |code: &[u8]| {
            let mut cursor = Cursor::new(code, 0x1000);
            cursor.jump(Jne, Label::Trap)?;
            cursor.is(Ret, &[])?;
            cursor.define(Label::Trap)?;
            cursor.is(Ud2, &[])?;
            cursor.end()
        };
        assert!(read(&[0x75, 1, 0xc3, 0x0f, 0x0b, 0xcc, 0xcc]).is_ok());
        assert!(read(&[0x75, 0, 0xc3, 0x0f, 0x0b, 0xcc]).is_err());
        assert!(read(&[0x75, 1, 0xc3, 0x0f, 0x0b, 0xcc, 0x90]).is_err());
        let mut nowhere = Cursor::new(&[0x75, 1, 0xcc], 0x1000);
        nowhere.jump(Jne, Label::Trap).unwrap();
        assert!(nowhere.end().is_err());
    }
}
