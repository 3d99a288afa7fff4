//! Page tables instead of keys. There is one set of them for all threads, so what
//! is open is what any thread has in force: a cubicle's memory is closed once no
//! thread is in it, nor in one that sees it.
//!
//! A thread that waits in the monitor or in the kernel has in force what it had
//! last: the kernel copies for it.

use super::kernel::{self, number};
use super::rights::{effective, mechanism, set_pages};
use super::thread;
use crate::lock::{Guard, Lock};
use cubicle_abi::layout::MAXIMUM_CUBICLES;
use cubicle_abi::plan::MECHANISM_PAGETABLE;
use cubicle_abi::rights::{Rights, cubicle_key};

/// How many threads may read and write the memory with each cubicle's key.
struct Users {
    readers: [u32; MAXIMUM_CUBICLES],
    writers: [u32; MAXIMUM_CUBICLES],
}

impl Users {
    fn count(&mut self, rights: Rights, entered: bool) {
        let step = |count: &mut u32| {
            *count = match entered {
                true => *count + 1,
                false => *count - 1,
            }
        };
        for index in 0..MAXIMUM_CUBICLES {
            let key = cubicle_key(index);
            if rights.reads(key) {
                step(&mut self.readers[index]);
            }
            if rights.writes(key) {
                step(&mut self.writers[index]);
            }
        }
    }

    /// What any of the threads has in force.
    fn union(&self) -> Rights {
        let mut union = Rights::NONE;
        for index in 0..MAXIMUM_CUBICLES {
            let key = cubicle_key(index);
            if self.readers[index] > 0 {
                union = union.reading(key);
            }
            if self.writers[index] > 0 {
                union = union.writing(key);
            }
        }
        union
    }
}

/// The first thread begins with all rights. Held until the pages are as the users
/// need them: whoever finds its own rights open must not run before they are.
///
/// This lock comes before the one of windows, and that before those of mappings:
/// a page that changes while one of those is held is found again here.
static USERS: Lock<Users> = Lock::new(Users {
    readers: [1; MAXIMUM_CUBICLES],
    writers: [1; MAXIMUM_CUBICLES],
});

/// From here on this thread has `new` in force.
#[cfg(monitor_image)]
pub fn change(new: Rights) {
    if mechanism() == MECHANISM_PAGETABLE && in_force() != new {
        exchange(USERS.lock(), new);
    }
}

/// The same for a report, which does not wait for a thread that may never be done.
#[cfg(monitor_image)]
pub fn change_for_report(new: Rights) {
    const ATTEMPTS: usize = 1000;
    if mechanism() != MECHANISM_PAGETABLE || in_force() == new {
        return;
    }
    for _ in 0..ATTEMPTS {
        if let Some(users) = USERS.try_lock() {
            return exchange(users, new);
        }
        // SAFETY: no memory is involved.
        unsafe { kernel::call(number::SCHED_YIELD, [0; 6]) };
    }
}

/// While it lives, no page is closed or opened.
pub struct Unchanged {
    _users: Guard<'static, Users>,
}

/// Waits until no page is about to be closed or opened.
pub fn hold() -> Unchanged {
    Unchanged {
        _users: USERS.lock(),
    }
}

/// In a child: other threads have nothing in force any more.
#[cfg(monitor_image)]
pub fn only_this_thread() {
    if mechanism() != MECHANISM_PAGETABLE {
        return;
    }
    let mut users = USERS.lock();
    let before = users.union();
    *users = Users {
        readers: [0; MAXIMUM_CUBICLES],
        writers: [0; MAXIMUM_CUBICLES],
    };
    users.count(in_force(), true);
    let after = users.union();
    if before != after {
        set_pages(after);
        apply(before, after);
    }
}

#[cfg(monitor_image)]
fn in_force() -> Rights {
    // SAFETY: this thread's state.
    unsafe { (*thread::state()).in_force }
}

#[cfg(monitor_image)]
fn exchange(mut users: Guard<'_, Users>, new: Rights) {
    // SAFETY: as above.
    let old = unsafe { core::mem::replace(&mut (*thread::state()).in_force, new) };
    let before = users.union();
    users.count(old, false);
    users.count(new, true);
    let after = users.union();
    crate::audit::pages::switch(old, new);
    if before != after {
        set_pages(after);
        apply(before, after);
    }
}

/// Makes the page protections stand for `after`.
fn apply(before: Rights, after: Rights) {
    let changed =
        |key: u32| before.reads(key) != after.reads(key) || before.writes(key) != after.writes(key);
    let windows = crate::windows::touch::held();
    for (index, cubicle) in crate::process::cubicles().iter().enumerate() {
        let key = cubicle_key(index);
        if !changed(key) {
            continue;
        }
        for mapping in cubicle.mappings.lock().iter() {
            if mapping.protection == 0 {
                continue;
            }
            // What others have at the moment is theirs to close and open.
            windows.at_home(index, mapping.start, mapping.end, |start, end| {
                protect(start, end, effective(after, key, mapping.protection));
            });
        }
    }
    windows.reapply(after, changed);
}

/// Gives pages of a cubicle's table this protection.
pub fn protect(start: u64, end: u64, protection: u32) {
    // SAFETY: a cubicle's table lists this range, and its lock is held.
    let result = unsafe {
        kernel::call(
            number::MPROTECT,
            [start, end - start, protection.into(), 0, 0, 0],
        )
    };
    if result < 0 {
        crate::violation::fatal("the kernel refused to change a page protection");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_any_thread_uses_is_open() {
        let (a, b) = (cubicle_key(0), cubicle_key(5));
        let mut users = Users {
            readers: [0; MAXIMUM_CUBICLES],
            writers: [0; MAXIMUM_CUBICLES],
        };
        assert_eq!(users.union(), Rights::NONE);
        users.count(Rights::NONE.writing(a), true);
        users.count(Rights::NONE.writing(a).reading(b), true);
        assert_eq!(users.union(), Rights::NONE.writing(a).reading(b));
        users.count(Rights::NONE.writing(a).reading(b), false);
        assert_eq!(users.union(), Rights::NONE.writing(a));
        users.count(Rights::NONE.writing(a), false);
        assert_eq!(users.union(), Rights::NONE);
    }
}
