//! What CubicleOS measured (Sartakov, Vilanova, Pietzuch, ASPLOS 2021), on a Xeon Silver 4210 with
//! Unikraft 0.4: from the paper's text and from its published logs of speedtest1 `--size 100`.

/// Mean of per-query ratios to Linux (logs), by the number of cubicles; 1 is Unikraft alone.
const BESIDE_LINUX: [(u32, f64); 4] = [(1, 2.80), (3, 4.09), (4, 5.40), (7, 9.17)];

/// Seconds of all queries together (logs), likewise. Linux took [`LINUX_TOTAL`].
const TOTALS: [(u32, f64); 4] = [(1, 24.4), (3, 38.2), (4, 52.8), (7, 94.9)];

pub const LINUX_TOTAL: f64 = 9.4;

/// From three cubicles to four: the RAM file system apart from the rest.
pub const STEP: f64 = 1.39;

/// The same step in systems of messages: Fiasco.OC, NOVA, seL4, Genode on Linux.
pub const MESSAGE_STEPS: [(&str, f64); 4] = [
    ("Fiasco.OC", 4.5),
    ("NOVA", 4.8),
    ("seL4", 7.5),
    ("Genode on Linux", 17.2),
];

/// Seven cubicles beside one image, by the paper's split of costs: trampolines × keys × windows.
pub const GROUP_A: f64 = 1.02 * 1.5 * 1.2;
pub const GROUP_B: f64 = 1.17 * 4.0 * 1.2;

/// Mean of per-query ratios to Linux.
pub fn beside_linux(parts: u32) -> Option<f64> {
    find(&BESIDE_LINUX, parts)
}

/// What parts cost beside one image: the quotient of two means, because the logs' means are
/// what is known.
pub fn beside_one_image(parts: u32) -> Option<f64> {
    Some(beside_linux(parts)? / beside_linux(1)?)
}

/// Of all queries together, beside one image.
pub fn total_beside_one_image(parts: u32) -> Option<f64> {
    Some(find(&TOTALS, parts)? / find(&TOTALS, 1)?)
}

/// Of all queries together, beside Linux.
pub fn total_beside_linux(parts: u32) -> Option<f64> {
    Some(find(&TOTALS, parts)? / LINUX_TOTAL)
}

fn find(table: &[(u32, f64)], parts: u32) -> Option<f64> {
    let row = table.iter().find(|(number, _)| *number == parts)?;
    Some(row.1)
}
