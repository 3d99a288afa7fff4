//! Medians of rounds.

use std::time::Instant;

const ROUNDS: usize = 101;

/// Runs `round` again and again and prints what one of its `turns` takes, in
/// nanoseconds: the median of the rounds.
pub fn measure(name: &str, turns: i64, mut round: impl FnMut()) {
    let mut times = Vec::with_capacity(ROUNDS);
    round();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        round();
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let nanoseconds = times[ROUNDS / 2].as_nanos() as f64 / turns as f64;
    println!("{name} {nanoseconds:.2}");
}
