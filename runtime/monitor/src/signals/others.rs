//! A handler of another cubicle than the one that was interrupted.
//!
//! The interrupted one is kept, with all its registers, in the monitor's memory, and
//! asks for the handler itself, through its own system-call gate: there is one way into the
//! monitor, and only there can a virtual thread be made in the handler's cubicle. The
//! handler starts where that cubicle's next entry would. While it runs, entries into the
//! interrupted one start below what it has in use, and nobody can answer what it
//! waits for. When the handler returns, the interrupted one goes on.

use super::actions::{Action, SA_ONSTACK};
use super::frame::{self, RED_ZONE};
use super::kept::{EXTENDED, Interrupted};
use super::masks;
use super::{Information, deliver, send, signal_of, step};
use crate::defences::off;
use crate::machine::assembly::{cubicle_leave, cubicle_return};
use crate::machine::kernel::error;
use crate::machine::resume::start_over;
use crate::machine::rights::open;
use crate::machine::signals::{SIGSEGV, SS_AUTODISARM, SignalContext, go_on_in_gate};
use crate::machine::thread;
use crate::process::run::frame as frame_of;
use crate::process::{self, chain, rights, virtual_threads};
use crate::restart::{self, Accident, Dead};
use crate::threads::create::block_signals;
use crate::threads::pool;
use core::sync::atomic::Ordering;
use cubicle_abi::calls::DELIVER;
use cubicle_abi::defences::Defence;
use cubicle_abi::frame::{Context, RESUME};
use cubicle_abi::layout::resume_stub;
use cubicle_abi::rights::Rights;

/// Sends `cubicle`, which was interrupted, to ask for the handler of `owner`. `false`: not
/// now.
pub fn interrupt(
    context: &mut SignalContext,
    cubicle: usize,
    (owner, action): (usize, Action),
    information: &Information,
) -> bool {
    forget_abandoned(owner, cubicle);
    if !is_possible(owner) {
        return false;
    }
    let Some(own) = frame_of(cubicle) else {
        return false;
    };
    // SAFETY: the cubicle was just running, so its frame is open.
    if unsafe { (*own).token } != 0 {
        deliver::stranger(context);
    }
    let size = deliver::extended_size(context) as usize;
    let kept = next();
    // SAFETY: the kernel wrote so many bytes, and `extended_size` says no more than fit.
    unsafe {
        core::ptr::copy_nonoverlapping(
            context.extended as *const u8,
            kept.extended.as_mut_ptr(),
            size,
        );
    }
    kept.context = context.registers();
    kept.cubicle = cubicle;
    kept.handler = owner;
    kept.information = *information;
    kept.action = action;
    super::own().delivering = true;
    context.mask = masks::ALL;
    go_on_in_gate(context, cubicle, DELIVER);
    true
}

/// Can this thread have one of `owner`'s? The main cubicle has no parked `main` that could
/// make it, unless it has made a spare thread.
pub fn is_enterable(owner: usize) -> bool {
    let main = process::plan().is_some_and(|plan| plan.header().main as usize == owner);
    !main || frame_of(owner).is_some() || process::spare::is_made()
}

/// Can a handler of `owner` run on this thread now?
fn is_possible(owner: usize) -> bool {
    // SAFETY: this thread's state.
    let state = unsafe { &*thread::state() };
    let nested = state.parked_main.is_some()
        || state.attaching.is_some()
        || state.exiting.is_some()
        || state.ending.is_some();
    // What is on its way already has taken the next place.
    let free = !state.signals.delivering || off(Defence::SignalPlaces);
    let room = state.signals.kept.count < super::kept::DEEPEST && free;
    let ended = process::cubicles()[owner]
        .finished
        .load(core::sync::atomic::Ordering::Relaxed);
    room && !nested && !ended && !restart::is_dying(owner) && is_enterable(owner)
}

/// The first free place for an interrupted cubicle.
fn next() -> &'static mut super::kept::Interrupted {
    let kept = &mut super::own().kept;
    &mut kept.entries[kept.count % super::kept::DEEPEST]
}

/// If `cubicle` was sent to ask for a handler and has not, nobody will: the signal finds
/// whoever runs next.
pub fn take_back(cubicle: usize) {
    if super::own().delivering && next().cubicle == cubicle {
        super::own().delivering = false;
        send::again(&next().information);
        masks::apply();
    }
}

