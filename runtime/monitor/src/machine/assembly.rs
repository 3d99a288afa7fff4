//! The monitor's assembly: everything that executes WRPKRU outside the gates,
//! and every change of stack.
//!
//! Each WRPKRU here raises to the monitor's rights or lowers to a cubicle's.
//! Anybody can jump to it with any registers, so behind it nothing is believed
//! but what lies in key-0 memory, found through the thread block:
//!
//! * the signal entry requires `SignalHeader::proof`, which only code with
//!   key-0 rights can have set, and takes stack and context from the header;
//! * the return from a system call requires `Thread::call_proof`, and takes
//!   the stack from it;
//! * lowering proves nothing and gains nothing; the `syscall` behind it is
//!   dispatched, because the selector of whoever jumps here says *block*.

use super::memory::move_bytes;
use super::signals::SignalContext;
use super::thread::{CALL_PROOF, DUE};
use core::arch::global_asm;
use core::mem::offset_of;
use cubicle_abi::signal_stack::{SIGNAL_STACK, SignalHeader};
use cubicle_abi::thread_block::ThreadBlock;

/// What a call answers that was not made because a signal came first
/// (ERESTARTNOINTR: no kernel shows it to a program).
pub const NOT_MADE: i64 = -513;

unsafe extern "C" {
    /// The handler of every signal, with keys: the kernel enters it.
    pub fn cubicle_signal_entry_keys();
    /// The same without keys.
    pub fn cubicle_signal_entry_plain();
    /// What the kernel returns to from a handler.
    pub fn cubicle_signal_return();
    /// Returns as if from a handler, to what the context says.
    pub fn cubicle_return(context: *const SignalContext) -> !;
    /// Runs a cubicle through its resume stub until [`cubicle_back`].
    pub fn cubicle_enter(stub: u64) -> u64;
    /// Goes back to the last [`cubicle_enter`], which returns `value`.
    pub fn cubicle_back(value: u64) -> !;
    /// Lets a cubicle run on through its resume stub, for good.
    pub fn cubicle_resume(stub: u64) -> !;
    /// Where a handler sends a fault that is to be contained.
    pub fn cubicle_contain();
    /// Raises to the monitor's rights, once, at start.
    pub fn cubicle_raise_first();
    /// Leaves the monitor's stack for a cubicle's resume stub, for good.
    pub fn cubicle_leave(stub: u64) -> !;
    /// `call_as` with keys: number and six arguments, and the rights.
    pub fn cubicle_call_as_keys(call: *const [u64; 7], rights: u32) -> i64;
    /// The same with the rights in force.
    pub fn cubicle_call_plain(call: *const [u64; 7]) -> i64;
    /// Where those two look for a signal, and behind their `syscall`.
    pub static cubicle_call_keys_begin: [u8; 0];
    pub static cubicle_call_keys_end: [u8; 0];
    /// Behind the raise that follows.
    pub static cubicle_call_keys_raised: [u8; 0];
    pub static cubicle_call_plain_begin: [u8; 0];
    pub static cubicle_call_plain_end: [u8; 0];
    /// What is stepped through when a signal is on its way, with the ends.
    pub fn cubicle_system_call();
    pub fn cubicle_gate_enter();
    pub fn cubicle_switch_pages();
    pub static cubicle_system_call_end: [u8; 0];
    pub static cubicle_gate_end: [u8; 0];
    pub static cubicle_switch_end: [u8; 0];
    pub static cubicle_enter_end: [u8; 0];
    /// Copies; returns how many bytes could not be, because of a fault.
    pub fn cubicle_copy(to: u64, from: u64, bytes: u64) -> u64;
    /// Makes zeroes of it; returns as `cubicle_copy`.
    pub fn cubicle_clear(to: u64, bytes: u64) -> u64;
    /// Length of a string with its zero byte, at most `limit`; more than
    /// `limit` if a fault or the limit came first.
    pub fn cubicle_string(at: u64, limit: u64) -> u64;
    /// If the word at `at` is `old`, makes it `new`. 0: done; 1: it was another;
    /// 2: a fault.
    pub fn cubicle_exchange(at: u64, old: u32, new: u32) -> u64;
    /// `clone` with these flags: answers the new thread's id, which the kernel also
    /// writes to `id`; or an error number, negative. The new thread or process
    /// runs `begin` on `stack`, with GS at `block`.
    pub fn cubicle_clone(
        flags: u64,
        stack: u64,
        id: *mut u32,
        block: *mut ThreadBlock,
        begin: extern "C" fn() -> !,
    ) -> i64;
    /// First byte of what may fault, where a fault continues, and the end.
    pub static cubicle_copy_begin: [u8; 0];
    pub static cubicle_copy_fault: [u8; 0];
    pub static cubicle_copy_end: [u8; 0];
    /// First and last byte (exclusive) of the monitor's text.
    pub static __executable_start: [u8; 0];
    pub static etext: [u8; 0];
}

