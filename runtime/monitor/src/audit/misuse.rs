//! Calls about windows that answer an error: noted, and the program goes on with it.

use super::memory::Misuse;
use super::noting;

/// Notes the answer of call `number` to `cubicle`, if it is an error, and passes it on.
pub fn noted(cubicle: usize, number: u64, instruction: u64, answer: i64) -> i64 {
    if answer < 0 {
        noting(|memory| {
            let new = Misuse {
                cubicle: cubicle as u32,
                error: -answer as u32,
                number,
                instruction,
                count: 0,
            };
            let same = |old: &Misuse| Misuse { count: 0, ..*old } == new;
            if let Some(entry) = memory.misuses.entry(same, new) {
                entry.count += 1;
            }
        });
    }
    answer
}
