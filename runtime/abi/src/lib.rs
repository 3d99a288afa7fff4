//! The contract between the tool and the runtime: addresses, rights, the two
//! structures that gates read, and the plan. Nothing here executes; the tool
//! writes what the monitor reads, and both compile this one crate.

#![no_std]

pub mod calls;
pub mod defences;
pub mod frame;
pub mod layout;
pub mod plan;
pub mod rights;
pub mod signal_stack;
pub mod thread_block;

/// Status of a process whose cubicle broke its partition.
pub const STATUS_VIOLATION: i32 = 86;
/// Status of a process that refused to start, because the promise of its
/// manifest cannot be kept on this machine.
pub const STATUS_REFUSED: i32 = 87;