/// On the way to text that is stepped through: sets the trap flag if a signal is
/// on its way, so that the first step ends behind the jump that follows. Takes 8
/// bytes of the stack, loses the flags and the register that it is given.
macro_rules! step_if_due {
    ($register:literal) => {
        concat!(
            "    mov ",
            $register,
            ", gs:[{state}]\n",
            "    cmp dword ptr [",
            $register,
            " + {due}], 0\n",
            "    je 7f\n",
            "    pushfq\n",
            "    or dword ptr [rsp], 0x100\n",
            "    popfq\n",
            "7:",
        )
    };
}

global_asm!(
    ".section .text.cubicle_start,\"ax\",@progbits",
    ".globl _start",
    "_start:",
    "    xor ebp, ebp",
    "    mov rdi, rsp",
    "    and rsp, -16",
    "    call {start}",
    "    ud2",
    start = sym crate::process::start::start,
);

// Entry of a signal. The kernel has put its frame on the signal stack (key 0)
// and PKRU to its initial value, which can write key 0 and nothing else:
//
//   rsp ──► return address (cubicle_signal_return)
//           ucontext_t, siginfo_t
//   …
//   SignalHeader at the stack's lowest address
global_asm!(
    ".section .text.cubicle_signals,\"ax\",@progbits",
    ".globl cubicle_signal_entry_keys",
    "cubicle_signal_entry_keys:",
    "    mov rax, rsp",
    "    and rax, {mask}",
    // A selector load zeroes the GS base (rule 6).
    "    rdgsbase rcx",
    "    cmp rcx, [rax + {block}]",
    "    jne 9f",
    "    mov [rax + {signal}], rdi",
    "    mov [rax + {information}], rsi",
    "    mov [rax + {context}], rdx",
    "    mov [rax + {stack}], rsp",
    "    mov qword ptr [rax + {proof}], 1",
    "    xor eax, eax",
    "    xor ecx, ecx",
    "    xor edx, edx",
    "    wrpkru",
    "    test eax, eax",
    "    jne 9f",
    "    rdgsbase ecx",
    "    mov rax, gs:[{header}]",
    "    cmp qword ptr [rax + {proof}], 1",
    "    jne 9f",
    "    mov qword ptr [rax + {proof}], 0",
    "    rdgsbase rcx",
    "    cmp rcx, [rax + {block}]",
    "    jne 9f",
    "2:",
    "    mov rsp, [rax + {stack}]",
    "    movzx ecx, byte ptr gs:[{selector}]",
    "    mov [rax + {previous}], rcx",
    "    mov byte ptr gs:[{selector}], 0",
    "    cld",
    "    mov rdi, rax",
    "    sub rsp, 8",
    "    call {handler}",
    "    mov rax, gs:[{header}]",
    "    mov rsp, [rax + {stack}]",
    "    ret",
    "9:",
    // Every signal is blocked here, so this one ends the process.
    "    ud2",
    ".globl cubicle_signal_entry_plain",
    "cubicle_signal_entry_plain:",
    "    mov rax, gs:[{header}]",
    "    mov [rax + {signal}], rdi",
    "    mov [rax + {information}], rsi",
    "    mov [rax + {context}], rdx",
    "    mov [rax + {stack}], rsp",
    "    jmp 2b",
    ".globl cubicle_return",
    "cubicle_return:",
    "    mov rsp, rdi",
    ".globl cubicle_signal_return",
    "cubicle_signal_return:",
    "    mov eax, 15",
    "    syscall",
    "    ud2",
    mask = const -(SIGNAL_STACK as i64),
    proof = const offset_of!(SignalHeader, proof),
    block = const offset_of!(SignalHeader, block),
    signal = const offset_of!(SignalHeader, signal),
    information = const offset_of!(SignalHeader, information),
    context = const offset_of!(SignalHeader, context),
    stack = const offset_of!(SignalHeader, stack),
    previous = const offset_of!(SignalHeader, selector),
    header = const offset_of!(ThreadBlock, signal_header),
    selector = const offset_of!(ThreadBlock, selector),
    handler = sym super::signals::handle,
);

