//! Calls that wait for signals, or with another mask. The mask is the monitor's copy,
//! never one that would block a fault (rule 15).

use super::masks::{self, UNBLOCKABLE};
use crate::machine::assembly::NOT_MADE;
use crate::machine::kernel::{error, number};
use crate::machine::rights::call_interruptible;
use crate::memory_calls;

/// Makes a call with another mask. What a signal interrupts is answered EINTR, even
/// if the call had not begun; the old mask comes back when the handler returns.
fn with_mask(cubicle: usize, mask: u64, call: impl FnOnce() -> i64) -> i64 {
    let before = super::own().masks[cubicle];
    super::own().masks[cubicle] = mask & !UNBLOCKABLE;
    masks::apply();
    let result = call();
    if super::own().recorded.is_some() {
        super::own().waiting = Some((cubicle, before));
        return match result {
            NOT_MADE => -error::EINTR,
            result => result,
        };
    }
    super::own().masks[cubicle] = before;
    masks::apply();
    result
}

fn word(cubicle: usize, at: u64) -> Option<u64> {
    let mut bytes = [0; 8];
    memory_calls::read(cubicle, at, &mut bytes).then(|| u64::from_le_bytes(bytes))
}

/// Is this one of the calls that take a mask beside what they wait for?
pub fn takes_mask(number: u64) -> bool {
    matches!(
        number,
        number::PPOLL | number::PSELECT6 | number::EPOLL_PWAIT | number::EPOLL_PWAIT2
    )
}

/// Makes one of these: `perform` makes it with the caller's rights, and without a mask.
pub fn masked(
    cubicle: usize,
    call: u64,
    mut arguments: [u64; 6],
    perform: impl FnOnce(usize, u64, [u64; 6]) -> i64,
) -> i64 {
    let (at, size) = match call {
        number::PPOLL => (arguments[3], arguments[4]),
        number::PSELECT6 if arguments[5] == 0 => (0, 0),
        number::PSELECT6 => {
            let pair = word(cubicle, arguments[5]).zip(word(cubicle, arguments[5].wrapping_add(8)));
            let Some(pair) = pair else {
                return -error::EFAULT;
            };
            pair
        }
        _ => (arguments[4], arguments[5]),
    };
    if at == 0 {
        return perform(cubicle, call, arguments);
    }
    if size != 8 {
        return -error::EINVAL;
    }
    let Some(mask) = word(cubicle, at) else {
        return -error::EFAULT;
    };
    match call {
        number::PPOLL => arguments[3] = 0,
        number::PSELECT6 => arguments[5] = 0,
        _ => arguments[4] = 0,
    }
    with_mask(cubicle, mask, || perform(cubicle, call, arguments))
}

/// `pause`.
pub fn pause() -> i64 {
    call_interruptible(number::PAUSE, [0; 6])
}

/// `rt_sigsuspend`.
pub fn suspend(cubicle: usize, at: u64, size: u64) -> i64 {
    if size != 8 {
        return -error::EINVAL;
    }
    match word(cubicle, at) {
        Some(mask) => with_mask(cubicle, mask, pause),
        None => -error::EFAULT,
    }
}

/// `rt_sigtimedwait`.
pub fn timed(cubicle: usize, arguments: [u64; 6]) -> i64 {
    let [set, information, timeout, size, ..] = arguments;
    if size != 8 {
        return -error::EINVAL;
    }
    let Some(set) = word(cubicle, set) else {
        return -error::EFAULT;
    };
    let set = set & masks::ALL;
    let mut time = [0u64; 2];
    if timeout != 0 {
        let Some(given) = word(cubicle, timeout).zip(word(cubicle, timeout.wrapping_add(8))) else {
            return -error::EFAULT;
        };
        time = [given.0, given.1];
    }
    let time = match timeout {
        0 => 0,
        _ => time.as_ptr() as u64,
    };
    let mut found = [0u64; 16];
    let result = call_interruptible(
        number::RT_SIGTIMEDWAIT,
        [
            &raw const set as u64,
            found.as_mut_ptr() as u64,
            time,
            8,
            0,
            0,
        ],
    );
    if result > 0 {
        super::handed::complete(&mut found, super::send::own_number());
    }
    if result > 0 && information != 0 {
        let mut bytes = [0u8; 128];
        for (place, word) in bytes.chunks_exact_mut(8).zip(found) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        if !memory_calls::write(cubicle, information, &bytes) {
            return -error::EFAULT;
        }
    }
    result
}
