//! A lock for the monitor's tables. Held for a few system calls at most, and
//! never while a cubicle runs.
//!
//! Whoever finds it taken tries for a moment, because most holders are nearly
//! done, and then sleeps in the kernel: the holder may need this processor.

use crate::machine::kernel::{self, number};
use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU32, Ordering};

const FREE: u32 = 0;
const HELD: u32 = 1;
/// Somebody sleeps, or is about to.
const AWAITED: u32 = 2;

/// How often a taken lock is looked at before sleeping.
const ATTEMPTS: usize = 64;

/// A value that one thread uses at a time.
pub struct Lock<T> {
    state: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached only through a guard, and `state` admits one.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    pub const fn new(value: T) -> Self {
        Lock {
            state: AtomicU32::new(FREE),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits until nobody else holds it.
    pub fn lock(&self) -> Guard<'_, T> {
        if !self.take() {
            self.wait();
        }
        Guard { lock: self }
    }

    /// The value if nobody holds it: for reports from a signal handler, which
    /// may have interrupted the holder.
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        // Not `then_some`: a guard that is made and dropped gives the lock away.
        self.take().then(|| Guard { lock: self })
    }

    fn take(&self) -> bool {
        self.state
            .compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    #[cold]
    fn wait(&self) {
        for _ in 0..ATTEMPTS {
            if self.state.load(Ordering::Relaxed) == FREE && self.take() {
                return;
            }
            core::hint::spin_loop();
        }
        while self.state.swap(AWAITED, Ordering::Acquire) != FREE {
            wait_while(&self.state, AWAITED);
        }
    }
}

/// Sleeps while `word` has this value, or for shorter.
pub fn wait_while(word: &AtomicU32, value: u32) {
    const FUTEX_WAIT_PRIVATE: u64 = 128;
    // SAFETY: a word of the monitor's, which outlives the call.
    unsafe {
        kernel::call(
            number::FUTEX,
            [
                word.as_ptr() as u64,
                FUTEX_WAIT_PRIVATE,
                value.into(),
                0,
                0,
                0,
            ],
        );
    }
}

/// Wakes up to `count` threads that sleep in [`wait_while`].
pub fn wake(word: &AtomicU32, count: u32) {
    const FUTEX_WAKE_PRIVATE: u64 = 129;
    // SAFETY: as above; the kernel does not look at the word.
    unsafe {
        kernel::call(
            number::FUTEX,
            [
                word.as_ptr() as u64,
                FUTEX_WAKE_PRIVATE,
                count.into(),
                0,
                0,
                0,
            ],
        );
    }
}

/// Proof that the lock is held.
pub struct Guard<'a, T> {
    lock: &'a Lock<T>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: this guard is the only one.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard is the only one.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        if self.lock.state.swap(FREE, Ordering::Release) == AWAITED {
            wake(&self.lock.state, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_at_a_time_and_nobody_sleeps_for_ever() {
        const THREADS: u64 = 8;
        const ROUNDS: u64 = 20_000;
        static COUNT: Lock<u64> = Lock::new(0);
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                std::thread::spawn(|| {
                    for _ in 0..ROUNDS {
                        let mut count = COUNT.lock();
                        let seen = *count;
                        std::hint::black_box(&mut count);
                        *count = seen + 1;
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("the thread ends");
        }
        assert_eq!(*COUNT.lock(), THREADS * ROUNDS);
    }

    #[test]
    fn a_report_does_not_wait_and_takes_nothing_away() {
        let lock = Lock::new(1);
        let held = lock.lock();
        for _ in 0..2 {
            assert!(lock.try_lock().is_none());
        }
        drop(held);
        assert!(lock.try_lock().is_some());
    }
}
