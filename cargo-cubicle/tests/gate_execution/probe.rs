//! Both ends of a call through a gate, in assembly: what every register held
//! before it, on arrival, at its return and behind it.
//!
//! ```text
//!   invoke ── BEFORE ──► gate ──► record ── ENTRY (written)
//!                                    │ hook, if there is one
//!   AFTER (written) ◄── gate ◄───── EXIT (loaded)
//! ```

use std::arch::{asm, global_asm};
use std::mem::offset_of;
use std::sync::LazyLock;

/// Words of stack arguments that a probe sets and reads.
pub const STACK_WORDS: usize = 32;
/// x87, SSE, AVX and AVX-512 in the numbering of XCR0.
const COMPONENTS: u64 = 0xe7;

/// Numbers of the general registers in [`Machine::general`].
pub const RAX: usize = 0;
pub const RBX: usize = 1;
pub const RCX: usize = 2;
pub const RDX: usize = 3;
pub const RSI: usize = 4;
pub const RDI: usize = 5;
pub const RBP: usize = 6;
pub const R8: usize = 7;
pub const R9: usize = 8;
pub const R10: usize = 9;
pub const R11: usize = 10;
pub const R12: usize = 11;
pub const R15: usize = 14;

/// Everything a program can see of a processor, as XSAVE lays it out, and more.
#[repr(C, align(64))]
#[derive(Clone)]
pub struct State {
    pub xsave: [u8; 4096],
    pub general: [u64; 15],
    pub stack: u64,
    pub flags: u64,
    pub fs: u64,
    pub words: [u64; STACK_WORDS],
}

impl State {
    pub const ZERO: State = State {
        xsave: [0; 4096],
        general: [0; 15],
        stack: 0,
        flags: 0,
        fs: 0,
        words: [0; STACK_WORDS],
    };

    /// Every register holds something that follows from `seed` and its number.
    pub fn dirty(seed: u64) -> State {
        let mut state = State::ZERO;
        for (number, register) in state.general.iter_mut().enumerate() {
            *register = seed << 32 | 0xa000 | number as u64;
        }
        for (number, word) in state.words.iter_mut().enumerate() {
            *word = seed << 48 | 0x57ac_0000 | number as u64;
        }
        state.flags = 0x202;
        for number in 0..32 {
            let lanes: Vec<u8> = (0..64).map(|lane| pattern(seed, number, lane)).collect();
            state.place_vector(number, &lanes);
        }
        let enabled = enabled();
        if enabled & 0x20 != 0 {
            let start = component(5);
            for byte in 0..64 {
                state.xsave[start + byte] = pattern(seed, 40, byte);
            }
        }
        for number in 0..8 {
            for byte in 0..10 {
                state.xsave[32 + 16 * number + byte] = pattern(seed, 50 + number, byte);
            }
        }
        state.set_x87(0x037f, 0, 0);
        state.set_mxcsr(0x1f80);
        state.xsave[512..520].copy_from_slice(&enabled.to_le_bytes());
        state
    }

    /// Control word, status word and the abridged tags (a bit for each
    /// register in use).
    pub fn set_x87(&mut self, control: u16, status: u16, tags: u8) {
        self.xsave[0..2].copy_from_slice(&control.to_le_bytes());
        self.xsave[2..4].copy_from_slice(&status.to_le_bytes());
        self.xsave[4] = tags;
    }

    pub fn x87(&self) -> (u16, u16, u8) {
        let half = |at: usize| u16::from_le_bytes([self.xsave[at], self.xsave[at + 1]]);
        (half(0), half(2), self.xsave[4])
    }

    /// Where the last x87 instruction and its operand were.
    pub fn set_x87_pointers(&mut self, instruction: u64, operand: u64) {
        self.xsave[8..16].copy_from_slice(&instruction.to_le_bytes());
        self.xsave[16..24].copy_from_slice(&operand.to_le_bytes());
    }

    pub fn x87_pointers(&self) -> (u64, u64) {
        let word = |at: usize| u64::from_le_bytes(self.xsave[at..at + 8].try_into().unwrap());
        (word(8), word(16))
    }

    /// The 80 bits of each x87 register.
    pub fn x87_registers(&self) -> Vec<&[u8]> {
        (0..8)
            .map(|number| &self.xsave[32 + 16 * number..42 + 16 * number])
            .collect()
    }

    pub fn set_mxcsr(&mut self, value: u32) {
        self.xsave[24..28].copy_from_slice(&value.to_le_bytes());
    }

