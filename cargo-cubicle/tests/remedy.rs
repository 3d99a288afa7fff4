//! Instructions in other bytes (`images/remedy/rewrite.rs`): the original and each replacement run
//! natively with the same random registers, flags and memory, and must leave the same.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]
// One test on statics that assembly fills.
#![allow(static_mut_refs)]

use std::collections::BTreeMap;

use cargo_cubicle::gates::unintended;
use cargo_cubicle::images::remedy::{encode, equivalents};
use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register};

/// General registers in the order of their numbers, then RFLAGS.
type State = [u64; 17];
const RSP: usize = 4;
const FLAGS: usize = 16;

#[unsafe(no_mangle)]
static mut REMEDY_IN: State = [0; 17];
#[unsafe(no_mangle)]
static mut REMEDY_OUT: State = [0; 17];
#[unsafe(no_mangle)]
static mut REMEDY_CODE: u64 = 0;
#[unsafe(no_mangle)]
static mut REMEDY_STACK: u64 = 0;

// The code ends in `jmp [rip]` to `remedy_back`. Everything is loaded from and stored to statics, because
// no register is free.
core::arch::global_asm!(
    ".globl remedy_run, remedy_back",
    "remedy_run:",
    "push rbx; push rbp; push r12; push r13; push r14; push r15",
    "mov [rip + REMEDY_STACK], rsp",
    "push qword ptr [rip + REMEDY_IN + 128]",
    "popfq",
    "mov rax, [rip + REMEDY_IN]",
    "mov rcx, [rip + REMEDY_IN + 8]",
    "mov rdx, [rip + REMEDY_IN + 16]",
    "mov rbx, [rip + REMEDY_IN + 24]",
    "mov rsp, [rip + REMEDY_IN + 32]",
    "mov rbp, [rip + REMEDY_IN + 40]",
    "mov rsi, [rip + REMEDY_IN + 48]",
    "mov rdi, [rip + REMEDY_IN + 56]",
    "mov r8, [rip + REMEDY_IN + 64]",
    "mov r9, [rip + REMEDY_IN + 72]",
    "mov r10, [rip + REMEDY_IN + 80]",
    "mov r11, [rip + REMEDY_IN + 88]",
    "mov r12, [rip + REMEDY_IN + 96]",
    "mov r13, [rip + REMEDY_IN + 104]",
    "mov r14, [rip + REMEDY_IN + 112]",
    "mov r15, [rip + REMEDY_IN + 120]",
    "jmp [rip + REMEDY_CODE]",
    "remedy_back:",
    "mov [rip + REMEDY_OUT], rax",
    "mov [rip + REMEDY_OUT + 8], rcx",
    "mov [rip + REMEDY_OUT + 16], rdx",
    "mov [rip + REMEDY_OUT + 24], rbx",
    "mov [rip + REMEDY_OUT + 32], rsp",
    "mov [rip + REMEDY_OUT + 40], rbp",
    "mov [rip + REMEDY_OUT + 48], rsi",
    "mov [rip + REMEDY_OUT + 56], rdi",
    "mov [rip + REMEDY_OUT + 64], r8",
    "mov [rip + REMEDY_OUT + 72], r9",
    "mov [rip + REMEDY_OUT + 80], r10",
    "mov [rip + REMEDY_OUT + 88], r11",
    "mov [rip + REMEDY_OUT + 96], r12",
    "mov [rip + REMEDY_OUT + 104], r13",
    "mov [rip + REMEDY_OUT + 112], r14",
    "mov [rip + REMEDY_OUT + 120], r15",
    "mov rsp, [rip + REMEDY_STACK]",
    "pushfq",
    "pop qword ptr [rip + REMEDY_OUT + 128]",
    "cld",
    "pop r15; pop r14; pop r13; pop r12; pop rbp; pop rbx",
    "ret",
);

unsafe extern "C" {
    fn remedy_run();
    static remedy_back: u8;
}

/// xorshift64*: the same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// Memory that instructions may use: 2 GiB of it, of which only touched pages exist, so that
/// any displacement stays inside. Low, so that 32-bit registers can hold its middle.
const MEMORY: u64 = 0x2000_0000;
const MEMORY_SIZE: u64 = 0x8000_0000;
const MIDDLE: u64 = MEMORY + MEMORY_SIZE / 2;
/// How much is compared around an operand and the stack pointer, bytes to each side.
const COMPARED: u64 = 512;

