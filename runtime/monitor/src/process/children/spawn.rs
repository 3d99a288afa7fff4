//! A child that shares this process's memory until it executes another program,
//! while this thread waits for it: what posix_spawn(3) makes.
//!
//! ```text
//!   this thread              child process
//!   saves what it has
//!   clone ─────────────────► on the same monitor stack, further down
//!     waits in the kernel    dispatch of system calls; runs the cubicle's code
//!     ◄───────────────────── execve or _exit
//!   puts it all back
//! ```
//!
//! The two use the same thread block, one after the other, as they use the same
//! stack: so the child is dispatched by the same selector, and enters cubicles by
//! the same frames.

use crate::machine::assembly::cubicle_clone;
use crate::machine::context::{Registers, after};
use crate::machine::kernel::{self, error, number};
use crate::machine::{rights, thread};
use crate::process::run::{frame, run};
use crate::process::start::dispatch_system_calls;
use crate::process::{self, cubicle_count};
use crate::signals::{Information, masks};
use crate::threads::create::block_signals;
use crate::threads::pool;
use core::sync::atomic::AtomicU32;
use cubicle_abi::frame::Frame;
use cubicle_abi::layout::MAXIMUM_CUBICLES;
use cubicle_abi::rights::Rights;
use cubicle_abi::thread_block::{SELECTOR_ALLOW, VirtualThread};

/// Distance from this thread's monitor stack to the child's, bytes: nothing that
/// runs before `clone` reaches so far.
const APART: u64 = 16 << 10;

/// `clone(CLONE_VM | CLONE_VFORK)` of `cubicle`.
pub fn spawn(cubicle: usize, registers: &Registers) -> i64 {
    if crate::audit::on() {
        return -error::EAGAIN;
    }
    // SAFETY: this thread's block and state.
    let (block, state) = unsafe { (thread::block(), &mut *thread::state()) };
    // A child of a child would wait on the same stack.
    if state.spawned.is_some() {
        return -error::EAGAIN;
    }
    let [_, stack, ..] = registers.arguments();
    // SAFETY: as above.
    let fs = unsafe { (*block).virtual_threads[cubicle].fs };
    block_signals();
    let before = Before::new();
    state.spawned = Some((cubicle, after(registers, stack, fs, 0)));
    let unused = AtomicU32::new(0);
    let here = (&raw const unused) as u64;
    // SAFETY: this thread waits until the child uses the stack no more, and all else
    // that the child changes is put back.
    let id = unsafe {
        cubicle_clone(
            super::CLONE_VM | super::CLONE_VFORK | super::SIGCHLD,
            (here - APART) & !15,
            unused.as_ptr(),
            block,
            begin,
        )
    };
    before.restore(cubicle);
    masks::apply();
    id
}

/// The child, with all rights and all signals blocked.
extern "C" fn begin() -> ! {
    // SAFETY: this thread's state, which the parent does not touch meanwhile.
    let state = unsafe { &mut *thread::state() };
    // SAFETY: gettid has no arguments.
    state.id = unsafe { kernel::call(number::GETTID, [0; 6]) } as u64;
    if dispatch_system_calls(pool::memory(state.number)).is_err() {
        crate::violation::fatal("the kernel did not let a child be watched");
    }
    if let Some((cubicle, beginning)) = state.spawned {
        masks::apply();
        run(cubicle, &beginning);
    }
    crate::violation::fatal("a child came back without an exit")
}

/// What the child may change of what this thread goes on with.
struct Before {
    id: u64,
    running: Option<usize>,
    masks: [u64; MAXIMUM_CUBICLES],
    due: u32,
    recorded: Option<Information>,
    monitor_stack: u64,
    places: [VirtualThread; MAXIMUM_CUBICLES],
    frames: [OfFrame; MAXIMUM_CUBICLES],
}

#[derive(Clone, Copy, Default)]
struct OfFrame {
    stack: u64,
    awaiting: u64,
    saved: [u64; 4],
}

impl Before {
    fn new() -> Before {
        // SAFETY: this thread's block and state.
        let (block, state) = unsafe { (&*thread::block(), &*thread::state()) };
        let mut before = Before {
            id: state.id,
            running: state.running,
            masks: state.signals.masks,
            due: state.signals.due,
            recorded: state.signals.recorded,
            monitor_stack: block.monitor_stack,
            places: block.virtual_threads,
            frames: [OfFrame::default(); MAXIMUM_CUBICLES],
        };
        each_frame(|index, frame| {
            before.frames[index] = OfFrame {
                stack: frame.stack,
                awaiting: frame.awaiting,
                saved: frame.saved,
            };
        });
        before
    }

    fn restore(self, cubicle: usize) {
        // SAFETY: this thread's block and state.
        let (block, state) = unsafe { (&mut *thread::block(), &mut *thread::state()) };
        block.selector = SELECTOR_ALLOW;
        block.monitor_stack = self.monitor_stack;
        block.virtual_threads = self.places;
        state.id = self.id;
        state.running = self.running;
        state.signals.masks = self.masks;
        state.signals.due = self.due;
        state.signals.recorded = self.recorded;
        state.spawned = None;
        // It executed another program with a cubicle's rights.
        state.call_proof = 0;
        each_frame(|index, frame| {
            let before = &self.frames[index];
            frame.stack = before.stack;
            frame.awaiting = before.awaiting;
            frame.saved = before.saved;
            frame.token = 0;
            frame.calling = 0;
        });
        rights::open(Rights::NONE, process::rights(cubicle));
    }
}

/// The frames of this thread, open.
fn each_frame(mut work: impl FnMut(usize, &mut Frame)) {
    for index in 0..cubicle_count() {
        if let Some(frame) = frame(index) {
            rights::open(Rights::NONE, process::rights(index));
            // SAFETY: the thread block's frame pointers are the monitor's.
            work(index, unsafe { &mut *frame });
        }
    }
}
