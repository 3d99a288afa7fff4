//! Where allocated memory goes in a finished image: into its own `free`, out
//! through a gate, or back to a caller.
//!
//! A small forward analysis of one function at a time. Registers and stack
//! slots hold what they *definitely* hold (or null): where two ways meet that
//! disagree, the value is unknown. What a function does with its parameters and
//! what it returns is known to its callers, so that wrappers of `malloc` and `free`
//! are understood.
//!
//! It does not see what travels through other memory (heap, globals, fields
//! behind a pointer), through calls by pointer, or in functions with a jump
//! through a register or table.

mod function;
mod state;

use function::{Code, Event};
use std::collections::{BTreeMap, BTreeSet};

/// How many integer registers carry arguments (psABI 3.2.3).
pub const REGISTERS: usize = 6;

/// How deep wrappers around `malloc` and `free` are understood.
const WRAPPERS: usize = 4;

/// One function of an image.
#[derive(Clone, Copy, Debug)]
pub struct Function<'a> {
    pub start: u64,
    pub code: &'a [u8],
}

/// A gate, as its caller's image sees it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gate {
    /// For each integer register: it points to eight bytes that the callee
    /// alone fills.
    pub fills: [bool; REGISTERS],
    /// Its callee may keep and follow the caller's pointers.
    pub callee_sees: bool,
}

/// What calling an address means.
#[derive(Clone, Debug, Default)]
pub struct Landmarks {
    /// By address.
    pub gates: BTreeMap<u64, Gate>,
    /// Functions that free their first argument.
    pub frees: BTreeSet<u64>,
    /// Functions that return new memory.
    pub allocates: BTreeSet<u64>,
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The result of the gate at this address.
    Result(u64),
    /// What the callee of the gate at this address stored where one of the
    /// argument registers (from 0) points to.
    Filled(u64, u8),
}

/// A flow that crosses a border.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flow {
    /// What came through a gate is freed by the call at `place`.
    Freed { source: Source, place: u64 },
    /// What the image allocated is an argument (register, from 0) of the call
    /// of a gate at `place`.
    Given { gate: u64, register: u8, place: u64 },
}

/// What a function does with memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The argument registers whose values it frees.
    pub frees: [bool; REGISTERS],
    /// It returns memory that its image allocated (or null).
    pub allocates: bool,
}

/// The answer for one image.
#[derive(Clone, Debug, Default)]
pub struct Flows {
    /// By start; functions that do nothing of the kind are missing.
    pub summaries: BTreeMap<u64, Summary>,
    /// In order, each once.
    pub flows: BTreeSet<Flow>,
}

/// Analyses the functions of an image. `slot` reads eight bytes that a call
/// goes through.
pub fn analyse(
    functions: &[Function<'_>],
    landmarks: &Landmarks,
    slot: &dyn Fn(u64) -> Option<u64>,
) -> Flows {
    // Decoded again when it is their turn: an image has thousands, of which a
    // few matter.
    let functions: Vec<(&Function<'_>, BTreeSet<u64>)> = functions
        .iter()
        .map(|function| (function, Code::decode(function, slot).targets().collect()))
        .collect();
    let mut found = Flows::default();
    for start in &landmarks.frees {
        found.summaries.entry(*start).or_default().frees[0] = true;
    }
    for start in &landmarks.allocates {
        found.summaries.entry(*start).or_default().allocates = true;
    }
    let known = found.summaries.clone();
    // What is new in a round concerns the callers in the next one.
    let mut changed: BTreeSet<u64> = known.keys().copied().collect();
    for _ in 0..=WRAPPERS {
        let mut next = BTreeSet::new();
        for (function, targets) in &functions {
            let start = function.start;
            if known.contains_key(&start) || targets.is_disjoint(&changed) {
                continue;
            }
            let mut summary = Summary::default();
            for event in Code::decode(function, slot).run(landmarks, &found.summaries) {
                match event {
                    Event::Frees(register) => summary.frees[usize::from(register)] = true,
                    Event::Allocates => summary.allocates = true,
                    Event::Crosses(_) => {}
                }
            }
            let old = found.summaries.get(&start).copied();
            if old.unwrap_or_default() != summary {
                found.summaries.insert(start, summary);
                next.insert(start);
            }
        }
        changed = next;
    }
    for (function, targets) in &functions {
        let crosses = |target| landmarks.gates.contains_key(target);
        if targets.iter().any(crosses) {
            let code = Code::decode(function, slot);
            let events = code.run(landmarks, &found.summaries).into_iter();
            found.flows.extend(events.filter_map(|event| match event {
                Event::Crosses(flow) => Some(flow),
                _ => None,
            }));
        }
    }
    found
}
