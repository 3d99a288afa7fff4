//! One instruction. What the model has no words for (vectors, x87) loses what
//! it writes: an attacker may choose it.

use cubicle_abi::layout::{CALLBACK_SLOTS, STUB_BASE};
use cubicle_abi::rights::{KEY_FIRST_CUBICLE, Rights};
use iced_x86::{
    ConditionCode, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register,
};

use super::arrive::arrive;
use super::kernel;
use super::monitor;
use super::state::*;
use super::world::*;

/// DF, NT, AC: what a gate tests for.
const HOSTILE_FLAGS: u64 = 0x4_4400;

/// What must not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Violation {
    /// A function was entered by nobody who had called it.
    Entered,
    /// A call returned that nobody had made, or that its callee had not ended.
    Returned,
    /// Code ran with rights that are not its own.
    Escaped,
    /// An address of an attacker's was used with more rights than the attacker's.
    Deputy,
    /// The monitor believed somebody to be somebody else.
    Believed,
    /// A call came back with something other than it had left.
    Damaged,
    /// A register carried what its cubicle gave to nobody.
    Leaked,
    /// DF, NT or AC of one side reached another.
    Flags,
    /// A cubicle's code ran while its system calls were not dispatched.
    Selector,
    /// Nobody's turn comes again.
    Endless,
}

pub enum Flow {
    /// On with the next instruction.
    On,
    /// A trap, or a fault: the process is ended.
    End,
    /// A cubicle decides.
    Chosen,
}

/// Where an access goes.
enum Access {
    /// A word whose contents the model knows.
    Known(u64),
    /// Memory of cubicles that are lost.
    Lost,
    Fault,
}

pub struct Machine<'a> {
    pub world: &'a World,
    pub state: State,
    /// What else could have come of the instruction.
    pub forks: Vec<State>,
}

macro_rules! or_end {
    ($value:expr) => {
        match $value? {
            Some(value) => value,
            None => return Ok(Flow::End),
        }
    };
}

type Checked<T> = Result<Option<T>, Violation>;

