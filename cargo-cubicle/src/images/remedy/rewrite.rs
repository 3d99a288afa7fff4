//! Instructions that do the same in other bytes: every register, every flag and all memory
//! but what lies below the red zone is afterwards as it would have been.
//! `tests/remedy.rs` executes both and compares.

use iced_x86::{
    BlockEncoder, BlockEncoderOptions, Code, Instruction, InstructionBlock, InstructionInfoFactory,
    MemoryOperand, Mnemonic, OpKind, Register,
};

/// What a function may use below its stack pointer, bytes (System V ABI, 3.2.2).
const RED_ZONE: i64 = 128;
/// How far a scratch register's old value moves the stack pointer: red zone and one word.
const SAVED: i64 = RED_ZONE + 8;
/// What displacements are split by. One byte more or less already moves a pattern; the larger
/// ones change bytes further up.
const SPLITS: [i64; 6] = [0, 64, -64, 0x1100, 0x11_0000, -0x11_0000];
/// Registers that need no REX prefix, so that they stand beside AH and its kin.
const SCRATCH: [(Register, Register); 7] = [
    (Register::RAX, Register::EAX),
    (Register::RCX, Register::ECX),
    (Register::RDX, Register::EDX),
    (Register::RBX, Register::EBX),
    (Register::RSI, Register::ESI),
    (Register::RDI, Register::EDI),
    (Register::RBP, Register::EBP),
];

/// The machine code of `instructions` at `address`; branches and operands relative to RIP lead
/// where they led.
pub fn encode(instructions: &[Instruction], address: u64) -> Option<Vec<u8>> {
    let block = InstructionBlock::new(instructions, address);
    let encoded = BlockEncoder::encode(64, block, BlockEncoderOptions::NONE).ok()?;
    Some(encoded.code_buffer)
}

/// Sequences that can stand for one instruction, the cheapest first. `ordinary_stack`: what
/// lies below the red zone is free, so registers can be saved there.
pub fn equivalents(instruction: &Instruction, ordinary_stack: bool) -> Vec<Vec<Instruction>> {
    let mut all = Vec::new();
    all.extend(constant(instruction));
    all.extend(pushed(instruction));
    all.extend(loads(instruction));
    if ordinary_stack && !uses_stack_implicitly(instruction) {
        for (scratch, half) in SCRATCH
            .into_iter()
            .filter(|(s, _)| is_free(instruction, *s))
        {
            all.extend(places(instruction, scratch));
            all.extend(constants(instruction, scratch, half));
        }
    }
    all
}

/// `mov r, x` ► `mov r, !x; not r`: NOT leaves all flags alone.
fn constant(one: &Instruction) -> Vec<Vec<Instruction>> {
    let register = one.op0_register();
    let (inverted, not) = match one.code() {
        Code::Mov_r32_imm32 => (
            Instruction::with2(one.code(), register, !one.immediate32()),
            Code::Not_rm32,
        ),
        Code::Mov_r64_imm64 => (
            Instruction::with2(one.code(), register, !one.immediate64()),
            Code::Not_rm64,
        ),
        Code::Mov_rm32_imm32 if one.op0_kind() == OpKind::Register => (
            Instruction::with2(one.code(), register, !one.immediate32()),
            Code::Not_rm32,
        ),
        Code::Mov_rm64_imm32 if one.op0_kind() == OpKind::Register => (
            Instruction::with2(one.code(), register, !(one.immediate32to64() as i32)),
            Code::Not_rm64,
        ),
        _ => return Vec::new(),
    };
    sequence([inverted, Instruction::with1(not, register)])
}

/// `push x` ► `push !x; not [rsp]`.
fn pushed(one: &Instruction) -> Vec<Vec<Instruction>> {
    if one.code() != Code::Pushq_imm32 {
        return Vec::new();
    }
    let top = MemoryOperand::with_base(Register::RSP);
    sequence([
        Instruction::with1(one.code(), !(one.immediate32to64() as i32)),
        Instruction::with1(Code::Not_rm64, top),
    ])
}

/// What loads a register from a place can compute the place in that register.
fn loads(one: &Instruction) -> Vec<Vec<Instruction>> {
    use Mnemonic::{Lea, Mov, Movsx, Movsxd, Movzx};
    let target = one.op0_register();
    let plain = matches!(one.mnemonic(), Lea | Mov | Movsx | Movsxd | Movzx)
        && one.op0_kind() == OpKind::Register
        && (target.is_gpr32() || target.is_gpr64())
        && target.full_register() != Register::RSP
        && one.op1_kind() == OpKind::Memory;
    if !plain {
        return Vec::new();
    }
    split(one, target.full_register(), 0)
        .into_iter()
        .map(Vec::from)
        .collect()
}

