//! One instruction in a form that can be compared: what it does, not how it is
//! encoded.

use std::fmt;

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

/// One operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    Register(Register),
    /// Masked to the width of the first operand.
    Immediate(u64),
    Memory(Memory),
    /// Where a branch goes.
    To(u64),
    /// One that no gate has: far pointers, string operands.
    Other,
}

/// An operand in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// `FS` or `GS`; `None` for all others, which have base 0 in 64-bit mode.
    pub segment: Register,
    pub base: Register,
    pub index: Register,
    pub scale: u32,
    /// For a base of RIP the address itself.
    pub displacement: i64,
    /// Bytes; 0 if it is only an address.
    pub size: usize,
}

/// One instruction.
#[derive(Clone, PartialEq, Eq)]
pub struct Step {
    pub mnemonic: Mnemonic,
    pub operands: Operands,
}

/// As many as it has; the rest is [`Operand::Other`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Operands {
    pub list: [Operand; 3],
    pub count: usize,
}

impl Operands {
    pub fn of(list: &[Operand]) -> Operands {
        let mut operands = Operands {
            list: [Operand::Other; 3],
            count: list.len(),
        };
        operands.list[..list.len()].copy_from_slice(list);
        operands
    }
}

impl Step {
    /// What a template says. Immediates are made as wide as the first operand.
    pub fn new(mnemonic: Mnemonic, list: &[Operand]) -> Step {
        let mut operands = Operands::of(list);
        let width = width(operands.list[0]);
        for operand in &mut operands.list {
            if let Operand::Immediate(value) = operand {
                *value &= mask(width);
            }
        }
        Step { mnemonic, operands }
    }

    /// What was decoded. `None` if prefixes make it another instruction than its name says.
    pub fn decoded(instruction: &Instruction) -> Option<Step> {
        if !is_plain(instruction) || instruction.op_count() > 3 {
            return None;
        }
        let mut list = [Operand::Other; 3];
        for number in 0..instruction.op_count() {
            list[number as usize] = operand(instruction, number);
        }
        Some(Step::new(
            instruction.mnemonic(),
            &list[..instruction.op_count() as usize],
        ))
    }
}

/// Does it do what its name says, and no more?
pub fn is_plain(instruction: &Instruction) -> bool {
    !(instruction.is_invalid()
        || instruction.has_lock_prefix()
        || instruction.has_rep_prefix()
        || instruction.has_repne_prefix()
        || instruction.has_xacquire_prefix()
        || instruction.has_xrelease_prefix()
        || instruction.is_broadcast()
        || instruction.op_mask() != Register::None
        || instruction.zeroing_masking())
}

fn width(operand: Operand) -> usize {
    match operand {
        Operand::Register(register) => register.size(),
        Operand::Memory(memory) if memory.size > 0 => memory.size,
        _ => 8,
    }
}

fn mask(width: usize) -> u64 {
    match width {
        1 => 0xff,
        2 => 0xffff,
        4 => 0xffff_ffff,
        _ => u64::MAX,
    }
}

fn operand(instruction: &Instruction, number: u32) -> Operand {
    match instruction.op_kind(number) {
        OpKind::Register => Operand::Register(instruction.op_register(number)),
        OpKind::NearBranch64 => Operand::To(instruction.near_branch64()),
        OpKind::Memory => {
            let segment = match instruction.memory_segment() {
                one @ (Register::FS | Register::GS) => one,
                _ => Register::None,
            };
            Operand::Memory(Memory {
                segment,
                base: instruction.memory_base(),
                index: instruction.memory_index(),
                scale: match instruction.memory_index() {
                    Register::None => 1,
                    _ => instruction.memory_index_scale(),
                },
                displacement: instruction.memory_displacement64() as i64,
                size: instruction.memory_size().size(),
            })
        }
        OpKind::Immediate8
        | OpKind::Immediate16
        | OpKind::Immediate32
        | OpKind::Immediate64
        | OpKind::Immediate8to16
        | OpKind::Immediate8to32
        | OpKind::Immediate8to64
        | OpKind::Immediate32to64 => Operand::Immediate(instruction.immediate(number)),
        _ => Operand::Other,
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Register(register) => {
                write!(formatter, "{}", format!("{register:?}").to_lowercase())
            }
            Operand::Immediate(value) | Operand::To(value) => write!(formatter, "{value:#x}"),
            Operand::Memory(memory) => write!(formatter, "{memory}"),
            Operand::Other => write!(formatter, "another operand"),
        }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |register: Register| format!("{register:?}").to_lowercase();
        if self.size > 0 {
            write!(formatter, "{}-byte ", self.size)?;
        }
        if self.segment != Register::None {
            write!(formatter, "{}:", name(self.segment))?;
        }
        write!(formatter, "[")?;
        if self.base != Register::None {
            write!(formatter, "{} + ", name(self.base))?;
        }
        if self.index != Register::None {
            write!(formatter, "{} * {} + ", name(self.index), self.scale)?;
        }
        write!(formatter, "{:#x}]", self.displacement)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{:?}", self.mnemonic).to_lowercase();
        write!(formatter, "{name}")?;
        for (number, operand) in self.operands.list[..self.operands.count].iter().enumerate() {
            let comma = if number == 0 { " " } else { ", " };
            write!(formatter, "{comma}{operand}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

/// Operands as templates write them.
pub mod write {
    use super::{Memory, Operand};
    use iced_x86::Register;

    pub fn reg(register: Register) -> Operand {
        Operand::Register(register)
    }

    pub fn imm(value: i64) -> Operand {
        Operand::Immediate(value as u64)
    }

    pub fn to(address: u64) -> Operand {
        Operand::To(address)
    }

    /// `size` bytes at `base + displacement`.
    pub fn at(base: Register, displacement: usize, size: usize) -> Operand {
        memory(Register::None, base, displacement as i64, size)
    }

    /// The same below `base`.
    pub fn below(base: Register, displacement: i64, size: usize) -> Operand {
        memory(Register::None, base, -displacement, size)
    }

    /// `size` bytes of the thread block.
    pub fn gs(displacement: usize, size: usize) -> Operand {
        memory(Register::GS, Register::None, displacement as i64, size)
    }

    /// `size` bytes of the thread-locals of whoever FS belongs to.
    pub fn fs(displacement: i32, size: usize) -> Operand {
        memory(Register::FS, Register::None, displacement.into(), size)
    }

    /// The address that is encoded relative to the instruction.
    pub fn here(address: u64, size: usize) -> Operand {
        memory(Register::None, Register::RIP, address as i64, size)
    }

    /// Word `index` of the table at `address`.
    pub fn table(index: Register, address: u64) -> Operand {
        Operand::Memory(Memory {
            segment: Register::None,
            base: Register::None,
            index,
            scale: 8,
            displacement: address as i64,
            size: 8,
        })
    }

    fn memory(segment: Register, base: Register, displacement: i64, size: usize) -> Operand {
        Operand::Memory(Memory {
            segment,
            base,
            index: Register::None,
            scale: 1,
            displacement,
            size,
        })
    }
}
