//! The two mechanisms behind one interface: memory carries a key, and rights
//! say which keys are open. With protection keys the processor compares the
//! two at each access; without them the monitor changes page protections
//! whenever the rights change.

use super::dumps;
use super::kernel::{self, PROT_EXEC, PROT_READ, PROT_WRITE, number};
use crate::defences::off;
use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use cubicle_abi::defences::Defence;
use cubicle_abi::plan::{MECHANISM_PAGETABLE, MECHANISM_PKU};
use cubicle_abi::rights::{KEY_MONITOR, KEY_PUBLIC, KEYS, Rights};

/// Set by the first raise of rights; the assembly reads it.
pub static RAISED: AtomicU8 = AtomicU8::new(0);

static MECHANISM: AtomicU32 = AtomicU32::new(MECHANISM_PKU);
/// Page tables: the rights that the page protections stand for at the moment.
static PAGES: AtomicU32 = AtomicU32::new(0);

/// One of the plan's `MECHANISM_` constants.
pub fn mechanism() -> u32 {
    MECHANISM.load(Ordering::Relaxed)
}

/// Chosen once, at start.
pub fn set_mechanism(mechanism: u32) {
    MECHANISM.store(mechanism, Ordering::Relaxed);
}

/// Gives `start..end` a key and a protection, whatever it had. What is a
/// cubicle's is tagged under the lock of its mappings, or of windows.
///
/// # Errors
/// The kernel's error number, negative.
pub fn tag(start: u64, end: u64, protection: u32, key: u32) -> Result<(), i64> {
    let length = end - start;
    let result = if mechanism() == MECHANISM_PKU {
        // SAFETY: the range was checked by whoever decided on it: it is the
        // cubicle's, or it is being set up.
        unsafe {
            kernel::call(
                number::PKEY_MPROTECT,
                [start, length, protection.into(), key.into(), 0, 0],
            )
        }
    } else {
        let effective = effective(Rights(PAGES.load(Ordering::Relaxed)), key, protection);
        // SAFETY: as above.
        unsafe { kernel::call(number::MPROTECT, [start, length, effective.into(), 0, 0, 0]) }
    };
    if result < 0 {
        return Err(result);
    }
    if protection != 0 {
        dumps::include(start, end);
    }
    Ok(())
}

/// What is left of `protection` for memory with `key` under `rights`.
pub fn effective(rights: Rights, key: u32, protection: u32) -> u32 {
    if key == KEY_MONITOR || key == KEY_PUBLIC || mechanism() != MECHANISM_PAGETABLE {
        protection
    } else if !rights.reads(key) {
        0
    } else if !rights.writes(key) {
        protection & !PROT_WRITE
    } else {
        protection & (PROT_READ | PROT_WRITE | PROT_EXEC)
    }
}

/// Page tables: gives this thread `rights`. The monitor's own change nothing,
/// because its memory is never closed; it asks for what it is going to touch with
/// [`open`].
#[cfg(monitor_image)]
pub extern "C" fn switch_pages(rights: u32) {
    let rights = Rights(rights);
    // SAFETY: the thread block is this thread's, and writable for the monitor.
    unsafe { (*super::thread::block()).rights = rights.0 };
    if rights != Rights::ALL {
        super::pages::change(rights);
    }
}

/// Makes what either of two sets of rights grants accessible to the monitor.
#[cfg(monitor_image)]
pub fn open(one: Rights, other: Rights) {
    super::pages::change(one.union(other));
}

/// Makes everything accessible, if that can be had at once.
#[cfg(monitor_image)]
pub fn open_for_report() {
    super::pages::change_for_report(Rights::ALL);
}

/// Page tables: what the page protections stand for changes. Pages that are
/// tagged meanwhile are so under a lock that the change waits for.
pub(super) fn set_pages(rights: Rights) {
    PAGES.store(rights.0, Ordering::Relaxed);
}

/// Performs a system call with the rights in force, and answers [`NOT_MADE`] if a
/// signal comes before it.
///
/// [`NOT_MADE`]: super::assembly::NOT_MADE
#[cfg(monitor_image)]
pub fn call_interruptible(number: u64, arguments: [u64; 6]) -> i64 {
    let [a, b, c, d, e, f] = arguments;
    let call = [number, a, b, c, d, e, f];
    // SAFETY: the caller answers for the pointers, as with `kernel::call`: they are
    // the monitor's own, or page tables check them.
    unsafe { super::assembly::cubicle_call_plain(&call) }
}

/// Performs a system call with the rights of a cubicle. Under page tables
/// those are in force already.
#[cfg(monitor_image)]
pub fn call_as(rights: Rights, number: u64, arguments: [u64; 6]) -> i64 {
    if mechanism() == MECHANISM_PKU {
        let [a, b, c, d, e, f] = arguments;
        let call = [number, a, b, c, d, e, f];
        let rights = match off(Defence::CallersRights) {
            // The assembly does not make a call with the monitor's own.
            true => (KEY_PUBLIC..KEYS).fold(Rights::NONE, Rights::writing),
            false => rights,
        };
        // SAFETY: the kernel checks all pointers against `rights`, which are
        // never the monitor's; the assembly takes back the monitor's after it.
        unsafe { super::assembly::cubicle_call_as_keys(&call, rights.0) }
    } else {
        // The pages of others are closed, or nothing is isolated.
        call_interruptible(number, arguments)
    }
}
