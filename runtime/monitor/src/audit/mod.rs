//! The audit: in a build made for it, what would be a violation is noted and
//! then happens, so that one run shows all that a manifest has to say.
//!
//! ```text
//!   gate ──► calls: what was passed ──────────────┐
//!   fault ─► faults: whose memory, at which       ├─► memory ─► dump, at the end:
//!            pointer of which call? Then the      │             one line of JSON
//!            page is opened, the instruction      │             for each record
//!            stepped over, the page closed        │
//!   gate ──► calls: what was left ────────────────┘
//! ```
//!
//! Nothing is protected meanwhile, and what the monitor does elsewhere against an
//! attacker is not done here. The mechanism is the page tables, on every machine:
//! they can close text, too, so that a function of another cubicle that is called
//! by its address is noticed when it is fetched.

pub mod memory;
pub mod objects;
pub mod repeated;

#[cfg(monitor_image)]
pub mod calls;
#[cfg(monitor_image)]
pub mod dump;
#[cfg(monitor_image)]
pub mod faults;
#[cfg(monitor_image)]
pub mod misuse;
#[cfg(monitor_image)]
pub mod pages;
#[cfg(monitor_image)]
pub mod refused;
#[cfg(monitor_image)]
pub mod remembered;
#[cfg(monitor_image)]
pub mod system_calls;

use crate::lock::Lock;
use core::sync::atomic::{AtomicBool, Ordering};
use memory::Memory;

static ON: AtomicBool = AtomicBool::new(false);

/// All that was noted. Empty except in an audit.
static MEMORY: Lock<Option<&'static mut Memory>> = Lock::new(None);

/// Is this an audit?
pub fn on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// So often it is tried to get at what was noted.
const TRIES: u32 = 1 << 20;

/// Does something with what was noted, in an audit. Gives up if nobody lets go of
/// it: then a fault in the middle of noting something is on its way to a report.
pub fn noting<R>(what: impl FnOnce(&mut Memory) -> R) -> Option<R> {
    if !on() {
        return None;
    }
    let mut guard = (0..TRIES).find_map(|_| MEMORY.try_lock())?;
    guard.as_deref_mut().map(what)
}

/// Starts the audit: takes memory for what will be noted, all zeroes.
///
/// # Errors
/// The kernel's error number, negative.
#[cfg(monitor_image)]
pub fn start() -> Result<(), i64> {
    use crate::machine::kernel::{
        MAP_ANONYMOUS, MAP_NORESERVE, MAP_PRIVATE, PROT_READ, PROT_WRITE, call, number,
    };
    // SAFETY: fresh memory of the kernel's choice.
    let at = unsafe {
        call(
            number::MMAP,
            [
                0,
                size_of::<Memory>() as u64,
                u64::from(PROT_READ | PROT_WRITE),
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                u64::MAX,
                0,
            ],
        )
    };
    if at < 0 {
        return Err(at);
    }
    // SAFETY: mapped for this, aligned to a page, never unmapped; all zeroes are
    // a `Memory` without a record, because it consists of integers only.
    *MEMORY.lock() = Some(unsafe { &mut *(at as *mut Memory) });
    ON.store(true, Ordering::Relaxed);
    Ok(())
}
