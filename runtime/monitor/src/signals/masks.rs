//! Signal masks: one for each cubicle on each thread, and the kernel's.
//!
//! The kernel keeps what is blocked, in its order and with all it says about it. A signal
//! with a handler is blocked if the cubicle that has the handler blocks it; others if
//! any cubicle on this thread does, as in a plain program, where all have one mask.

use super::actions;
use cubicle_abi::layout::MAXIMUM_CUBICLES;

/// The bit of a signal.
pub const fn bit(signal: u64) -> u64 {
    1 << ((signal - 1) & 63)
}

/// What instructions raise, and SIGSYS: never blocked, or the kernel would end the
/// process (rule 15).
pub const FAULTS: u64 = bit(4) | bit(5) | bit(7) | bit(8) | bit(11) | bit(31);
/// SIGKILL and SIGSTOP.
pub const UNBLOCKABLE: u64 = bit(9) | bit(19);
/// What is blocked while a signal is on its way.
pub const ALL: u64 = !(FAULTS | UNBLOCKABLE);

/// What `rt_sigprocmask` makes of a mask; `None`: it is no way to change one.
pub fn changed(before: u64, how: u64, wanted: u64) -> Option<u64> {
    const SIG_BLOCK: u64 = 0;
    const SIG_UNBLOCK: u64 = 1;
    const SIG_SETMASK: u64 = 2;
    let after = match how {
        SIG_BLOCK => before | wanted,
        SIG_UNBLOCK => before & !wanted,
        SIG_SETMASK => wanted,
        _ => return None,
    };
    Some(after & !UNBLOCKABLE)
}

/// The kernel's mask for these: `present` has the bits of the cubicles that are on
/// this thread.
pub fn combined(masks: &[u64; MAXIMUM_CUBICLES], present: u32) -> u64 {
    let here = |cubicle: usize| present >> cubicle & 1 == 1;
    let any = (0..MAXIMUM_CUBICLES)
        .filter(|cubicle| here(*cubicle))
        .fold(0, |any, cubicle| any | masks[cubicle]);
    let mut result = any & !actions::handled();
    for (cubicle, mask) in masks.iter().enumerate() {
        // Who is not here yet has no mask of its own.
        let mask = if here(cubicle) { *mask } else { any };
        result |= mask & actions::handled_by(cubicle);
    }
    result & ALL
}

/// The mask that the kernel should have for this thread now.
#[cfg(monitor_image)]
pub fn wanted() -> u64 {
    use crate::machine::thread;
    let signals = super::own();
    if signals.recorded.is_some() || signals.delivering {
        return ALL;
    }
    // SAFETY: this thread's block.
    let threads = unsafe { &(*thread::block()).virtual_threads };
    let present = threads
        .iter()
        .enumerate()
        .filter(|(_, place)| place.frame != 0)
        .fold(0, |bits, (index, _)| bits | 1 << index);
    combined(&signals.masks, present)
}

/// Makes the kernel's mask what it should be. Signals may come at once.
#[cfg(monitor_image)]
pub fn apply() {
    let mask = wanted();
    set(mask);
}

#[cfg(monitor_image)]
fn set(mask: u64) {
    use crate::machine::kernel::{call, number};
    const SIG_SETMASK: u64 = 2;
    // SAFETY: the mask is on this stack, and blocks no fault.
    unsafe {
        call(
            number::RT_SIGPROCMASK,
            [SIG_SETMASK, &raw const mask as u64, 0, 8, 0, 0],
        );
    }
}

/// At start: the masks are what the process was given; the kernel's opens for faults.
#[cfg(monitor_image)]
pub fn inherit() {
    use crate::machine::kernel::{call, number};
    let mut given = 0u64;
    // SAFETY: the mask is on this stack.
    unsafe {
        call(
            number::RT_SIGPROCMASK,
            [0, 0, &raw mut given as u64, 8, 0, 0],
        );
    }
    super::own().masks = [given & !UNBLOCKABLE; MAXIMUM_CUBICLES];
    set(given & ALL);
}

/// `rt_sigprocmask`: the mask a libc believes in.
#[cfg(monitor_image)]
pub fn change(cubicle: usize, arguments: [u64; 6]) -> i64 {
    use crate::machine::kernel::error;
    use crate::memory_calls;
    let [how, new, old, size, ..] = arguments;
    if size != 8 {
        return -error::EINVAL;
    }
    let before = super::own().masks[cubicle];
    if new != 0 {
        let mut wanted = [0; 8];
        if !memory_calls::read(cubicle, new, &mut wanted) {
            return -error::EFAULT;
        }
        let Some(after) = changed(before, how, u64::from_le_bytes(wanted)) else {
            return -error::EINVAL;
        };
        if after != before {
            super::own().masks[cubicle] = after;
            apply();
        }
    }
    if old != 0 && !memory_calls::write(cubicle, old, &before.to_le_bytes()) {
        return -error::EFAULT;
    }
    0
}

/// `rt_sigpending`: what waits, of what this cubicle blocks.
#[cfg(monitor_image)]
pub fn pending(cubicle: usize, into: u64, size: u64) -> i64 {
    use crate::machine::kernel::{call, error, number};
    if size > 8 {
        return -error::EINVAL;
    }
    let mut waiting = 0u64;
    // SAFETY: the set is on this stack.
    unsafe {
        call(
            number::RT_SIGPENDING,
            [&raw mut waiting as u64, 8, 0, 0, 0, 0],
        );
    }
    waiting &= super::own().masks[cubicle];
    match crate::memory_calls::write(cubicle, into, &waiting.to_le_bytes()[..size as usize]) {
        true => 0,
        false => -error::EFAULT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_change_as_programs_ask() {
        assert_eq!(changed(0b0110, 0, 0b0011), Some(0b0111));
        assert_eq!(changed(0b0110, 1, 0b0011), Some(0b0100));
        assert_eq!(changed(0b0110, 2, 0b0011), Some(0b0011));
        assert_eq!(changed(0, 3, 1), None);
        assert_eq!(changed(0, 2, u64::MAX), Some(!UNBLOCKABLE));
    }

    #[test]
    fn the_kernel_never_blocks_what_instructions_raise() {
        let masks = [u64::MAX; MAXIMUM_CUBICLES];
        assert_eq!(combined(&masks, 1) & (FAULTS | UNBLOCKABLE), 0);
        assert_eq!(combined(&masks, 1), ALL);
    }

    #[test]
    fn a_signal_without_a_handler_is_blocked_by_anybody_who_is_here() {
        let mut masks = [0; MAXIMUM_CUBICLES];
        masks[3] = bit(15);
        assert_eq!(combined(&masks, 0b1001), bit(15));
        assert_eq!(combined(&masks, 0b0001), 0);
    }
}