// The first raise. Later it must not serve anybody: `started` is key-0 memory.
global_asm!(
    ".section .text.cubicle_raise,\"ax\",@progbits",
    ".globl cubicle_raise_first",
    "cubicle_raise_first:",
    "    xor eax, eax",
    "    xor ecx, ecx",
    "    xor edx, edx",
    "    wrpkru",
    "    test eax, eax",
    "    jne 9f",
    "    rdgsbase ecx",
    "    cmp byte ptr [rip + {started}], 0",
    "    jne 9f",
    "    mov byte ptr [rip + {started}], 1",
    "    ret",
    "9:",
    "    ud2",
    started = sym super::rights::RAISED,
);

// From a system-call gate, with all rights, on the monitor's stack:
//
//   number rdi rsi rdx r10 r8 r9 instruction    pushed by the gate
//   return address into the gate
//   rbx rbp r12 r13 r14 r15
//   xmm15 … xmm0                                ◄── Registers
global_asm!(
    ".section .text.cubicle_system_call,\"ax\",@progbits",
    ".globl cubicle_system_call",
    "cubicle_system_call:",
    "    push rbx",
    "    push rbp",
    "    push r12",
    "    push r13",
    "    push r14",
    "    push r15",
    "    sub rsp, 256",
    "    .irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
    "    movups [rsp + 16*\\r], xmm\\r",
    "    .endr",
    "    mov rdi, rsp",
    "    sub rsp, 8",
    "    call {dispatch}",
    "    add rsp, 8",
    "    .irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
    "    movups xmm\\r, [rsp + 16*\\r]",
    "    .endr",
    "    add rsp, 256",
    "    pop r15",
    "    pop r14",
    "    pop r13",
    "    pop r12",
    "    pop rbp",
    "    pop rbx",
    step_if_due!("rcx"),
    "    ret",
    ".globl cubicle_system_call_end",
    "cubicle_system_call_end:",
    state = const offset_of!(ThreadBlock, state),
    due = const DUE,
    dispatch = sym crate::system_calls::dispatch::dispatch,
);

// From a lending gate, with all rights, on the monitor's stack. The vector
// registers that carry arguments or results must survive.
global_asm!(
    ".section .text.cubicle_gate,\"ax\",@progbits",
    ".macro CUBICLE_LEND name, function",
    ".globl \\name",
    "\\name:",
    "    sub rsp, 136",
    "    .irp r,0,1,2,3,4,5,6,7",
    "    movups [rsp + 16*\\r], xmm\\r",
    "    .endr",
    "    cld",
    "    mov byte ptr gs:[{selector}], 0",
    "    call \\function",
    "    mov byte ptr gs:[{selector}], 1",
    "    .irp r,0,1,2,3,4,5,6,7",
    "    movups xmm\\r, [rsp + 16*\\r]",
    "    .endr",
    "    add rsp, 136",
    step_if_due!("rcx"),
    "    ret",
    ".endm",
    "CUBICLE_LEND cubicle_gate_enter, {enter}",
    "CUBICLE_LEND cubicle_gate_leave, {leave}",
    ".globl cubicle_gate_end",
    "cubicle_gate_end:",
    state = const offset_of!(ThreadBlock, state),
    due = const DUE,
    selector = const offset_of!(ThreadBlock, selector),
    enter = sym crate::process::lends::enter,
    leave = sym crate::process::lends::leave,
);

// Page tables instead of WRPKRU: eax holds the rights, rcx where to go on.
// Everything else survives, and the stack is not touched: behind the switch it
// may be out of reach.
//
//   monitor's stack: rsi rdi r8 r9 r10 r11, the return address, the selector,
//                    xmm15 … xmm0
global_asm!(
    ".section .text.cubicle_switch,\"ax\",@progbits",
    ".globl cubicle_switch_pages",
    "cubicle_switch_pages:",
    "    mov gs:[{switch_stack}], rsp",
    "    mov rsp, gs:[{monitor_stack}]",
    "    push rsi",
    "    push rdi",
    "    push r8",
    "    push r9",
    "    push r10",
    "    push r11",
    "    push rcx",
    "    movzx ecx, byte ptr gs:[{selector}]",
    "    push rcx",
    "    mov byte ptr gs:[{selector}], 0",
    "    sub rsp, 256",
    "    .irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
    "    movups [rsp + 16*\\r], xmm\\r",
    "    .endr",
    "    mov edi, eax",
    "    call {switch}",
    "    .irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
    "    movups xmm\\r, [rsp + 16*\\r]",
    "    .endr",
    "    add rsp, 256",
    "    pop rcx",
    "    mov byte ptr gs:[{selector}], cl",
    "    pop rcx",
    "    pop r11",
    "    pop r10",
    "    pop r9",
    "    pop r8",
    "    pop rdi",
    "    pop rsi",
    step_if_due!("rax"),
    "    mov rsp, gs:[{switch_stack}]",
    "    mov eax, gs:[{rights}]",
    "    jmp rcx",
    ".globl cubicle_switch_end",
    "cubicle_switch_end:",
    state = const offset_of!(ThreadBlock, state),
    due = const DUE,
    selector = const offset_of!(ThreadBlock, selector),
    monitor_stack = const offset_of!(ThreadBlock, monitor_stack),
    switch_stack = const offset_of!(ThreadBlock, switch_stack),
    rights = const offset_of!(ThreadBlock, rights),
    switch = sym super::rights::switch_pages,
);