/// The operand in memory by way of a scratch register.
fn places(one: &Instruction, scratch: Register) -> Vec<Vec<Instruction>> {
    split(one, scratch, SAVED)
        .into_iter()
        .map(|pair| saved(scratch, &pair))
        .collect()
}

/// `lea register, place - d` and the instruction itself with `[register + d]`. By `lower` bytes
/// the stack pointer is below what it was.
fn split(one: &Instruction, register: Register, lower: i64) -> Vec<[Instruction; 2]> {
    let has_memory = (0..one.op_count()).any(|index| one.op_kind(index) == OpKind::Memory);
    let (base, index) = (one.memory_base(), one.memory_index());
    let wide = |part: Register| part == Register::None || part.is_gpr64();
    let relative = base == Register::RIP;
    // Of 32-bit addresses the sum is cut; of vectors of them there are many.
    if !has_memory || !(relative || wide(base)) || !wide(index) {
        return Vec::new();
    }
    let shift = if base == Register::RSP { lower } else { 0 };
    let displacement = one.memory_displacement64() as i64;
    SPLITS
        .iter()
        .filter_map(|part| {
            let start = displacement.checked_add(shift)?.checked_sub(*part)?;
            if !relative {
                i32::try_from(start).ok()?;
            }
            let place = MemoryOperand::new(
                base,
                index,
                one.memory_index_scale(),
                start,
                if relative || start != 0 { 8 } else { 0 },
                false,
                Register::None,
            );
            let lea = Instruction::with2(Code::Lea_r64_m, register, place).ok()?;
            let mut rest = *one;
            rest.set_memory_base(register);
            rest.set_memory_index(Register::None);
            rest.set_memory_index_scale(1);
            rest.set_memory_displacement64(*part as u64);
            rest.set_memory_displ_size(if *part == 0 { 0 } else { 8 });
            Some([lea, rest])
        })
        .collect()
}

/// The constant by way of a scratch register.
fn constants(one: &Instruction, scratch: Register, half: Register) -> Vec<Vec<Instruction>> {
    let Some(with_register) = with_register(one, scratch, half) else {
        return Vec::new();
    };
    let value = !(one.immediate(one.op_count() - 1) as i32);
    let Ok(load) = Instruction::with2(Code::Mov_rm64_imm32, scratch, value) else {
        return Vec::new();
    };
    let Ok(not) = Instruction::with1(Code::Not_rm64, scratch) else {
        return Vec::new();
    };
    let mut inner = vec![load, not];
    inner.extend(with_register);
    vec![saved(scratch, &inner)]
}

