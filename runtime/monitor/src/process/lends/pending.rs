//! What is lent at the moment, per thread.

use super::MOST_LENDS;
use super::buffer::Buffer;
use cubicle_abi::layout::MAXIMUM_CUBICLES;

/// As many calls that lend as may be pending on one thread.
pub const MAXIMUM_CALLS: usize = 512;
/// As many lends as may be pending on one thread.
pub const MAXIMUM_PENDING: usize = 4096;
/// As many stack words of a gate as may be lent or counted with.
pub const MOST_WORDS: usize = 32;
/// Bytes of staged memory in one call.
pub const SCRATCH_SIZE: usize = 64 << 10;

/// One pointer that was replaced, and what it leads to.
#[derive(Clone, Copy, Debug)]
pub struct PendingLend {
    /// What the caller passed, and what the callee got instead.
    pub caller: u64,
    pub callee: u64,
    /// Bytes that are lent.
    pub bytes: u64,
    /// If it is staged, where it stands in the scratch memory.
    pub scratch: u32,
    /// Index among the gate's lends.
    pub lend: u32,
    /// The pending lend in whose memory the pointer stands, or [`NOWHERE`].
    pub parent: u32,
    /// Where in that memory, bytes.
    pub offset: u32,
    pub kind: PendingKind,
}

/// What has become of a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PendingKind {
    /// It leads to the callee's copy.
    Lent,
    /// The same, at a place that is kept from an earlier call on.
    Kept,
    /// It crosses as it is, and whole pages are in this window for the call.
    Windowed(u16),
    /// It crosses as it is: what it leads to is only looked at.
    Read,
    /// Something else stands there.
    Replaced,
}

/// No pending lend; not staged.
pub const NOWHERE: u32 = u32::MAX;

impl PendingLend {
    pub const NOTHING: PendingLend = PendingLend {
        caller: 0,
        callee: 0,
        bytes: 0,
        scratch: 0,
        lend: 0,
        parent: 0,
        offset: 0,
        kind: PendingKind::Lent,
    };

    /// The caller's address for one that leads into the callee's copy, or to
    /// its end.
    pub fn translate(&self, address: u64) -> Option<u64> {
        let offset = address.wrapping_sub(self.callee);
        (self.has_copy() && offset <= self.bytes).then(|| self.caller.wrapping_add(offset))
    }

    /// Does `address` lead into the callee's copy, and not only to its end?
    pub fn contains(&self, address: u64) -> bool {
        self.has_copy() && address.wrapping_sub(self.callee) < self.bytes
    }

    /// Does the callee have a copy of it?
    pub fn has_copy(&self) -> bool {
        matches!(self.kind, PendingKind::Lent | PendingKind::Kept)
    }
}

/// One call that lends.
#[derive(Clone, Copy)]
pub struct PendingCall {
    pub gate: u32,
    /// Number of this call's first lend.
    pub first: u32,
    /// The caller's stack pointer: which of several pending calls it is.
    pub stack: u64,
    pub arguments: [u64; 6],
    /// What the callee's buffer held before, bytes.
    pub buffer_used: u64,
}

/// All lends pending on one thread, innermost last.
pub struct PendingLends {
    pub calls: [PendingCall; MAXIMUM_CALLS],
    pub call_count: usize,
    pub lends: [PendingLend; MAXIMUM_PENDING],
    pub lend_count: usize,
    pub buffers: [Buffer; MAXIMUM_CUBICLES],
    pub workspace: Workspace,
}

/// What the monitor needs while it prepares a call or takes it back, and not
/// any longer.
pub struct Workspace {
    /// Staged memory.
    pub scratch: [u8; SCRATCH_SIZE],
    /// For each lend of the gate: the pending one that was made of it last, or
    /// [`NOWHERE`], and the byte at which the element begins that is looked at.
    pub latest: [(u32, u64); MOST_LENDS],
    /// The caller's stack words that decide something, each read once.
    pub words: [(u32, u64); MOST_WORDS],
}

impl PendingLends {
    pub const fn new() -> PendingLends {
        PendingLends {
            calls: [PendingCall {
                gate: 0,
                first: 0,
                stack: 0,
                arguments: [0; 6],
                buffer_used: 0,
            }; MAXIMUM_CALLS],
            call_count: 0,
            lends: [PendingLend::NOTHING; MAXIMUM_PENDING],
            lend_count: 0,
            buffers: [Buffer::EMPTY; MAXIMUM_CUBICLES],
            workspace: Workspace {
                scratch: [0; SCRATCH_SIZE],
                latest: [(0, 0); MOST_LENDS],
                words: [(0, 0); MOST_WORDS],
            },
        }
    }
}

impl Default for PendingLends {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_into_a_copy_become_the_callers() {
        let lend = PendingLend {
            caller: 0x1000,
            callee: 0x9000,
            bytes: 16,
            ..PendingLend::NOTHING
        };
        assert_eq!(lend.translate(0x9000), Some(0x1000));
        assert_eq!(lend.translate(0x9010), Some(0x1010));
        assert_eq!(lend.translate(0x9011), None);
        assert_eq!(lend.translate(0x8fff), None);
        assert!(lend.contains(0x900f) && !lend.contains(0x9010));
        // An empty range has an end, too; what has no copy has none.
        let empty = PendingLend { bytes: 0, ..lend };
        assert_eq!(empty.translate(0x9000), Some(0x1000));
        let replaced = PendingLend {
            kind: PendingKind::Replaced,
            ..lend
        };
        assert_eq!(replaced.translate(0x9000), None);
    }
}
