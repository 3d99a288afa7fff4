//! Kernel threads: each has a number, memory of its own in the monitor, and a
//! frame of that number in every cubicle that it has entered.
//!
//! ```text
//!   clone of a cubicle ──► create ──► the new thread: its creator's code, which
//!                            │        calls others, and enters them (attach)
//!                          pool       …
//!                            ▲        exit of its creator
//!                            └─────── end: every virtual thread ends, then it
//! ```
//!
//! The number is free again when the kernel says that the thread is gone.

#[cfg(monitor_image)]
pub mod create;
#[cfg(monitor_image)]
pub mod end;
#[cfg(monitor_image)]
pub mod frames;
#[cfg(monitor_image)]
pub mod futex;
#[cfg(monitor_image)]
pub mod pool;
#[cfg(monitor_image)]
mod robust;
#[cfg(monitor_image)]
mod words;
