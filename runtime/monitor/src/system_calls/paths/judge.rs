//! May a cubicle do something to what was opened?

/// What a call does to what its path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Asks about it: stat, readlink, access.
    Look,
    /// Keeps a descriptor of it that neither reads nor writes (O_PATH).
    Keep,
    /// Opens it to read.
    Read,
    /// Changes it, or what is in a folder.
    Write,
}

#[cfg(monitor_image)]
pub use judging::{Caller, file_system, judge, real_place, status};

#[cfg(monitor_image)]
mod judging {
    use super::*;
    use crate::defences::off;
    use crate::machine::kernel::{self, error, number};
    use crate::system_calls::denied;
    use crate::system_calls::paths::held::Held;
    use crate::system_calls::paths::listed::{self, LONGEST};
    use crate::system_calls::paths::views;
    use cubicle_abi::defences::Defence;
    use cubicle_abi::plan::{CUBICLE_NARROWED, Cubicle};

    /// Who makes a call, and which.
    #[derive(Clone, Copy)]
    pub struct Caller {
        pub index: usize,
        pub policy: &'static Cubicle,
        pub number: u64,
    }

    impl Caller {
        /// Does `files` narrow what it may do with paths?
        pub fn is_narrowed(&self) -> bool {
            self.policy.flags & CUBICLE_NARROWED != 0 && !off(Defence::Files)
        }

        /// Refuses what lies at `place`.
        pub fn refused(&self, place: &[u8]) -> i64 {
            denied::place(self.index, self.policy, self.number, place)
        }
    }

    /// May `caller` do this to what is held, or to `child` in it?
    ///
    /// # Errors
    /// An error number, negative.
    pub fn judge(
        caller: Caller,
        held: &Held,
        level: Level,
        child: Option<&[u8]>,
    ) -> Result<(), i64> {
        let (_, _, has_disk) = status(held.number())?;
        // What shows the kernel's state lies on no device.
        let kind = match has_disk {
            true => 0,
            false => file_system(held.number())?,
        };
        let view = views::is_view(kind) && !off(Defence::Procfs);
        let narrowed = caller.is_narrowed();
        if !view && !narrowed {
            return Ok(());
        }
        let mut place = [0; LONGEST + 2 + 255];
        let length = place_of(held, child, &mut place)?;
        let place = &place[..length];
        let open = if view {
            // SAFETY: no memory is involved.
            let own = unsafe { kernel::call(number::GETPID, [0; 6]) };
            views::is_open(kind, place, level, own as u64)
        } else {
            listed::covers(caller.index, place, level)
                || child.is_none() && is_common_device(held.number())
        };
        if open {
            Ok(())
        } else {
            Err(caller.refused(place))
        }
    }

    /// Devices that hold nothing of anybody's: null, zero, full, random, urandom.
    fn is_common_device(descriptor: u64) -> bool {
        const CHARACTER: u32 = 0o020_000;
        let Ok((mode, device, _)) = status(descriptor) else {
            return false;
        };
        mode & 0o170_000 == CHARACTER && matches!(device, 0x103 | 0x105 | 0x107 | 0x108 | 0x109)
    }

    /// `st_mode` and `st_rdev`, and whether its file system lies on a device.
    ///
    /// # Errors
    /// The kernel's error number, negative.
    pub fn status(descriptor: u64) -> Result<(u32, u64, bool), i64> {
        // struct stat: st_dev at 0, st_mode at 24, st_rdev at 40. File systems
        // without a device have a number whose major part is 0.
        let mut status = [0u64; 18];
        // SAFETY: struct stat takes 144 bytes.
        let result = unsafe {
            let at = status.as_mut_ptr() as u64;
            kernel::call(number::FSTAT, [descriptor, at, 0, 0, 0, 0])
        };
        if result < 0 {
            return Err(result);
        }
        Ok((status[3] as u32, status[5], status[0] >> 8 & 0xfff != 0))
    }

    /// `f_type` of the file system in which something lies.
    ///
    /// # Errors
    /// The kernel's error number, negative.
    pub fn file_system(descriptor: u64) -> Result<u64, i64> {
        let mut statistics = [0u64; 15];
        // SAFETY: struct statfs takes 120 bytes.
        let result = unsafe {
            let at = statistics.as_mut_ptr() as u64;
            kernel::call(number::FSTATFS, [descriptor, at, 0, 0, 0, 0])
        };
        if result < 0 {
            Err(result)
        } else {
            Ok(statistics[0])
        }
    }

    /// Where it is at this moment, as the kernel says; its length in bytes.
    ///
    /// # Errors
    /// An error number, negative.
    pub fn real_place(held: &Held, into: &mut [u8]) -> Result<usize, i64> {
        const ENAMETOOLONG: i64 = 36;
        let size = into.len().min(LONGEST);
        let into = into.as_mut_ptr() as u64;
        let length = held.through(|link| {
            let arguments = [link.base, link.address(), into, size as u64, 0, 0];
            // SAFETY: path and buffer are the monitor's.
            unsafe { kernel::call(number::READLINKAT, arguments) }
        });
        match length {
            length if length < 0 => Err(length),
            // It may have been cut.
            length if length as usize >= size => Err(-ENAMETOOLONG),
            length => Ok(length as usize),
        }
    }

    /// The place of what is held, or of `child` in it.
    fn place_of(held: &Held, child: Option<&[u8]>, into: &mut [u8]) -> Result<usize, i64> {
        let mut length = real_place(held, into)?;
        if let Some(child) = child {
            if length > 1 {
                into[length] = b'/';
                length += 1;
            }
            let end = length + child.len();
            let room = into.get_mut(length..end).ok_or(-error::EINVAL)?;
            room.copy_from_slice(child);
            length = end;
        }
        Ok(length)
    }
}
