//! Which cubicles are as they should be, and who relies on it.

use super::{Dead, OfThread};
use crate::lock::{Guard, Lock, wait_while, wake};
use crate::machine::kernel::{self, number};
use crate::machine::thread;
use crate::memory_calls;
use crate::process::chain;
use crate::threads::pool::MOST_THREADS;
use core::mem::offset_of;
use core::sync::atomic::{AtomicU32, Ordering};
use cubicle_abi::frame::{ATTACHING, Frame};
use cubicle_abi::layout::MAXIMUM_CUBICLES;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Up,
    /// It has failed; somebody may still be inside.
    Dying,
    /// As it was before the process started.
    New,
}

/// The life of one cubicle.
pub struct Life {
    pub phase: Phase,
    /// Dying: its memory can be read and not written.
    pub closed: bool,
    /// Threads that were inside when it died, and have not left.
    pub inside: [u64; MOST_THREADS / 64],
    /// How many threads the monitor makes it run on.
    pub runs: u32,
    /// When the minute began in which accidents are counted, seconds.
    pub minute: u64,
    pub accidents: u32,
}

impl Life {
    /// Is this thread inside of the cubicle, which is closed, and has not found out yet?
    fn is_inside(&self) -> bool {
        // SAFETY: this thread's state.
        let number = unsafe { (*thread::state()).number };
        self.inside[number / 64] >> (number % 64) & 1 == 1
    }

    /// Takes the cubicle's memory away, if nobody would notice.
    pub fn renew(&mut self, cubicle: usize) {
        if self.closed && self.runs == 0 && self.inside.iter().all(|word| *word == 0) {
            super::renew::renew(cubicle, self);
        }
    }
}

static LIVES: [Lock<Life>; MAXIMUM_CUBICLES] = [const {
    Lock::new(Life {
        phase: Phase::Up,
        closed: false,
        inside: [0; MOST_THREADS / 64],
        runs: 0,
        minute: 0,
        accidents: 0,
    })
}; MAXIMUM_CUBICLES];

/// One bit for each cubicle that is dying.
static DYING: AtomicU32 = AtomicU32::new(0);

/// How many threads hold each cubicle.
static HOLDERS: [AtomicU32; MAXIMUM_CUBICLES] = [const { AtomicU32::new(0) }; MAXIMUM_CUBICLES];

pub(super) fn life(cubicle: usize) -> &'static Lock<Life> {
    &LIVES[cubicle]
}

pub(super) fn set_dying(cubicle: usize, dying: bool) {
    match dying {
        true => DYING.fetch_or(1 << cubicle, Ordering::SeqCst),
        false => DYING.fetch_and(!(1 << cubicle), Ordering::SeqCst),
    };
}

/// No cubicle's life changes while this lives.
pub type AllLives = [crate::lock::Guard<'static, Life>; MAXIMUM_CUBICLES];

/// Waits until no cubicle's life is about to change.
pub fn hold_all() -> AllLives {
    core::array::from_fn(|cubicle| LIVES[cubicle].lock())
}

/// In a child: only thread `own` is inside of anything, or holds it.
pub fn only_this_thread(own: usize) {
    for (cubicle, life) in LIVES.iter().enumerate() {
        let mut life = life.lock();
        for (index, word) in life.inside.iter_mut().enumerate() {
            *word &= match index == own / 64 {
                true => 1 << (own % 64),
                false => 0,
            };
        }
        life.runs = self::own().runs[cubicle].into();
        HOLDERS[cubicle].store(self::own().holds[cubicle].into(), Ordering::SeqCst);
        life.renew(cubicle);
    }
}

/// Is the cubicle no longer what it was, and not yet new?
pub fn is_dying(cubicle: usize) -> bool {
    DYING.load(Ordering::SeqCst) >> cubicle & 1 == 1
}

/// Does its manifest ask for it?
pub fn is_restartable(cubicle: usize) -> bool {
    crate::process::plan()
        .and_then(|plan| plan.cubicles().get(cubicle))
        .is_some_and(|cubicle| cubicle.restarts > 0)
}

fn own() -> &'static mut OfThread {
    // SAFETY: this thread's state, and nobody keeps a reference to this part.
    unsafe { &mut (*thread::state()).restart }
}

