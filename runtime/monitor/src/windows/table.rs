//! The windows of all cubicles: what memory they hold, and to whom they are open.

use super::records::WindowNumber;
use crate::machine::kernel::error;
use cubicle_abi::layout::MAXIMUM_CUBICLES;

/// As many windows as a cubicle may have.
pub const WINDOWS: usize = 256;
/// As many ranges as the windows of one cubicle may hold together.
pub const RANGES: usize = 1024;

const _: () = assert!(MAXIMUM_CUBICLES * WINDOWS < u16::MAX as usize);

/// One window. All zeroes: never used.
#[derive(Clone, Copy)]
struct Window {
    /// How often the place was used; odd while it is.
    generation: u32,
    /// PROT_ bits: what each cubicle may do.
    guests: [u8; MAXIMUM_CUBICLES],
    /// It is the monitor's, for the time of a call, and has no name.
    lent: bool,
    /// How often a touch has moved one of its pages.
    faults: u32,
}

/// Memory in a window, as it was added: not rounded to pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub start: u64,
    /// Exclusive.
    pub end: u64,
    window: u16,
}

/// The windows that one cubicle has made.
struct Own {
    windows: [Window; WINDOWS],
    ranges: [Range; RANGES],
    range_count: usize,
}

/// The windows of all cubicles.
pub struct Table {
    cubicles: [Own; MAXIMUM_CUBICLES],
}

/// A window of a cubicle, which exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle {
    pub cubicle: usize,
    place: usize,
}

impl Handle {
    /// Its number among the windows of all cubicles.
    pub fn number(self) -> WindowNumber {
        (self.cubicle * WINDOWS + self.place) as WindowNumber
    }

    /// The window with a number.
    pub fn of(number: WindowNumber) -> Handle {
        Handle {
            cubicle: usize::from(number) / WINDOWS,
            place: usize::from(number) % WINDOWS,
        }
    }
}

/// Generations have 22 bits in what a program is given, so that it is a positive
/// C `int`; the bit that says that the place is used is not among them.
const GENERATIONS: u32 = 1 << 22;

impl Table {
    pub const fn new() -> Table {
        const WINDOW: Window = Window {
            generation: 0,
            guests: [0; MAXIMUM_CUBICLES],
            lent: false,
            faults: 0,
        };
        const RANGE: Range = Range {
            start: 0,
            end: 0,
            window: 0,
        };
        Table {
            cubicles: [const {
                Own {
                    windows: [WINDOW; WINDOWS],
                    ranges: [RANGE; RANGES],
                    range_count: 0,
                }
            }; MAXIMUM_CUBICLES],
        }
    }

    /// A new window of `cubicle`, open to nobody. The result is what the program
    /// names it by.
    ///
    /// # Errors
    /// EMFILE: it has as many as there can be.
    pub fn create(&mut self, cubicle: usize) -> Result<u64, i64> {
        let Handle { place, .. } = self.take(cubicle, false)?;
        Ok(self.cubicles[cubicle].windows[place].name() << 8 | place as u64)
    }

    /// A window of `cubicle`'s that the monitor opens for the time of a call. The
    /// cubicle cannot name it: who could destroy it meanwhile would have another
    /// one in its place, with memory that is not for the monitor to take back.
    ///
    /// # Errors
    /// EMFILE: the cubicle has as many as it may.
    pub fn create_lent(&mut self, cubicle: usize) -> Result<Handle, i64> {
        self.take(cubicle, true)
    }

    fn take(&mut self, cubicle: usize, lent: bool) -> Result<Handle, i64> {
        let windows = &mut self.cubicles[cubicle].windows;
        let free = windows.iter().position(|window| !window.is_used());
        let place = free.ok_or(-error::EMFILE)?;
        windows[place].generation = windows[place].generation.wrapping_add(1);
        windows[place].guests = [0; MAXIMUM_CUBICLES];
        windows[place].lent = lent;
        windows[place].faults = 0;
        Ok(Handle { cubicle, place })
    }

    /// The window that a program names.
    ///
    /// # Errors
    /// EBADF: there is none, or no longer.
    pub fn find(&self, cubicle: usize, name: u64) -> Result<Handle, i64> {
        let place = name as usize & (WINDOWS - 1);
        let window = &self.cubicles[cubicle].windows[place];
        // The kernel's view of a C int: what lies above it means nothing.
        let named = window.is_used() && !window.lent;
        if named && window.name() == u64::from(name as u32) >> 8 {
            Ok(Handle { cubicle, place })
        } else {
            Err(-error::EBADF)
        }
    }

    /// The windows that a cubicle has, those it cannot name included.
    pub fn used(&self, cubicle: usize) -> impl Iterator<Item = Handle> {
        let windows = self.cubicles[cubicle].windows.iter().enumerate();
        windows
            .filter(|(_, window)| window.is_used())
            .map(move |(place, _)| Handle { cubicle, place })
    }

    /// PROT_ bits: what a window is open to `guest` for; 0: it is closed.
    pub fn guest(&self, window: Handle, guest: usize) -> u32 {
        self.cubicles[window.cubicle].windows[window.place].guests[guest].into()
    }

    pub fn set_guest(&mut self, window: Handle, guest: usize, access: u32) {
        self.cubicles[window.cubicle].windows[window.place].guests[guest] = access as u8;
    }

    /// A touch has moved one of its pages.
    pub fn count_fault(&mut self, window: Handle) {
        let count = &mut self.cubicles[window.cubicle].windows[window.place].faults;
        *count = count.saturating_add(1);
    }

