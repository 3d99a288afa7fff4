//! What each cubicle took, in a program that `cargo cubicle report` runs: said at the end, one line of
//! JSON for each. Other programs neither read the clock for it nor say anything.

use crate::machine::clock::now;
use crate::plan::Plan;
use crate::text::Text;
use core::fmt::Write;
use core::sync::atomic::{AtomicU64, Ordering};
use cubicle_abi::layout::MAXIMUM_CUBICLES;
use cubicle_abi::plan::PLAN_MEASURED;

/// Nanoseconds that each took to start.
static STARTED: [AtomicU64; MAXIMUM_CUBICLES] = [const { AtomicU64::new(0) }; MAXIMUM_CUBICLES];

/// Does `start` of cubicle `index`, and notes how long that takes.
pub fn starting(plan: Plan, index: usize, start: impl FnOnce()) {
    if plan.header().flags & PLAN_MEASURED == 0 {
        return start();
    }
    let before = now();
    start();
    STARTED[index].store(now() - before, Ordering::Relaxed);
}

/// Writes everything to where reports go.
pub fn write(plan: Plan) {
    if plan.header().flags & PLAN_MEASURED == 0 {
        return;
    }
    let cubicles = crate::process::cubicles().iter();
    let all = cubicles.zip(&STARTED).take(plan.cubicles().len());
    for (index, (cubicle, started)) in all.enumerate() {
        let start = started.load(Ordering::Relaxed);
        let memory = cubicle.mappings.lock().most();
        let mut line = Text::<256>::new();
        let _ = line.write_str("{\"cubicle_measured\":1,\"cubicle\":\"");
        line.json(plan.name(index));
        let _ = writeln!(line, "\",\"start\":{start},\"memory\":{memory}}}");
        crate::violation::report(line.bytes());
    }
}