// Into a cubicle and back. While it runs, entries to the monitor start their
// stack below what is saved here.
//
//   older monitor_stack                ◄── monitor_stack while the cubicle runs
//   nothing, x87 control word, MXCSR   of whoever asked: a cubicle starts with
//                                      its own (the resume stub sees to that)
//   r15 r14 r13 r12 rbp rbx
//   return address
global_asm!(
    ".section .text.cubicle_enter,\"ax\",@progbits",
    ".globl cubicle_enter",
    "cubicle_enter:",
    "    push rbx",
    "    push rbp",
    "    push r12",
    "    push r13",
    "    push r14",
    "    push r15",
    "    sub rsp, 16",
    "    stmxcsr [rsp]",
    "    fnstcw [rsp + 4]",
    "    push qword ptr gs:[{monitor_stack}]",
    "    mov gs:[{monitor_stack}], rsp",
    step_if_due!("rcx"),
    "    jmp rdi",
    ".globl cubicle_leave, cubicle_resume",
    "cubicle_leave:",
    "    mov rsp, gs:[{monitor_stack}]",
    "cubicle_resume:",
    step_if_due!("rcx"),
    "    jmp rdi",
    ".globl cubicle_back",
    "cubicle_back:",
    "    mov rsp, gs:[{monitor_stack}]",
    "    pop qword ptr gs:[{monitor_stack}]",
    "    ldmxcsr [rsp]",
    "    fldcw [rsp + 4]",
    "    add rsp, 16",
    "    pop r15",
    "    pop r14",
    "    pop r13",
    "    pop r12",
    "    pop rbp",
    "    pop rbx",
    "    mov rax, rdi",
    "    ret",
    ".globl cubicle_enter_end",
    "cubicle_enter_end:",
    monitor_stack = const offset_of!(ThreadBlock, monitor_stack),
    state = const offset_of!(ThreadBlock, state),
    due = const DUE,
);

// From a handler, with all rights: the stack of whoever failed is left alone. Whoever
// else jumps here writes to key-0 memory with its own rights.
global_asm!(
    ".section .text.cubicle_contain,\"ax\",@progbits",
    ".globl cubicle_contain",
    "cubicle_contain:",
    "    mov rsp, gs:[{monitor_stack}]",
    "    and rsp, -16",
    "    call {go_on}",
    "    ud2",
    monitor_stack = const offset_of!(ThreadBlock, monitor_stack),
    go_on = sym crate::restart::contain::go_on,
);

