//! Virtual threads: what a kernel thread is inside a cubicle it enters.
//!
//! The cubicle's parked `main` calls its own `pthread_create`. The `clone` that
//! follows creates no kernel thread: its registers are kept, and the thread
//! that wants to enter runs them itself, up to the call that parks. From then
//! on its calls into the cubicle start below that point of the new stack, with
//! the new thread pointer.

use super::chain::is_awaited;
use super::run::{FAILED, run};
use super::{exit, lends, start};
use crate::machine::context::{Registers, after};
use crate::machine::kernel::error;
use crate::machine::thread;
use crate::restart::{self, Dead, Entry};
use crate::signals::stacks::AlternateStack;
use crate::threads::{self, frames};
use crate::violation;
use core::sync::atomic::Ordering;
use cubicle_abi::calls::COMMAND_ATTACH;
use cubicle_abi::frame::{Context, Frame};
use cubicle_abi::layout::{page_down, page_up};
use cubicle_abi::plan::Cubicle;
use cubicle_abi::rights::Rights;

/// What lies below the stack pointer and may be in use (System V ABI, 3.2.2).
const RED_ZONE: u64 = 128;

/// The cubicle goes on from where it parked on this thread. Whatever calls of it are
/// pending come back no more: nobody may return from one.
pub fn forget_calls(index: usize, parked: &Context) {
    crate::machine::rights::open(Rights::NONE, super::rights(index));
    stack_of(index, parked.stack);
    if restart::hold(index) {
        if let Some(frame) = super::run::frame(index) {
            // SAFETY: the thread block's frame pointers are the monitor's.
            unsafe { (*frame).awaiting = 0 };
        }
        restart::release(index);
    }
}

/// Where this thread's calls into cubicle `index` start.
fn stack_of(index: usize, stack: u64) {
    if !restart::hold(index) {
        return;
    }
    if let Some(frame) = super::run::frame(index) {
        // SAFETY: the thread block's frame pointers are the monitor's.
        unsafe { (*frame).stack = (stack - RED_ZONE) & !15 };
    }
    restart::release(index);
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
    if attach_for(caller, target) {
        0
    } else {
        FAILED as i64
    }
}

/// Makes this thread's virtual thread in `target`, while `caller` is in a system call.
/// `false`: the cubicle has failed, which a gate into one that can fail understands.
pub fn attach_for(caller: usize, target: usize) -> bool {
    if super::run::frame(target).is_some() {
        return true;
    }
    super::spare::prepare_if_wanted(caller);
    let suspended = Suspended::new(caller);
    // SAFETY: this thread's state.
    let state = unsafe { &mut *thread::state() };
    state.signals.masks[target] = state.signals.masks[caller];
    state.signals.alternate[target] = AlternateStack::NONE;
    let entered = enter(target);
    // The caller's system-call gate answers in the caller's frame.
    crate::machine::rights::open(super::rights(target), super::rights(caller));
    suspended.restore();
    entered
}

/// Makes this thread's virtual thread in `target`, where it has none. `false`: the
/// cubicle has failed.
pub fn enter(target: usize) -> bool {
    let entry = restart::enter(target);
    if let Entry::Refused = entry {
        return false;
    }
    // SAFETY: this thread's block and state.
    let (block, state) = unsafe { (&mut *thread::block(), &mut *thread::state()) };
    let outer = state.entering.replace(target);
    if let Entry::New = entry {
        start::start_again(target);
    }
    // Whoever closes it looks for frames after it has begun to die.
    let entered = make_thread(target) && !restart::is_dying(target);
    state.entering = outer;
    if !entered {
        block.virtual_threads[target].frame = 0;
    }
    restart::done(target);
    entered
}