fn map(address: u64, size: u64, executable: bool) {
    let protection =
        libc::PROT_READ | libc::PROT_WRITE | if executable { libc::PROT_EXEC } else { 0 };
    let flags =
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED_NOREPLACE;
    // SAFETY: new memory, nowhere near what is mapped.
    let mapped = unsafe { libc::mmap(address as *mut _, size as usize, protection, flags, -1, 0) };
    assert_eq!(
        mapped as u64,
        address,
        "{}",
        std::io::Error::last_os_error()
    );
}

const CODE: u64 = 0x1000_0000;

fn execute(instructions: &[Instruction], state: &State) -> State {
    let mut code = encode(instructions, CODE).unwrap();
    code.extend([0xff, 0x25, 0, 0, 0, 0]);
    // SAFETY: only the address is taken.
    code.extend((&raw const remedy_back as u64).to_le_bytes());
    // SAFETY: the code was judged harmless: it touches registers, the test's memory and nothing else.
    unsafe {
        std::ptr::copy_nonoverlapping(code.as_ptr(), CODE as *mut u8, code.len());
        REMEDY_IN = *state;
        REMEDY_CODE = CODE;
        remedy_run();
        REMEDY_OUT
    }
}

fn number(register: Register) -> Option<usize> {
    let full = register.full_register();
    full.is_gpr64()
        .then(|| full as usize - Register::RAX as usize)
}

/// Random values with which the operand in memory is inside of the test's memory.
fn state(one: &Instruction, random: &mut Random) -> Option<(State, Option<u64>)> {
    let mut state: State = std::array::from_fn(|_| random.next());
    // Arithmetic flags and direction; bit 1 is always set.
    state[FLAGS] = random.next() & 0x8d5 | 2;
    // A stack far from what other registers point to.
    state[RSP] = MIDDLE + 0x100_0000 + (random.below(1 << 16) & !7);
    let memory = (0..one.op_count()).any(|index| one.op_kind(index) == OpKind::Memory);
    if !memory {
        return Some((state, None));
    }
    let scale = u64::from(one.memory_index_scale());
    let mut address = one.memory_displacement64();
    let (base, index) = (number(one.memory_base()), number(one.memory_index()));
    if let Some(index) = index.filter(|index| *index != RSP) {
        state[index] = random.below(1 << 12);
        address = address.wrapping_add(state[index] * scale);
    }
    match base {
        Some(RSP) => address = address.wrapping_add(state[RSP]),
        Some(base) if Some(base) == index => {
            let each = MIDDLE / (scale + 1);
            state[base] = each;
            address = one.memory_displacement64().wrapping_add(each * (scale + 1));
        }
        Some(base) => {
            state[base] = MIDDLE + random.below(1 << 16);
            address = address.wrapping_add(state[base]);
        }
        None => {}
    }
    let inside = MEMORY + 4096..MEMORY + MEMORY_SIZE - 4096;
    // Below the red zone nobody may rely on anything.
    let near_stack = (state[RSP] - 4096..state[RSP] + 4096).contains(&address);
    let usable = !near_stack || address >= state[RSP] + COMPARED;
    (inside.contains(&address) && usable).then_some((state, Some(address)))
}

fn window(middle: u64) -> &'static mut [u8] {
    // SAFETY: mapped, and used by one piece of code at a time.
    unsafe { std::slice::from_raw_parts_mut((middle - COMPARED) as *mut u8, 2 * COMPARED as usize) }
}

/// Runs both from the same state and says what differs.
fn compare(
    one: &Instruction,
    other: &[Instruction],
    (state, address): &(State, Option<u64>),
    seed: u64,
) -> Result<(), String> {
    let places: Vec<u64> = address
        .iter()
        .copied()
        .chain([state[RSP] + COMPARED - 128])
        .collect();
    let run = |instructions: &[Instruction]| {
        let mut random = Random(seed);
        for place in &places {
            window(*place).fill_with(|| random.next() as u8);
        }
        let after = execute(instructions, state);
        let memory: Vec<Vec<u8>> = places.iter().map(|place| window(*place).to_vec()).collect();
        (after, memory)
    };
    let (before, memory) = run(std::slice::from_ref(one));
    let (after, other_memory) = run(other);
    // Of `test`, `and` and their kin AF is undefined, but the processor is the same.
    if before != after {
        return Err(format!("registers {before:x?}\nbecame {after:x?}"));
    }
    if memory != other_memory {
        return Err("memory differs".to_owned());
    }
    Ok(())
}

