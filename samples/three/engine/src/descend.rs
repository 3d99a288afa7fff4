//! The middle step of the recursion through all three.

use std::panic::{catch_unwind, resume_unwind};

use crate::{count_call, say};

/// One step down: calls the next library for the next one. On some steps it
/// panics afterwards, and catches that.
#[unsafe(no_mangle)]
pub extern "C" fn engine_descend(depth: u32, sum: u64, spoken: bool) -> u64 {
    count_call();
    if spoken {
        say(&format!("depth {depth}"));
    }
    let kept: Vec<u64> = (0..4).map(|step| mix(sum, step)).collect();
    let below = match depth {
        0 => sum,
        // SAFETY: no pointers are involved.
        _ => unsafe { legacy_sys::legacy_descend(depth - 1, mix(sum, 2), spoken) },
    };
    let below = catch_unwind(|| match below % 4 {
        0 if spoken => panic!("on the way up at depth {depth}"),
        // The same without the hook's line.
        0 => resume_unwind(Box::new(depth)),
        _ => below,
    })
    .unwrap_or(below / 4);
    kept.into_iter().fold(below, mix)
}

fn mix(a: u64, b: u64) -> u64 {
    let product = (a ^ b).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ (product >> 29)
}
