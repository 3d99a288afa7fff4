//! What is to be done about a signal: dispositions are the process's, as in a plain
//! program, so the last cubicle that installed a handler has the signal. Faults are
//! different: each cubicle has its own handler for its own.

use super::masks::{self, bit};
use super::{INTERNAL, LAST};
use crate::lock::Lock;
use core::sync::atomic::{AtomicU64, Ordering};
use cubicle_abi::layout::MAXIMUM_CUBICLES;

pub const SIG_DFL: u64 = 0;
pub const SIG_IGN: u64 = 1;
pub const SA_NOCLDSTOP: u64 = 1;
pub const SA_NOCLDWAIT: u64 = 2;
pub const SA_RESTORER: u64 = 0x0400_0000;
pub const SA_ONSTACK: u64 = 0x0800_0000;
pub const SA_RESTART: u64 = 0x1000_0000;
pub const SA_NODEFER: u64 = 0x4000_0000;
pub const SA_RESETHAND: u64 = 0x8000_0000;

/// `struct sigaction` as the kernel takes it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Action {
    pub handler: u64,
    pub flags: u64,
    pub restorer: u64,
    pub mask: u64,
}

impl Action {
    pub const DEFAULT: Action = Action {
        handler: SIG_DFL,
        flags: 0,
        restorer: 0,
        mask: 0,
    };

    pub fn runs(&self) -> bool {
        self.handler > SIG_IGN
    }
}

/// Whose a signal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// The kernel does what its disposition says.
    Nobody,
    Cubicle(usize),
}

struct Table {
    /// What each cubicle last asked for.
    asked: [[Action; LAST as usize + 1]; MAXIMUM_CUBICLES],
    owners: [Owner; LAST as usize + 1],
    /// For each cubicle, whom it took a signal from. It gives it back when it
    /// puts back what it had been shown.
    before: [[Owner; LAST as usize + 1]; MAXIMUM_CUBICLES],
}

static TABLE: Lock<Table> = Lock::new(Table {
    asked: [[Action::DEFAULT; LAST as usize + 1]; MAXIMUM_CUBICLES],
    owners: [Owner::Nobody; LAST as usize + 1],
    before: [[Owner::Nobody; LAST as usize + 1]; MAXIMUM_CUBICLES],
});

/// While it lives, nobody's handlers change.
pub struct Unchanged {
    _table: crate::lock::Guard<'static, Table>,
}

/// Waits until nobody's handlers are about to change.
pub fn hold() -> Unchanged {
    Unchanged {
        _table: TABLE.lock(),
    }
}

/// For each cubicle, the bits of the signals whose handler it has, so that masks are
/// combined without the lock.
static HANDLED: [AtomicU64; MAXIMUM_CUBICLES] = [const { AtomicU64::new(0) }; MAXIMUM_CUBICLES];

/// Bits of the signals that go to a handler of this cubicle's.
pub fn handled_by(cubicle: usize) -> u64 {
    HANDLED[cubicle].load(Ordering::Relaxed)
}

/// Bits of the signals that go to anybody's handler.
pub fn handled() -> u64 {
    (0..MAXIMUM_CUBICLES).fold(0, |all, cubicle| all | handled_by(cubicle))
}

/// Does each cubicle have its own handler for this one?
fn is_private(signal: u64) -> bool {
    masks::FAULTS & bit(signal) != 0 || INTERNAL.contains(&signal)
}

/// What a change of the table means for the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Real {
    Unchanged,
    Default,
    Ignore,
    /// The monitor's handler, with these of the flags.
    Handler(u64),
}

impl Real {
    fn of(action: &Action) -> Real {
        match action.handler {
            SIG_DFL => Real::Default,
            SIG_IGN => Real::Ignore,
            _ => Real::Handler(action.flags & (SA_RESTART | SA_NOCLDSTOP | SA_NOCLDWAIT)),
        }
    }
}

