//! Memory calls, confined to the caller's arena and its image's own data, and
//! always with the caller's key (rules 17 and 18). What is in one of its windows
//! answers EBUSY: whoever is its guest relies on it.

use crate::machine::dumps;
use crate::machine::kernel::{
    self, MAP_ANONYMOUS, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_NORESERVE, MAP_PRIVATE, MAP_SHARED,
    PROT_READ, PROT_WRITE, error, number,
};
use crate::machine::rights::tag;
use crate::mappings::{Kind, Mapping, Mappings, Refusal};
use crate::process::{accessible, arena, cubicles, owner, rights};
use crate::windows::settle;
use crate::windows::touch::steadily;
use core::sync::atomic::Ordering;
use cubicle_abi::layout::{ARENA_HEAP, ARENA_LENDS, ARENA_MAPPINGS, PAGE, page_up};
use cubicle_abi::rights::cubicle_key;

const MAP_GROWSDOWN: u64 = 0x100;
const MAP_HUGETLB: u64 = 0x4_0000;

/// The error number of a refusal, negative.
pub fn refused(refusal: Refusal) -> i64 {
    match refusal {
        Refusal::Memory => -error::ENOMEM,
        Refusal::Foreign => -error::EPERM,
    }
}

/// A range of whole pages, from what a program asked for.
fn pages(start: u64, length: u64) -> Result<(u64, u64), i64> {
    if !start.is_multiple_of(PAGE) || length == 0 || length > ARENA_LENDS {
        return Err(-error::EINVAL);
    }
    let end = start.checked_add(page_up(length)).ok_or(-error::EINVAL)?;
    Ok((start, end))
}

/// Is all of it where the cubicle may map?
fn check_arena(cubicle: usize, start: u64, end: u64) -> Result<(), i64> {
    let low = arena(cubicle) + ARENA_MAPPINGS;
    let high = arena(cubicle) + ARENA_LENDS;
    if start >= low && end <= high {
        Ok(())
    } else {
        Err(-error::EPERM)
    }
}

/// Is all of it the cubicle's, image data included?
fn check_own(cubicle: usize, start: u64, end: u64) -> Result<(), i64> {
    if owner(start) == Some(cubicle) && owner(end - 1) == Some(cubicle) {
        Ok(())
    } else {
        Err(-error::EPERM)
    }
}

fn check_protection(protection: u64) -> Result<u32, i64> {
    // PROT_EXEC is refused, and bits above it: PROT_GROWSDOWN and its kin.
    if protection & !u64::from(PROT_READ | PROT_WRITE) != 0 {
        return Err(-error::EACCES);
    }
    Ok(protection as u32)
}

/// `mmap`.
pub fn map(cubicle: usize, arguments: [u64; 6], files: bool) -> Result<u64, i64> {
    let [hint, length, protection, flags, descriptor, offset] = arguments;
    let protection = check_protection(protection)?;
    if flags & (MAP_GROWSDOWN | MAP_HUGETLB) != 0 {
        return Err(-error::EINVAL);
    }
    let anonymous = flags & MAP_ANONYMOUS != 0;
    if !anonymous && !files {
        return Err(-error::EPERM);
    }
    let fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE) != 0;
    let _settled = if fixed {
        let (start, end) = pages(hint, length)?;
        check_arena(cubicle, start, end)?;
        Some(settle(cubicle, start, end)?)
    } else {
        None
    };
    let mut mappings = cubicles()[cubicle].mappings.lock();
    let (start, end) = if fixed {
        let (start, end) = pages(hint, length)?;
        let taken = mappings.free(start, end, end - start) != Some(start);
        if flags & MAP_FIXED_NOREPLACE != 0 && taken {
            return Err(-error::EEXIST);
        }
        (start, end)
    } else {
        let (_, size) = pages(0, length)?;
        let low = arena(cubicle) + ARENA_MAPPINGS;
        let high = arena(cubicle) + ARENA_LENDS;
        let start = mappings.free(low, high, size).ok_or(-error::ENOMEM)?;
        (start, start + size)
    };
    let private = anonymous && flags & MAP_SHARED == 0;
    mappings
        .insert(Mapping {
            start,
            end,
            protection,
            kind: if private { Kind::Mapping } else { Kind::File },
        })
        .map_err(refused)?;
    let result = if private && flags & MAP_FIXED == 0 {
        // The reservation is anonymous private memory already, and empty.
        0
    } else {
        let sharing = flags & (MAP_PRIVATE | MAP_SHARED | 3);
        // SAFETY: the range lies in the cubicle's arena, and is closed until
        // it is tagged below.
        unsafe {
            kernel::call(
                number::MMAP,
                [
                    start,
                    end - start,
                    0,
                    sharing | flags & MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE,
                    descriptor,
                    offset,
                ],
            )
        }
    };
    let tagged = if result < 0 {
        Err(result)
    } else {
        tag(start, end, protection, cubicle_key(cubicle))
    };
    match tagged {
        Ok(()) => Ok(start),
        Err(error) => {
            give_back(&mut mappings, start, end);
            Err(error)
        }
    }
}

