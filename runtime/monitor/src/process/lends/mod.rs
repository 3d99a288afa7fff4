//! Arguments that are borrowed for a call: copied to the callee and back.
//!
//! The plan lists for each gate the pointers that cross and what they lead to.
//! Everything that decides where the monitor reads and writes, or that the
//! callee is told besides, is read once: a second thread that changes a length
//! or a pointer meanwhile gains nothing.
//!
//! ```text
//!   caller                 monitor             callee
//!   buffers  ───────────────────────────────►  below its stack pointer, or
//!                                              in a buffer of its arena
//!   structs that hold      scratch: pointers
//!   lent pointers and ───► are replaced, and ► the same; objects that are
//!   lengths                lengths read here   kept have one place for long
//!
//!   callee's stack
//!   ◄── Frame::stack, where the callee last left
//!   lent ranges of less than 16 KiB
//!   stack arguments       ◄── what the gate takes as stack pointer
//! ```
//!
//! `enter` prepares a call, `leave` takes back what was lent in it, in the
//! opposite direction: pointers that lead into the callee's copies become the
//! caller's own again.

pub mod buffer;
pub mod kept;
pub mod pending;

#[cfg(monitor_image)]
mod abandoned;
#[cfg(monitor_image)]
mod call;
#[cfg(monitor_image)]
mod enter;
#[cfg(monitor_image)]
mod leave;
#[cfg(monitor_image)]
mod places;
#[cfg(monitor_image)]
mod scratch;

#[cfg(monitor_image)]
pub use enter::enter;
#[cfg(monitor_image)]
pub use leave::leave;
pub use pending::PendingLends;

/// A thread has ended in cubicle `index`: nothing is lent to it there.
#[cfg(monitor_image)]
pub fn end_thread(index: usize) {
    use crate::machine::thread;
    // SAFETY: this thread's state.
    let state = unsafe { &mut *thread::state() };
    places::give_back(index, &mut state.lends.buffers[index]);
    if places::has_kept(index) {
        places::KEPT.lock().end_names(index, state.number);
    }
}

/// Cubicle `index` starts anew: nothing is kept in it any more, or by it in others.
/// The rooms for it stay.
#[cfg(monitor_image)]
pub fn retire(index: usize) {
    places::KEPT.lock().end_all(index);
    places::map_kept_again(index);
}

/// This thread enters cubicle `index` for the first time since that began.
#[cfg(monitor_image)]
pub fn begin_thread(index: usize) {
    use crate::machine::thread;
    // SAFETY: this thread's state.
    unsafe { (*thread::state()).lends.buffers[index] = buffer::Buffer::EMPTY };
}

#[cfg(monitor_image)]
pub use abandoned::{abandon, abandon_all};

/// Waits until nothing is about to be kept or ended; so it stays while the answer
/// lives.
#[cfg(monitor_image)]
pub fn hold() -> crate::lock::Guard<'static, kept::KeptObjects> {
    places::KEPT.lock()
}

/// In a child: another thread than this one is nowhere. What it had lent itself in
/// the arenas is given back.
#[cfg(monitor_image)]
pub fn forget_thread(number: usize, lends: &mut PendingLends) {
    abandon_all(lends);
    for index in 0..crate::process::cubicle_count() {
        places::give_back(index, &mut lends.buffers[index]);
        if places::has_kept(index) {
            places::KEPT.lock().end_names(index, number);
        }
    }
}

/// Ranges from this size on go to the arena instead of the stack, bytes.
pub const LARGE: u64 = 16 << 10;

/// As many lends as a gate may have; the tool knows it too.
pub const MOST_LENDS: usize = 64;
