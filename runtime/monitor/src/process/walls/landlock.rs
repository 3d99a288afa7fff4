//! Files that the process opens: no procfs but what is open to all, and where
//! every cubicle that names paths is narrowed, nothing but what they list.

use crate::machine::kernel::{self, error, number};
use crate::plan::Plan;
use crate::system_calls::paths::held::{close, pin};
use crate::system_calls::paths::judge::status;
use crate::system_calls::paths::{listed, views};
use crate::system_calls::sets::{PATH_CALLS, any_granted};
use crate::text::Text;
use core::fmt::Write;
use cubicle_abi::plan::{CUBICLE_NARROWED, Cubicle};

const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const MAKE_CHAR: u64 = 1 << 6;
const MAKE_BLOCK: u64 = 1 << 11;
const TRUNCATE: u64 = 1 << 14;
/// All that the third version of the interface knows (Linux 6.2); earlier ones
/// refuse moves between folders, whatever is allowed.
const HANDLED: u64 = (1 << 15) - 1;
const VERSION: i64 = 3;
/// Nobody executes files or makes devices.
const EVERYTHING: u64 = HANDLED & !(1 | MAKE_CHAR | MAKE_BLOCK);
const READING: u64 = READ_FILE | READ_DIR;
/// What there is to be allowed of something that is no folder.
const OF_FILES: u64 = WRITE_FILE | READ_FILE | TRUNCATE;

const AT_FDCWD: u64 = -100i64 as u64;
const O_PATH: u64 = 0x20_0000;
const O_CLOEXEC: u64 = 0x8_0000;
const O_NOFOLLOW: u64 = 0x2_0000;
const O_DIRECTORY: u64 = 0x1_0000;

/// Restricts this process, and all threads it will have.
///
/// # Errors
/// The kernel's error number, negative.
pub fn restrict(plan: Plan) -> Result<(), i64> {
    const VERSION_ONLY: u64 = 1;
    // SAFETY: no memory is involved.
    let version = unsafe {
        let arguments = [0, 0, VERSION_ONLY, 0, 0, 0];
        kernel::call(number::LANDLOCK_CREATE_RULESET, arguments)
    };
    if version < VERSION {
        return Err(-error::ENOSYS);
    }
    let handled = [HANDLED];
    // SAFETY: the structure is the monitor's; its first field is enough.
    let rules = done(unsafe {
        let at = handled.as_ptr() as u64;
        kernel::call(number::LANDLOCK_CREATE_RULESET, [at, 8, 0, 0, 0, 0])
    })?;
    let rules = Rules { descriptor: rules };
    let opens = |cubicle: &&Cubicle| any_granted(&cubicle.granted, &PATH_CALLS);
    let mut naming = plan.cubicles().iter().filter(opens).peekable();
    if naming.peek().is_some() {
        if naming.all(|cubicle| cubicle.flags & CUBICLE_NARROWED != 0) {
            rules.allow_listed(plan)?;
        } else {
            rules.allow_all_but_proc()?;
        }
        rules.allow_views()?;
    }
    // SAFETY: no memory is involved.
    done(unsafe {
        let arguments = [rules.descriptor as u64, 0, 0, 0, 0, 0];
        kernel::call(number::LANDLOCK_RESTRICT_SELF, arguments)
    })?;
    close(rules.descriptor);
    Ok(())
}

struct Rules {
    descriptor: i64,
}

impl Rules {
    /// Allows `access` to what is open, and below it.
    fn allow(&self, descriptor: u64, access: u64) -> Result<(), i64> {
        const PATH_BENEATH: u64 = 1;
        const FOLDER: u32 = 0o040_000;
        const LINK: u32 = 0o120_000;
        let (mode, ..) = status(descriptor)?;
        let access = match mode & 0o170_000 {
            FOLDER => access,
            LINK => return Ok(()),
            _ => access & OF_FILES,
        };
        // struct landlock_path_beneath_attr, packed: 8 and 4 bytes.
        let mut rule = [0u8; 12];
        rule[..8].copy_from_slice(&access.to_le_bytes());
        rule[8..].copy_from_slice(&(descriptor as u32).to_le_bytes());
        // SAFETY: the structure is the monitor's.
        let added = unsafe {
            let at = rule.as_ptr() as u64;
            let arguments = [self.descriptor as u64, PATH_BENEATH, at, 0, 0, 0];
            kernel::call(number::LANDLOCK_ADD_RULE, arguments)
        };
        done(added).map(|_| ())
    }

    /// Allows `access` to what a path leads to, if it leads anywhere. The path ends
    /// with a zero byte.
    fn allow_path(&self, path: &[u8], access: u64) -> Result<bool, i64> {
        let Ok(opened) = open(AT_FDCWD, path, 0) else {
            return Ok(false);
        };
        self.allow(opened.number(), access)?;
        Ok(true)
    }

