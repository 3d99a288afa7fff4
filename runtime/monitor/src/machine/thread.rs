//! A kernel thread, as the monitor knows it.

use super::context::Registers;
use crate::process::lends::PendingLends;
use crate::signals::ThreadSignals;
use core::cell::UnsafeCell;
use core::mem::offset_of;
use core::sync::atomic::AtomicU32;
use cubicle_abi::frame::Context;
use cubicle_abi::rights::Rights;
use cubicle_abi::signal_stack::{SIGNAL_STACK, SignalHeader};
use cubicle_abi::thread_block::{SELECTOR_ALLOW, ThreadBlock};

/// Size of a thread's monitor stack in bytes.
pub const MONITOR_STACK: usize = 256 << 10;

/// The monitor's private state of a thread (key 0).
#[repr(C)]
pub struct Thread {
    /// While a system call runs with a cubicle's rights: the monitor's stack
    /// pointer, which is also the proof that one does (rule 1). Otherwise 0.
    pub call_proof: u64,
    /// Kernel thread id.
    pub id: u64,
    /// Its number in [`crate::threads::pool`]: of its memory and its frames.
    pub number: usize,
    /// The cubicle whose libc created it; 0 is the main cubicle's own first.
    pub creator: Option<usize>,
    /// Where it begins, in its creator. Whoever creates it writes it.
    pub beginning: Option<Context>,
    /// [`crate::threads::create`]: may it begin?
    pub admitted: AtomicU32,
    /// Page tables: the rights that its part of the open pages stands for.
    pub in_force: Rights,
    /// What each cubicle has told the kernel about its thread on this one.
    pub presences: [Presence; cubicle_abi::layout::MAXIMUM_CUBICLES],
    /// The cubicle whose virtual thread on this one is being ended, if one is.
    pub ending: Option<usize>,
    /// Cubicles that failed under it.
    pub restart: crate::restart::OfThread,
    /// The address of the last fault that windows had nothing to mend for, and how often
    /// it came again.
    pub unchanged: (u64, u32),
    /// Whose system call is being answered, for others to read ([`served`]).
    pub serving: AtomicU32,
    /// In a child that shares memory with its parent, which waits on this very
    /// thread: the cubicle that made it, and where that begins.
    pub spawned: Option<(usize, Context)>,
    /// Arguments that are lent in calls pending on this thread.
    pub lends: PendingLends,
    /// Registers and stack of a `clone` that asks for a virtual thread.
    pub new_thread: Option<Context>,
    /// The cubicle that the innermost `cubicle_enter` on this thread runs. It
    /// alone may go back from there: a cubicle that it calls may not.
    pub running: Option<usize>,
    /// The cubicle whose parked `main` runs on this thread, if one does.
    pub parked_main: Option<usize>,
    /// The cubicle whose parked `main` makes a virtual thread, if one does.
    pub attaching: Option<usize>,
    /// The cubicle in which a new virtual thread is on its way to where it parks.
    pub entering: Option<usize>,
    /// The cubicle whose system call has made the monitor run others first, the last of them.
    pub asking: Option<usize>,
    /// The cubicle being shut down on this thread, if one is.
    pub exiting: Option<usize>,
    /// What signals mean to this thread.
    pub signals: ThreadSignals,
    /// For each cubicle: where its virtual thread on this thread parked.
    pub parked: [Context; cubicle_abi::layout::MAXIMUM_CUBICLES],
}

/// The cubicle that [`Thread::serving`] says: its number and one, or 0 for none.
pub fn served(serving: u32) -> Option<usize> {
    (serving as usize).checked_sub(1)
}

/// What a cubicle's libc has registered for its thread on a kernel thread: the
/// kernel would use it at the thread's end, with whatever rights there are then
/// (rule 19), so the monitor does it instead.
#[derive(Clone, Copy, Debug, Default)]
pub struct Presence {
    /// A word that is cleared, and whoever waits for it woken; 0: none.
    pub clear_id: u64,
    /// The list of robust mutexes (set_robust_list(2)); 0: none.
    pub robust_list: u64,
}

impl Presence {
    const NONE: Presence = Presence {
        clear_id: 0,
        robust_list: 0,
    };
}

impl Thread {
    /// Makes the state of a new thread in memory that is all zeroes. What is lent
    /// is nothing then, and too large to be written for that.
    ///
    /// # Safety
    /// `state` must be all zeroes, and nobody else's.
    pub unsafe fn start(state: *mut Thread, number: usize, creator: usize) {
        // SAFETY: the caller's; an empty table of lends is all zeroes.
        unsafe {
            (&raw mut (*state).number).write(number);
            (&raw mut (*state).creator).write(Some(creator));
            (&raw mut (*state).beginning).write(None);
            (&raw mut (*state).in_force).write(Rights::NONE);
            (&raw mut (*state).restart).write(crate::restart::OfThread::NOTHING);
            (&raw mut (*state).new_thread).write(None);
            (&raw mut (*state).running).write(None);
            (&raw mut (*state).parked_main).write(None);
            (&raw mut (*state).attaching).write(None);
            (&raw mut (*state).entering).write(None);
            (&raw mut (*state).asking).write(None);
            (&raw mut (*state).exiting).write(None);
            (&raw mut (*state).ending).write(None);
            (&raw mut (*state).spawned).write(None);
            ThreadSignals::start(&raw mut (*state).signals);
        }
    }
}

