//! A process as gates find it: clear routines and gates at their addresses, a
//! thread block at the GS base, a frame and a stack for each of two cubicles.
//! Nothing keeps their memory apart; the rights are a word.

use super::probe;
use cargo_cubicle::gates::clear::{self, VectorLevel};
use cargo_cubicle::gates::{
    GateKind, GateResult, GateShape, GateSpec, GateTarget, Mechanism, MonitorEntries, call,
    callback_stubs,
};
use cubicle_abi::frame::{Frame, Saved, gathered};
use cubicle_abi::layout;
use cubicle_abi::rights::{Rights, cubicle_key, cubicle_rights};
use cubicle_abi::thread_block::ThreadBlock;
use std::arch::{asm, global_asm};
use std::mem::offset_of;
use std::sync::{Mutex, MutexGuard, Once};

pub const CALLER: usize = 0;
pub const CALLEE: usize = 1;
/// What a frame holds before a call, and must hold behind it.
pub const OLDER_AWAITING: u64 = 0x1234_5678;
pub const OLDER_STACK: u64 = 0x7654_3210;

/// The slot of the callback in which the tests' function stands.
pub const SLOT: usize = 3;

/// Bytes of each stack.
pub const STACK: usize = 512 << 10;
/// Gates come first, then the thunks to what they call.
pub const GATES: usize = 8;
const THUNK_STRIDE: u64 = 32;
const THUNKS: u64 = layout::gate(GATES);
const ARCH_SET_GS: libc::c_int = 0x1001;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
static MAPPED: Once = Once::new();

/// A frame on a page of its own.
#[repr(C, align(4096))]
pub struct FramePage(Frame);

impl std::ops::Deref for FramePage {
    type Target = Frame;
    fn deref(&self) -> &Frame {
        &self.0
    }
}

impl std::ops::DerefMut for FramePage {
    fn deref_mut(&mut self) -> &mut Frame {
        &mut self.0
    }
}

pub struct World {
    _one: MutexGuard<'static, ()>,
    pub block: Box<ThreadBlock>,
    pub frames: [Box<FramePage>; 2],
    pub stacks: Vec<Vec<u128>>,
    thunks: u64,
}

impl World {
    pub fn new() -> World {
        let one = ONE_AT_A_TIME
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        MAPPED.call_once(map);
        // SAFETY: both are plain numbers, for which zero is a value.
        let mut block: Box<ThreadBlock> = unsafe { Box::new(std::mem::zeroed()) };
        // SAFETY: as above.
        let mut frames: [Box<FramePage>; 2] =
            std::array::from_fn(|_| unsafe { Box::new(std::mem::zeroed()) });
        // Number 1 is the callee's, 2 the monitor's, 3 the caller's where it
        // is not the test's own.
        let stacks: Vec<Vec<u128>> = (0..4).map(|_| vec![0; STACK / 16]).collect();
        for (frame, place) in frames.iter_mut().zip(&mut block.virtual_threads) {
            place.frame = &raw mut **frame as u64;
            place.fs = fs_base();
        }
        frames[CALLER].awaiting = OLDER_AWAITING;
        frames[CALLER].stack = OLDER_STACK;
        block.address = &raw const *block as u64;
        block.rights = cubicle_rights(CALLER).0;
        let mut world = World {
            _one: one,
            block,
            frames,
            stacks,
            thunks: 0,
        };
        // A callee's own stack pointer need not be aligned.
        world.frames[CALLEE].stack = world.stack_end(1) - 8;
        world.block.monitor_stack = world.stack_end(2);
        for slot in 0..2 * layout::CALLBACK_SLOTS {
            fill(slot, 0);
        }
        let code = clear::emit(level()).expect("routines");
        write(layout::STUB_BASE, &code);
        // SAFETY: the thread block lives as long as this world, which keeps the
        // lock; nothing else in this process uses GS.
        let set =
            unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_SET_GS, &raw const *world.block) };
        assert_eq!(set, 0, "GS base");
        // SAFETY: only the holder of the lock uses them.
        unsafe {
            probe::BEFORE = probe::State::dirty(1);
            probe::EXIT = probe::State::dirty(2);
            probe::ENTRY = probe::State::ZERO;
            probe::AFTER = probe::State::ZERO;
            probe::HOOK = 0;
            probe::ENTERED = 0;
        }
        world
    }

    pub fn stack_end(&self, number: usize) -> u64 {
        self.stacks[number].as_ptr_range().end as u64
    }

    /// An address from which control leaves the gates.
    pub fn address_outside(&self) -> u64 {
        probe::gate_test_invoke as *const () as u64
    }

    /// An address near the gates from which control goes to `to`, with every
    /// register as it is.
    pub fn thunk(&mut self, to: u64) -> u64 {
        let address = THUNKS + THUNK_STRIDE * self.thunks;
        self.thunks += 1;
        write(address, &thunk(to));
        address
    }

    /// What a gate calls in the monitor: test versions, which lend nothing but
    /// show that they were asked.
    pub fn monitor(&mut self) -> MonitorEntries {
        MonitorEntries {
            switch_pages: self.thunk(gate_test_switch as *const () as u64),
            system_call: layout::MONITOR_BASE,
            gate_enter: self.thunk(gate_test_enter as *const () as u64),
            gate_leave: self.thunk(gate_test_leave as *const () as u64),
            without: cubicle_abi::defences::Defences::NONE,
        }
    }

    /// Places a gate; answers with its address and that of its trap.
    pub fn place(&mut self, spec: &GateSpec, mechanism: Mechanism) -> (u64, u64) {
        assert!(spec.index < GATES);
        let monitor = self.monitor();
        let code = call::emit(spec, mechanism, &monitor).expect("a gate");
        assert!(code.ends_with(&[0x0f, 0x0b]), "a gate ends with its trap");
        let address = layout::gate(spec.index);
        write(address, &code);
        if let GateTarget::Callback(number) = spec.target {
            assert_eq!(number, 0, "there is room for the stubs of one");
            let stubs = callback_stubs::emit(&[spec.index]).expect("stubs");
            write(layout::CALLBACK_BASE, &stubs);
        }
        (address, address + code.len() as u64 - 2)
    }

    /// Calls through the gate to the probe.
    pub fn call(&mut self, spec: &GateSpec, mechanism: Mechanism) {
        self.place(spec, mechanism);
        self.block.rights = spec.rights_from.0;
        // SAFETY: the gate ends at the probe, which answers.
        unsafe {
            probe::GATE = entry(spec);
            probe::gate_test_invoke();
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // SAFETY: nothing uses GS from here on.
        unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_SET_GS, 0) };
    }
}