impl Table {
    /// What `cubicle` sees when it asks; `None`: what the kernel has.
    fn shown(&self, cubicle: usize, signal: u64) -> Option<Action> {
        match self.owners[signal as usize] {
            Owner::Nobody if !is_private(signal) => None,
            _ => Some(self.asked[cubicle][signal as usize]),
        }
    }

    fn set(&mut self, cubicle: usize, signal: u64, action: Action) -> Real {
        let index = signal as usize;
        let former = self.owners[index];
        let shown = self.asked[cubicle][index];
        self.asked[cubicle][index] = action;
        if is_private(signal) {
            return match INTERNAL.contains(&signal) && action.runs() {
                true => Real::of(&action),
                false => Real::Unchanged,
            };
        }
        let own = Owner::Cubicle(cubicle);
        if let Owner::Cubicle(other) = former
            && former != own
        {
            self.before[cubicle][index] = Owner::Cubicle(other);
        }
        if action.runs() {
            self.give(signal, own);
            return Real::of(&action);
        }
        // Puts back what it was shown when it took the signal.
        let had = former == own || former == Owner::Nobody && shown.handler == SIG_IGN;
        if had
            && action.handler == SIG_DFL
            && let Owner::Cubicle(other) = self.before[cubicle][index]
        {
            self.before[cubicle][index] = Owner::Nobody;
            if self.asked[other][index].runs() {
                self.give(signal, Owner::Cubicle(other));
                return Real::of(&self.asked[other][index]);
            }
        }
        self.give(signal, Owner::Nobody);
        Real::of(&action)
    }

    fn give(&mut self, signal: u64, owner: Owner) {
        self.owners[signal as usize] = owner;
        for (cubicle, handled) in HANDLED.iter().enumerate() {
            match owner == Owner::Cubicle(cubicle) {
                true => handled.fetch_or(bit(signal), Ordering::Relaxed),
                false => handled.fetch_and(!bit(signal), Ordering::Relaxed),
            };
        }
    }
}

/// The handler that a signal goes to, and whose it is.
pub fn handler(signal: u64) -> Option<(usize, Action)> {
    let table = TABLE.lock();
    match table.owners[signal as usize] {
        Owner::Cubicle(cubicle) => Some((cubicle, table.asked[cubicle][signal as usize])),
        Owner::Nobody => None,
    }
}

/// The handler that `cubicle` itself has for a signal.
pub fn own_handler(cubicle: usize, signal: u64) -> Option<Action> {
    let action = TABLE.lock().asked[cubicle][signal as usize];
    action.runs().then_some(action)
}

/// Cubicle `index` has failed and has no handlers any more.
#[cfg(monitor_image)]
pub fn retire(index: usize) {
    for signal in 1..=LAST {
        if own_handler(index, signal).is_some() {
            reset(index, signal);
        }
    }
}

/// A handler that runs once has run.
#[cfg(monitor_image)]
pub fn reset(cubicle: usize, signal: u64) {
    let real = TABLE.lock().set(cubicle, signal, Action::DEFAULT);
    let _ = tell_kernel(signal, real);
}

#[cfg(monitor_image)]
fn tell_kernel(signal: u64, real: Real) -> i64 {
    use crate::machine::{kernel, signals};
    let plain = |handler| {
        let action = [handler, 0, 0, 0u64];
        // SAFETY: no handler, and the structure is on this stack.
        unsafe {
            kernel::call(
                kernel::number::RT_SIGACTION,
                [signal, action.as_ptr() as u64, 0, 8, 0, 0],
            )
        }
    };
    match real {
        Real::Unchanged => 0,
        Real::Default => plain(SIG_DFL),
        Real::Ignore => plain(SIG_IGN),
        Real::Handler(flags) => signals::install_handler(signal, flags),
    }
}