// A system call with a cubicle's rights: the kernel checks every pointer as if
// the cubicle itself had asked. rbp, the monitor's stack pointer, is left in
// key-0 memory as the proof.
//
// A signal that comes before the `syscall` must not be forgotten in it. If one is
// on its way at `begin` the call is not made; one that comes from there on
// makes the handler go on at `end` with the same answer.
global_asm!(
    ".section .text.cubicle_call_as,\"ax\",@progbits",
    ".globl cubicle_call_as_keys",
    "cubicle_call_as_keys:",
    "    push rbx",
    "    push rbp",
    "    push r12",
    "    mov r12d, esi",
    "    mov rbx, [rdi]",
    "    mov rsi, [rdi + 16]",
    "    mov rbp, [rdi + 24]",
    "    mov r10, [rdi + 32]",
    "    mov r8, [rdi + 40]",
    "    mov r9, [rdi + 48]",
    "    mov rdi, [rdi + 8]",
    "    mov rax, gs:[{state}]",
    "    mov [rax + {proof}], rsp",
    ".globl cubicle_call_keys_begin",
    "cubicle_call_keys_begin:",
    "    cmp dword ptr [rax + {due}], 0",
    "    jne 8f",
    "    mov eax, r12d",
    "    xor ecx, ecx",
    "    xor edx, edx",
    "    wrpkru",
    "    test eax, eax",
    "    je 9f",
    "    rdgsbase ecx",
    "    mov rdx, rbp",
    "    mov rax, rbx",
    "    syscall",
    ".globl cubicle_call_keys_end",
    "cubicle_call_keys_end:",
    "    mov rbx, rax",
    "    xor eax, eax",
    "    xor ecx, ecx",
    "    xor edx, edx",
    "    wrpkru",
    ".globl cubicle_call_keys_raised",
    "cubicle_call_keys_raised:",
    "    test eax, eax",
    "    jne 9f",
    "    rdgsbase ecx",
    "    mov rcx, gs:[{state}]",
    "    mov rsp, [rcx + {proof}]",
    "    test rsp, rsp",
    "    je 9f",
    "    mov qword ptr [rcx + {proof}], 0",
    "    mov rax, rbx",
    "    pop r12",
    "    pop rbp",
    "    pop rbx",
    "    ret",
    "8:",
    "    mov rax, {not_made}",
    "    jmp cubicle_call_keys_end",
    "9:",
    "    ud2",
    ".globl cubicle_call_plain",
    "cubicle_call_plain:",
    "    mov r11, rdi",
    "    mov rsi, [r11 + 16]",
    "    mov rdx, [r11 + 24]",
    "    mov r10, [r11 + 32]",
    "    mov r8, [r11 + 40]",
    "    mov r9, [r11 + 48]",
    "    mov rdi, [r11 + 8]",
    "    mov rax, gs:[{state}]",
    ".globl cubicle_call_plain_begin",
    "cubicle_call_plain_begin:",
    "    cmp dword ptr [rax + {due}], 0",
    "    jne 8f",
    "    mov rax, [r11]",
    "    syscall",
    ".globl cubicle_call_plain_end",
    "cubicle_call_plain_end:",
    "    ret",
    "8:",
    "    mov rax, {not_made}",
    "    ret",
    state = const offset_of!(ThreadBlock, state),
    proof = const CALL_PROOF,
    due = const DUE,
    not_made = const NOT_MADE,
);

// A new thread. The kernel gives it the caller's registers, rights included; what
// it finds on its own stack is nothing. Whoever jumps here makes a system call that
// is dispatched.
//
//   rdi flags, rsi stack, rdx id, rcx block, r8 begin
global_asm!(
    ".section .text.cubicle_clone,\"ax\",@progbits",
    ".globl cubicle_clone",
    "cubicle_clone:",
    "    push rbx",
    "    push r12",
    "    mov rbx, rcx",
    "    mov r12, r8",
    "    mov r10, rdx",
    "    xor r8d, r8d",
    "    mov eax, 56",
    "    syscall",
    "    test rax, rax",
    "    je 2f",
    "    pop r12",
    "    pop rbx",
    "    ret",
    "2:",
    "    xor ebp, ebp",
    "    mov eax, 158",
    "    mov edi, {set_gs}",
    "    mov rsi, rbx",
    "    syscall",
    "    test rax, rax",
    "    jne 9f",
    "    call r12",
    "9:",
    "    ud2",
    set_gs = const 0x1001,
);

// What may fault: a fault between begin and end continues at fault, where rcx
// still says how much was left.
global_asm!(
    ".section .text.cubicle_copy,\"ax\",@progbits",
    ".globl cubicle_copy, cubicle_clear, cubicle_string, cubicle_exchange",
    ".globl cubicle_copy_begin, cubicle_copy_fault, cubicle_copy_end",
    "cubicle_copy_begin:",
    "cubicle_copy:",
    "    mov rcx, rdx",
    move_bytes!(),
    "cubicle_copy_fault:",
    "    mov rax, rcx",
    "    ret",
    "cubicle_clear:",
    "    mov rcx, rsi",
    "    xor eax, eax",
    "    rep stosb",
    "    mov rax, rcx",
    "    ret",
    "cubicle_string:",
    "    xor eax, eax",
    "    lea rcx, [rsi + 1]",
    "2:",
    "    cmp rax, rsi",
    "    jae 3f",
    "    add rax, 1",
    "    cmp byte ptr [rdi + rax - 1], 0",
    "    jne 2b",
    "    ret",
    "3:",
    "    mov rax, rcx",
    "    ret",
    "cubicle_exchange:",
    "    mov eax, esi",
    "    mov ecx, 2",
    "    lock cmpxchg [rdi], edx",
    "    setne cl",
    "    movzx eax, cl",
    "    ret",
    "cubicle_copy_end:",
    ".text",
);