impl Machine<'_> {
    pub fn step(&mut self) -> Result<Flow, Violation> {
        let at = self.state.instruction;
        let instruction = *self.world.text.at(at).expect("text");
        self.state.instruction = instruction.next_ip();
        match instruction.mnemonic() {
            Mnemonic::Nop | Mnemonic::Cld => return Ok(Flow::On),
            Mnemonic::Ud2 | Mnemonic::Int3 => return Ok(Flow::End),
            Mnemonic::Mov | Mnemonic::Movzx | Mnemonic::Movd => {
                let value = or_end!(self.read(&instruction, 1));
                or_end!(self.write(&instruction, 0, value));
            }
            Mnemonic::Lea => {
                let value = self.address(&instruction);
                or_end!(self.write(&instruction, 0, value));
            }
            Mnemonic::Push => {
                let value = or_end!(self.read(&instruction, 0));
                or_end!(self.push(value));
            }
            Mnemonic::Pop => {
                let value = or_end!(self.pop());
                or_end!(self.write(&instruction, 0, value));
            }
            Mnemonic::Pushfq => {
                or_end!(self.push(Value::Flags));
            }
            Mnemonic::Popfq => {
                let value = or_end!(self.pop());
                self.state.flags_are_clean =
                    matches!(value, Value::Number(bits) if bits & HOSTILE_FLAGS == 0);
            }
            Mnemonic::Add | Mnemonic::Sub | Mnemonic::And | Mnemonic::Xor => {
                return self.compute(&instruction);
            }
            Mnemonic::Cmp | Mnemonic::Test => return self.compare(&instruction),
            Mnemonic::Wrpkru => return self.change_rights(),
            Mnemonic::Rdpkru => {
                if !self.may_be(RCX, 0) {
                    return Ok(Flow::End);
                }
                self.state.registers[RAX] = Value::Number(self.state.rights.into());
                self.state.registers[RDX] = Value::Number(0);
            }
            Mnemonic::Rdgsbase => {
                let register = number(instruction.op0_register()).expect("a register");
                self.state.registers[register] = match instruction.op0_register().size() {
                    8 => Value::Number(BLOCK),
                    _ => Value::Any,
                };
            }
            Mnemonic::Rdfsbase => {
                let register = number(instruction.op0_register()).expect("a register");
                if self.state.fs == Value::Any {
                    return Ok(self.choose_thread_pointer(at));
                }
                self.state.registers[register] = self.state.fs;
            }
            Mnemonic::Wrfsbase => self.state.fs = or_end!(self.read(&instruction, 0)),
            Mnemonic::Jmp => {
                let target = or_end!(self.read(&instruction, 0));
                return arrive(self, target);
            }
            Mnemonic::Call => return self.call(at, &instruction),
            Mnemonic::Ret => {
                let target = or_end!(self.pop());
                return arrive(self, target);
            }
            Mnemonic::Syscall => return kernel::system_call(self, at),
            _ if instruction.condition_code() != ConditionCode::None => {
                return Ok(self.branch(&instruction));
            }
            _ => return self.lose(&instruction),
        }
        Ok(Flow::On)
    }

    /// Could a register hold this?
    fn may_be(&self, register: usize, value: u64) -> bool {
        match self.state.registers[register] {
            Value::Number(number) => number as u32 == value as u32,
            _ => true,
        }
    }

    fn change_rights(&mut self) -> Result<Flow, Violation> {
        if !self.may_be(RCX, 0) || !self.may_be(RDX, 0) {
            return Ok(Flow::End);
        }
        if let Value::Number(value) = self.state.registers[RAX] {
            self.state.rights = value as u32;
            return Ok(Flow::On);
        }
        for value in self.world.interesting_rights() {
            let mut fork = self.state.clone();
            fork.registers[RAX] = Value::Number(value);
            fork.rights = value as u32;
            self.forks.push(fork);
        }
        Ok(Flow::End)
    }

    fn call(&mut self, at: u64, instruction: &Instruction) -> Result<Flow, Violation> {
        let target = or_end!(self.read(instruction, 0));
        if let Value::Number(address) = target {
            let clearing = STUB_BASE..STUB_BASE + cargo_cubicle::gates::clear::SIZE;
            if clearing.contains(&address) {
                // Vectors; but the return address is written.
                or_end!(self.push(Value::Any));
                or_end!(self.pop());
                self.state.registers[16] = Value::Number(0);
                return Ok(Flow::On);
            }
            let is_assembly = key_at(at) == Some(0);
            if is_assembly && self.world.text.at(address).is_none() {
                return monitor::called(self, at);
            }
        }
        or_end!(self.push(Value::Number(self.state.instruction)));
        arrive(self, target)
    }

    /// An attacker has moved FS: to somebody's thread-locals, or elsewhere.
    fn choose_thread_pointer(&mut self, at: u64) -> Flow {
        let elsewhere = 0x10_0000;
        for base in (0..CUBICLES).map(thread_pointer).chain([elsewhere]) {
            let mut fork = self.state.clone();
            fork.fs = Value::Number(base);
            fork.instruction = at;
            self.forks.push(fork);
        }
        Flow::End
    }

    pub fn push(&mut self, value: Value) -> Checked<()> {
        let stack = match self.state.registers[RSP] {
            Value::Number(stack) => Value::Number(stack.wrapping_sub(8)),
            other => other,
        };
        self.state.registers[RSP] = stack;
        self.store(stack, value)
    }

    pub fn pop(&mut self) -> Checked<Value> {
        let stack = self.state.registers[RSP];
        let value = self.load(stack);
        if let Value::Number(stack) = stack {
            self.state.registers[RSP] = Value::Number(stack.wrapping_add(8));
        }
        value
    }

    fn access(&self, address: Value, writes: bool) -> Result<Access, Violation> {
        let rights = Rights(self.state.rights);
        let Value::Number(address) = address else {
            return match self.world.attacker_with(rights) {
                Some(_) => Ok(Access::Lost),
                None => Err(Violation::Deputy),
            };
        };
        let is_open = |key: u32| match writes {
            true => rights.writes(key),
            false => rights.reads(key),
        };
        Ok(match key_at(address) {
            Some(key) if is_open(key) => match key.checked_sub(KEY_FIRST_CUBICLE) {
                Some(cubicle) if self.world.lost[cubicle as usize] => Access::Lost,
                _ => Access::Known(address),
            },
            _ => Access::Fault,
        })
    }

    fn load(&self, address: Value) -> Checked<Value> {
        Ok(match self.access(address, false)? {
            Access::Known(address) => Some(self.state.word(address)),
            Access::Lost => Some(Value::Any),
            Access::Fault => None,
        })
    }

    fn store(&mut self, address: Value, value: Value) -> Checked<()> {
        Ok(match self.access(address, true)? {
            Access::Known(address) => {
                self.state.store(address, value);
                Some(())
            }
            Access::Lost => Some(()),
            Access::Fault => None,
        })
    }

    /// The address of a memory operand.
    fn address(&self, instruction: &Instruction) -> Value {
        let mut sum = instruction.memory_displacement64();
        match instruction.memory_segment() {
            Register::GS => sum = sum.wrapping_add(BLOCK),
            // Thread-locals: of nobody who matters here.
            Register::FS => return self.state.fs,
            _ => {}
        }
        let parts = [
            (instruction.memory_base(), 1),
            (instruction.memory_index(), instruction.memory_index_scale()),
        ];
        for (register, scale) in parts {
            // iced has counted RIP already.
            if register == Register::None || register == Register::RIP {
                continue;
            }
            match number(register).map(|number| self.state.registers[number]) {
                Some(Value::Number(value)) => {
                    sum = sum.wrapping_add(value.wrapping_mul(scale.into()));
                }
                Some(other) => return other,
                None => return Value::Any,
            }
        }
        Value::Number(sum)
    }

    fn read(&self, instruction: &Instruction, operand: u32) -> Checked<Value> {
        let value = match instruction.op_kind(operand) {
            OpKind::Register => match number(instruction.op_register(operand)) {
                Some(number) => self.state.registers[number],
                None => Value::Any,
            },
            OpKind::Memory => match self.load(self.address(instruction))? {
                Some(value) => value,
                None => return Ok(None),
            },
            OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64 => {
                Value::Number(instruction.near_branch_target())
            }
            _ => Value::Number(instruction.immediate(operand)),
        };
        Ok(Some(narrow(value, size(instruction, operand))))
    }

    fn write(&mut self, instruction: &Instruction, operand: u32, value: Value) -> Checked<()> {
        let value = narrow(value, size(instruction, operand));
        match instruction.op_kind(operand) {
            OpKind::Register => {
                if let Some(number) = number(instruction.op_register(operand)) {
                    let whole = size(instruction, operand) >= 4;
                    self.state.registers[number] = if whole { value } else { Value::Any };
                }
                Ok(Some(()))
            }
            _ => self.store(self.address(instruction), value),
        }
    }

    fn compute(&mut self, instruction: &Instruction) -> Result<Flow, Violation> {
        let left = or_end!(self.read(instruction, 0));
        let right = or_end!(self.read(instruction, 1));
        let is_clearing = instruction.mnemonic() == Mnemonic::Xor
            && instruction.op1_kind() == OpKind::Register
            && instruction.op0_register() == instruction.op1_register();
        let value = match (left, right, instruction.mnemonic()) {
            _ if is_clearing => Value::Number(0),
            (Value::Number(a), Value::Number(b), Mnemonic::Add) => Value::Number(a.wrapping_add(b)),
            (Value::Number(a), Value::Number(b), Mnemonic::Sub) => Value::Number(a.wrapping_sub(b)),
            (Value::Number(a), Value::Number(b), Mnemonic::And) => Value::Number(a & b),
            (Value::Number(a), Value::Number(b), _) => Value::Number(a ^ b),
            _ => Value::Any,
        };
        self.state.comparison = match value {
            Value::Number(value) => Comparison::Result {
                equal: value == 0,
                below: false,
            },
            _ => Comparison::Unknown,
        };
        or_end!(self.write(instruction, 0, value));
        Ok(Flow::On)
    }

    fn compare(&mut self, instruction: &Instruction) -> Result<Flow, Violation> {
        let left = or_end!(self.read(instruction, 0));
        let right = or_end!(self.read(instruction, 1));
        let place = match instruction.op0_kind() {
            OpKind::Register => {
                number(instruction.op0_register()).map_or(Place::Elsewhere, Place::Register)
            }
            _ => match self.access(self.address(instruction), false)? {
                Access::Known(address) => Place::Word(address),
                _ => Place::Elsewhere,
            },
        };
        let is_test = instruction.mnemonic() == Mnemonic::Test;
        let same = is_test
            && instruction.op1_kind() == OpKind::Register
            && instruction.op0_register() == instruction.op1_register();
        self.state.comparison = match (left, right) {
            (Value::Flags, Value::Number(tested))
                if is_test && tested & HOSTILE_FLAGS == HOSTILE_FLAGS =>
            {
                Comparison::Hostile
            }
            (Value::Number(a), Value::Number(b)) if is_test => Comparison::Result {
                equal: a & b == 0,
                below: false,
            },
            (Value::Number(a), Value::Number(b)) => Comparison::Result {
                equal: a == b,
                below: a < b,
            },
            _ if same => Comparison::Open { place, with: 0 },
            (_, Value::Number(with)) if !is_test => Comparison::Open { place, with },
            _ => Comparison::Unknown,
        };
        Ok(Flow::On)
    }

    fn branch(&mut self, instruction: &Instruction) -> Flow {
        use ConditionCode::{ae, b, e, ne};
        let condition = instruction.condition_code();
        let target = instruction.near_branch_target();
        if let Comparison::Result { equal, below } = self.state.comparison {
            let taken = match condition {
                e => equal,
                ne => !equal,
                ae => !below,
                b => below,
                other => panic!("the model does not know {other:?}"),
            };
            if taken {
                self.state.instruction = target;
            }
            return Flow::On;
        }
        let mut taken = self.state.clone();
        taken.instruction = target;
        let (equal, other) = match condition {
            e => (&mut taken, &mut self.state),
            _ => (&mut self.state, &mut taken),
        };
        match equal.comparison {
            Comparison::Open { place, with } if matches!(condition, e | ne) => {
                refine(equal, place, with);
            }
            Comparison::Open { place, with }
                if condition == ae && with == CALLBACK_SLOTS as u64 =>
            {
                let mut empty = equal.clone();
                refine(equal, place, SLOT as u64);
                refine(&mut empty, place, EMPTY_SLOT as u64);
                self.forks.push(empty);
            }
            Comparison::Hostile => {
                equal.flags_are_clean = true;
                other.flags_are_clean = false;
            }
            _ => {}
        }
        self.forks.push(taken);
        Flow::On
    }

    /// What the model has no words for.
    fn lose(&mut self, instruction: &Instruction) -> Result<Flow, Violation> {
        let mut factory = InstructionInfoFactory::new();
        let info = factory.info(instruction);
        let writes = |access: OpAccess| {
            matches!(
                access,
                OpAccess::Write
                    | OpAccess::CondWrite
                    | OpAccess::ReadWrite
                    | OpAccess::ReadCondWrite
            )
        };
        for memory in info.used_memory() {
            let address = self.address(instruction);
            if writes(memory.access()) {
                or_end!(self.store(address, Value::Any));
            } else {
                or_end!(self.load(address));
            }
        }
        for register in info.used_registers() {
            if writes(register.access())
                && let Some(number) = number(register.register())
            {
                assert_ne!(number, RSP, "the model has to know `{instruction}`");
                self.state.registers[number] = Value::Any;
            }
        }
        self.state.comparison = Comparison::Unknown;
        Ok(Flow::On)
    }
}

fn refine(state: &mut State, place: Place, value: u64) {
    match place {
        Place::Register(number) => state.registers[number] = Value::Number(value),
        Place::Word(address) => state.set(address, value),
        Place::Elsewhere => {}
    }
}

fn size(instruction: &Instruction, operand: u32) -> usize {
    match instruction.op_kind(operand) {
        OpKind::Register => instruction.op_register(operand).size(),
        OpKind::Memory => instruction.memory_size().size(),
        _ => match instruction.op_kind(0) {
            OpKind::Register => instruction.op0_register().size(),
            OpKind::Memory => instruction.memory_size().size(),
            _ => 8,
        },
    }
}

fn narrow(value: Value, size: usize) -> Value {
    match (value, size) {
        (Value::Number(number), 1) => Value::Number(number & 0xff),
        (Value::Number(number), 2) => Value::Number(number & 0xffff),
        (Value::Number(number), 4) => Value::Number(number & 0xffff_ffff),
        (other, _) => other,
    }
}