/// `rt_sigaction`.
#[cfg(monitor_image)]
pub fn change(cubicle: usize, arguments: [u64; 6]) -> i64 {
    use crate::machine::kernel::{self, error, number};
    use crate::memory_calls;
    let [signal, new, old, size, ..] = arguments;
    let fixed = signal == 9 || signal == 19;
    if !(1..=LAST).contains(&signal) || size != 8 || fixed && new != 0 {
        return -error::EINVAL;
    }
    let mut wanted = [0u8; 32];
    if new != 0 && !memory_calls::read(cubicle, new, &mut wanted) {
        return -error::EFAULT;
    }
    let before = match TABLE.lock().shown(cubicle, signal) {
        Some(action) => action,
        None => {
            let mut real = Action::default();
            // SAFETY: the structure is on this stack.
            unsafe {
                kernel::call(
                    number::RT_SIGACTION,
                    [signal, 0, &raw mut real as u64, 8, 0, 0],
                );
            }
            real
        }
    };
    if new != 0 {
        let word = |index: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&wanted[8 * index..8 * index + 8]);
            u64::from_le_bytes(bytes)
        };
        let action = Action {
            handler: word(0),
            flags: word(1),
            restorer: word(2),
            mask: word(3),
        };
        let real = match crate::process::children::shares_memory() {
            // The table is the parent's.
            true if is_private(signal) => Real::Unchanged,
            true => Real::of(&action),
            false => TABLE.lock().set(cubicle, signal, action),
        };
        let result = tell_kernel(signal, real);
        if result < 0 {
            return result;
        }
        // Whose mask counts may be another one now.
        masks::apply();
    }
    let words = [before.handler, before.flags, before.restorer, before.mask];
    let mut bytes = [0u8; 32];
    for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    if old != 0 && !memory_calls::write(cubicle, old, &bytes) {
        return -error::EFAULT;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Box<Table> {
        Box::new(Table {
            asked: [[Action::DEFAULT; LAST as usize + 1]; MAXIMUM_CUBICLES],
            owners: [Owner::Nobody; LAST as usize + 1],
            before: [[Owner::Nobody; LAST as usize + 1]; MAXIMUM_CUBICLES],
        })
    }

    fn with(handler: u64) -> Action {
        Action {
            handler,
            ..Action::DEFAULT
        }
    }

    const SIGINT: u64 = 2;
    const SIGSEGV: u64 = 11;

    #[test]
    fn the_last_one_has_the_signal_and_gives_it_back() {
        let mut table = table();
        assert_eq!(table.set(0, SIGINT, with(0x100)), Real::Handler(0));
        assert_eq!(table.set(1, SIGINT, with(0x200)), Real::Handler(0));
        assert_eq!(table.owners[2], Owner::Cubicle(1));
        assert_eq!(table.shown(0, SIGINT), Some(with(0x100)));
        // Puts back what it saw before: nothing.
        assert_eq!(table.set(1, SIGINT, with(SIG_DFL)), Real::Handler(0));
        assert_eq!(table.owners[2], Owner::Cubicle(0));
        assert_eq!(table.set(0, SIGINT, with(SIG_DFL)), Real::Default);
        assert_eq!(table.shown(0, SIGINT), None);
    }

    #[test]
    fn who_ignores_it_for_a_while_gives_it_back_too() {
        let mut table = table();
        table.set(0, SIGINT, with(0x100));
        assert_eq!(table.set(1, SIGINT, with(SIG_IGN)), Real::Ignore);
        assert_eq!(table.set(1, SIGINT, with(SIG_DFL)), Real::Handler(0));
        assert_eq!(table.owners[2], Owner::Cubicle(0));
    }

    #[test]
    fn faults_are_everybodys_own() {
        let mut table = table();
        assert_eq!(table.set(0, SIGSEGV, with(0x100)), Real::Unchanged);
        assert_eq!(table.shown(1, SIGSEGV), Some(Action::DEFAULT));
        assert_eq!(table.shown(0, SIGSEGV), Some(with(0x100)));
    }
}