/// The form of an instruction that takes its constant from a register.
fn with_register(one: &Instruction, wide: Register, half: Register) -> Option<Vec<Instruction>> {
    use Code::*;
    // A product has a target of its own.
    let product = match one.code() {
        Imul_r32_rm32_imm32 => Some((Imul_r32_rm32, half, Mov_r32_rm32)),
        Imul_r64_rm64_imm32 => Some((Imul_r64_rm64, wide, Mov_r64_rm64)),
        _ => None,
    };
    if let Some((multiply, scratch, copy)) = product {
        let target = one.op0_register();
        if target.full_register() == Register::RSP || one.op1_register() == Register::RSP {
            return None;
        }
        let times = match one.op1_kind() {
            OpKind::Register => Instruction::with2(multiply, scratch, one.op1_register()),
            OpKind::Memory => Instruction::with2(multiply, scratch, memory(one)?),
            _ => return None,
        };
        return Some(vec![
            times.ok()?,
            Instruction::with2(copy, target, scratch).ok()?,
        ]);
    }
    let (code, scratch) = match one.code() {
        Add_EAX_imm32 | Add_rm32_imm32 => (Add_rm32_r32, half),
        Or_EAX_imm32 | Or_rm32_imm32 => (Or_rm32_r32, half),
        Adc_EAX_imm32 | Adc_rm32_imm32 => (Adc_rm32_r32, half),
        Sbb_EAX_imm32 | Sbb_rm32_imm32 => (Sbb_rm32_r32, half),
        And_EAX_imm32 | And_rm32_imm32 => (And_rm32_r32, half),
        Sub_EAX_imm32 | Sub_rm32_imm32 => (Sub_rm32_r32, half),
        Xor_EAX_imm32 | Xor_rm32_imm32 => (Xor_rm32_r32, half),
        Cmp_EAX_imm32 | Cmp_rm32_imm32 => (Cmp_rm32_r32, half),
        Test_EAX_imm32 | Test_rm32_imm32 => (Test_rm32_r32, half),
        Mov_rm32_imm32 => (Mov_rm32_r32, half),
        Add_RAX_imm32 | Add_rm64_imm32 => (Add_rm64_r64, wide),
        Or_RAX_imm32 | Or_rm64_imm32 => (Or_rm64_r64, wide),
        Adc_RAX_imm32 | Adc_rm64_imm32 => (Adc_rm64_r64, wide),
        Sbb_RAX_imm32 | Sbb_rm64_imm32 => (Sbb_rm64_r64, wide),
        And_RAX_imm32 | And_rm64_imm32 => (And_rm64_r64, wide),
        Sub_RAX_imm32 | Sub_rm64_imm32 => (Sub_rm64_r64, wide),
        Xor_RAX_imm32 | Xor_rm64_imm32 => (Xor_rm64_r64, wide),
        Cmp_RAX_imm32 | Cmp_rm64_imm32 => (Cmp_rm64_r64, wide),
        Test_RAX_imm32 | Test_rm64_imm32 => (Test_rm64_r64, wide),
        Mov_rm64_imm32 => (Mov_rm64_r64, wide),
        _ => return None,
    };
    let mut other = match one.op0_kind() {
        OpKind::Register if one.op0_register().full_register() != Register::RSP => {
            Instruction::with2(code, one.op0_register(), scratch)
        }
        OpKind::Memory => Instruction::with2(code, memory(one)?, scratch),
        _ => return None,
    }
    .ok()?;
    other.set_has_lock_prefix(one.has_lock_prefix());
    other.set_has_xacquire_prefix(one.has_xacquire_prefix());
    other.set_has_xrelease_prefix(one.has_xrelease_prefix());
    Some(vec![other])
}

/// The operand in memory, while a register is saved.
fn memory(one: &Instruction) -> Option<MemoryOperand> {
    let base = one.memory_base();
    let shift = match base {
        Register::RSP => SAVED,
        // The stack pointer cut to 32 bits would have to be cut again.
        Register::ESP => return None,
        _ => 0,
    };
    let displacement = (one.memory_displacement64() as i64).checked_add(shift)?;
    if base != Register::RIP && i32::try_from(displacement).is_err() {
        return None;
    }
    Some(MemoryOperand::new(
        base,
        one.memory_index(),
        one.memory_index_scale(),
        displacement,
        one.memory_displ_size().max(u32::from(displacement != 0)),
        false,
        one.segment_prefix(),
    ))
}

/// Saves a register below the red zone, and leaves no flag changed.
///
/// ```text
///   rsp ─►  red zone, 128 bytes
///           the register's value  ◄─ rsp in between
/// ```
fn saved(register: Register, inner: &[Instruction]) -> Vec<Instruction> {
    let stack = |distance: i64| {
        let place = MemoryOperand::with_base_displ(Register::RSP, distance);
        Instruction::with2(Code::Lea_r64_m, Register::RSP, place)
    };
    let around = || {
        Ok::<_, iced_x86::IcedError>([
            stack(-RED_ZONE)?,
            Instruction::with1(Code::Push_r64, register)?,
            Instruction::with1(Code::Pop_r64, register)?,
            stack(RED_ZONE)?,
        ])
    };
    let Ok([below, push, pop, back]) = around() else {
        return Vec::new();
    };
    let mut all = vec![below, push];
    all.extend(inner);
    all.extend([pop, back]);
    all
}

fn sequence(parts: [Result<Instruction, iced_x86::IcedError>; 2]) -> Vec<Vec<Instruction>> {
    match parts {
        [Ok(first), Ok(second)] => vec![vec![first, second]],
        _ => Vec::new(),
    }
}

fn is_free(one: &Instruction, register: Register) -> bool {
    let mut factory = InstructionInfoFactory::new();
    let info = factory.info(one);
    let used = info.used_registers().iter();
    let mut used = used.map(|used| used.register().full_register());
    !used.any(|used| used == register)
}

/// Does it use the stack pointer otherwise than as the base of an operand?
fn uses_stack_implicitly(one: &Instruction) -> bool {
    let operand = (0..one.op_count()).any(|index| {
        one.op_kind(index) == OpKind::Register
            && one.op_register(index).full_register() == Register::RSP
    });
    operand
        || one.is_stack_instruction()
        || one.memory_base() == Register::ESP
        || one.memory_index().full_register() == Register::RSP
}
