//! The places that a manifest's `files` lists for each cubicle.
//!
//! They are found once, at start: what a name leads to then is what is meant.
//! Names that lead nowhere yet count from the last folder that exists.

use super::judge::Level;
use core::cell::UnsafeCell;
use cubicle_abi::layout::MAXIMUM_CUBICLES;

/// As many places as one cubicle's `files` may list.
pub const MOST: usize = cubicle_abi::plan::MOST_FILE_PLACES;
/// As long as a path is (PATH_MAX), bytes.
pub const LONGEST: usize = 4096;

/// One place.
#[derive(Clone, Copy)]
pub struct Listed {
    /// Where it really is: without symbolic links.
    pub place: &'static [u8],
    /// As the manifest names it, absolute.
    pub written: &'static [u8],
    /// May it be changed?
    pub writable: bool,
}

impl Listed {
    /// Does this entry let a cubicle do `level` at `place`?
    pub fn covers(&self, place: &[u8], level: Level) -> bool {
        match level {
            // What leads to a listed place can be looked at: realpath does so,
            // and it looks at the names that were written.
            Level::Look | Level::Keep => {
                is_within(self.place, place)
                    || is_within(place, self.place)
                    || is_within(place, self.written)
            }
            Level::Read => is_within(self.place, place),
            Level::Write => self.writable && is_within(self.place, place),
        }
    }
}

/// Is `place` the folder itself, or in it?
fn is_within(folder: &[u8], place: &[u8]) -> bool {
    let Some(rest) = place.strip_prefix(folder) else {
        return false;
    };
    rest.is_empty() || rest[0] == b'/' || folder == b"/"
}

struct Lists(UnsafeCell<[[Option<Listed>; MOST]; MAXIMUM_CUBICLES]>);

// SAFETY: written at start by the only thread, then only read.
unsafe impl Sync for Lists {}

static LISTS: Lists = Lists(UnsafeCell::new([[None; MOST]; MAXIMUM_CUBICLES]));

/// What is listed for a cubicle.
pub fn of(cubicle: usize) -> impl Iterator<Item = &'static Listed> {
    // SAFETY: as for `Lists`.
    let lists = unsafe { &*LISTS.0.get() };
    lists[cubicle].iter().flatten()
}

/// Does something that is listed for `cubicle` cover it?
pub fn covers(cubicle: usize, place: &[u8], level: Level) -> bool {
    of(cubicle).any(|listed| listed.covers(place, level))
}

#[cfg(monitor_image)]
mod starting {
    use super::*;
    use crate::machine::kernel::{self, error, number};
    use crate::plan::Plan;
    use crate::system_calls::paths::held::Held;
    use crate::system_calls::paths::judge::real_place;
    use cubicle_abi::plan::FILES_WRITE;

    const AT_FDCWD: u64 = -100i64 as u64;
    const O_PATH: u64 = 0x20_0000;
    const O_CLOEXEC: u64 = 0x8_0000;

    /// Finds all places of all cubicles, before the first of them runs.
    ///
    /// # Errors
    /// The kernel's error number, negative.
    pub fn find_all(plan: Plan) -> Result<(), i64> {
        let mut room = Room::default();
        for (index, cubicle) in plan.cubicles().iter().enumerate() {
            for (entry, listed) in plan.files(cubicle).iter().take(MOST).enumerate() {
                let name = plan.bytes(listed.path);
                let mut working = [0; LONGEST];
                let mut folder = [0; LONGEST];
                let mut place = [0; LONGEST];
                let length = absolute(name, &mut working)?;
                let written = &working[..length];
                let found = find(written, &mut folder, &mut place)?;
                let listed = Listed {
                    place: room.keep(&place[..found])?,
                    written: room.keep(written)?,
                    writable: listed.flags & FILES_WRITE != 0,
                };
                // SAFETY: nothing else runs yet.
                unsafe { (*LISTS.0.get())[index][entry] = Some(listed) };
            }
        }
        Ok(())
    }

    /// The name, behind the working directory if it is relative.
    fn absolute(name: &[u8], into: &mut [u8; LONGEST]) -> Result<usize, i64> {
        let mut length = 0;
        if name.first() != Some(&b'/') {
            length = open_place(b".\0", into)?;
            if name.is_empty() || name == b"." {
                return Ok(length);
            }
            if length > 1 {
                put(into, &mut length, b"/")?;
            }
        }
        put(into, &mut length, name)?;
        Ok(length)
    }