/// Whether the function is fixed, or stands in a slot of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Address,
    Slot,
}

pub const BOTH: [By; 2] = [By::Address, By::Slot];

impl By {
    /// What a gate that calls `function` has as its target.
    pub fn target(self, function: u64) -> GateTarget {
        match self {
            By::Address => GateTarget::Function(function),
            By::Slot => {
                fill(SLOT, function);
                GateTarget::Callback(0)
            }
        }
    }
}

/// Puts a function into a slot of callback 0, or of the next one's table.
pub fn fill(slot: usize, function: u64) {
    let place = layout::callback_table(0) + 8 * slot as u64;
    write(place, &function.to_le_bytes());
}

/// Where a caller goes.
pub fn entry(spec: &GateSpec) -> u64 {
    match spec.target {
        GateTarget::Function(_) => layout::gate(spec.index),
        GateTarget::Callback(number) => layout::callback_stub(number, SLOT),
    }
}

/// A gate from cubicle 0 to 1 that ends at the probe.
pub fn to_probe(world: &mut World, kind: GateKind) -> GateSpec {
    to_probe_by(By::Address, world, kind)
}

/// The same for a callback.
pub fn to_probe_by(by: By, world: &mut World, kind: GateKind) -> GateSpec {
    let function = world.thunk(probe::gate_test_record as *const () as u64);
    spec(kind, by.target(function))
}

pub fn spec(kind: GateKind, target: GateTarget) -> GateSpec {
    let sees = |own: usize, other: usize, condition: bool| {
        let rights = cubicle_rights(own);
        if condition {
            rights.writing(cubicle_key(other))
        } else {
            rights
        }
    };
    GateSpec {
        function: "probe".into(),
        index: 0,
        from: CALLER,
        to: CALLEE,
        rights_from: sees(CALLER, CALLEE, kind == GateKind::CallerSees),
        rights_to: sees(CALLEE, CALLER, kind == GateKind::CalleeSees),
        target,
        kind,
        shape: GateShape {
            integers: 6,
            vectors: 0,
            stack_words: 0,
            variadic: false,
            result: GateResult {
                integers: 1,
                vectors: 0,
            },
        },
        switch_fs: false,
        callee_uses_x87: false,
        scrub_vectors: true,
        errno: None,
        fault: None,
    }
}

/// The best routines this processor has.
pub fn level() -> VectorLevel {
    match probe::enabled() {
        enabled if enabled & 0xe0 == 0xe0 => VectorLevel::Avx512,
        enabled if enabled & 4 != 0 => VectorLevel::Avx,
        _ => VectorLevel::Sse,
    }
}

pub fn fs_base() -> u64 {
    let base;
    // SAFETY: reads a register; gates need FSGSBASE anyway.
    unsafe { asm!("rdfsbase {}", out(reg) base) };
    base
}

/// Pushes the address in two halves and returns to it.
fn thunk(to: u64) -> Vec<u8> {
    let mut code = vec![0x48, 0x8d, 0x64, 0x24, 0xf8]; // lea rsp, [rsp - 8]
    code.extend([0xc7, 0x04, 0x24]); // mov dword ptr [rsp], …
    code.extend((to as u32).to_le_bytes());
    code.extend([0xc7, 0x44, 0x24, 0x04]); // mov dword ptr [rsp + 4], …
    code.extend(((to >> 32) as u32).to_le_bytes());
    code.push(0xc3);
    code
}

