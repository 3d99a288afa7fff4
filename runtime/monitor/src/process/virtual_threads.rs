//! Virtual threads: what a kernel thread is inside a cubicle it enters.
//!
//! The cubicle's parked `main` calls its own `pthread_create`. The `clone` that
//! follows creates no kernel thread: its registers are kept, and the thread
//! that wants to enter runs them itself, up to the call that parks. From then
//! on its calls into the cubicle start below that point of the new stack, with
//! the new thread pointer.

use super::run::{frame_address, run};
use crate::machine::context::{Registers, after};
use crate::machine::kernel::error;
use crate::machine::thread;
use crate::violation;
use cubicle_abi::calls::COMMAND_ATTACH;
use cubicle_abi::frame::Frame;

/// What lies below the stack pointer and may be in use (System V ABI, 3.2.2).
const RED_ZONE: u64 = 128;

/// Where this thread's calls into cubicle `index` start.
fn stack_of(index: usize, stack: u64) {
    if let Some(frame) = super::run::frame(index) {
        // SAFETY: the thread block's frame pointers are the monitor's.
        unsafe { (*frame).stack = (stack - RED_ZONE) & !15 };
    }
}

/// `attach`: makes this thread's virtual thread in `target`, for `caller`.
pub fn attach(caller: usize, target: u64) -> i64 {
    let target = target as usize;
    let allowed = super::plan().is_some_and(|plan| {
        plan.gates()
            .iter()
            .any(|gate| gate.from as usize == caller && gate.to as usize == target)
    });
    if !allowed {
        return -error::EPERM;
    }
    // SAFETY: this thread's block and state.
    let (block, state) = unsafe { (&mut *thread::block(), &mut *thread::state()) };
    if block.virtual_threads[target].frame != 0 {
        return 0;
    }
    let mut parked = super::cubicles()[target].parked_main.lock();
    let Some(mut main) = *parked else {
        violation::fatal("a cubicle was called before it had started, or after it had ended");
    };
    // The target may call back, and the caller then make system calls of its
    // own, which use the same place for the registers of this one.
    let caller_frame = super::run::frame(caller);
    // SAFETY: the thread block's frame pointers are the monitor's.
    let saved = caller_frame.map(|frame| unsafe { (*frame).saved });
    block.virtual_threads[target].frame = frame_address(target, 0);
    main.rax = COMMAND_ATTACH;
    let outer = state.parked_main.replace(target);
    run(target, &main);
    state.parked_main = outer;
    let Some(new) = state.new_thread.take() else {
        violation::fatal("a cubicle could not create a thread: its memory limit may be too small");
    };
    *parked = Some(state.parked[target]);
    run(target, &new);
    let thread = state.parked[target];
    block.virtual_threads[target].fs = thread.fs;
    stack_of(target, thread.stack);
    // The caller's system-call gate answers in the caller's frame.
    crate::machine::rights::open(super::rights(target), super::rights(caller));
    if let (Some(frame), Some(saved)) = (caller_frame, saved) {
        // SAFETY: as above, and its page is open again.
        unsafe { (*frame).saved = saved };
    }
    0
}

/// `park`: the `main` of a cubicle that has none of its own is ready.
pub fn park(cubicle: usize, registers: &Registers) -> i64 {
    // SAFETY: this thread's state.
    let state = unsafe { &mut *thread::state() };
    if state.parked_main != Some(cubicle) {
        return -error::EPERM;
    }
    leave(cubicle, registers)
}

/// `park_thread`: a new virtual thread is ready.
pub fn park_thread(cubicle: usize, registers: &Registers) -> i64 {
    leave(cubicle, registers)
}

/// Keeps where the cubicle is, and goes back to whoever made it run.
fn leave(cubicle: usize, registers: &Registers) -> ! {
    // SAFETY: this thread's block and state; the frame is the cubicle's own,
    // and what it says of the stack pointer concerns only the cubicle.
    unsafe {
        let block = &*thread::block();
        let state = &mut *thread::state();
        let place = block.virtual_threads[cubicle];
        let frame = place.frame as *const Frame;
        state.parked[cubicle] = after(registers, (*frame).saved[3], place.fs, 0);
        crate::machine::assembly::cubicle_back(0)
    }
}

/// `clone`: of the parked `main`, a virtual thread. No other threads yet: the
/// answer is the one that makes a program do without.
pub fn clone(cubicle: usize, registers: &Registers) -> i64 {
    const CLONE_VM: u64 = 0x100;
    const CLONE_THREAD: u64 = 0x1_0000;
    const CLONE_SETTLS: u64 = 0x8_0000;
    const CLONE_PARENT_SETTID: u64 = 0x10_0000;
    let [flags, stack, parent_id, _, fs, _] = registers.arguments();
    if flags & CLONE_THREAD == 0 {
        return -error::EPERM;
    }
    // SAFETY: this thread's state.
    let state = unsafe { &mut *thread::state() };
    let wanted = CLONE_VM | CLONE_THREAD | CLONE_SETTLS;
    if state.parked_main != Some(cubicle) || flags & wanted != wanted || !is_canonical(fs) {
        return -error::EAGAIN;
    }
    if flags & CLONE_PARENT_SETTID != 0
        && !crate::memory_calls::write_word(cubicle, parent_id, state.id as u32)
    {
        return -error::EFAULT;
    }
    state.new_thread = Some(after(registers, stack, fs, 0));
    state.id as i64
}

/// Could `base` be a segment base? WRFSBASE faults on others, in a gate (rule 5).
pub fn is_canonical(base: u64) -> bool {
    base < 1 << 47
}