    /// How often one has: a C `int`.
    pub fn faults(&self, window: Handle) -> i64 {
        let count = self.cubicles[window.cubicle].windows[window.place].faults;
        i64::from(count.min(i32::MAX as u32))
    }

    /// The ranges in a window.
    pub fn ranges(&self, window: Handle) -> impl Iterator<Item = Range> {
        let own = &self.cubicles[window.cubicle];
        own.ranges[..own.range_count]
            .iter()
            .filter(move |range| usize::from(range.window) == window.place)
            .copied()
    }

    /// Adds a range.
    ///
    /// # Errors
    /// EEXIST: one begins at the same address. ENOSPC: the cubicle's windows hold
    /// as many ranges as they can.
    pub fn add(&mut self, window: Handle, start: u64, end: u64) -> Result<(), i64> {
        if self.ranges(window).any(|range| range.start == start) {
            return Err(-error::EEXIST);
        }
        let own = &mut self.cubicles[window.cubicle];
        let free = own.ranges.get_mut(own.range_count);
        *free.ok_or(-error::ENOSPC)? = Range {
            start,
            end,
            window: window.place as u16,
        };
        own.range_count += 1;
        Ok(())
    }

    /// Forgets the range that begins at `start`.
    ///
    /// # Errors
    /// ENOENT: there is none.
    pub fn remove(&mut self, window: Handle, start: u64) -> Result<Range, i64> {
        let own = &mut self.cubicles[window.cubicle];
        let wanted =
            |range: &Range| usize::from(range.window) == window.place && range.start == start;
        let index = own.ranges[..own.range_count].iter().position(wanted);
        let index = index.ok_or(-error::ENOENT)?;
        own.range_count -= 1;
        own.ranges.swap(index, own.range_count);
        Ok(own.ranges[own.range_count])
    }

    /// Forgets a window without ranges.
    pub fn destroy(&mut self, window: Handle) {
        let window = &mut self.cubicles[window.cubicle].windows[window.place];
        window.generation = window.generation.wrapping_add(1);
        window.guests = [0; MAXIMUM_CUBICLES];
    }
}

impl Default for Table {
    fn default() -> Self {
        Self::new()
    }
}

impl Window {
    fn is_used(&self) -> bool {
        self.generation % 2 == 1
    }

    fn name(&self) -> u64 {
        u64::from(self.generation / 2 % GENERATIONS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Box<Table> {
        // SAFETY: an empty table is all zeroes.
        unsafe { Box::new_zeroed().assume_init() }
    }

    #[test]
    fn a_destroyed_window_is_no_other() {
        let mut table = table();
        let first = table.create(2).unwrap();
        let window = table.find(2, first).unwrap();
        assert_eq!(Handle::of(window.number()), window);
        assert_eq!(table.find(1, first), Err(-error::EBADF));
        table.destroy(window);
        assert_eq!(table.find(2, first), Err(-error::EBADF));
        let second = table.create(2).unwrap();
        assert_ne!(first, second);
        assert_eq!(table.find(2, first), Err(-error::EBADF));
        assert_eq!(table.find(2, second), Ok(window));
        // A C int, whatever is above it in the register.
        assert_eq!(table.find(2, second | 7 << 32), Ok(window));
        for odd in [u64::MAX, second + 1, 1 << 31] {
            assert_eq!(table.find(2, odd), Err(-error::EBADF));
        }
    }

    #[test]
    fn what_is_lent_for_a_call_has_no_name() {
        let mut table = table();
        let lent = table.create_lent(2).unwrap();
        let name = table.cubicles[2].windows[lent.place].name() << 8 | lent.place as u64;
        assert_eq!(table.find(2, name), Err(-error::EBADF));
        table.destroy(lent);
        let name = table.create(2).unwrap();
        assert!(table.find(2, name).is_ok());
    }

    #[test]
    fn names_are_positive_however_often_a_place_is_used() {
        let mut table = table();
        table.cubicles[0].windows[0].generation = u32::MAX - 3;
        for _ in 0..4 {
            let name = table.create(0).unwrap();
            assert!(name <= i32::MAX as u64);
            let window = table.find(0, name).unwrap();
            table.destroy(window);
        }
    }

    #[test]
    fn each_cubicle_has_its_own() {
        let mut table = table();
        for _ in 0..WINDOWS {
            table.create(0).unwrap();
        }
        assert_eq!(table.create(0), Err(-error::EMFILE));
        let name = table.create(1).unwrap();
        let window = table.find(1, name).unwrap();
        table.set_guest(window, 3, 1);
        assert_eq!((table.guest(window, 3), table.guest(window, 2)), (1, 0));
    }

    #[test]
    fn ranges_are_known_by_where_they_begin() {
        let mut table = table();
        let (one, other) = (table.create(0).unwrap(), table.create(0).unwrap());
        let (one, other) = (table.find(0, one).unwrap(), table.find(0, other).unwrap());
        table.add(one, 100, 200).unwrap();
        table.add(other, 100, 300).unwrap();
        table.add(one, 150, 400).unwrap();
        assert_eq!(table.add(one, 100, 500), Err(-error::EEXIST));
        assert_eq!(table.remove(one, 120), Err(-error::ENOENT));
        assert_eq!(table.remove(one, 100).unwrap().end, 200);
        assert_eq!(table.remove(one, 100), Err(-error::ENOENT));
        let ends = |window| {
            table
                .ranges(window)
                .map(|range| range.end)
                .collect::<Vec<_>>()
        };
        assert_eq!((ends(one), ends(other)), (vec![400], vec![300]));
        for start in 1000.. {
            if table.add(other, start, start + 1) == Err(-error::ENOSPC) {
                assert_eq!(start - 1000, RANGES as u64 - 2);
                break;
            }
        }
    }
}
