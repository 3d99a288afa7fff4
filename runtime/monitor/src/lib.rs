//! The monitor: the kernel of a partitioned process.
//!
//! It starts the cubicles, performs their system calls with their rights, and
//! runs only when entered: through a gate, or as a signal handler. It has no
//! libc and allocates from nowhere but its own static memory.
//!
//! What is pure logic here (who owns which memory, what may be lent, what a
//! report says) is tested natively; what touches the machine lives in
//! `machine/` and is tested by running partitioned programs.

#![cfg_attr(not(test), no_std)]
#![cfg_attr(monitor_image, no_main)]
// The image is the real thing, and is compiled without this exception.
#![cfg_attr(
    not(monitor_image),
    allow(
        dead_code,
        unused_imports,
        reason = "natively only what needs no machine is compiled, for its tests"
    )
)]

pub mod audit;
pub mod defences;
pub mod lock;
pub mod machine;
pub mod mappings;
#[cfg(monitor_image)]
pub mod measured;
pub mod memory_calls;
pub mod plan;
pub mod process;
pub mod restart;
pub mod signals;
pub mod system_calls;
pub mod text;
pub mod threads;
pub mod violation;
pub mod windows;

#[cfg(monitor_image)]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    violation::fatal("the monitor met a condition it was not built for")
}