/// Empties a range and returns it to the reservation.
pub fn give_back(mappings: &mut Mappings, start: u64, end: u64) {
    let _ = mappings.remove(start, end);
    reserve(start, end);
}

/// Makes a range of an arena empty and closed, as it was at first.
pub fn reserve(start: u64, end: u64) {
    // SAFETY: the range lies in the cubicle's arena.
    let result = unsafe {
        kernel::call(
            number::MMAP,
            [
                start,
                end - start,
                0,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
                u64::MAX,
                0,
            ],
        )
    };
    if result < 0 {
        crate::violation::fatal("the kernel refused to take memory back");
    }
    dumps::leave_out(start, end);
}

/// `munmap`.
pub fn unmap(cubicle: usize, start: u64, length: u64) -> Result<u64, i64> {
    let (start, end) = pages(start, length)?;
    check_arena(cubicle, start, end)?;
    let _settled = settle(cubicle, start, end)?;
    let mut mappings = cubicles()[cubicle].mappings.lock();
    let result = mappings.remove(start, end);
    result.map_err(refused)?;
    give_back(&mut mappings, start, end);
    Ok(0)
}

/// `mprotect`.
pub fn protect(cubicle: usize, start: u64, length: u64, protection: u64) -> Result<u64, i64> {
    let protection = check_protection(protection)?;
    if length == 0 {
        return Ok(0);
    }
    let (start, end) = pages(start, length)?;
    check_own(cubicle, start, end)?;
    let _settled = settle(cubicle, start, end)?;
    let mut mappings = cubicles()[cubicle].mappings.lock();
    mappings
        .check_protect(start, end, protection)
        .map_err(refused)?;
    // The kernel may refuse what the table allows: writing to a file that was
    // opened for reading. The table must not say more than is so.
    tag(start, end, protection, cubicle_key(cubicle))?;
    mappings.protect(start, end, protection).map_err(refused)?;
    Ok(0)
}

/// `mremap`: what grows moves to another place.
pub fn remap(cubicle: usize, arguments: [u64; 6]) -> Result<u64, i64> {
    const MREMAP_MAYMOVE: u64 = 1;
    let [old, old_length, new_length, flags, ..] = arguments;
    if flags & !MREMAP_MAYMOVE != 0 {
        return Err(-error::EINVAL);
    }
    let (start, old_end) = pages(old, old_length)?;
    let (_, new_size) = pages(0, new_length)?;
    check_arena(cubicle, start, old_end)?;
    let old_size = old_end - start;
    let _settled = settle(cubicle, start, old_end)?;
    let mut mappings = cubicles()[cubicle].mappings.lock();
    let whole = mappings.find(start).filter(|mapping| {
        mapping.end >= old_end && matches!(mapping.kind, Kind::Mapping | Kind::File)
    });
    let Mapping {
        protection, kind, ..
    } = *whole.ok_or(-error::EFAULT)?;
    if new_size <= old_size {
        if new_size < old_size {
            give_back(&mut mappings, start + new_size, old_end);
        }
        return Ok(start);
    }
    if flags & MREMAP_MAYMOVE == 0 {
        return Err(-error::ENOMEM);
    }
    let low = arena(cubicle) + ARENA_MAPPINGS;
    let high = arena(cubicle) + ARENA_LENDS;
    let new = mappings.free(low, high, new_size).ok_or(-error::ENOMEM)?;
    let moved = Mapping {
        start: new,
        end: new + new_size,
        protection,
        kind,
    };
    mappings.insert_moved(moved, old_size).map_err(refused)?;
    let mut moved = move_pages(start, old_size, new, new_size);
    if moved == -error::EFAULT {
        // Pages that were in a window can be mappings of their own for the kernel
        // ever after, and it moves one mapping at a time. It has emptied the place
        // before it refused.
        reserve(new, new + new_size);
        moved = (0..old_size)
            .step_by(PAGE as usize)
            .map(|offset| move_pages(start + offset, PAGE, new + offset, PAGE))
            .find(|moved| *moved < 0)
            .unwrap_or(new as i64);
        if moved >= 0 {
            moved = match tag(new, new + new_size, protection, cubicle_key(cubicle)) {
                Ok(()) => new as i64,
                Err(error) => error,
            };
        }
        if moved < 0 {
            // Some pages are here and some there: nobody could go on with that.
            crate::violation::fatal("the kernel refused to move memory");
        }
    }
    if moved < 0 {
        give_back(&mut mappings, new, new + new_size);
        return Err(moved);
    }
    give_back(&mut mappings, start, old_end);
    Ok(new)
}

/// Moves whole pages, which keep their key and protection; grows them if the new
/// size is larger. Both ranges lie in the cubicle's arena and its table.
fn move_pages(start: u64, size: u64, new: u64, new_size: u64) -> i64 {
    const MREMAP_MAYMOVE: u64 = 1;
    const MREMAP_FIXED: u64 = 2;
    let flags = MREMAP_MAYMOVE | MREMAP_FIXED;
    // SAFETY: the caller's ranges, as above; nothing of the monitor's is there.
    unsafe { kernel::call(number::MREMAP, [start, size, new_size, flags, new, 0]) }
}

