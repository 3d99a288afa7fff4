//! What a partition costs, before there is one and afterwards.
//!
//! ```text
//!   link line ─► programs: the plain one, the one that counts calls between what will be
//!      │                   cubicles, and the partitioned one if nothing forbids it
//!      │             │
//!      │             └─► run ─► times, counts, what each cubicle took
//!      │                                    │
//!      └─► prices: calls through each kind  ├─► estimate ─► render
//!                  of gate, on this machine ┘
//! ```
//!
//! Counting needs no partition: in the counting program each reference of one cubicle's objects
//! to another's function leads to a few instructions that count and jump on.

pub mod built;
mod counted;
mod counters;
pub mod estimate;
pub mod prices;
mod redirected;
pub mod render;
pub mod run;

pub use built::Built;
pub use counted::{Call, link};
