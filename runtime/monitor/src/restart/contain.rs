//! What a thread does whose callee has failed: the innermost call into it returns
//! what the manifest says, through the end of its own gate.
//!
//! ```text
//!   A ──gate──► B ──gate──► C        B fails:            the call A → B returns
//!   A ──gate──► B ──► C ──► B        the inner B fails:  the call C → B returns; C
//!                                    returns to B, which is dead: A → B returns, too
//! ```

use super::alive::{
    Phase, forget_holds, forget_runs, is_hidden, life, read_frame, set_dying, wait_for_holders,
};
use super::renew::poison;
use super::{Accident, Dead, hold_called, is_dying, is_restartable, release};
use crate::machine::assembly::{cubicle_back, cubicle_resume};
use crate::machine::clock::now;
use crate::machine::kernel::error;
use crate::machine::rights::open;
use crate::machine::thread;
use crate::process::chain::{self, Pending};
use crate::process::run::{FAILED, frame, frame_address};
use crate::process::{cubicle_count, cubicles, lends, plan, rights};
use crate::signals;
use core::sync::atomic::Ordering;
use cubicle_abi::frame::{Context, Frame, RESUME, ticket, ticket_gate};
use cubicle_abi::layout::{gate_tail, resume_stub};
use cubicle_abi::rights::Rights;

/// Can an accident of the cubicle on this thread be contained? Somebody must wait
/// for it, or the monitor itself, or the thread be the cubicle's own.
pub fn is_possible(cubicle: usize) -> bool {
    // SAFETY: this thread's state.
    let is_spawned = unsafe { (*thread::state()).spawned.is_some() };
    // A child that shares memory with its parent cannot go on in the parent's place.
    if !is_restartable(cubicle) || is_spawned {
        return false;
    }
    signals::others::is_handling(cubicle)
        || chain::innermost(cubicle).is_some()
        || is_entering(cubicle)
        || is_creator(cubicle)
}

/// Is this a thread that the cubicle has created, and nothing else is made to run on it?
fn is_creator(cubicle: usize) -> bool {
    // SAFETY: this thread's state.
    let state = unsafe { &*thread::state() };
    state.creator == Some(cubicle) && state.running == Some(cubicle)
}

fn is_entering(cubicle: usize) -> bool {
    // SAFETY: this thread's state.
    let state = unsafe { &*thread::state() };
    let runs = state.running == Some(cubicle);
    runs && (state.entering == Some(cubicle) || state.ending == Some(cubicle))
}

/// May there be one more accident this minute? Counts it, if it is not the
/// consequence of an earlier one.
pub fn is_within_limit(cubicle: usize) -> bool {
    let Some(plan) = plan() else {
        return false;
    };
    let mut life = life(cubicle).lock();
    if life.phase == Phase::Dying {
        return true;
    }
    let now = now() / 1_000_000_000;
    if now - life.minute >= 60 {
        (life.minute, life.accidents) = (now, 0);
    }
    life.accidents += 1;
    life.accidents <= plan.cubicles()[cubicle].restarts
}

/// The handler has sent a fault here, on the monitor's stack with all rights.
pub extern "C" fn go_on() -> ! {
    // SAFETY: this thread's state.
    match unsafe { (*thread::state()).restart.fault.take() } {
        Some(accident) => contain(accident),
        None => crate::violation::fatal("a fault was to be contained that nobody has seen"),
    }
}

/// The cubicle is lost on this thread: gives back to whoever waits for it.
pub fn contain(accident: Accident) -> ! {
    let cubicle = accident.cubicle;
    // Frames of all cubicles are looked at.
    open(Rights::NONE, Rights::ALL);
    let handles = signals::others::is_handling(cubicle);
    signals::others::take_back(cubicle);
    (0..cubicle_count()).for_each(forget_holds);
    let (dead, returns) = (remember(accident), is_entering(cubicle));
    let call = chain::innermost(cubicle);
    leave(accident, dead.awaiting == 0 && !is_hidden(cubicle));
    if handles {
        signals::others::lose()
    }
    if let Some(call) = call {
        // Nobody comes back to where the monitor made it run.
        forget_runs(cubicle);
        answer(&call)
    }
    if returns {
        // SAFETY: this very cubicle was made to run by `run`.
        unsafe { cubicle_back(FAILED) }
    }
    if is_creator(cubicle) {
        crate::threads::end::lost(cubicle)
    }
    crate::violation::fatal("a cubicle failed for which nobody waits")
}

/// What the cubicle had called on this thread, from its frame, which is not to
/// be used any more.
fn remember(accident: Accident) -> Dead {
    let cubicle = accident.cubicle;
    // SAFETY: this thread's state.
    let state = unsafe { &mut *thread::state() };
    let known = state.restart.dead[cubicle].or_else(|| read_frame(cubicle));
    // A cubicle that was never entered has called nobody.
    const NOBODY: Dead = Dead {
        stack: 0,
        awaiting: 0,
    };
    let mut dead = known.unwrap_or(NOBODY);
    if accident.returned {
        if let Some((gate, _)) = ticket_gate(dead.awaiting) {
            lends::abandon(gate as u32, dead.stack);
        }
        dead = chain::older(cubicle, dead).unwrap_or(NOBODY);
    }
    state.restart.dead[cubicle] = Some(dead);
    dead
}

