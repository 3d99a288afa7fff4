//! Phase 5: the resolved contract between tool and monitor.
//!
//! Everything the later phases and the monitor need is decided here, once: the
//! numbers, keys, rights and slots of cubicles, the place of every gate, what
//! it carries and lends, and which system calls are granted.

pub mod call_sites;
pub mod callbacks;
pub mod cubicles;
pub mod encode;
pub mod faults;
pub mod gates;
pub mod lends;
pub mod libc_objects;
pub mod narrowing;
pub mod ownership;
pub mod permission;
pub mod probes;
pub mod resolve;
pub mod system_calls;
mod undescribed;
pub mod windows;
pub mod without;

use cubicle_abi::defences::Defences;
use cubicle_abi::rights::Rights;

use crate::gates::{Fault, GateKind, GateShape};
use narrowing::Narrowing;
use system_calls::Grants;

/// Everything about one program.
#[derive(Debug)]
pub struct Plan {
    /// The stem under which the images lie beside the binary.
    pub name: String,
    /// One of the ABI's `ISOLATION_` constants.
    pub isolation: u32,
    /// Debuggers and core dumps may see the process.
    pub dumps: bool,
    /// The monitor is to say at the end what each cubicle took.
    pub measured: bool,
    /// Ordered by name; the index is the cubicle's number.
    pub cubicles: Vec<Cubicle>,
    /// Ordered by name; their numbers follow those of the cubicles.
    pub windows: Vec<windows::Window>,
    /// Number of the main cubicle.
    pub main: usize,
    /// By number. A number whose reference died with unused code has none. Those
    /// of callbacks come last.
    pub gates: Vec<Option<Gate>>,
    /// The defences it goes without: none but in programs of the tests.
    pub without: Defences,
}

impl Plan {
    /// The number of each callback's gate, by the number of the callback.
    pub fn callbacks(&self) -> Vec<usize> {
        let numbers = 0..self.gates.len();
        numbers
            .filter(|number| self.gates[*number].as_ref().is_some_and(Gate::is_callback))
            .collect()
    }
}

/// One cubicle.
#[derive(Debug)]
pub struct Cubicle {
    pub name: String,
    pub key: u32,
    pub rights: Rights,
    /// First address of its slot, and the first behind it.
    pub base: u64,
    pub end: u64,
    /// Bytes.
    pub memory: u64,
    pub stack: u64,
    /// Whether gates into it clear vector, mask and x87 registers.
    pub scrub_vectors: bool,
    pub grants: Grants,
    pub narrowing: Narrowing,
    /// How often a minute it may be restarted; 0: its faults end the program.
    pub restarts: u32,
}

/// One gate.
#[derive(Debug)]
pub struct Gate {
    /// The function; of a callback `FUNCTION.PATH`, the first place where those
    /// functions cross that it calls.
    pub symbol: String,
    /// The number of the callback, if it is the gate of one.
    pub callback: Option<usize>,
    pub from: usize,
    pub to: usize,
    pub kind: GateKind,
    pub shape: GateShape,
    pub lends: Vec<cubicle_abi::plan::Lend>,
    pub errno: bool,
    /// What a pending call returns if the callee is restarted.
    pub fault: Fault,
    /// What an audit looks at in each call; empty in other builds.
    pub probes: Vec<probes::Probe>,
}

impl Gate {
    /// Whether it calls functions that cross as pointers.
    pub fn is_callback(&self) -> bool {
        self.callback.is_some()
    }

    /// Whether a call through the one is as through the other, if they call the
    /// same function.
    fn is_like(&self, other: &Gate) -> bool {
        self.from == other.from
            && self.to == other.to
            && self.kind == other.kind
            && self.shape == other.shape
            && self.lends == other.lends
            && self.errno == other.errno
            && self.fault == other.fault
    }
}
