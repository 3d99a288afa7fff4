//! Memory that never changes again: `mseal` (Linux 6.10 and later).

use crate::machine::kernel::{self, number};
use crate::plan::Plan;
use crate::process::start::texts_of;
use cubicle_abi::layout::{MONITOR_BASE, PLAN_BASE, page_up};
use cubicle_abi::rights::KEY_PUBLIC;

unsafe extern "C" {
    /// Where the monitor's own text ends; its constants lie before it. The linker
    /// defines it.
    static etext: u8;
}

/// Seals text and constants of the monitor, the plan, gates and stubs, and what
/// images have that nobody writes.
///
/// # Errors
/// The kernel's error number, negative.
pub fn seal(plan: Plan, mechanism: u32) -> Result<(), i64> {
    range(MONITOR_BASE, &raw const etext as u64)?;
    range(PLAN_BASE, PLAN_BASE + plan.header().size)?;
    for text in texts_of(plan, mechanism) {
        range(text.address, text.address + u64::from(text.bytes.count))?;
    }
    for cubicle in plan.cubicles() {
        for segment in plan.segments(cubicle) {
            if segment.key == KEY_PUBLIC {
                range(segment.start, segment.end)?;
            }
        }
    }
    Ok(())
}

fn range(start: u64, end: u64) -> Result<(), i64> {
    // SAFETY: nothing changes there: it cannot be unmapped or replaced any more.
    match unsafe { kernel::call(number::MSEAL, [start, page_up(end) - start, 0, 0, 0, 0]) } {
        result if result < 0 => Err(result),
        _ => Ok(()),
    }
}