/// What a cubicle waits for on this thread: what is known of it since it failed, or what
/// its frame says. A closed cubicle's frame can still be read, though no gate finds it any
/// more: the thread may be inside, and not know yet. While the frame is looked at, nobody
/// takes the memory away.
pub fn waiting(cubicle: usize) -> Option<Dead> {
    frame_with(cubicle, || Some(life(cubicle).lock()))
}

/// The same for a report, which may come from somebody who takes the memory away: nothing, if
/// that takes too long.
pub fn waiting_for_report(cubicle: usize) -> Option<Dead> {
    const ATTEMPTS: usize = 1000;
    frame_with(cubicle, || {
        (0..ATTEMPTS).find_map(|_| {
            let life = life(cubicle).try_lock();
            if life.is_none() {
                pause();
            }
            life
        })
    })
}

fn frame_with(cubicle: usize, lock: impl FnOnce() -> Option<Guard<'static, Life>>) -> Option<Dead> {
    if let Some(dead) = own().dead[cubicle] {
        return Some(dead);
    }
    let life = match is_restartable(cubicle) {
        true => Some(lock()?),
        false => None,
    };
    if let Some(life) = life.as_ref().filter(|life| life.closed) {
        // Who has left has a frame there that says what it said last.
        return life.is_inside().then(|| read_frame(cubicle)).flatten();
    }
    let frame = crate::process::run::frame(cubicle)?;
    // SAFETY: frames the block names are mapped.
    let frame = unsafe { &*frame };
    whole(
        cubicle,
        Dead {
            stack: frame.stack,
            awaiting: frame.awaiting,
        },
    )
}

/// What a cubicle waits for, also while one of its gates asks for a first entry.
fn whole(cubicle: usize, frame: Dead) -> Option<Dead> {
    match frame.awaiting {
        ATTACHING => chain::older(cubicle, frame),
        _ => Some(frame),
    }
}

/// What this thread's frame in a closed cubicle says, if the thread ever was there.
pub(super) fn read_frame(cubicle: usize) -> Option<Dead> {
    // SAFETY: this thread's state.
    let number = unsafe { (*thread::state()).number };
    let at = crate::process::run::frame_address(cubicle, number as u64);
    let mut words = [0; WAITING];
    if !memory_calls::read(cubicle, at, &mut words) {
        return None;
    }
    let frame = Dead {
        stack: chain::word(&words, offset_of!(Frame, stack)),
        awaiting: chain::word(&words, offset_of!(Frame, awaiting)),
    };
    whole(cubicle, frame)
}

/// Bytes of a frame that say what its cubicle waits for.
const WAITING: usize = offset_of!(Frame, awaiting) + 8;

/// The monitor has hidden what a cubicle waits for on this thread, so that nobody can
/// answer it meanwhile. Each needs its [`show`].
pub fn hide(cubicle: usize) {
    own().hidden[cubicle] += 1;
}

/// What was hidden holds again: what the frame said then. `false`: the cubicle has failed, and
/// is lost on this thread.
pub fn show(cubicle: usize, waiting: Dead) -> bool {
    own().hidden[cubicle] -= 1;
    let there = hold(cubicle);
    if !there {
        own().dead[cubicle] = whole(cubicle, waiting);
    }
    there
}

/// This thread ends, and nothing comes back to the cubicle on it, whatever that had called.
pub fn leave_for_good(cubicle: usize) {
    own().hidden[cubicle] = 0;
    if own().dead[cubicle].take().is_none() {
        return;
    }
    // SAFETY: this thread's state.
    let number = unsafe { (*thread::state()).number };
    let mut life = life(cubicle).lock();
    life.inside[number / 64] &= !(1 << (number % 64));
    life.renew(cubicle);
}

/// Is it known on this thread that a cubicle has failed? Then nothing of it runs here any
/// more, though gates may still find its frame for a moment.
pub fn is_lost(cubicle: usize) -> bool {
    own().dead[cubicle].is_some()
}

/// Does a cubicle wait for more on this thread than its frame says?
pub(super) fn is_hidden(cubicle: usize) -> bool {
    own().hidden[cubicle] > 0
}

