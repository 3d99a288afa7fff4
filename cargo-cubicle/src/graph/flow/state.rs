//! What registers and stack slots hold at one point of a function.

use super::{REGISTERS, Source};
use iced_x86::{
    Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register, UsedMemory,
};
use std::collections::BTreeMap;

/// What is known of eight bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Value {
    #[default]
    Unknown,
    /// Null.
    Zero,
    /// An address in the function's own stack, from the stack pointer at its
    /// start.
    Stack(i64),
    /// What an argument register held at the start.
    Argument(u8),
    /// What came through a gate, or null.
    Foreign(Source),
    /// Memory that the image allocated, or null.
    Fresh,
}

impl Value {
    /// What holds if either may: null is any pointer's possible value.
    fn or(self, other: Value) -> Value {
        match (self, other) {
            (same, other) if same == other => same,
            (Value::Zero, pointer @ (Value::Foreign(_) | Value::Fresh))
            | (pointer @ (Value::Foreign(_) | Value::Fresh), Value::Zero) => pointer,
            _ => Value::Unknown,
        }
    }
}

/// The argument registers, in order (psABI 3.2.3).
pub(super) const ARGUMENTS: [Register; REGISTERS] = [
    Register::RDI,
    Register::RSI,
    Register::RDX,
    Register::RCX,
    Register::R8,
    Register::R9,
];

/// What a call does not preserve.
const VOLATILE: [Register; 9] = [
    Register::RAX,
    Register::RCX,
    Register::RDX,
    Register::RSI,
    Register::RDI,
    Register::R8,
    Register::R9,
    Register::R10,
    Register::R11,
];

/// Everything known at one point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    registers: [Value; 16],
    /// By offset from the stack pointer at the function's start; all others are
    /// unknown.
    slots: BTreeMap<i64, Value>,
    /// The lowest slot whose address others may know. An object reaches upwards
    /// from its address, so they may change everything from there on.
    exposed: Option<i64>,
}

fn index(register: Register) -> Option<usize> {
    let full = register.full_register();
    full.is_gpr64()
        .then(|| full as usize - Register::RAX as usize)
}

impl State {
    /// At the start of a function.
    pub(super) fn at_start() -> State {
        let mut state = State {
            // Above the return address is what the caller put there.
            exposed: Some(8),
            ..State::unknown()
        };
        state.set(Register::RSP, Value::Stack(0));
        for (number, register) in (0u8..).zip(ARGUMENTS) {
            state.set(register, Value::Argument(number));
        }
        state
    }

    /// Where nobody knows who comes from where.
    pub(super) fn unknown() -> State {
        State {
            registers: [Value::Unknown; 16],
            slots: BTreeMap::new(),
            exposed: Some(i64::MIN),
        }
    }

    /// What holds on both ways. Whether that is less than before.
    pub(super) fn join(&mut self, other: &State) -> bool {
        let before = self.clone();
        for (mine, theirs) in self.registers.iter_mut().zip(other.registers) {
            *mine = mine.or(theirs);
        }
        self.slots.retain(|offset, value| {
            *value = value.or(other.slot(*offset));
            *value != Value::Unknown
        });
        self.exposed = match (self.exposed, other.exposed) {
            (Some(mine), Some(theirs)) => Some(mine.min(theirs)),
            (mine, theirs) => mine.or(theirs),
        };
        *self != before
    }

    pub(super) fn register(&self, register: Register) -> Value {
        index(register).map_or(Value::Unknown, |index| self.registers[index])
    }

    pub(super) fn set(&mut self, register: Register, value: Value) {
        if let Some(index) = index(register) {
            self.registers[index] = value;
        }
    }

    pub(super) fn slot(&self, offset: i64) -> Value {
        self.slots.get(&offset).copied().unwrap_or_default()
    }

    pub(super) fn set_slot(&mut self, offset: i64, value: Value) {
        self.forget(offset, 8);
        if let Value::Stack(address) = value {
            self.expose(address);
        }
        if value != Value::Unknown {
            self.slots.insert(offset, value);
        }
    }

    /// Forgets slots that overlap `bytes` at `offset`.
    fn forget(&mut self, offset: i64, bytes: i64) {
        self.slots.retain(|slot, _| {
            slot.saturating_add(8) <= offset || *slot >= offset.saturating_add(bytes)
        });
    }

    /// From now on others may know the address.
    fn expose(&mut self, address: i64) {
        self.exposed = Some(self.exposed.map_or(address, |lowest| lowest.min(address)));
    }

    /// Others have run, or something was stored nobody knows where.
    fn forget_exposed(&mut self) {
        if let Some(lowest) = self.exposed {
            self.slots
                .retain(|slot, _| slot.saturating_add(8) <= lowest);
        }
    }

    /// After a call of something else than a gate.
    pub(super) fn called(&mut self) {
        for register in ARGUMENTS {
            if let Value::Stack(address) = self.register(register) {
                self.expose(address);
            }
        }
        self.forget_exposed();
        // What was popped is overwritten.
        if let Value::Stack(top) = self.register(Register::RSP) {
            self.slots.retain(|slot, _| *slot >= top);
        }
        for register in VOLATILE {
            self.set(register, Value::Unknown);
        }
    }

    /// After a call of a gate whose callee does not see this cubicle: it writes
    /// to what it was lent until it returns, and keeps nothing.
    pub(super) fn called_gate(&mut self) {
        let exposed = self.exposed;
        self.called();
        self.exposed = exposed;
    }