/// `deliver`: the interrupted cubicle asks for the handler. There is an answer only if it
/// was not sent here.
pub fn begin(cubicle: usize) -> i64 {
    let expected = super::own().delivering.then(next);
    let Some(entry) = expected.filter(|entry| entry.cubicle == cubicle) else {
        return -error::EPERM;
    };
    // Its place is not its own before it is counted: what the handler's cubicle does first may
    // end other handlers.
    let interrupted = *entry;
    let owner = interrupted.handler;
    let signal = signal_of(&interrupted.information);
    // Until the handler returns, what it runs in is not taken away.
    let entered = virtual_threads::attach_for(cubicle, owner) && restart::begin(owner);
    if !off(Defence::SignalPlaces) {
        *next() = interrupted;
    }
    if !restart::hold(cubicle) {
        // It has failed on another thread: its call is answered, and the signal finds
        // whoever runs then.
        take_back(cubicle);
        if entered {
            restart::done(owner);
        }
        restart::contain::fail(cubicle);
    }
    if !entered || !restart::hold_called(owner) {
        // The handler's cubicle has failed, or has started anew since, and the handler is gone: the kernel does what is to
        // be done without it.
        if entered {
            restart::done(owner);
        }
        take_back(cubicle);
        open(Rights::NONE, rights(cubicle));
        go_on(next());
    }
    let entry = next();
    let signals = super::own();
    open(rights(cubicle), rights(owner));
    let (Some(own), Some(target)) = (frame_of(cubicle), frame_of(owner)) else {
        crate::violation::fatal("a signal for a cubicle that could not be entered");
    };
    // SAFETY: the thread block's frame pointers are the monitor's, and both pages are
    // open.
    unsafe {
        entry.stack = (*own).stack;
        entry.awaiting = (*own).awaiting;
        entry.saved = (*own).saved;
        (*own).stack = entry.context.stack.wrapping_sub(RED_ZONE) & !15;
        (*own).awaiting = 0;
    }
    restart::hide(cubicle);
    open(Rights::NONE, Rights::ALL);
    entry.call = innermost(owner);
    open(rights(cubicle), rights(owner));
    let action = entry.action;
    // SAFETY: as above. What it says concerns only the handler's cubicle.
    let stack = unsafe { (*target).stack };
    let alternate = signals.alternate[owner];
    let top = (action.flags & SA_ONSTACK != 0)
        .then(|| alternate.top(stack))
        .flatten()
        .unwrap_or(stack.wrapping_sub(RED_ZONE));
    // Nothing of the interrupted cubicle is shown.
    let mut shown = SignalContext::EMPTY;
    if off(Defence::Interrupted) {
        shown.set_registers(&entry.context);
    }
    shown.rsp = stack;
    shown.stack = alternate.words(stack);
    shown.mask = signals.masks[owner];
    let places = frame::below(top, 0);
    let written =
        places.is_some_and(|at| deliver::write(owner, &at, &action, &shown, &entry.information));
    let (Some(places), true) = (places, written) else {
        crate::violation::crashed(
            owner,
            action.handler,
            SIGSEGV,
            "there is no stack of its own for the handler of a signal",
        );
    };
    entry.frame = places.stack;
    signals.kept.count += 1;
    deliver::start(owner, &action, signal);
    let context = Context {
        rdi: signal,
        rsi: places.information,
        rdx: places.context,
        stack: places.stack,
        instruction: action.handler,
        ..Context::START
    };
    // SAFETY: the frame is open; the stub takes the stack from the thread block, where
    // nothing is live any more.
    unsafe {
        (*target).resume = context;
        (*target).token = RESUME;
        (*thread::block()).resume_target = action.handler;
        super::own().delivering = false;
        restart::release(cubicle);
        restart::release(owner);
        (*thread::state()).serving.store(0, Ordering::Relaxed);
        masks::apply();
        cubicle_leave(resume_stub(owner))
    }
}

/// Is `rt_sigreturn` of `cubicle` with this stack pointer the return of a handler that
/// keeps another cubicle waiting? Then that one is in `context` again.
pub fn end(context: &mut SignalContext, cubicle: usize, shown: &SignalContext) -> bool {
    let Some(kept) = super::own().kept.last() else {
        return false;
    };
    if kept.handler != cubicle || kept.frame.wrapping_add(8) != context.rsp {
        return false;
    }
    let signals = super::own();
    signals.masks[cubicle] = shown.mask & !masks::UNBLOCKABLE;
    let size = deliver::extended_size(context) as usize;
    let interrupted = kept.cubicle;
    open(rights(cubicle), rights(interrupted));
    if !forget_last() {
        // It has failed meanwhile: whoever waits for it is answered instead.
        let accident = Accident {
            cubicle: interrupted,
            is_first: false,
            returned: false,
        };
        context.mask = masks::wanted();
        restart::fault::go_on_without(accident, context);
        return true;
    }
    // SAFETY: the kernel's frame, which has room for as many bytes as it had before.
    unsafe {
        core::ptr::copy_nonoverlapping(kept.extended.as_ptr(), context.extended as *mut u8, size);
    }
    context.set_registers(&kept.context);
    if !start_over(interrupted, context) {
        deliver::stranger(context);
    }
    restart::release(interrupted);
    context.mask = masks::wanted();
    true
}

