//! Descriptors that no cubicle can change.
//!
//! What a path leads to is opened first, without any right to read or write it,
//! and judged; then it is opened again as the cubicle wants it. Between the two,
//! another thread could put something else in the place of the descriptor that was
//! judged (rule 21). So it is moved to a number that calls of cubicles neither
//! close nor replace, and judged there.

use crate::machine::kernel::{self, error, number};
use crate::text::Text;
use core::fmt::Write;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How many numbers there are. All but the last can be in use at once; that one
/// names what the others name while they are idle: the folder of descriptors.
const MOST: usize = 48;
const IDLE: usize = MOST - 1;
/// How many more there are for what stays open as long as the process runs.
const PINS: usize = 32;
/// How often a call looks for a free number before it answers EMFILE.
const PATIENCE: u32 = 1 << 16;
/// The numbers end here, or at the process's limit if that is lower: the
/// kernel's tables grow with the highest number in use.
const HIGHEST: u64 = 1024;

static FIRST: AtomicU64 = AtomicU64::new(0);
/// Whose folder of descriptors the idle number names: not that of a child.
static PROCESS: AtomicU64 = AtomicU64::new(0);
static PINNED: AtomicU64 = AtomicU64::new(0);
static TAKEN: [AtomicBool; MOST] = [const { AtomicBool::new(false) }; MOST];

const AT_FDCWD: u64 = -100i64 as u64;
const O_PATH: u64 = 0x20_0000;
const O_CLOEXEC: u64 = 0x8_0000;

/// Is this the number of a descriptor that cubicles may not close or replace?
/// The kernel looks at the low half of an argument.
pub fn is_held(descriptor: u64) -> bool {
    let first = FIRST.load(Ordering::Relaxed);
    first != 0 && (first..first + (MOST + PINS) as u64).contains(&u64::from(descriptor as u32))
}

/// Are there any: was procfs where it belongs when the process started?
pub fn is_ready() -> bool {
    FIRST.load(Ordering::Relaxed) != 0
}

/// Takes the numbers. Answers false if procfs is not at /proc, through which
/// descriptors are opened again.
///
/// # Errors
/// The kernel's error number, negative.
pub fn prepare() -> Result<bool, i64> {
    // SAFETY: the path is a constant.
    let place = unsafe {
        let path = c"/proc/self/fd".as_ptr() as u64;
        kernel::call(
            number::OPENAT,
            [AT_FDCWD, path, O_PATH | O_CLOEXEC, 0, 0, 0],
        )
    };
    if place < 0 {
        return Ok(false);
    }
    if super::judge::file_system(place as u64)? != super::views::PROC {
        close(place);
        return Ok(false);
    }
    let first = free_range().ok_or(-error::EMFILE)?;
    for number in first..first + (MOST + PINS) as u64 {
        duplicate(place as u64, number)?;
    }
    close(place);
    // SAFETY: no memory is involved.
    let own = unsafe { kernel::call(number::GETPID, [0; 6]) };
    PROCESS.store(own as u64, Ordering::Relaxed);
    FIRST.store(first, Ordering::Relaxed);
    Ok(true)
}

/// The first of so many numbers in a row of which none is in use, as high as may be.
fn free_range() -> Option<u64> {
    const RLIMIT_NOFILE: u64 = 7;
    const F_GETFD: u64 = 1;
    let mut limit = [0u64; 2];
    let mut free = 0;
    // SAFETY: struct rlimit64 is two words; fcntl involves no memory.
    unsafe {
        let at = limit.as_mut_ptr() as u64;
        kernel::call(number::PRLIMIT64, [0, RLIMIT_NOFILE, 0, at, 0, 0]);
        for number in (3..limit[0].min(HIGHEST)).rev() {
            let open = kernel::call(number::FCNTL, [number, F_GETFD, 0, 0, 0, 0]) >= 0;
            free = if open { 0 } else { free + 1 };
            if free == MOST + PINS {
                return Some(number);
            }
        }
    }
    None
}

fn duplicate(from: u64, to: u64) -> Result<(), i64> {
    // SAFETY: no memory is involved.
    match unsafe { kernel::call(number::DUP3, [from, to, O_CLOEXEC, 0, 0, 0]) } {
        result if result < 0 => Err(result),
        _ => Ok(()),
    }
}