    /// Where `written` really is, as far as it exists; the rest as it stands.
    fn find(
        written: &[u8],
        name: &mut [u8; LONGEST],
        into: &mut [u8; LONGEST],
    ) -> Result<usize, i64> {
        let mut end = written.len();
        loop {
            let mut length = 0;
            put(name, &mut length, &written[..end.max(1)])?;
            put(name, &mut length, b"\0")?;
            match open_place(&name[..length], into) {
                Ok(mut length) => {
                    let rest = &written[end..];
                    let rest = rest.strip_prefix(b"/").unwrap_or(rest);
                    if !rest.is_empty() {
                        if length > 1 {
                            put(into, &mut length, b"/")?;
                        }
                        put(into, &mut length, rest)?;
                    }
                    return Ok(length);
                }
                Err(error) if error == -error::ENOENT && end > 1 => {
                    let above = written[..end].iter().rposition(|byte| *byte == b'/');
                    end = above.unwrap_or(0);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Where a name with a zero byte behind it leads.
    fn open_place(name: &[u8], into: &mut [u8; LONGEST]) -> Result<usize, i64> {
        // SAFETY: the name is the monitor's and ends with a zero byte.
        let opened = unsafe {
            let path = name.as_ptr() as u64;
            kernel::call(
                number::OPENAT,
                [AT_FDCWD, path, O_PATH | O_CLOEXEC, 0, 0, 0],
            )
        };
        if opened < 0 {
            return Err(opened);
        }
        let held = Held::take(opened)?;
        real_place(&held, into)
    }

    fn put(into: &mut [u8; LONGEST], length: &mut usize, bytes: &[u8]) -> Result<(), i64> {
        const ENAMETOOLONG: i64 = 36;
        let room = into.get_mut(*length..*length + bytes.len());
        room.ok_or(-ENAMETOOLONG)?.copy_from_slice(bytes);
        *length += bytes.len();
        Ok(())
    }

    /// Memory for names, taken from the kernel as it is needed.
    #[derive(Default)]
    struct Room {
        at: u64,
        left: usize,
    }

    impl Room {
        fn keep(&mut self, bytes: &[u8]) -> Result<&'static [u8], i64> {
            const PIECE: usize = 64 << 10;
            if self.left < bytes.len() {
                self.at = kernel::map_anonymous(PIECE as u64)?;
                self.left = PIECE;
            }
            let at = self.at as *mut u8;
            self.at += bytes.len() as u64;
            self.left -= bytes.len();
            // SAFETY: the piece is the monitor's, and this part nobody else's.
            unsafe {
                core::ptr::copy_nonoverlapping(bytes.as_ptr(), at, bytes.len());
                Ok(core::slice::from_raw_parts(at, bytes.len()))
            }
        }
    }
}

#[cfg(monitor_image)]
pub use starting::find_all;

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: Listed = Listed {
        place: b"/srv/app/data",
        written: b"/var/app",
        writable: true,
    };

    #[test]
    fn a_folder_covers_what_is_in_it() {
        for level in [Level::Look, Level::Read, Level::Write] {
            assert!(DATA.covers(b"/srv/app/data", level));
            assert!(DATA.covers(b"/srv/app/data/a/b", level));
            assert!(!DATA.covers(b"/srv/app/database", level));
            assert!(!DATA.covers(b"/srv/app/other", level));
        }
    }

    #[test]
    fn what_leads_there_is_only_looked_at() {
        for place in [&b"/"[..], b"/srv", b"/srv/app", b"/var", b"/var/app"] {
            assert!(DATA.covers(place, Level::Look));
            assert!(!DATA.covers(place, Level::Read));
            assert!(!DATA.covers(place, Level::Write));
        }
    }

    #[test]
    fn what_is_for_reading_is_not_changed() {
        let roots = Listed {
            place: b"/etc/ssl",
            written: b"/etc/ssl",
            writable: false,
        };
        assert!(roots.covers(b"/etc/ssl/certs/x", Level::Read));
        assert!(!roots.covers(b"/etc/ssl/certs/x", Level::Write));
    }

    #[test]
    fn the_root_covers_everything() {
        let all = Listed {
            place: b"/",
            written: b"/",
            writable: false,
        };
        assert!(all.covers(b"/etc/passwd", Level::Read) && all.covers(b"/", Level::Read));
    }

    #[test]
    fn places_that_are_none_are_in_nothing() {
        // What the kernel says of pipes and of what cannot be reached.
        for place in [&b"pipe:[123]"[..], b"(unreachable)/srv/app/data/x", b""] {
            assert!(!DATA.covers(place, Level::Read), "{place:?}");
        }
        assert!(!DATA.covers(b"pipe:[123]", Level::Look));
    }
}