/// A handler has failed together with its cubicle: whom it interrupted goes on, as if it had
/// returned.
pub fn lose() -> ! {
    let Some(kept) = super::own().kept.last() else {
        crate::violation::fatal("a handler failed that has interrupted nobody");
    };
    let interrupted = kept.cubicle;
    open(Rights::NONE, rights(interrupted));
    if !forget_last() {
        restart::contain::fail(interrupted)
    }
    go_on(kept)
}

/// Lets an interrupted cubicle go on, whose frame must be open and held, from where the
/// monitor runs: what the kernel returns to from a handler is made here.
///
/// ```text
///   context     ◄── stack pointer of rt_sigreturn
///   extended    ◄── 64-byte aligned; the context points to it
/// ```
fn go_on(kept: &Interrupted) -> ! {
    #[repr(C, align(64))]
    struct Made {
        extended: [u8; EXTENDED],
        context: SignalContext,
    }
    // SAFETY: this thread's state. Whoever had asked for the handler asks no longer.
    unsafe { (*thread::state()).serving.store(0, Ordering::Relaxed) };
    // What comes from here on would find a mask that is not the thread's any more.
    block_signals();
    let (base, size) = pool::memory(send::own_number()).signal_stack();
    let mut made = Made {
        extended: kept.extended,
        context: SignalContext {
            flags: frame::FLAGS,
            stack: [base, SS_AUTODISARM, size],
            ..SignalContext::EMPTY
        },
    };
    made.context.extended = made.extended.as_ptr() as u64;
    made.context.set_registers(&kept.context);
    if !start_over(kept.cubicle, &mut made.context) {
        crate::violation::fatal("a cubicle that was interrupted cannot go on");
    }
    restart::release(kept.cubicle);
    made.context.mask = masks::wanted();
    step::go_on(&mut made.context);
    // SAFETY: the kernel wrote the extended state, all else is as it would write it, and
    // the context leads to the resume stub. Nothing of this stack is needed any more.
    unsafe { cubicle_return(&made.context) }
}

/// The innermost interrupted cubicle is no longer kept, and its handler's cubicle no longer
/// runs for it. Its frame, which must be open, says again what it said, and is held.
/// `false`: it has failed.
fn forget_last() -> bool {
    let kept = &mut super::own().kept;
    let Some(entry) = kept.last() else {
        return false;
    };
    let (interrupted, owner) = (entry.cubicle, entry.handler);
    let waiting = Dead {
        stack: entry.stack,
        awaiting: entry.awaiting,
    };
    let there = restart::show(interrupted, waiting);
    if there && let Some(frame) = frame_of(interrupted) {
        // SAFETY: the thread block's frame pointers are the monitor's.
        unsafe {
            (*frame).stack = waiting.stack;
            (*frame).awaiting = waiting.awaiting;
            (*frame).saved = entry.saved;
        }
    }
    kept.count -= 1;
    restart::done(owner);
    there
}

/// The innermost call into a cubicle, so that another one can be told from it.
fn innermost(cubicle: usize) -> Option<(usize, u64)> {
    chain::innermost(cubicle).map(|call| (call.gate, call.stack))
}

/// Is a handler of `cubicle` what runs innermost of it on this thread, and another cubicle
/// interrupted by that?
pub fn is_handling(cubicle: usize) -> bool {
    let call = innermost(cubicle);
    super::own()
        .kept
        .last()
        .is_some_and(|kept| kept.handler == cubicle && call == kept.call)
}

/// Forgets whom handlers of `owner` interrupted that it has left with a `longjmp`: its
/// stack is free again where their frames were. `running` was interrupted now.
fn forget_abandoned(owner: usize, running: usize) {
    while let Some(last) = super::own().kept.last()
        && last.handler == owner
        && let Some(frame) = frame_of(owner)
    {
        open(rights(owner), rights(last.cubicle));
        // SAFETY: the thread block's frame pointers are the monitor's, and it is open.
        let stack = unsafe { (*frame).stack };
        let alternate = super::own().alternate[owner];
        let left = match alternate.holds(last.frame) {
            true => !alternate.holds(stack),
            false => last.frame < stack,
        };
        let interrupted = last.cubicle;
        if left && forget_last() {
            restart::release(interrupted);
        }
        open(Rights::NONE, rights(running));
        if !left {
            return;
        }
    }
}
