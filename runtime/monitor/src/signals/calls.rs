//! The system calls about signals that the monitor answers itself.

use super::{actions, masks, others, send, stacks, wait};
use crate::machine::kernel::{call, number};

/// Is it one of them?
pub fn answers(wanted: u64, arguments: &[u64; 6]) -> bool {
    match wanted {
        number::RT_SIGACTION
        | number::RT_SIGPROCMASK
        | number::RT_SIGPENDING
        | number::RT_SIGTIMEDWAIT
        | number::RT_SIGSUSPEND
        | number::PAUSE
        | number::SIGALTSTACK
        | number::TGKILL
        | number::TKILL
        | number::RT_SIGQUEUEINFO
        | number::RT_TGSIGQUEUEINFO
        | cubicle_abi::calls::DELIVER => true,
        // Others need a grant.
        number::KILL => send::is_own(arguments[0]),
        _ => false,
    }
}

/// Answers it.
pub fn answer(cubicle: usize, wanted: u64, arguments: [u64; 6]) -> i64 {
    let [a, b, c, d, ..] = arguments;
    match wanted {
        number::RT_SIGACTION => actions::change(cubicle, arguments),
        number::RT_SIGPROCMASK => masks::change(cubicle, arguments),
        number::RT_SIGPENDING => masks::pending(cubicle, a, b),
        number::RT_SIGTIMEDWAIT => wait::timed(cubicle, arguments),
        number::RT_SIGSUSPEND => wait::suspend(cubicle, a, b),
        number::PAUSE => wait::pause(),
        number::SIGALTSTACK => stacks::change(cubicle, a, b),
        number::KILL => send::to_process(a, b),
        number::TGKILL => send::to_thread(cubicle, a, b, c),
        number::TKILL => {
            // SAFETY: no memory is involved.
            let process = unsafe { call(number::GETPID, [0; 6]) };
            send::to_thread(cubicle, process as u64, a, b)
        }
        number::RT_SIGQUEUEINFO => send::with_value(cubicle, a, None, b, c),
        number::RT_TGSIGQUEUEINFO => send::with_value(cubicle, a, Some(b), c, d),
        _ => others::begin(cubicle),
    }
}
