//! Lends while they are resolved: in the order in which they are met, referring
//! to each other by their index in that order.

use std::ops::Range;

use cubicle_abi::plan::{
    Extent, LEND_IN, LEND_OUT, LEND_RESULT, Lend, Operand, PLACE_ARGUMENT, PLACE_FIELD, Place,
};

use crate::graph::signature::{Pointer, Type};
use crate::manifest;

/// The place of something in the manifest.
pub(super) type Span = Range<usize>;

/// One lend to be. Where the monitor's `Lend` has the index of another lend,
/// this one has the index of its draft.
pub(super) struct Draft<'a> {
    pub(super) lend: Lend,
    /// How messages call the pointer.
    pub(super) label: String,
    /// What says so in the manifest; a range that is only read, what reads it.
    pub(super) at: Option<Span>,
    /// What it covers, if it covers memory.
    pub(super) range: Option<Covered<'a>>,
    /// Whether nobody wrote it down: it only translates a pointer.
    pub(super) automatic: bool,
    /// Whether there is nothing wrong with it.
    pub(super) good: bool,
}

/// Memory that a lend covers.
pub(super) struct Covered<'a> {
    /// Absent for a hidden result and for what is only read.
    pub(super) rule: Option<&'a manifest::Lend>,
    /// Absent for a hidden result.
    pub(super) pointer: Option<&'a Pointer>,
    /// The type of what is there, or of an element.
    pub(super) data: Option<&'a Type>,
    /// Whether it is looked at as an array (`a[].p`), or as one object (`a.p`).
    /// Nothing looks into it yet: `None`.
    pub(super) each: Option<bool>,
}

/// Where a pointer or number stands, as part of a range or as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) holder: Holder,
    /// Bytes.
    pub(super) offset: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holder {
    /// The argument of this index.
    Argument(usize),
    /// What the draft of this index covers, or one of its elements.
    Inside(usize),
}

/// A place in memory that a range covers.
pub(super) fn field(draft: usize, offset: u64) -> Place {
    Place {
        kind: PLACE_FIELD,
        index: draft as u32,
        offset,
    }
}

/// The place of an argument.
pub(super) fn argument(word: u32) -> Place {
    Place {
        kind: PLACE_ARGUMENT,
        index: word,
        offset: 0,
    }
}

/// The draft whose memory a place is in.
pub(super) fn holder(place: &Place) -> Option<usize> {
    (place.kind == PLACE_FIELD).then_some(place.index as usize)
}

/// The operands of an extent.
pub(super) fn operands(extent: &Extent) -> &[Operand] {
    &extent.operands[..extent.count as usize]
}

impl Draft<'_> {
    /// Whether the caller gets something back.
    pub(super) fn is_written(&self) -> bool {
        self.lend.flags & (LEND_OUT | LEND_RESULT) != 0
    }

    /// Whether the callee gets memory of its own for it.
    pub(super) fn is_lent(&self) -> bool {
        self.range.is_some() && self.lend.flags & (LEND_IN | LEND_OUT | LEND_RESULT) != 0
    }
}
