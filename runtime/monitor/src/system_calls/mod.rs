//! What happens to a system call of a cubicle.
//!
//! Some are the monitor's to answer (memory, threads, signals): they are
//! virtual for each cubicle. The others need a grant of the manifest and are
//! performed with the rights of the caller, so that the kernel checks their
//! pointers. Everything else answers EPERM.

#[cfg(monitor_image)]
pub mod denied;
pub mod descriptors;
#[cfg(monitor_image)]
pub mod dispatch;
pub mod files;
#[cfg(monitor_image)]
pub mod granted;
pub mod paths;
pub mod sets;
#[cfg(monitor_image)]
pub mod threads;
