//! Signals that one thread hands to another, or to itself once more.
//!
//! The kernel lets only the first thread say again what it said of a signal that came from
//! elsewhere (`rt_tgsigqueueinfo` compares the process with the *thread*). So on others it
//! is sent as if by `tgkill`, and what was said of it waits here.

use super::{Information, send, signal_of};
use crate::lock::Lock;
use crate::machine::kernel::{call, number};

/// As many can be on their way at once with all that was said of them.
const MOST: usize = 16;

const SI_USER: i32 = 0;
const SI_TKILL: i32 = -6;

#[derive(Clone, Copy)]
struct Handed {
    /// The number of the thread it is for; `None`: any.
    to: Option<usize>,
    information: Information,
}

static HANDED: Lock<[Option<Handed>; MOST]> = Lock::new([None; MOST]);

/// While it lives, nothing is handed over.
pub struct Unchanged {
    _handed: crate::lock::Guard<'static, [Option<Handed>; MOST]>,
}

/// Waits until nothing is about to be handed over.
pub fn hold() -> Unchanged {
    Unchanged {
        _handed: HANDED.lock(),
    }
}

/// In a child: what is on its way is so in the parent.
pub fn forget() {
    *HANDED.lock() = [None; MOST];
}

fn code(information: &Information) -> i32 {
    information[1] as i32
}

fn keep(to: Option<usize>, information: &Information) {
    let mut table = HANDED.lock();
    if let Some(place) = table.iter_mut().find(|place| place.is_none()) {
        *place = Some(Handed {
            to,
            information: *information,
        });
    }
}

/// To the thread with this kernel's id and number. Answers whether it is there.
pub fn to_thread(id: u64, own: usize, information: &Information) -> bool {
    let process = send::own_process();
    let signal = signal_of(information);
    // SAFETY: the information is readable, and goes to this process.
    let said = unsafe {
        call(
            number::RT_TGSIGQUEUEINFO,
            [process, id, signal, information.as_ptr() as u64, 0, 0],
        )
    };
    if said == 0 {
        return true;
    }
    if code(information) != SI_TKILL {
        keep(Some(own), information);
    }
    // SAFETY: no memory is involved.
    unsafe { call(number::TGKILL, [process, id, signal, 0, 0, 0]) == 0 }
}

/// To whichever thread takes it.
pub fn to_process(information: &Information) {
    keep(None, information);
    // SAFETY: no memory is involved.
    unsafe {
        call(
            number::KILL,
            [send::own_process(), signal_of(information), 0, 0, 0, 0],
        );
    }
}

/// What came to thread `own`, with what was said of it at first.
pub fn complete(information: &mut Information, own: usize) {
    if !matches!(code(information), SI_TKILL | SI_USER) {
        return;
    }
    let mut table = HANDED.lock();
    let found = table.iter_mut().find(|place| {
        place.is_some_and(|handed| {
            signal_of(&handed.information) == signal_of(information)
                && handed.to.is_none_or(|to| to == own)
        })
    });
    if let Some(handed) = found.and_then(Option::take) {
        *information = handed.information;
    }
}
