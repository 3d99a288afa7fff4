//! `/proc/self/maps` as a cubicle may see it: its own mappings and nobody else's. A libc
//! looks there for the first thread's stack (pthread_getattr_np), and with that, Rust's
//! library knows an overflow of it when it sees one.

use crate::machine::kernel::{self, PROT_READ, PROT_WRITE, number};
use crate::process::cubicles;
use crate::text::Text;
use core::fmt::Write;

/// What a program calls it.
pub const NAME: &[u8] = b"/proc/self/maps";

/// A file with what is mapped now, open for reading.
///
/// # Errors
/// An error number, negative.
pub fn open(cubicle: usize, closes: bool) -> Result<i64, i64> {
    const MFD_CLOEXEC: u64 = 1;
    let flags = if closes { MFD_CLOEXEC } else { 0 };
    let call = |number, arguments: [u64; 3]| {
        let [a, b, c] = arguments;
        // SAFETY: the only pointer is to a name of the monitor's.
        unsafe { kernel::call(number, [a, b, c, 0, 0, 0]) }
    };
    let name = c"maps".as_ptr() as u64;
    let file = call(number::MEMFD_CREATE, [name, flags, 0]);
    if file < 0 {
        return Err(file);
    }
    for mapping in cubicles()[cubicle].mappings.lock().iter() {
        let mut line = Text::<128>::new();
        let may = |bit: u32, letter| match mapping.protection & bit {
            0 => '-',
            _ => letter,
        };
        let _ = writeln!(
            line,
            "{:x}-{:x} {}{}-p 00000000 00:00 0 ",
            mapping.start,
            mapping.end,
            may(PROT_READ, 'r'),
            may(PROT_WRITE, 'w'),
        );
        kernel::write(file as u64, line.bytes());
    }
    call(number::LSEEK, [file as u64, 0, 0]);
    Ok(file)
}