/// Writes code; the ranges were mapped by [`map`].
pub fn write(address: u64, code: &[u8]) {
    // SAFETY: mapped writable, and nobody else writes.
    unsafe { std::ptr::copy_nonoverlapping(code.as_ptr(), address as *mut u8, code.len()) };
}

/// The fixed addresses are free in a position-independent executable.
fn map() {
    for start in [
        layout::STUB_BASE,
        layout::CALLBACK_TABLE_BASE,
        layout::CALLBACK_BASE,
        layout::GATE_BASE,
    ] {
        let bytes = 64 << 10;
        // SAFETY: fails instead of replacing anything.
        let at = unsafe {
            libc::mmap(
                start as *mut libc::c_void,
                bytes,
                libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE,
                -1,
                0,
            )
        };
        assert_eq!(at as u64, start, "address {start:#x} is not free");
        // What nobody placed traps.
        if start != layout::CALLBACK_TABLE_BASE {
            write(start, &vec![0xcc; bytes]);
        }
    }
}

/// Arguments and results as the monitor saw them, and the gate's number.
pub static mut LENT: [u64; 6] = [0; 6];
pub static mut GIVEN_BACK: [u64; 2] = [0; 2];
pub static mut ASKED: u32 = 0;
/// Words of stack arguments to copy.
pub static mut WORDS_TO_COPY: usize = 0;
/// What the test monitor puts in place of the first argument.
pub const LENT_POINTER: u64 = 0x1e57_0000;

/// Copies stack arguments as the monitor does, and replaces one argument.
extern "C" fn lend(arguments: *mut [u64; 6], gate: u32) -> u64 {
    // SAFETY: the gate passes six words; the frames are the world's, and one
    // test runs at a time.
    unsafe {
        LENT = *arguments;
        ASKED = gathered(gate.into()) as u32;
        (*arguments)[0] = LENT_POINTER;
        let block = gs_block();
        let frame = |cubicle: usize| (*block).virtual_threads[cubicle].frame as *const Frame;
        let words = WORDS_TO_COPY;
        let stack = ((*frame(CALLEE)).stack & !15) - (8 * words as u64).next_multiple_of(16);
        let from = (*frame(CALLER)).stack + size_of::<Saved>() as u64;
        std::ptr::copy_nonoverlapping(from as *const u64, stack as *mut u64, words);
        stack
    }
}

extern "C" fn take_back(results: *mut [u64; 2], gate: u32) {
    // SAFETY: as above, two words.
    unsafe {
        GIVEN_BACK = *results;
        ASKED |= (gathered(gate.into()) as u32) << 16;
    }
}

fn gs_block() -> *const ThreadBlock {
    let block;
    // SAFETY: a world is alive, so GS points to its thread block.
    unsafe {
        asm!("mov {}, gs:[{address}]", out(reg) block, address = const offset_of!(ThreadBlock, address));
    }
    block
}

/// Does the monitor start here?
pub fn is_monitor(address: u64) -> bool {
    [gate_test_enter as *const (), gate_test_leave as *const ()]
        .into_iter()
        .any(|entry| entry as u64 == address)
}

/// Rights of a third cubicle.
pub fn strange_rights() -> Rights {
    cubicle_rights(5)
}

unsafe extern "C" {
    fn gate_test_switch();
    fn gate_test_enter();
    fn gate_test_leave();
}

global_asm!(
    // As the monitor's page-table switch promises: rax, rcx, rdx and the flags.
    ".globl gate_test_switch",
    "gate_test_switch:",
    "    mov gs:[{rights}], eax",
    "    xor edx, edx",
    "    mov eax, gs:[{rights}]",
    "    jmp rcx",
    ".macro GATE_TEST_MONITOR name, function",
    ".globl \\name",
    "\\name:",
    "    sub rsp, 136",
    "    movups [rsp], xmm0",
    "    movups [rsp + 16], xmm1",
    "    movups [rsp + 32], xmm2",
    "    movups [rsp + 48], xmm3",
    "    movups [rsp + 64], xmm4",
    "    movups [rsp + 80], xmm5",
    "    movups [rsp + 96], xmm6",
    "    movups [rsp + 112], xmm7",
    "    cld",
    "    call \\function",
    "    movups xmm0, [rsp]",
    "    movups xmm1, [rsp + 16]",
    "    movups xmm2, [rsp + 32]",
    "    movups xmm3, [rsp + 48]",
    "    movups xmm4, [rsp + 64]",
    "    movups xmm5, [rsp + 80]",
    "    movups xmm6, [rsp + 96]",
    "    movups xmm7, [rsp + 112]",
    "    add rsp, 136",
    "    ret",
    ".endm",
    "GATE_TEST_MONITOR gate_test_enter, {lend}",
    "GATE_TEST_MONITOR gate_test_leave, {take_back}",
    rights = const offset_of!(ThreadBlock, rights),
    lend = sym lend,
    take_back = sym take_back,
);
