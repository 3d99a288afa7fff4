//! Second walls: what the kernel refuses by itself, should the monitor ever fail to.
//! They are built before the first cubicle runs, and nobody can take them down.
//!
//! | wall | what it stops |
//! | --- | --- |
//! | no new privileges | a program that is started gains none by its file |
//! | not dumpable | core dumps, debuggers of the same user |
//! | sealed memory | changes to text, gates, constants and the plan |
//! | Landlock | procfs, and where all cubicles are narrowed, all other files |
//! | a filter | calls that neither a cubicle nor the monitor makes |

#[cfg(monitor_image)]
mod build;
pub mod filter;
#[cfg(monitor_image)]
mod landlock;
#[cfg(monitor_image)]
mod seal;

#[cfg(monitor_image)]
pub use build::build;
