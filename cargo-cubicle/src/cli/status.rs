//! The statuses that the tool and the programs it makes end with.

/// Something was found that refuses what was asked for.
pub const FINDINGS: u8 = 1;
/// The user asked for something that cannot be, or wrote a manifest that cannot.
pub const USAGE: u8 = 2;
/// cargo's own status for a build that failed.
pub const BUILD_FAILED: u8 = 101;
/// A violation ended the program.
pub const VIOLATION: u8 = cubicle_abi::STATUS_VIOLATION as u8;
/// The program refused to start.
pub const REFUSED: u8 = cubicle_abi::STATUS_REFUSED as u8;

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    pub number: u8,
    /// Who ends with it.
    pub of: &'static str,
    pub meaning: &'static str,
}

const fn status(number: u8, of: &'static str, meaning: &'static str) -> Status {
    Status {
        number,
        of,
        meaning,
    }
}

/// All of them. `run` and `test` end as the program did.
pub const STATUSES: [Status; 6] = [
    status(0, "the tool", "success"),
    status(FINDINGS, "the tool", "findings that refuse it"),
    status(USAGE, "the tool", "usage, or a manifest with mistakes"),
    status(BUILD_FAILED, "the tool", "the build failed"),
    status(
        VIOLATION,
        "the program",
        "a violation, or the monitor could not go on",
    ),
    status(
        REFUSED,
        "the program",
        "it refused to start, because the manifest's promise cannot be kept on this machine",
    ),
];
