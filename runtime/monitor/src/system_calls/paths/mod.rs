//! Calls that name a path.
//!
//! No text of a path says where it leads: links, `..`, mounts and other threads
//! that rename things all have a say. So nothing is decided on the text. It is
//! read once and opened without rights ([`target`]), at a number that
//! nobody can change ([`held`]). What was opened is judged ([`judge`]), by where it
//! really is, and the call is then made on exactly that.

#[cfg(monitor_image)]
pub mod answer;
#[cfg(monitor_image)]
pub mod changing;
#[cfg(monitor_image)]
pub mod held;
pub mod judge;
pub mod listed;
#[cfg(monitor_image)]
pub mod looking;
#[cfg(monitor_image)]
pub mod maps;
#[cfg(monitor_image)]
pub mod opening;
#[cfg(monitor_image)]
pub mod sockets;
#[cfg(monitor_image)]
pub mod target;
pub mod views;

use super::sets::{ADDRESS_CALLS, PATH_CALLS, any_granted};
use cubicle_abi::plan::{CUBICLE_NARROWED, Cubicle};

/// Does the monitor open what this cubicle names in its calls?
pub fn names_paths(cubicle: &Cubicle) -> bool {
    any_granted(&cubicle.granted, &PATH_CALLS)
        || cubicle.flags & CUBICLE_NARROWED != 0 && any_granted(&cubicle.granted, &ADDRESS_CALLS)
}
