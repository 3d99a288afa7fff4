//! What a core dump holds, where the manifest admits them: memory that was given out, and not the
//! address space that is reserved for arenas, 64 GiB each.

use core::sync::atomic::{AtomicBool, Ordering};

use super::kernel::{self, number};

/// Admitted, so what they hold must be kept up to date.
static ADMITTED: AtomicBool = AtomicBool::new(false);

/// Once, before anything is reserved.
pub fn admit() {
    ADMITTED.store(true, Ordering::Relaxed);
}

/// This range was given out.
pub fn include(start: u64, end: u64) {
    const MADV_DODUMP: u64 = 17;
    advise(start, end, MADV_DODUMP);
}

/// This range is only reserved.
pub fn leave_out(start: u64, end: u64) {
    const MADV_DONTDUMP: u64 = 16;
    advise(start, end, MADV_DONTDUMP);
}

/// What the kernel refuses only makes a dump larger or smaller.
fn advise(start: u64, end: u64, advice: u64) {
    if ADMITTED.load(Ordering::Relaxed) {
        // SAFETY: no content and no access changes.
        unsafe { kernel::call(number::MADVISE, [start, end - start, advice, 0, 0, 0]) };
    }
}
