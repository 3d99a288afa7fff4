//! Every shape an argument and a result can have.

use legacy_sys::{Big, Mixed, Pair, Point, Small};

use crate::say;

/// Prints what comes back for each.
pub fn show() {
    say("-- shapes");
    let point = Point { x: 1.5, y: -2.0 };
    let mixed = Mixed {
        count: 41,
        weight: 0.25,
    };
    let small = Small {
        tag: 255,
        level: 40_000,
        scale: 3.0,
    };
    let pair = Pair {
        first: 1000,
        second: 2000,
    };
    let big = Big {
        parts: [1, 2, 3, 4, 5],
    };
    // SAFETY: no pointers are involved in any of these.
    unsafe {
        say(&format!("{:?}", legacy_sys::legacy_turn(point)));
        say(&format!("{:?}", legacy_sys::legacy_small(small)));
        say(&format!(
            "{:?}",
            legacy_sys::legacy_pair(1, 2, 3, 4, 5, pair, 6)
        ));
        say(&format!("{:?}", legacy_sys::legacy_shift(big, 10)));
        let weight = legacy_sys::legacy_weigh(
            -1, 65_535, -3, 4, 5, -6, -7, 255, -9, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 0.5,
        );
        say(&format!("weight {weight}"));
    }
    say(&format!("{:?}", engine::engine_mix(mixed, point)));
    say(&format!("{:?}", engine::engine_shift(big, 10)));
}