/// Keeps what a descriptor names open for good, where there are numbers for it.
///
/// # Errors
/// The kernel's error number, negative.
pub fn pin(descriptor: u64) -> Result<(), i64> {
    let index = PINNED.fetch_add(1, Ordering::Relaxed);
    if !is_ready() || index >= PINS as u64 {
        return Ok(());
    }
    duplicate(
        descriptor,
        FIRST.load(Ordering::Relaxed) + MOST as u64 + index,
    )
}

/// Closes a descriptor that is in nobody else's use.
pub fn close(descriptor: i64) {
    // SAFETY: no memory is involved.
    unsafe { kernel::call(number::CLOSE, [descriptor as u64, 0, 0, 0, 0, 0]) };
}

/// In a child: what other threads held is held by nobody.
pub fn only_this_thread() {
    for (slot, taken) in TAKEN.iter().enumerate().take(IDLE) {
        if taken.load(Ordering::Acquire) {
            drop(Held {
                number: FIRST.load(Ordering::Relaxed) + slot as u64,
                slot: Some(slot),
            });
        }
    }
}

/// Something open, at a number of the monitor's own; or else at any number, where
/// nothing depends on what it names.
pub struct Held {
    number: u64,
    slot: Option<usize>,
}

impl Held {
    /// Holds what `descriptor` names, and closes that.
    ///
    /// # Errors
    /// An error number, negative.
    pub fn take(descriptor: i64) -> Result<Held, i64> {
        let held = Held::copy(descriptor as u64);
        close(descriptor);
        held
    }

    /// Holds what a descriptor of the process names.
    ///
    /// # Errors
    /// An error number, negative.
    pub fn copy(descriptor: u64) -> Result<Held, i64> {
        let slot = claim()?;
        let held = Held {
            number: FIRST.load(Ordering::Relaxed) + slot as u64,
            slot: Some(slot),
        };
        duplicate(descriptor, held.number)?;
        Ok(held)
    }

    /// Leaves `descriptor` where it is, and closes it in the end. Another thread can
    /// put something else there at any time.
    pub fn loose(descriptor: i64) -> Held {
        Held {
            number: descriptor as u64,
            slot: None,
        }
    }

    pub fn number(&self) -> u64 {
        self.number
    }

    /// A path that leads to it, whoever uses it.
    pub fn path(&self) -> Link {
        let mut text = Text::new();
        let _ = write!(text, "/proc/thread-self/fd/{}\0", self.number);
        Link {
            base: AT_FDCWD,
            text,
        }
    }

    /// Makes a call with a path that leads this thread to it. The quick one counts
    /// from the folder that was opened at start: as long as that is this process's,
    /// and the thread that started it has not ended.
    pub fn through(&self, call: impl Fn(&Link) -> i64) -> i64 {
        // SAFETY: no memory is involved.
        let own = unsafe { kernel::call(number::GETPID, [0; 6]) };
        if own as u64 == PROCESS.load(Ordering::Relaxed) {
            let mut text = Text::new();
            let _ = write!(text, "{}\0", self.number);
            let base = FIRST.load(Ordering::Relaxed) + IDLE as u64;
            match call(&Link { base, text }) {
                error if error == -error::ENOENT => {}
                result => return result,
            }
        }
        call(&self.path())
    }
}

/// A path with a zero byte behind it, and the folder it counts from.
pub struct Link {
    pub base: u64,
    text: Text<40>,
}

impl Link {
    pub fn address(&self) -> u64 {
        self.text.bytes().as_ptr() as u64
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(slot) = self.slot else {
            return close(self.number as i64);
        };
        // What it named must not stay open, but the number must.
        let idle = FIRST.load(Ordering::Relaxed) + IDLE as u64;
        let _ = duplicate(idle, self.number);
        TAKEN[slot].store(false, Ordering::Release);
    }
}

/// A number that is free.
fn claim() -> Result<usize, i64> {
    for _ in 0..PATIENCE {
        let free = (0..IDLE).find(|slot| !TAKEN[*slot].swap(true, Ordering::Acquire));
        if let Some(slot) = free {
            return Ok(slot);
        }
        // SAFETY: no memory is involved.
        unsafe { kernel::call(number::SCHED_YIELD, [0; 6]) };
    }
    Err(-error::EMFILE)
}
