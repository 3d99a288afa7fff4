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
//! monitor on its behalf. Nobody stops them: their next write in the cubicle's
//! memory faults, in its code, in a gate or in the monitor, and each of these faults
//! ends in `contain`, for that thread. Those that are inside are counted
//! by what gates write in frames (`Frame::inside`), read after the frames can
//! no longer be written; the monitor's own work on a cubicle by [`begin`].
//!
//! This is for accidents (rule 24). A cubicle that was taken over can always return
//! early from what others ask of it, and what it gains here is no more than that.

#[cfg(monitor_image)]
pub mod contain;
#[cfg(monitor_image)]
mod renew;

use cubicle_abi::layout::MAXIMUM_CUBICLES;

/// What a thread has to do with cubicles that are about to start anew.
#[derive(Clone, Copy, Debug)]
pub struct OfThread {
    /// How many pieces of the monitor's work on each cubicle this thread is in.
    pub at_work: [u8; MAXIMUM_CUBICLES],
    /// Calls out of a cubicle that is dead, to which their callees will return.
    pub dead: [Option<Dead>; MAXIMUM_CUBICLES],
    /// A fault of this thread's is to be contained: what the handler tells whoever
    /// goes on with it.
    pub fault: Option<Accident>,
    /// The cubicle that this thread is entering for the first time, if it is.
    pub entering: Option<usize>,
}

impl OfThread {
    pub const NOTHING: OfThread = OfThread {
        at_work: [0; MAXIMUM_CUBICLES],
        dead: [None; MAXIMUM_CUBICLES],
        fault: None,
        entering: None,
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
pub use alive::{Entry, begin, done, enter, is_dying, is_restartable};

#[cfg(monitor_image)]
mod alive {
    use super::*;
    use crate::lock::Lock;
    use crate::machine::thread;
    use crate::threads::pool::MOST_THREADS;
    use core::sync::atomic::{AtomicU32, Ordering};

    #[derive(Clone, Copy, PartialEq, Eq)]
    pub(super) enum Phase {
        Up,
        /// It can be read and not written; somebody may still be inside.
        Dying,
        /// As it was before the process started.
        New,
    }

    /// The life of one cubicle.
    pub(super) struct Life {
        pub phase: Phase,
        /// Threads that were inside when it died, and have not left.
        pub inside: [u64; MOST_THREADS / 64],
        /// Pieces of work of the monitor's that go on.
        pub at_work: u32,
        /// When the minute began in which accidents are counted, seconds.
        pub minute: u64,
        pub accidents: u32,
    }

    impl Life {
        /// Nothing would notice if it were taken away.
        pub fn is_over(&self) -> bool {
            self.phase == Phase::Dying && self.at_work == 0 && self.inside.iter().all(|w| *w == 0)
        }
    }

    static LIVES: [Lock<Life>; MAXIMUM_CUBICLES] = [const {
        Lock::new(Life {
            phase: Phase::Up,
            inside: [0; MOST_THREADS / 64],
            at_work: 0,
            minute: 0,
            accidents: 0,
        })
    }; MAXIMUM_CUBICLES];

    /// One bit for each cubicle that is dying.
    static DYING: AtomicU32 = AtomicU32::new(0);

    pub(super) fn life(cubicle: usize) -> &'static Lock<Life> {
        &LIVES[cubicle]
    }

    pub(super) fn set_dying(cubicle: usize, dying: bool) {
        match dying {
            true => DYING.fetch_or(1 << cubicle, Ordering::AcqRel),
            false => DYING.fetch_and(!(1 << cubicle), Ordering::AcqRel),
        };
    }

    /// Is the cubicle no longer what it was, and not yet new?
    pub fn is_dying(cubicle: usize) -> bool {
        DYING.load(Ordering::Acquire) >> cubicle & 1 == 1
    }

    /// Does its manifest ask for it?
    pub fn is_restartable(cubicle: usize) -> bool {
        crate::process::plan()
            .and_then(|plan| plan.cubicles().get(cubicle))
            .is_some_and(|cubicle| cubicle.restarts > 0)
    }

    /// How a thread may enter a cubicle.
    pub enum Entry {
        /// Its parked `main` is there, or will be.
        Parked,
        /// Its image has to start first, on this thread.
        New,
        /// It is dying.
        Refused,
    }

    /// A thread enters for the first time; [`done`] ends it, unless it is refused.
    pub fn enter(cubicle: usize) -> Entry {
        if !is_restartable(cubicle) {
            return Entry::Parked;
        }
        let mut life = life(cubicle).lock();
        match life.phase {
            Phase::Dying => return Entry::Refused,
            Phase::Up | Phase::New => {}
        }
        life.at_work += 1;
        count(cubicle, 1);
        if life.phase == Phase::Up {
            return Entry::Parked;
        }
        life.phase = Phase::Up;
        crate::process::cubicles()[cubicle].parked_main.begin();
        Entry::New
    }

    /// The monitor is about to work in the cubicle's memory, or to make it run. Until
    /// [`done`] it is not taken away. `false`: it is dying, and may be gone.
    pub fn begin(cubicle: usize) -> bool {
        if !is_restartable(cubicle) {
            return true;
        }
        let mut life = life(cubicle).lock();
        if life.phase != Phase::Up {
            return false;
        }
        life.at_work += 1;
        count(cubicle, 1);
        true
    }

    /// Such a piece of work has ended; of none, if the cubicle failed in the middle.
    pub fn done(cubicle: usize) {
        // SAFETY: this thread's state.
        if unsafe { (*thread::state()).restart.at_work[cubicle] } == 0 {
            return;
        }
        let mut life = life(cubicle).lock();
        life.at_work -= 1;
        count(cubicle, -1);
        if life.is_over() {
            super::renew::renew(cubicle, &mut life);
        }
    }

    /// All work of this thread's on a cubicle ends, whatever it was.
    pub(super) fn end_work(cubicle: usize) {
        // SAFETY: this thread's state.
        while unsafe { (*thread::state()).restart.at_work[cubicle] } > 0 {
            done(cubicle);
        }
    }

    fn count(cubicle: usize, by: i8) {
        // SAFETY: this thread's state.
        let count = unsafe { &mut (*thread::state()).restart.at_work[cubicle] };
        *count = count.wrapping_add_signed(by);
    }
}
