//! The process: its cubicles, from start to exit.

pub mod callbacks;
#[cfg(monitor_image)]
pub mod chain;
#[cfg(monitor_image)]
pub mod children;
#[cfg(monitor_image)]
pub mod exit;
#[cfg(monitor_image)]
pub mod initial_stack;
pub mod lends;
pub mod parked;
#[cfg(monitor_image)]
pub mod platform;
#[cfg(monitor_image)]
pub mod run;
#[cfg(monitor_image)]
pub mod spare;
#[cfg(monitor_image)]
pub mod start;
#[cfg(monitor_image)]
pub mod virtual_threads;
pub mod walls;

use crate::lock::Lock;
use crate::mappings::Mappings;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use cubicle_abi::layout::{ARENA_FRAMES, ARENA_SIZE, MAXIMUM_CUBICLES, slot_owner};
use cubicle_abi::rights::{Rights, cubicle_key};
use parked::ParkedMain;

/// What the monitor keeps of a cubicle.
pub struct Cubicle {
    pub mappings: Lock<Mappings>,
    /// Where `brk` stands; 0 before it was first asked.
    pub heap_end: AtomicU64,
    /// Its parked `main`, which makes virtual threads.
    pub parked_main: ParkedMain,
    /// Its libc has begun to shut down: it was not told to end at once.
    pub ending: AtomicBool,
    /// Its libc has shut down.
    pub finished: AtomicBool,
    /// Its function that says that a call into it has failed.
    pub gone: AtomicU64,
}

impl Cubicle {
    const fn new() -> Cubicle {
        Cubicle {
            mappings: Lock::new(Mappings::new()),
            heap_end: AtomicU64::new(0),
            parked_main: ParkedMain::new(),
            ending: AtomicBool::new(false),
            finished: AtomicBool::new(false),
            gone: AtomicU64::new(0),
        }
    }
}

static CUBICLES: [Cubicle; MAXIMUM_CUBICLES] = [const { Cubicle::new() }; MAXIMUM_CUBICLES];
static ARENA_BASE: AtomicU64 = AtomicU64::new(0);
static EXTENDED_PKRU_OFFSET: AtomicU64 = AtomicU64::new(0);

/// All cubicles there could be; those of the plan come first.
pub fn cubicles() -> &'static [Cubicle] {
    &CUBICLES
}

/// How many cubicles there are.
pub fn cubicle_count() -> usize {
    plan().map_or(MAXIMUM_CUBICLES, |plan| plan.cubicles().len())
}

/// How many cubicles and keyed windows there are: the windows' numbers follow.
pub fn region_count() -> usize {
    plan().map_or(MAXIMUM_CUBICLES, |plan| {
        plan.cubicles().len() + plan.windows().len()
    })
}

/// First address of the arena of cubicle `index`.
pub fn arena(index: usize) -> u64 {
    ARENA_BASE.load(Ordering::Relaxed) + index as u64 * ARENA_SIZE
}

/// The cubicle to whose slot or arena `address` belongs.
pub fn owner(address: u64) -> Option<usize> {
    let base = ARENA_BASE.load(Ordering::Relaxed);
    let index = address.wrapping_sub(base) / ARENA_SIZE;
    if base != 0 && address >= base && index < MAXIMUM_CUBICLES as u64 {
        return Some(index as usize);
    }
    slot_owner(address)
}

/// Does `address` lie among the frames of an arena?
pub fn is_frame(address: u64) -> bool {
    owner(address)
        .is_some_and(|index| address >= arena(index) && address - arena(index) < ARENA_FRAMES)
}

/// Offset of PKRU in the XSAVE area of a signal frame, bytes.
pub fn extended_pkru_offset() -> u64 {
    EXTENDED_PKRU_OFFSET.load(Ordering::Relaxed)
}

/// May a cubicle with `rights` touch `size` bytes from `start`, all of them
/// with `protection`? The range may cross from one mapping to the next, but
/// not from one cubicle to another. Public constants can be read by all. Pages in
/// windows change hands as if the cubicle had touched them.
///
/// # Safety of the answer
/// It holds as long as the cubicle's own mappings do not change: a copy that
/// relies on it must still expect a fault.
pub fn accessible(rights: Rights, start: u64, size: u64, protection: u32) -> bool {
    let Some(end) = start.checked_add(size) else {
        return false;
    };
    if size == 0 {
        return true;
    }
    let Some(index) = owner(start) else {
        return false;
    };
    let key = cubicle_key(index);
    let writing = protection & crate::machine::kernel::PROT_WRITE != 0;
    let open = if writing {
        rights.writes(key)
    } else {
        rights.reads(key)
    };
    // The lock is not held while pages come home.
    let covered = open
        && CUBICLES[index]
            .mappings
            .lock()
            .covers(start, end, protection);
    if covered {
        crate::windows::bring_home(index, start, end);
        return true;
    }
    !writing && is_public_constant(index, start, end)
        || crate::windows::touch::admit(rights, start, end, protection)
}

/// A range that all may read: it lies in one public segment of an image.
fn is_public_constant(index: usize, start: u64, end: u64) -> bool {
    use cubicle_abi::rights::KEY_PUBLIC;
    let Some(plan) = plan() else {
        return false;
    };
    plan.cubicles().get(index).is_some_and(|cubicle| {
        plan.segments(cubicle).iter().any(|segment| {
            segment.key == KEY_PUBLIC && start >= segment.start && end <= segment.end
        })
    })
}

/// The plan of this process; none in native tests.
pub fn plan() -> Option<crate::plan::Plan> {
    #[cfg(monitor_image)]
    {
        // SAFETY: the monitor exists only in composed binaries.
        unsafe { crate::plan::Plan::of_process() }
    }
    #[cfg(not(monitor_image))]
    None
}

/// The cubicle whose rights are exactly these (rule 7: no two are equal).
pub fn cubicle_with(rights: Rights) -> Option<usize> {
    plan()?
        .cubicles()
        .iter()
        .position(|cubicle| cubicle.rights == rights.0)
}

/// The rights of cubicle `index`.
pub fn rights(index: usize) -> Rights {
    plan()
        .and_then(|plan| plan.cubicles().get(index))
        .map_or(Rights::NONE, |cubicle| Rights(cubicle.rights))
}

/// The system-call gate of cubicle `index`.
pub fn system_call_gate(index: usize) -> u64 {
    cubicle_abi::layout::system_call_gate(index)
}
