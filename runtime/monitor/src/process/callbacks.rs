//! Function pointers that cross a border.
//!
//! A pointer to a function of A is of no use to B: B would run A's code with
//! B's own rights. So B gets the address of a stub instead. The callback gate
//! behind it, from B to A, reads in its table which function of A it stands
//! for, and only the monitor writes that table:
//!
//! ```text
//!   A's pointer ──cross──► stub of a slot ──B calls──► gate ──► table[slot] in A
//! ```
//!
//! On the way back it is the same with the sides exchanged: a function of B that
//! a field or a result gives to A becomes a stub of a gate from A to B. So a lend
//! with `LEND_CALLBACK` and `LEND_IN` crosses when the call enters, one with
//! `LEND_OUT` when it leaves; a field of an "inout" range has one of each. What
//! A gave and B left as it was comes home in this way, too.
//!
//! So what B can call is what A has really passed, A's own pointers never change,
//! and no image is rewritten. The same function always gets the same stub, so
//! that B may compare; a pointer that comes home is A's own again.

mod judge;
#[cfg(monitor_image)]
mod tables;

pub use judge::Refused;
#[cfg(monitor_image)]
pub use tables::{Unchanged, cross, hold, map, retire};