    pub fn mxcsr(&self) -> u32 {
        u32::from_le_bytes(self.xsave[24..28].try_into().unwrap())
    }

    /// 64 bytes of vector register `number`; zero where there is none.
    pub fn vector(&self, number: usize) -> Vec<u8> {
        let mut lanes = vec![0; 64];
        for (from, to, bytes) in vector_places(number) {
            lanes[to..to + bytes].copy_from_slice(&self.xsave[from..from + bytes]);
        }
        lanes
    }

    pub fn place_vector(&mut self, number: usize, lanes: &[u8]) {
        for (at, from, bytes) in vector_places(number) {
            self.xsave[at..at + bytes].copy_from_slice(&lanes[from..from + bytes]);
        }
    }

    /// The eight mask registers.
    pub fn masks(&self) -> &[u8] {
        if enabled() & 0x20 == 0 {
            return &[];
        }
        &self.xsave[component(5)..component(5) + 64]
    }
}

fn pattern(seed: u64, number: usize, byte: usize) -> u8 {
    let value = seed as usize * 89 + number * 31 + byte * 7;
    (value % 255) as u8 + 1
}

/// Place in the area, place in the register, bytes: the parts of one register.
fn vector_places(number: usize) -> Vec<(usize, usize, usize)> {
    let enabled = enabled();
    let mut places = Vec::new();
    if number < 16 {
        places.push((160 + 16 * number, 0, 16));
        if enabled & 4 != 0 {
            places.push((component(2) + 16 * number, 16, 16));
        }
        if enabled & 0x40 != 0 {
            places.push((component(6) + 32 * number, 32, 32));
        }
    } else if enabled & 0x80 != 0 {
        places.push((component(7) + 64 * (number - 16), 0, 64));
    }
    places
}

/// What the kernel saves of what this module knows.
pub fn enabled() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: without XSAVE these tests fail here, which is what they should do.
    unsafe { asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") high) };
    (u64::from(high) << 32 | u64::from(low)) & COMPONENTS
}

/// Offset of a component in the standard format. Kept, because CPUID is slow in
/// a virtual machine.
fn component(number: u32) -> usize {
    static OFFSETS: LazyLock<[usize; 8]> = LazyLock::new(|| {
        std::array::from_fn(|component| match component {
            0 | 1 => 0,
            other => std::arch::x86_64::__cpuid_count(0xd, other as u32).ebx as usize,
        })
    });
    OFFSETS[number as usize]
}

// One test runs at a time (`World` holds the lock), so these need no other.
pub static mut BEFORE: State = State::ZERO;
pub static mut ENTRY: State = State::ZERO;
pub static mut EXIT: State = State::ZERO;
pub static mut AFTER: State = State::ZERO;
/// The address that `invoke` calls.
pub static mut GATE: u64 = 0;
/// What `record` calls before it loads EXIT: an `extern "C" fn()`, or zero.
pub static mut HOOK: u64 = 0;
/// How often `record` was entered.
pub static mut ENTERED: u64 = 0;
static mut OWN_STACK: u64 = 0;
static mut SCRATCH: State = State::ZERO;

unsafe extern "C" {
    pub fn gate_test_invoke();
    pub fn gate_test_record();
    /// Where `invoke` goes on behind the call, whatever was lost.
    pub fn gate_test_recover();
}