    /// The address of a memory operand, if it is in the own stack.
    fn address(&self, instruction: &Instruction) -> Option<i64> {
        let plain = instruction.memory_index() == Register::None
            && instruction.segment_prefix() == Register::None;
        match self.register(instruction.memory_base()) {
            Value::Stack(base) if plain => {
                base.checked_add(instruction.memory_displacement64() as i64)
            }
            _ => None,
        }
    }

    /// What an instruction that neither branches nor calls does.
    pub(super) fn step(&mut self, instruction: &Instruction, factory: &mut InstructionInfoFactory) {
        if self.moves(instruction) {
            return;
        }
        let info = factory.info(instruction);
        for used in info.used_memory() {
            self.stores(used, instruction.is_string_instruction());
        }
        // Registers last: they say where memory is.
        for used in info.used_registers() {
            if writes(used.access()) {
                self.set(used.register(), Value::Unknown);
            }
        }
    }

    fn stores(&mut self, used: &UsedMemory, repeats: bool) {
        if !writes(used.access()) {
            return;
        }
        let plain = used.index() == Register::None;
        let offset = match self.register(used.base()) {
            Value::Stack(base) if plain => Some(base.wrapping_add(used.displacement() as i64)),
            _ => None,
        };
        match (offset, used.memory_size().size() as i64) {
            (Some(offset), bytes) if !repeats && bytes > 0 => self.forget(offset, bytes),
            // Upwards from there, who knows how far.
            (Some(offset), _) => self.forget(offset, i64::MAX),
            (None, _) => self.store_somewhere(used.base()),
        }
    }

    /// A store whose place is not known.
    fn store_somewhere(&mut self, base: Register) {
        match self.register(base) {
            // Anywhere in the stack.
            Value::Stack(_) => self.slots.clear(),
            // A variable at a fixed address is not in the stack.
            _ if matches!(base, Register::None | Register::RIP) => {}
            _ => self.forget_exposed(),
        }
    }

    /// Copies and address arithmetic; `false` for anything else.
    fn moves(&mut self, instruction: &Instruction) -> bool {
        use OpKind::{Immediate8to64, Immediate32to64, Memory, Register as Reg};
        let kinds = (instruction.op0_kind(), instruction.op1_kind());
        let (to, from) = (instruction.op0_register(), instruction.op1_register());
        let immediate = matches!(kinds.1, Immediate8to64 | Immediate32to64)
            .then(|| instruction.immediate(1) as i64);
        match (instruction.mnemonic(), kinds) {
            (Mnemonic::Mov, (Reg, Reg)) if to.is_gpr64() && from.is_gpr64() => {
                self.set(to, self.register(from));
            }
            (Mnemonic::Mov, (Reg, Memory)) if to.is_gpr64() => {
                let value = self.address(instruction).map(|offset| self.slot(offset));
                self.set(to, value.unwrap_or_default());
            }
            (Mnemonic::Mov, (Memory, Reg)) if from.is_gpr64() => {
                self.store(instruction, self.register(from));
            }
            (Mnemonic::Mov, (Memory, Immediate32to64)) => {
                let zero = instruction.immediate(1) == 0;
                self.store(instruction, if zero { Value::Zero } else { Value::Unknown });
            }
            (Mnemonic::Mov, (Reg, OpKind::Immediate32 | Immediate32to64))
                if instruction.immediate(1) == 0 && (to.is_gpr32() || to.is_gpr64()) =>
            {
                self.set(to, Value::Zero);
            }
            (Mnemonic::Xor, (Reg, Reg)) if to == from && (to.is_gpr32() || to.is_gpr64()) => {
                self.set(to, Value::Zero);
            }
            (Mnemonic::Lea, _) if to.is_gpr64() => {
                let address = self.address(instruction).map(Value::Stack);
                self.set(to, address.unwrap_or_default());
            }
            (Mnemonic::Add | Mnemonic::Sub, (Reg, _)) if immediate.is_some() => {
                let sign = match instruction.mnemonic() {
                    Mnemonic::Sub => -1,
                    _ => 1,
                };
                let moved = match (self.register(to), immediate) {
                    (Value::Stack(base), Some(by)) if to.is_gpr64() => {
                        Value::Stack(base.wrapping_add(sign * by))
                    }
                    _ => Value::Unknown,
                };
                self.set(to, moved);
            }
            (Mnemonic::Push, (kind, _)) if instruction.stack_pointer_increment() == -8 => {
                let known = kind == Reg && to.is_gpr64();
                self.push(if known {
                    self.register(to)
                } else {
                    Value::Unknown
                });
            }
            (Mnemonic::Pop, (Reg, _)) if to.is_gpr64() => {
                let value = self.pop();
                self.set(to, value);
            }
            (Mnemonic::Leave, _) => {
                self.set(Register::RSP, self.register(Register::RBP));
                let value = self.pop();
                self.set(Register::RBP, value);
            }
            _ => return false,
        }
        true
    }

    fn store(&mut self, instruction: &Instruction, value: Value) {
        if let Some(offset) = self.address(instruction) {
            return self.set_slot(offset, value);
        }
        if let Value::Stack(address) = value {
            self.expose(address);
        }
        self.store_somewhere(instruction.memory_base());
    }

    fn push(&mut self, value: Value) {
        if let Value::Stack(top) = self.register(Register::RSP) {
            self.set(Register::RSP, Value::Stack(top - 8));
            self.set_slot(top - 8, value);
        }
    }

    fn pop(&mut self) -> Value {
        let Value::Stack(top) = self.register(Register::RSP) else {
            return Value::Unknown;
        };
        self.set(Register::RSP, Value::Stack(top.wrapping_add(8)));
        self.slot(top)
    }
}

fn writes(access: OpAccess) -> bool {
    matches!(
        access,
        OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite
    )
}
