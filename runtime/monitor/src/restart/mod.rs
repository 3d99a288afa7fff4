//! Cubicles that start anew after an accident (`on-fault = "restart"`).
//!
//! ```text
//!   fault or abort ──► contain ──► its memory can only be read from now on, and no
//!   of the cubicle        │        thread has a frame in it
//!                         ├──► the pending call returns what the manifest says
//!                         └──► when no thread is inside any more: renew
//!   next call ──► attach ──► its image starts as it did first
//! ```
//!
//! Other threads may be inside of it, or in a gate on the way in or out, or in the
//! monitor on its behalf. They are not stopped: their next write in the cubicle's
//! memory faults, in its code, in a gate or in the monitor, and each of these faults
//! ends in `contain`, for that thread. So does the signal that rouses those who wait, or
//! loop (`signals/rouse.rs`). Threads that the cubicle has created end. Those that are inside are counted
//! by what gates write in frames (`Frame::inside`), read after the frames can
//! no longer be written; those that the monitor makes run by [`begin`]. The monitor itself
//! must not fault: what it does in a cubicle's frames and memory it does between
//! [`hold`] and [`release`], for which whoever closes the memory waits.
//!
//! This is for accidents (rule 24). A cubicle that was taken over can always return
//! early from what others ask of it, and what it gains here is no more than that.

#[cfg(monitor_image)]
pub mod contain;
#[cfg(monitor_image)]
pub mod fault;
#[cfg(monitor_image)]
mod renew;

use cubicle_abi::layout::MAXIMUM_CUBICLES;

/// What a thread has to do with cubicles that are about to start anew.
#[derive(Clone, Copy, Debug)]
pub struct OfThread {
    /// How often the monitor makes each cubicle run on this thread, one in the other.
    pub runs: [u8; MAXIMUM_CUBICLES],
    /// How often it holds each on this thread.
    pub holds: [u8; MAXIMUM_CUBICLES],
    /// How often the monitor has hidden what each waits for.
    pub hidden: [u8; MAXIMUM_CUBICLES],
    /// Calls out of a cubicle that is dead, to which their callees will return.
    pub dead: [Option<Dead>; MAXIMUM_CUBICLES],
    /// A fault of this thread's is to be contained: what the handler tells whoever
    /// goes on with it.
    pub fault: Option<Accident>,
}

impl OfThread {
    pub const NOTHING: OfThread = OfThread {
        runs: [0; MAXIMUM_CUBICLES],
        holds: [0; MAXIMUM_CUBICLES],
        hidden: [0; MAXIMUM_CUBICLES],
        dead: [None; MAXIMUM_CUBICLES],
        fault: None,
    };
}

/// What the frame of a dead cubicle said: where it left last, and whom it called.
#[derive(Clone, Copy, Debug)]
pub struct Dead {
    pub stack: u64,
    pub awaiting: u64,
}

/// What has happened to a cubicle on a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accident {
    pub cubicle: usize,
    /// It is no consequence of an earlier one.
    pub is_first: bool,
    /// A call that it had made has come back to it.
    pub returned: bool,
}

#[cfg(monitor_image)]
pub use alive::{
    AllLives, Entry, begin, begin_thread, done, enter, forget_runs, forget_thread, hide, hold,
    hold_all, hold_called, is_dying, is_lost, is_restartable, leave_for_good, only_this_thread,
    release, show, waiting, waiting_for_report,
};

#[cfg(monitor_image)]
mod alive;
