//! Cubicles that a signal found while the handler is another one's: everything they
//! had in registers, in key-0 memory, until that handler returns.

use super::Information;
use super::actions::Action;
use cubicle_abi::frame::Context;
use cubicle_abi::layout::MAXIMUM_CUBICLES;

/// As many handlers as can be interrupted by handlers of other cubicles.
pub const DEEPEST: usize = 4;
/// Bytes for the extended state: AVX-512 and PKRU take less than 3 KiB.
pub const EXTENDED: usize = 4096;

/// One interrupted cubicle.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
pub struct Interrupted {
    /// Vector, mask and x87 registers, as the kernel's frame had them.
    pub extended: [u8; EXTENDED],
    pub context: Context,
    pub cubicle: usize,
    /// Whose handler runs instead.
    pub handler: usize,
    /// Where its frame is on the handler's stack. Its own return comes from there.
    pub frame: u64,
    pub information: Information,
    /// The handler as it was installed when the signal came.
    pub action: Action,
    /// The innermost call into the handler's cubicle then: its gate, and the caller's stack
    /// pointer.
    pub call: Option<(usize, u64)>,
    /// What the interrupted one's frame said.
    pub stack: u64,
    pub awaiting: u64,
    pub saved: [u64; 4],
}

const _: () = assert!(MAXIMUM_CUBICLES < 32);

/// Those of one thread, the innermost one last.
pub struct Kept {
    pub count: usize,
    pub entries: [Interrupted; DEEPEST],
}

impl Kept {
    /// All zeroes.
    pub const fn new() -> Kept {
        const NOTHING: Interrupted = Interrupted {
            extended: [0; EXTENDED],
            context: Context {
                flags: 0,
                ..Context::START
            },
            cubicle: 0,
            handler: 0,
            frame: 0,
            information: [0; 16],
            action: Action::DEFAULT,
            call: None,
            stack: 0,
            awaiting: 0,
            saved: [0; 4],
        };
        Kept {
            count: 0,
            entries: [NOTHING; DEEPEST],
        }
    }

    pub fn last(&mut self) -> Option<&mut Interrupted> {
        self.entries[..self.count].last_mut()
    }
}

impl Default for Kept {
    fn default() -> Self {
        Self::new()
    }
}
