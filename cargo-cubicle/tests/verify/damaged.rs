//! Files that are damaged at random: whatever is wrong with them is found or refused, and
//! never makes the verifier fail itself.

use std::mem::offset_of;

use cargo_cubicle::verify::verify;
use cubicle_abi::layout::PLAN_BASE;
use cubicle_abi::plan::Header;

use crate::good::Good;

/// Always the same numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

pub fn damage(good: &Good, rounds: usize) {
    let plan = good.offset(PLAN_BASE);
    let size = good.edit().u64(PLAN_BASE + offset_of!(Header, size) as u64) as usize;
    let texts = good.file().plan.texts.iter().map(|text| text.offset).min();
    let lists = texts.expect("there are texts");
    // The ELF header with its program headers, the plan's header, its lists, all of it.
    let ranges = [
        (0, 64),
        (64, 40 * 56),
        (plan, size_of::<Header>()),
        (plan, lists),
        (plan, size),
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut refused = 0;
    for round in 0..rounds {
        let mut edited = good.edit();
        let (start, length) = ranges[round % ranges.len()];
        for _ in 0..=random.below(4) {
            let at = start + random.below(length);
            edited.bytes[at] = match random.below(3) {
                0 => 0xff,
                1 => 0,
                _ => random.below(256) as u8,
            };
        }
        // Some end early.
        if random.below(8) == 0 {
            let end = random.below(edited.bytes.len());
            edited.bytes.truncate(end);
        }
        match verify(&edited.bytes, None) {
            Ok(report) if report.is_clean() => {}
            _ => refused += 1,
        }
    }
    println!("{refused} of {rounds} damaged files refused");
    assert!(refused * 2 > rounds);
}