/// May it run here at all?
fn harmless(one: &Instruction) -> bool {
    use Mnemonic::*;
    let known = matches!(
        one.mnemonic(),
        Mov | Movzx
            | Movsx
            | Movsxd
            | Lea
            | Add
            | Or
            | Adc
            | Sbb
            | And
            | Sub
            | Xor
            | Cmp
            | Test
            | Imul
            | Push
            | Inc
            | Dec
            | Neg
            | Not
            | Rol
            | Ror
            | Rcl
            | Rcr
            | Shl
            | Shr
            | Sar
            | Xchg
            | Shld
            | Shrd
            | Bt
            | Bts
            | Cmovne
            | Cmove
            | Sete
            | Xadd
    );
    let segment = matches!(one.segment_prefix(), Register::FS | Register::GS);
    // Bit offsets in registers reach anywhere.
    let far = matches!(one.mnemonic(), Bt | Bts) && one.op_kind(1) == OpKind::Register;
    let stack = (0..one.op_count()).any(|index| {
        one.op_kind(index) == OpKind::Register && number(one.op_register(index)) == Some(RSP)
    });
    let selectors = (0..one.op_count()).any(|index| {
        one.op_kind(index) == OpKind::Register && one.op_register(index).is_segment_register()
    });
    let wide = |part: Register| part == Register::None || part.is_gpr64();
    known
        && one.flow_control() == FlowControl::Next
        && !one.is_ip_rel_memory_operand()
        && wide(one.memory_base())
        && wide(one.memory_index())
        && !(far || segment || stack || selectors)
        && !one.is_invalid()
}

const PATTERNS: [&[u8]; 7] = [
    &[0x0f, 0x01, 0xef],
    &[0x0f, 0xae, 0x28],
    &[0x0f, 0xae, 0x6c],
    &[0x0f, 0xae, 0xd1],
    &[0x0f, 0xc7, 0x1d],
    &[0xd5, 0x80, 0x01, 0xef],
    &[0xd5, 0x91, 0xae, 0x2f],
];

/// Bytes of an instruction with a pattern somewhere behind the opcode.
fn bytes(random: &mut Random) -> Vec<u8> {
    let mut bytes = Vec::new();
    match random.below(8) {
        0 => bytes.push(0x66),
        1 => bytes.push(0xf0),
        _ => {}
    }
    if random.below(2) == 0 {
        bytes.push(0x40 | random.below(16) as u8);
    }
    if random.below(5) == 0 {
        bytes.push(0x0f);
    }
    let behind = bytes.len() + 1 + random.below(6) as usize;
    bytes.push(random.next() as u8);
    while bytes.len() < behind {
        bytes.push(random.next() as u8);
    }
    let pattern = PATTERNS[random.below(PATTERNS.len() as u64) as usize];
    bytes.extend(pattern);
    while bytes.len() < 15 {
        bytes.push(random.next() as u8);
    }
    bytes
}

#[test]
fn replacements_do_the_same_and_hold_no_forbidden_bytes() {
    map(MEMORY, MEMORY_SIZE, false);
    map(CODE, 4096, true);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut tried: BTreeMap<String, usize> = BTreeMap::new();
    let (mut without, mut compared) = (BTreeMap::new(), 0);
    for _ in 0..1_500_000 {
        let bytes = bytes(&mut random);
        let one = Decoder::with_ip(64, &bytes, CODE, DecoderOptions::NONE).decode();
        let inside = &bytes[..one.len()];
        // The pattern is in this one instruction, and in no part that its form decides.
        if !harmless(&one) || unintended::all(inside).next().is_none() {
            continue;
        }
        let code = format!("{:?}", one.code());
        if tried.get(&code).is_some_and(|times| *times >= 20) {
            continue;
        }
        let Some(start) = state(&one, &mut random) else {
            continue;
        };
        let others: Vec<_> = equivalents(&one, true);
        let clean = others.iter().any(|other| {
            encode(other, CODE).is_some_and(|code| unintended::all(&code).next().is_none())
        });
        if !clean {
            without.insert(code, format!("{one}: {inside:02x?}"));
            continue;
        }
        *tried.entry(code).or_default() += 1;
        for other in &others {
            if encode(other, CODE).is_none() {
                continue;
            }
            let seed = random.next();
            if let Err(wrong) = compare(&one, other, &start, seed) {
                let listed: Vec<String> = other.iter().map(ToString::to_string).collect();
                panic!("{one} {inside:02x?} is not {listed:?} from {start:x?}: {wrong}");
            }
            compared += 1;
        }
    }
    eprintln!(
        "{compared} replacements of {} instructions of {} kinds; none for {without:#?}",
        tried.values().sum::<usize>(),
        tried.len()
    );
    assert!(tried.len() > 200, "{tried:?}");
}
