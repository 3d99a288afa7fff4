//! Threads that are to find out that a cubicle has failed.
//!
//! A thread in such a cubicle finds out at its next write there. One that waits for the kernel, or
//! loops without writing, would not; so each that is inside gets a signal. It says nothing, and
//! goes nowhere: it ends what the thread waits for, and brings it to an instruction of the
//! cubicle's own, or of a gate's that writes, like every other signal.
//!
//! The number is one of those that libcs send themselves. Theirs are known by the bits that
//! their sender has set ([`super::send::to_thread`]).

use super::actions::SA_RESTART;
use super::place::Place;
use super::{INTERNAL, Information, send, signal_of};
use crate::machine::kernel::{call, number};
use crate::machine::signals::install_handler;
use crate::machine::thread;
use crate::process;
use crate::restart;
use crate::threads::pool;
use core::sync::atomic::Ordering;

const INDEX: usize = 1;
const SIGNAL: u64 = INTERNAL[INDEX];

/// Installs the handler, if there is a cubicle that can start anew. Answers as the kernel
/// does. Whoever is roused and has nothing to find out goes on waiting, where the
/// kernel knows how.
pub fn install() -> i64 {
    match (0..process::cubicle_count()).any(restart::is_restartable) {
        true => install_handler(SIGNAL, SA_RESTART),
        false => 0,
    }
}

/// Rouses thread `number`, unless it waits on behalf of another cubicle than `failed`: that
/// one is not to notice, and will come back by itself.
pub fn rouse(number: usize, failed: usize) {
    let Some(id) = pool::id(number) else {
        return;
    };
    // SAFETY: the memory of a thread stays mapped when it has ended, and the word is there
    // for others to read.
    let serving = unsafe { &(*pool::memory(number).state()).serving };
    let served = thread::served(serving.load(Ordering::SeqCst));
    if served.is_none_or(|cubicle| cubicle == failed) {
        // SAFETY: no memory is involved; the thread is this process's.
        unsafe {
            call(
                number::TGKILL,
                [send::own_process(), id.into(), SIGNAL, 0, 0, 0],
            )
        };
    }
}

/// Is this such a signal?
pub fn is_sent(information: &Information) -> bool {
    signal_of(information) == SIGNAL && super::own().internal[INDEX].load(Ordering::Relaxed) == 0
}

/// Does the monitor work here for a cubicle that has not failed? Then nothing is to be found out,
/// and whatever it waits for goes on. Everywhere else the thread has to come by where it would
/// find out: nothing returns from a handler into a cubicle's code.
pub fn is_for_others(place: Place) -> bool {
    // SAFETY: this thread's state.
    let serving = || unsafe { (*thread::state()).serving.load(Ordering::Relaxed) };
    place == Place::Monitor
        && thread::served(serving()).is_some_and(|cubicle| !restart::is_dying(cubicle))
}