fn pause() {
    // SAFETY: no memory is involved.
    unsafe { kernel::call(number::SCHED_YIELD, [0; 6]) };
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
    let entry = match life.phase {
        Phase::Dying => return Entry::Refused,
        Phase::Up => Entry::Parked,
        Phase::New => {
            life.phase = Phase::Up;
            crate::process::cubicles()[cubicle].parked_main.begin();
            Entry::New
        }
    };
    life.runs += 1;
    own().runs[cubicle] += 1;
    entry
}

/// The monitor is about to make the cubicle run. Until [`done`] its memory is not
/// taken away, though it may be closed. `false`: it is dying, or new.
pub fn begin(cubicle: usize) -> bool {
    if !is_restartable(cubicle) {
        return true;
    }
    let mut life = life(cubicle).lock();
    if life.phase != Phase::Up {
        return false;
    }
    life.runs += 1;
    own().runs[cubicle] += 1;
    true
}

/// [`begin`] for a thread that the cubicle creates: as long as that lives, it runs what the
/// cubicle has it run. `of` is the new thread's.
pub fn begin_thread(cubicle: usize, of: &mut OfThread) -> bool {
    if !begin(cubicle) {
        return false;
    }
    if is_restartable(cubicle) {
        own().runs[cubicle] -= 1;
        of.runs[cubicle] += 1;
    }
    true
}

/// The thread was not created after all.
pub fn forget_thread(cubicle: usize, of: &mut OfThread) {
    if of.runs[cubicle] > 0 {
        of.runs[cubicle] -= 1;
        own().runs[cubicle] += 1;
        done(cubicle);
    }
}

/// It has run, or failed.
pub fn done(cubicle: usize) {
    if own().runs[cubicle] == 0 {
        return;
    }
    own().runs[cubicle] -= 1;
    let mut life = life(cubicle).lock();
    life.runs -= 1;
    life.renew(cubicle);
}

/// [`hold`], for a call through a gate: the thread has a frame in the cubicle, unless that
/// has started anew since the gate looked.
pub fn hold_called(cubicle: usize) -> bool {
    if !hold(cubicle) {
        return false;
    }
    // SAFETY: this thread's block.
    let there = unsafe { (*thread::block()).virtual_threads[cubicle].frame != 0 };
    if !there {
        release(cubicle);
    }
    there
}

/// From here to [`release`] the cubicle's memory and frames are as the monitor finds
/// them, and nothing that takes long may happen. `false`: it is dying.
pub fn hold(cubicle: usize) -> bool {
    if !is_restartable(cubicle) {
        return true;
    }
    own().holds[cubicle] += 1;
    HOLDERS[cubicle].fetch_add(1, Ordering::SeqCst);
    // Whoever closes it waits for this thread already, if that held it before.
    if own().holds[cubicle] == 1 && is_dying(cubicle) {
        release(cubicle);
        return false;
    }
    true
}

/// The cubicle is let go; if it was not held, nothing happens.
pub fn release(cubicle: usize) {
    if own().holds[cubicle] == 0 {
        return;
    }
    own().holds[cubicle] -= 1;
    if HOLDERS[cubicle].fetch_sub(1, Ordering::SeqCst) == 1 && is_dying(cubicle) {
        wake(&HOLDERS[cubicle], u32::MAX >> 1);
    }
}

/// The cubicle is dying: waits until nobody holds it.
pub(super) fn wait_for_holders(cubicle: usize) {
    loop {
        match HOLDERS[cubicle].load(Ordering::SeqCst) {
            0 => return,
            holders => wait_while(&HOLDERS[cubicle], holders),
        }
    }
}

/// Whatever the monitor did in the cubicle's memory on this thread, it goes on elsewhere.
pub(super) fn forget_holds(cubicle: usize) {
    while own().holds[cubicle] > 0 {
        release(cubicle);
    }
}

/// Wherever the monitor made the cubicle run on this thread, it goes on elsewhere.
pub fn forget_runs(cubicle: usize) {
    while own().runs[cubicle] > 0 {
        done(cubicle);
    }
}