/// Has the parked `main` of `target` make a thread, and runs that up to where it parks.
/// `false`: the cubicle has failed.
fn make_thread(target: usize) -> bool {
    let parked = &super::cubicles()[target].parked_main;
    let Some(mut main) = parked.take() else {
        if restart::is_restartable(target) {
            return false;
        }
        exit::wait_if_others_exit();
        violation::fatal("a cubicle was called before it had started, or after it had ended");
    };
    // SAFETY: this thread's block and state.
    let (block, state) = unsafe { (&mut *thread::block(), &mut *thread::state()) };
    let Some(frame) = frames::map(target, state.number) else {
        parked.put(main);
        return no_room(target, "holds nothing for another thread");
    };
    lends::begin_thread(target);
    block.virtual_threads[target].frame = frame;
    main.rax = COMMAND_ATTACH;
    let outer = (
        state.parked_main.replace(target),
        state.attaching.replace(target),
        state.new_thread.take(),
    );
    let failed = run(target, &main) == FAILED;
    let new = state.new_thread;
    (state.parked_main, state.attaching, state.new_thread) = outer;
    if failed {
        return false;
    }
    parked.put(state.parked[target]);
    let Some(new) = new else {
        frames::leave(target);
        return no_room(target, "is too small for the stack of another thread");
    };
    if run(target, &new) == FAILED {
        return false;
    }
    let thread = state.parked[target];
    block.virtual_threads[target].fs = thread.fs;
    stack_of(target, thread.stack);
    true
}

/// A thread has no room in a cubicle. `false`: it cannot be entered, which fails the call
/// if the manifest says what that comes to.
fn no_room(target: usize, what: &str) -> bool {
    if restart::is_restartable(target) {
        return false;
    }
    let name = super::plan().map_or(&b""[..], |plan| plan.name(target));
    violation::no_room(name, what)
}

/// The frame of a cubicle that is inside a system call while others run. They
/// may call it back, and it may then make calls of its own; none of it may
/// touch what it will go on with.
pub struct Suspended {
    cubicle: usize,
    frame: Option<*mut Frame>,
    waiting: Dead,
    saved: [u64; 4],
    /// Who asked before.
    outer: Option<usize>,
}

impl Suspended {
    /// Its next entry starts below where it made the system call, and nobody
    /// may answer what it waited for further out.
    pub fn new(cubicle: usize) -> Suspended {
        let mut suspended = Suspended {
            cubicle,
            frame: None,
            waiting: Dead {
                stack: 0,
                awaiting: 0,
            },
            saved: [0; 4],
            // SAFETY: this thread's state.
            outer: unsafe { (*thread::state()).asking.replace(cubicle) },
        };
        if !restart::hold(cubicle) {
            return suspended;
        }
        suspended.frame = super::run::frame(cubicle);
        if let Some(frame) = suspended.frame {
            // SAFETY: the thread block's frame pointers are the monitor's, and
            // the page is open: the cubicle was just running.
            unsafe {
                suspended.waiting = Dead {
                    stack: (*frame).stack,
                    awaiting: (*frame).awaiting,
                };
                suspended.saved = (*frame).saved;
                (*frame).stack = suspended.saved[3].wrapping_sub(RED_ZONE) & !15;
                (*frame).awaiting = 0;
            }
            restart::hide(cubicle);
        }
        restart::release(cubicle);
        suspended
    }

    /// Its pages must be open again. If it has failed meanwhile, it is lost, and does not
    /// go on when its system call ends.
    pub fn restore(self) {
        // SAFETY: this thread's state.
        unsafe { (*thread::state()).asking = self.outer };
        if let Some(frame) = self.frame
            && restart::show(self.cubicle, self.waiting)
        {
            // SAFETY: as above.
            unsafe {
                (*frame).stack = self.waiting.stack;
                (*frame).awaiting = self.waiting.awaiting;
                (*frame).saved = self.saved;
            }
            restart::release(self.cubicle);
        }
    }
}

/// `park`: the `main` of a cubicle that has none of its own is ready.
pub fn park(cubicle: usize, registers: &Registers) -> i64 {
    // SAFETY: this thread's state.
    let state = unsafe { &mut *thread::state() };
    let runs = state.parked_main == Some(cubicle) && state.running == Some(cubicle);
    if !runs || is_awaited(cubicle) {
        return -error::EPERM;
    }
    super::cubicles()[cubicle]
        .gone
        .store(registers.rdi, Ordering::Relaxed);
    leave(cubicle, registers)
}

