//! Lends that the manifest wants and that cannot be: noted, and the pointer passes
//! as it is.

use super::memory::Refused;
use super::noting;

/// Why not.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub enum Why {
    /// The caller may not read it itself.
    Read = 0,
    /// The caller may not write it itself.
    Write = 1,
    /// It is no function that may be passed.
    Function = 2,
}

/// Notes one; answers whether this is an audit, so that the call goes on.
pub fn note(gate: u32, lend: usize, address: u64, bytes: u64, why: Why) -> bool {
    noting(|memory| {
        let new = Refused {
            gate,
            lend: lend as u32,
            address,
            bytes,
            why: why as u32,
            count: 0,
        };
        let same = |old: &Refused| (old.gate, old.lend, old.why) == (new.gate, new.lend, new.why);
        if let Some(entry) = memory.refused.entry(same, new) {
            entry.count += 1;
        }
    })
    .is_some()
}