/// This thread has left the cubicle, but for calls that will come back to it.
fn leave(accident: Accident, for_good: bool) {
    let cubicle = accident.cubicle;
    // SAFETY: this thread's state and block.
    let (state, block) = unsafe { (&mut *thread::state(), thread::block()) };
    let dies = accident.is_first && {
        let mut life = life(cubicle).lock();
        let dies = life.phase == Phase::Up;
        if dies {
            life.phase = Phase::Dying;
            set_dying(cubicle, true);
        }
        dies
    };
    if dies {
        wait_for_holders(cubicle);
    }
    let mut life = life(cubicle).lock();
    let frame = frame_address(cubicle, state.number as u64);
    let is_there = || cubicles()[cubicle].mappings.lock().find(frame).is_some();
    if !life.closed && for_good && is_there() {
        // Whoever closes the memory looks at it, also where the thread block names no
        // frame any more, because another call has failed before.
        // SAFETY: it can be written until then, which the lock keeps away.
        unsafe { (*(frame as *mut Frame)).inside = 0 };
    }
    if dies {
        poison(cubicle, &mut life);
    }
    // SAFETY: as above.
    unsafe { (*block).virtual_threads[cubicle].frame = 0 };
    let (word, bit) = (state.number / 64, 1u64 << (state.number % 64));
    if for_good {
        state.presences[cubicle] = Default::default();
        lends::begin_thread(cubicle);
        state.restart.dead[cubicle] = None;
        life.inside[word] &= !bit;
    } else {
        life.inside[word] |= bit;
    }
    life.renew(cubicle);
}

/// The call returns what the manifest says: the caller's gate is made to go on where
/// its callee has returned.
fn answer(call: &Pending) -> ! {
    // SAFETY: this thread's state. The system call that was being answered does not end.
    unsafe { (*thread::state()).serving.store(0, Ordering::Relaxed) };
    let number = call.gate;
    let Some(gate) = plan().and_then(|plan| plan.gates().get(number)) else {
        crate::violation::fatal("a gate that is not in the plan");
    };
    let caller = gate.from as usize;
    open(Rights::NONE, rights(caller));
    if !hold_called(caller) {
        // It is lost itself, and its call has just come back.
        come_back(caller)
    }
    let (Some(frame), block) = (frame(caller), thread::block()) else {
        crate::violation::fatal("a cubicle without a frame has made a call");
    };
    // SAFETY: the thread block's frame pointers are the monitor's; what the caller has
    // written there concerns only the caller.
    unsafe {
        lends::abandon(number as u32, (*frame).stack);
        // A gate with two switches waits in its first phase, and is answered in it.
        let phase = match ticket_gate((*frame).awaiting) {
            Some((_, 1)) => 1,
            _ => 3,
        };
        (*frame).awaiting = ticket(number, phase);
        let fs = (*block).virtual_threads[caller].fs;
        (*frame).resume = Context {
            r9: gate.fault_errno.into(),
            r10: gate.fault_value,
            stack: (*frame).stack,
            instruction: gate_tail(number),
            fs,
            ..Context::START
        };
        (*frame).token = RESUME;
        (*block).resume_target = gate_tail(number);
        release(caller);
        cubicle_resume(resume_stub(caller))
    }
}

/// A function was called that the cubicle had passed before it started anew: nothing has
/// happened to the cubicle as it is now, and the call fails. Returns an error number if
/// there is no such call.
pub fn call_gone(cubicle: usize) -> i64 {
    if !is_restartable(cubicle) {
        return -error::EPERM;
    }
    if is_dying(cubicle) {
        fail(cubicle)
    }
    open(Rights::NONE, Rights::ALL);
    let Some(call) = chain::innermost(cubicle) else {
        open(Rights::NONE, rights(cubicle));
        return -error::EPERM;
    };
    // As if it had returned: where its next call starts, and whom it waits for, is as
    // before this one.
    if let Some(frame) = frame(cubicle) {
        // SAFETY: the thread block's frame pointers are the monitor's.
        unsafe { (*frame).inside = (*frame).inside.wrapping_sub(1) };
    }
    answer(&call)
}

/// The monitor works for a call into a cubicle that is dying.
pub fn fail(cubicle: usize) -> ! {
    contain(Accident {
        cubicle,
        is_first: false,
        returned: false,
    })
}

/// The monitor works for a call that has come back to a cubicle that is dying.
pub fn come_back(cubicle: usize) -> ! {
    contain(Accident {
        cubicle,
        is_first: false,
        returned: true,
    })
}
