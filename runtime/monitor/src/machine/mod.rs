//! What touches the machine: instructions, system calls, signals.

#[cfg(monitor_image)]
pub mod assembly;
#[cfg(monitor_image)]
pub mod clock;
pub mod context;
pub mod dumps;
pub mod kernel;
#[cfg(monitor_image)]
pub mod memory;
pub mod pages;
#[cfg(monitor_image)]
pub mod resume;
pub mod rights;
pub mod signals;
pub mod thread;