global_asm!(
    ".macro GATE_TEST_STORE state",
    "    mov [rip + \\state + {general}], rax",
    "    mov [rip + \\state + {general} + 8], rbx",
    "    mov [rip + \\state + {general} + 16], rcx",
    "    mov [rip + \\state + {general} + 24], rdx",
    "    mov [rip + \\state + {general} + 32], rsi",
    "    mov [rip + \\state + {general} + 40], rdi",
    "    mov [rip + \\state + {general} + 48], rbp",
    "    mov [rip + \\state + {general} + 56], r8",
    "    mov [rip + \\state + {general} + 64], r9",
    "    mov [rip + \\state + {general} + 72], r10",
    "    mov [rip + \\state + {general} + 80], r11",
    "    mov [rip + \\state + {general} + 88], r12",
    "    mov [rip + \\state + {general} + 96], r13",
    "    mov [rip + \\state + {general} + 104], r14",
    "    mov [rip + \\state + {general} + 112], r15",
    "    mov [rip + \\state + {stack}], rsp",
    "    pushfq",
    "    pop [rip + \\state + {flags}]",
    "    cld",
    "    rdfsbase rax",
    "    mov [rip + \\state + {fs}], rax",
    "    lea rdi, [rip + \\state]",
    "    mov eax, {components}",
    "    xor edx, edx",
    "    xsave64 [rdi]",
    ".endm",
    ".macro GATE_TEST_LOAD state",
    "    lea rdi, [rip + \\state]",
    "    mov eax, {components}",
    "    xor edx, edx",
    "    xrstor64 [rdi]",
    "    mov rax, [rip + \\state + {general}]",
    "    mov rbx, [rip + \\state + {general} + 8]",
    "    mov rcx, [rip + \\state + {general} + 16]",
    "    mov rdx, [rip + \\state + {general} + 24]",
    "    mov rsi, [rip + \\state + {general} + 32]",
    "    mov rdi, [rip + \\state + {general} + 40]",
    "    mov rbp, [rip + \\state + {general} + 48]",
    "    mov r8, [rip + \\state + {general} + 56]",
    "    mov r9, [rip + \\state + {general} + 64]",
    "    mov r10, [rip + \\state + {general} + 72]",
    "    mov r11, [rip + \\state + {general} + 80]",
    "    mov r12, [rip + \\state + {general} + 88]",
    "    mov r13, [rip + \\state + {general} + 96]",
    "    mov r14, [rip + \\state + {general} + 104]",
    "    mov r15, [rip + \\state + {general} + 112]",
    // Last, so that nothing but what follows runs with these flags.
    "    push [rip + \\state + {flags}]",
    "    popfq",
    ".endm",
    ".text",
    ".globl gate_test_invoke",
    "gate_test_invoke:",
    "    push rbx",
    "    push rbp",
    "    push r12",
    "    push r13",
    "    push r14",
    "    push r15",
    "    sub rsp, 8",
    "    mov [rip + {own}], rsp",
    "    rdfsbase rax",
    "    mov [rip + {before} + {fs}], rax",
    // The machine as Rust has it, to give it back.
    "    lea rdi, [rip + {scratch}]",
    "    mov eax, {components}",
    "    xor edx, edx",
    "    xsave64 [rdi]",
    "    sub rsp, 8 * {count}",
    "    cld",
    "    lea rsi, [rip + {before} + {words}]",
    "    mov rdi, rsp",
    "    mov ecx, {count}",
    "    rep movsq",
    "    mov [rip + {before} + {stack}], rsp",
    "    GATE_TEST_LOAD {before}",
    "    call [rip + {gate}]",
    "    GATE_TEST_STORE {after}",
    ".globl gate_test_recover",
    "gate_test_recover:",
    "    mov rax, [rip + {before} + {fs}]",
    "    wrfsbase rax",
    "    lea rdi, [rip + {scratch}]",
    "    mov eax, {components}",
    "    xor edx, edx",
    "    xrstor64 [rdi]",
    "    mov rsp, [rip + {own}]",
    "    add rsp, 8",
    "    pop r15",
    "    pop r14",
    "    pop r13",
    "    pop r12",
    "    pop rbp",
    "    pop rbx",
    "    ret",
    ".globl gate_test_record",
    "gate_test_record:",
    "    GATE_TEST_STORE {entry}",
    "    inc qword ptr [rip + {entered}]",
    "    lea rsi, [rsp + 8]",
    "    lea rdi, [rip + {entry} + {words}]",
    "    mov ecx, {count}",
    "    rep movsq",
    "    mov rax, [rip + {hook}]",
    "    test rax, rax",
    "    je 2f",
    "    sub rsp, 8",
    "    call rax",
    "    add rsp, 8",
    "2:",
    // What the gate keeps of the callee's own frame, in registers that a
    // function preserves.
    "    mov rax, [rip + {entry} + {general} + 8]",
    "    mov [rip + {exit} + {general} + 8], rax",
    "    mov rax, [rip + {entry} + {general} + 88]",
    "    mov [rip + {exit} + {general} + 88], rax",
    "    GATE_TEST_LOAD {exit}",
    "    ret",
    general = const offset_of!(State, general),
    stack = const offset_of!(State, stack),
    flags = const offset_of!(State, flags),
    fs = const offset_of!(State, fs),
    words = const offset_of!(State, words),
    count = const STACK_WORDS,
    components = const COMPONENTS,
    before = sym BEFORE,
    entry = sym ENTRY,
    exit = sym EXIT,
    after = sym AFTER,
    gate = sym GATE,
    hook = sym HOOK,
    entered = sym ENTERED,
    own = sym OWN_STACK,
    scratch = sym SCRATCH,
);