/// All memory of one thread that is not a cubicle's.
#[repr(C, align(65536))]
pub struct ThreadMemory {
    signal_guard: UnsafeCell<[u8; SIGNAL_STACK]>,
    signal: UnsafeCell<[u8; SIGNAL_STACK]>,
    block: UnsafeCell<ThreadBlock>,
    stack: UnsafeCell<[u8; MONITOR_STACK]>,
    state: UnsafeCell<Thread>,
}

// SAFETY: the one thread that owns it uses it; others only its address.
unsafe impl Sync for ThreadMemory {}

impl ThreadMemory {
    pub const fn new() -> ThreadMemory {
        const NONE: cubicle_abi::thread_block::VirtualThread =
            cubicle_abi::thread_block::VirtualThread { frame: 0, fs: 0 };
        ThreadMemory {
            signal_guard: UnsafeCell::new([0; SIGNAL_STACK]),
            signal: UnsafeCell::new([0; SIGNAL_STACK]),
            block: UnsafeCell::new(ThreadBlock {
                selector: 0,
                reserved: [0; 3],
                rights: 0,
                address: 0,
                monitor_stack: 0,
                state: 0,
                signal_header: 0,
                switch_stack: 0,
                resume_target: 0,
                reserved2: 0,
                virtual_threads: [NONE; cubicle_abi::layout::MAXIMUM_CUBICLES],
                nothing: 0,
                reserved3: [0; 7],
                scratch: [0; cubicle_abi::thread_block::SCRATCH],
            }),
            stack: UnsafeCell::new([0; MONITOR_STACK]),
            state: UnsafeCell::new(Thread {
                call_proof: 0,
                id: 0,
                number: 0,
                creator: None,
                beginning: None,
                admitted: AtomicU32::new(0),
                in_force: Rights::ALL,
                presences: [Presence::NONE; cubicle_abi::layout::MAXIMUM_CUBICLES],
                ending: None,
                serving: AtomicU32::new(0),
                spawned: None,
                unchanged: (0, 0),
                restart: crate::restart::OfThread::NOTHING,
                lends: PendingLends::new(),
                new_thread: None,
                running: None,
                parked_main: None,
                attaching: None,
                entering: None,
                asking: None,
                exiting: None,
                signals: ThreadSignals::new(),
                parked: [NOWHERE; cubicle_abi::layout::MAXIMUM_CUBICLES],
            }),
        }
    }

    /// The guard page range below the signal stack: one page is made
    /// inaccessible.
    pub fn signal_guard(&self) -> u64 {
        self.signal.get() as u64 - cubicle_abi::layout::PAGE
    }

    pub fn signal_header(&self) -> *mut SignalHeader {
        self.signal.get().cast()
    }

    /// First usable byte of the signal stack, behind its header, and its size.
    pub fn signal_stack(&self) -> (u64, u64) {
        let skip = size_of::<SignalHeader>().next_multiple_of(64);
        (
            self.signal.get() as u64 + skip as u64,
            (SIGNAL_STACK - skip) as u64,
        )
    }

    /// All of the signal stack, with its header: start and size.
    pub fn signal_range(&self) -> (u64, u64) {
        (self.signal.get() as u64, SIGNAL_STACK as u64)
    }

    pub fn block(&self) -> *mut ThreadBlock {
        self.block.get()
    }

    pub fn state(&self) -> *mut Thread {
        self.state.get()
    }

    /// Fills the thread block and the header of the signal stack.
    ///
    /// # Safety
    /// The memory must be mapped, writable, and nobody else's.
    pub unsafe fn prepare(&self) {
        let (block, header) = (self.block(), self.signal_header());
        // SAFETY: the caller's.
        unsafe {
            (*block).selector = SELECTOR_ALLOW;
            (*block).address = block as u64;
            (*block).monitor_stack = self.stack_top();
            (*block).state = self.state() as u64;
            (*block).signal_header = header as u64;
            (*header).block = block as u64;
        }
    }

    pub fn stack_top(&self) -> u64 {
        self.stack.get() as u64 + MONITOR_STACK as u64
    }
}

impl Default for ThreadMemory {
    fn default() -> Self {
        Self::new()
    }
}

/// All zeroes, so that it takes no room in the file.
const NOWHERE: Context = Context {
    flags: 0,
    ..Context::START
};

/// The first thread's memory.
pub static FIRST: ThreadMemory = ThreadMemory::new();

/// Offsets the assembly uses.
pub const CALL_PROOF: usize = offset_of!(Thread, call_proof);
pub const DUE: usize = offset_of!(Thread, signals) + offset_of!(ThreadSignals, due);
/// Size of [`Registers`] below the part that the system-call gate pushes.
pub const VECTORS_SIZE: usize = offset_of!(Registers, r15);

/// This thread's block.
#[cfg(monitor_image)]
pub fn block() -> *mut ThreadBlock {
    let address: *mut ThreadBlock;
    // SAFETY: the monitor runs only where GS was compared or set; the block's
    // own address is its second word.
    unsafe {
        core::arch::asm!(
            "mov {}, gs:[{offset}]",
            out(reg) address,
            offset = const offset_of!(ThreadBlock, address),
            options(nostack, readonly, preserves_flags),
        );
    }
    address
}

/// This thread's state.
#[cfg(monitor_image)]
pub fn state() -> *mut Thread {
    // SAFETY: `block` is this thread's.
    unsafe { (*block()).state as *mut Thread }
}
