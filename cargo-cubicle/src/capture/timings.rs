//! How long each phase of a program's link took, for `--timings`, and what the tool itself took.

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

/// The phases noted so far, as one line. `own` is processor time of this process, without the
/// compilers and linkers that it started; `peak` is the most memory it had at once.
pub fn summary(program: &str) -> String {
    let phases = PHASES
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let mut list: Vec<String> = phases
        .iter()
        .map(|(name, time)| format!("{name} {:.1} ms", time.as_secs_f64() * 1e3))
        .collect();
    list.push(format!("own {:.1} ms", own_time().as_secs_f64() * 1e3));
    list.extend(peak().map(|peak| format!("peak {:.1} MiB", peak as f64 / 1024.0)));
    format!("     Timings {program}: {}", list.join(", "))
}

/// Processor time of all threads of this process, in user code and in the kernel.
fn own_time() -> Duration {
    // SAFETY: all zero is a valid value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: it is written to nothing but `usage`.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    let of = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
    };
    of(usage.ru_utime) + of(usage.ru_stime)
}

/// The most memory that was resident at once, KiB. getrusage(2) would answer for the process
/// that started this one, too.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