/// `madvise`: only advice that concerns the caller's own mappings.
pub fn advise(cubicle: usize, start: u64, length: u64, advice: u64) -> Result<u64, i64> {
    // NORMAL to DONTNEED, FREE, HUGEPAGE, NOHUGEPAGE, COLD, PAGEOUT, POPULATE_*.
    if !matches!(advice, 0..=4 | 8 | 14 | 15 | 20..=23) {
        return Err(-error::EINVAL);
    }
    if length == 0 {
        return Ok(0);
    }
    let (start, end) = pages(start, length)?;
    check_own(cubicle, start, end)?;
    let _settled = settle(cubicle, start, end)?;
    let mappings = cubicles()[cubicle].mappings.lock();
    let changeable = mappings
        .iter()
        .filter(|mapping| mapping.start < end && mapping.end > start)
        .all(|mapping| {
            matches!(
                mapping.kind,
                Kind::Mapping | Kind::File | Kind::Heap | Kind::Stack
            )
        });
    if !changeable || !mappings.covers(start, end, 0) {
        return Err(-error::EPERM);
    }
    // SAFETY: the whole range is the cubicle's own.
    let result = unsafe { kernel::call(number::MADVISE, [start, end - start, advice, 0, 0, 0]) };
    if result < 0 {
        Err(result)
    } else {
        Ok(result as u64)
    }
}

/// `brk`: the heap lies in the arena, below the mappings.
pub fn set_break(cubicle: usize, wanted: u64) -> u64 {
    let state = &cubicles()[cubicle];
    let low = arena(cubicle) + ARENA_HEAP;
    let high = arena(cubicle) + ARENA_MAPPINGS;
    let heap_end = || match state.heap_end.load(Ordering::Relaxed) {
        0 => low,
        end => end,
    };
    // What a program asks with is no break but a question, or any address at all.
    if wanted < low || wanted > high {
        return heap_end();
    }
    // What is given back must be in no window; nothing is where it grows. Another
    // thread may move the end before both locks are held.
    let before = heap_end();
    let Ok(_settled) = settle(cubicle, page_up(wanted), page_up(before)) else {
        return heap_end();
    };
    let mut mappings = state.mappings.lock();
    let current = heap_end();
    if current != before {
        return current;
    }
    let (old_end, new_end) = (page_up(current), page_up(wanted));
    if new_end > old_end {
        let protection = PROT_READ | PROT_WRITE;
        let heap = Mapping {
            start: old_end,
            end: new_end,
            protection,
            kind: Kind::Heap,
        };
        if mappings.insert(heap).is_err() {
            return current;
        }
        if tag(old_end, new_end, protection, cubicle_key(cubicle)).is_err() {
            give_back(&mut mappings, old_end, new_end);
            return current;
        }
    } else if new_end < old_end {
        give_back(&mut mappings, new_end, old_end);
    }
    state.heap_end.store(wanted, Ordering::Relaxed);
    wanted
}

/// Reads `into.len()` bytes of what the cubicle itself may read.
pub fn read(cubicle: usize, at: u64, into: &mut [u8]) -> bool {
    let (size, rights) = (into.len() as u64, rights(cubicle));
    accessible(rights, at, size, PROT_READ)
        && steadily(rights, (at, size, PROT_READ), || {
            copy(into.as_mut_ptr() as u64, at, size)
        }) == 0
}

/// Writes `bytes` where the cubicle itself may write.
pub fn write(cubicle: usize, at: u64, bytes: &[u8]) -> bool {
    let (size, rights) = (bytes.len() as u64, rights(cubicle));
    accessible(rights, at, size, PROT_WRITE)
        && steadily(rights, (at, size, PROT_WRITE), || {
            copy(at, bytes.as_ptr() as u64, size)
        }) == 0
}

/// Writes a 32-bit word where the cubicle itself may write.
pub fn write_word(cubicle: usize, at: u64, value: u32) -> bool {
    write(cubicle, at, &value.to_le_bytes())
}

/// Copies without asking whose it is; answers how many bytes a fault left.
#[cfg(monitor_image)]
pub fn copy(to: u64, from: u64, bytes: u64) -> u64 {
    // SAFETY: the cubicle's side was checked; a fault is answered.
    unsafe { crate::machine::assembly::cubicle_copy(to, from, bytes) }
}

#[cfg(not(monitor_image))]
fn copy(_: u64, _: u64, bytes: u64) -> u64 {
    bytes
}

/// Is the word at `at` the caller's own (rule 17: the kernel does not check
/// every futex address)?
pub fn owns_word(cubicle: usize, at: u64) -> bool {
    is_word(cubicle, at, PROT_READ)
}

/// The same for a word that the kernel writes.
pub fn owns_writable_word(cubicle: usize, at: u64) -> bool {
    is_word(cubicle, at, PROT_READ | PROT_WRITE)
}

fn is_word(cubicle: usize, at: u64, protection: u32) -> bool {
    at.is_multiple_of(4) && accessible(rights(cubicle), at, 4, protection)
}
