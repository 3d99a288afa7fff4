//! How long each phase of a program's link took, for `--timings`.

use std::sync::Mutex;
use std::time::{Duration, Instant};

static PHASES: Mutex<Vec<(&'static str, Duration)>> = Mutex::new(Vec::new());

/// Runs one phase and notes its wall-clock time.
pub fn phase<T>(name: &'static str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    // A poisoned lock means that another phase panicked; its list is still good.
    let mut phases = PHASES
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    phases.push((name, start.elapsed()));
    result
}

/// The phases noted so far, in milliseconds, as one line.
pub fn summary(program: &str) -> String {
    let phases = PHASES
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let list: Vec<String> = phases
        .iter()
        .map(|(name, time)| format!("{name} {:.1} ms", time.as_secs_f64() * 1e3))
        .collect();
    format!("     Timings {program}: {}", list.join(", "))
}
