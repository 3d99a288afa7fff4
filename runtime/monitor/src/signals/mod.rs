//! Signals, virtual for each cubicle.
//!
//! Every handler that the kernel knows is the monitor's. It finds a thread at one of
//! three kinds of place ([`place`]):
//!
//! * in the monitor: the signal is only recorded, and the monitor runs on;
//! * in text that is stepped through (gates, stubs, the ends of the monitor's entries):
//!   it is recorded, and the processor's trap flag brings the thread on, instruction
//!   by instruction, with all the checks of that text, until it is elsewhere
//!   ([`step`]);
//! * in a cubicle: it is delivered, to the cubicle that installed the handler
//!   ([`deliver`], and [`others`] if another one was interrupted).
//!
//! One signal is recorded at a time: from then on, the thread's mask keeps the others
//! with the kernel, until that one has been delivered.

pub mod actions;
#[cfg(monitor_image)]
pub mod again;
#[cfg(monitor_image)]
pub mod calls;
#[cfg(monitor_image)]
pub mod deliver;
pub mod frame;
#[cfg(monitor_image)]
pub mod handed;
pub mod kept;
pub mod masks;
#[cfg(monitor_image)]
pub mod others;
#[cfg(monitor_image)]
pub mod place;
#[cfg(monitor_image)]
pub mod rouse;
#[cfg(monitor_image)]
pub mod send;
#[cfg(monitor_image)]
pub mod sigreturn;
pub mod stacks;
#[cfg(monitor_image)]
pub mod step;
#[cfg(monitor_image)]
pub mod wait;

use core::sync::atomic::AtomicU32;
use cubicle_abi::layout::MAXIMUM_CUBICLES;
use kept::Kept;
use stacks::AlternateStack;

/// The highest signal number.
pub const LAST: u64 = 64;
/// Signals that glibc sends itself: to cancel a thread, and to change all threads'
/// user. Each libc has its own.
pub const INTERNAL: [u64; 2] = [32, 33];

/// `siginfo_t` as the kernel copies it.
pub type Information = [u64; 16];

/// The signal of a `siginfo_t`.
pub fn signal_of(information: &Information) -> u64 {
    information[0] & 0xffff_ffff
}

/// A system call that was not made because a signal came first, or that the kernel
/// would start again: where its cubicle goes on, and which it was.
#[derive(Clone, Copy, Debug)]
pub struct NotMade {
    pub cubicle: usize,
    pub number: u64,
    pub instruction: u64,
}

/// What signals mean to a thread.
pub struct ThreadSignals {
    /// 1: the recorded signal is on its way to a cubicle's code. The assembly reads it
    /// where the monitor returns.
    pub due: u32,
    /// The signal that found this thread where it could not be delivered.
    pub recorded: Option<Information>,
    /// The monitor is about to run a handler of another cubicle than the one that was
    /// interrupted.
    pub delivering: bool,
    /// For each cubicle: the mask its libc believes in.
    pub masks: [u64; MAXIMUM_CUBICLES],
    /// A call waits with another mask than its cubicle's: whose, and its own.
    pub waiting: Option<(usize, u64)>,
    /// For each cubicle: the stack it wants its handlers to run on.
    pub alternate: [AlternateStack; MAXIMUM_CUBICLES],
    /// A call that was not made, because a signal came first.
    pub again: Option<NotMade>,
    /// For each of [`INTERNAL`]: bits of the cubicles whose libc sent it.
    pub internal: [AtomicU32; 2],
    /// Interrupted cubicles, while handlers of others run.
    pub kept: Kept,
}

impl ThreadSignals {
    /// All zeroes, so that it takes no room in the file.
    pub const fn new() -> ThreadSignals {
        ThreadSignals {
            due: 0,
            recorded: None,
            delivering: false,
            masks: [0; MAXIMUM_CUBICLES],
            waiting: None,
            alternate: [AlternateStack::NONE; MAXIMUM_CUBICLES],
            again: None,
            internal: [const { AtomicU32::new(0) }; 2],
            kept: Kept::new(),
        }
    }
}

impl ThreadSignals {
    /// Makes those of a new thread in memory that is all zeroes.
    ///
    /// # Safety
    /// It must be all zeroes, and nobody else's.
    pub unsafe fn start(own: *mut ThreadSignals) {
        // SAFETY: the caller's; numbers, masks and stacks are zeroes at first.
        unsafe {
            (&raw mut (*own).recorded).write(None);
            (&raw mut (*own).waiting).write(None);
            (&raw mut (*own).again).write(None);
        }
    }
}

impl Default for ThreadSignals {
    fn default() -> Self {
        Self::new()
    }
}

/// A child process begins: what has found its parent is the parent's.
#[cfg(monitor_image)]
pub fn begin_child() {
    let own = own();
    own.due = 0;
    own.recorded = None;
    own.internal = [const { AtomicU32::new(0) }; 2];
}

/// This thread's.
#[cfg(monitor_image)]
pub fn own() -> &'static mut ThreadSignals {
    // SAFETY: this thread's state; no reference to it is held across a change of
    // stack, and a handler that finds the monitor running touches only what the
    // monitor reads anew (`recorded`, `due`).
    unsafe { &mut (*crate::machine::thread::state()).signals }
}