    /// What is in `/`, but for procfs and for changes of sysfs.
    fn allow_all_but_proc(&self) -> Result<(), i64> {
        let root = open(AT_FDCWD, b"/\0", 0)?;
        self.allow(root.number(), READ_DIR)?;
        // A descriptor that reads.
        // SAFETY: the path is a constant.
        let listing = done(unsafe {
            let path = c"/".as_ptr() as u64;
            let flags = O_DIRECTORY | O_CLOEXEC;
            kernel::call(number::OPENAT, [AT_FDCWD, path, flags, 0, 0, 0])
        })?;
        let result = self.allow_entries(root.number(), listing as u64);
        close(listing);
        result
    }

    fn allow_entries(&self, root: u64, listing: u64) -> Result<(), i64> {
        // struct linux_dirent64: inode, offset, length, kind, and the name.
        const NAME: usize = 19;
        let mut bytes = [0u8; 4096];
        loop {
            // SAFETY: the buffer is the monitor's.
            let size = done(unsafe {
                let (at, size) = (bytes.as_mut_ptr() as u64, bytes.len() as u64);
                kernel::call(number::GETDENTS64, [listing, at, size, 0, 0, 0])
            })? as usize;
            if size == 0 {
                return Ok(());
            }
            let mut at = 0;
            while at < size {
                let length = u16::from_le_bytes([bytes[at + 16], bytes[at + 17]]) as usize;
                let name = &bytes[at + NAME..at + length];
                let end = name.iter().position(|byte| *byte == 0).unwrap_or(0);
                let access = match &name[..end] {
                    b"." | b".." | b"proc" => 0,
                    b"sys" => READING,
                    _ => EVERYTHING,
                };
                // What may not even be looked at stays out.
                if access != 0
                    && let Ok(entry) = open(root, &name[..=end], O_NOFOLLOW)
                {
                    self.allow(entry.number(), access)?;
                }
                at += length;
            }
        }
    }

    /// What the cubicles list. What does not exist yet is allowed with the folder in
    /// which it would be.
    fn allow_listed(&self, plan: Plan) -> Result<(), i64> {
        for index in 0..plan.cubicles().len() {
            for entry in listed::of(index) {
                let access = if entry.writable { EVERYTHING } else { READING };
                let mut place = entry.place;
                loop {
                    let mut path = Text::<{ listed::LONGEST }>::new();
                    path.raw(if place.is_empty() { b"/" } else { place });
                    path.raw(b"\0");
                    if self.allow_path(path.bytes(), access)? || place.is_empty() {
                        break;
                    }
                    let above = place.iter().rposition(|byte| *byte == b'/');
                    place = &place[..above.unwrap_or(0)];
                }
            }
        }
        for device in [
            &b"/dev/null\0"[..],
            b"/dev/zero\0",
            b"/dev/full\0",
            b"/dev/random\0",
            b"/dev/urandom\0",
        ] {
            self.allow_path(device, EVERYTHING)?;
        }
        self.allow_path(b"/sys\0", READING)?;
        Ok(())
    }

    /// The files of procfs that are open. The kernel forgets files of procfs that
    /// nobody has open, and the rule with them: so they stay open.
    fn allow_views(&self) -> Result<(), i64> {
        let of_the_process = views::OF_THE_PROCESS
            .iter()
            .map(|file| (&b"self/"[..], file));
        let of_the_machine = views::OF_THE_MACHINE.iter().map(|file| (&b""[..], file));
        for (folder, file) in of_the_process.chain(of_the_machine) {
            let mut path = Text::<64>::new();
            let _ = path.write_str("/proc/");
            path.raw(folder);
            path.raw(file);
            path.raw(b"\0");
            if let Ok(opened) = open(AT_FDCWD, path.bytes(), 0) {
                self.allow(opened.number(), READ_FILE)?;
                pin(opened.number())?;
            }
        }
        Ok(())
    }
}

/// Something open that is closed when it goes.
struct Opened(i64);

impl Opened {
    fn number(&self) -> u64 {
        self.0 as u64
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        close(self.0);
    }
}

fn open(base: u64, path: &[u8], flags: u64) -> Result<Opened, i64> {
    // SAFETY: the path is the monitor's and ends with a zero byte.
    let opened = done(unsafe {
        let path = path.as_ptr() as u64;
        let flags = O_PATH | O_CLOEXEC | flags;
        kernel::call(number::OPENAT, [base, path, flags, 0, 0, 0])
    })?;
    Ok(Opened(opened))
}

fn done(result: i64) -> Result<i64, i64> {
    if result < 0 { Err(result) } else { Ok(result) }
}