/// `park_thread`: a new virtual thread is ready.
pub fn park_thread(cubicle: usize, registers: &Registers) -> i64 {
    // SAFETY: this thread's state.
    let state = unsafe { &*thread::state() };
    // Others have nobody to go back to.
    let runs = state.running == Some(cubicle) && state.entering == Some(cubicle);
    // The main cubicle has a thread here already, for which others may wait.
    let main = super::plan().map(|plan| plan.header().main as usize);
    if !runs || main != Some(cubicle) && is_awaited(cubicle) {
        return -error::EPERM;
    }
    leave(cubicle, registers)
}

/// Keeps where the cubicle is, and goes back to whoever made it run.
fn leave(cubicle: usize, registers: &Registers) -> ! {
    if !restart::hold_called(cubicle) {
        restart::contain::fail(cubicle)
    }
    // SAFETY: this thread's block and state; the frame is the cubicle's own,
    // and what it says of the stack pointer concerns only the cubicle.
    unsafe {
        let block = &*thread::block();
        let state = &mut *thread::state();
        let place = block.virtual_threads[cubicle];
        let frame = place.frame as *const Frame;
        state.parked[cubicle] = after(registers, (*frame).saved[3], place.fs, 0);
        restart::release(cubicle);
        crate::machine::assembly::cubicle_back(0)
    }
}

/// `clone`: of the parked `main`, a virtual thread; of others, a kernel thread or a
/// process.
pub fn clone(cubicle: usize, policy: &Cubicle, registers: &Registers) -> i64 {
    const CLONE_VM: u64 = 0x100;
    const CLONE_THREAD: u64 = 0x1_0000;
    const CLONE_SETTLS: u64 = 0x8_0000;
    const CLONE_PARENT_SETTID: u64 = 0x10_0000;
    const CLONE_CHILD_CLEARTID: u64 = 0x20_0000;
    let [flags, stack, parent_id, child_id, fs, _] = registers.arguments();
    if flags & CLONE_THREAD == 0 {
        return super::children::clone(cubicle, policy, registers);
    }
    // SAFETY: this thread's state.
    let state = unsafe { &mut *thread::state() };
    if state.attaching != Some(cubicle) {
        return threads::create::create(cubicle, registers);
    }
    let wanted = CLONE_VM | CLONE_THREAD | CLONE_SETTLS;
    if flags & wanted != wanted || !is_canonical(fs) {
        return -error::EAGAIN;
    }
    if flags & CLONE_CHILD_CLEARTID != 0 {
        state.presences[cubicle].clear_id = child_id;
    }
    if flags & CLONE_PARENT_SETTID != 0
        && !crate::memory_calls::write_word(cubicle, parent_id, state.id as u32)
    {
        return -error::EFAULT;
    }
    mark_stack(cubicle, stack, fs);
    state.new_thread = Some(after(registers, stack, fs, 0));
    state.id as i64
}

/// Bytes that a libc keeps from the thread pointer upwards, at the end of the
/// stack's mapping (glibc 2.36: `struct pthread`).
const THREAD_DESCRIPTOR: u64 = 2304;

/// Tells the stack of a new thread, thread-locals included, from other mappings:
/// no window may take it away from under the thread (rule 25). How long it is only
/// its libc knows, so no more than the mapping in which it ends, nor than the
/// manifest says.
pub fn mark_stack(cubicle: usize, stack: u64, fs: u64) {
    let size = super::plan()
        .and_then(|plan| plan.cubicles().get(cubicle))
        .map_or(0, |cubicle| cubicle.stack);
    let end = stack.max(fs.saturating_add(THREAD_DESCRIPTOR));
    let mut mappings = super::cubicles()[cubicle].mappings.lock();
    let Some(whole) = mappings.find(stack.saturating_sub(1)).copied() else {
        return;
    };
    let low = page_down(end.saturating_sub(size)).max(whole.start);
    mappings.mark_stack(low, page_up(end));
}

/// Could `base` be a segment base? WRFSBASE faults on others, in a gate (rule 5).
pub fn is_canonical(base: u64) -> bool {
    base < 1 << 47
}
