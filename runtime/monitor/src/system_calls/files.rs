//! Which files a cubicle may have open.

#[cfg(monitor_image)]
use crate::defences::off;
#[cfg(monitor_image)]
use crate::machine::kernel::{self, error, number};
#[cfg(monitor_image)]
use cubicle_abi::defences::Defence;

/// May a cubicle open this kind of file (`st_mode` and `st_rdev` as newfstatat
/// gives them)? Of devices, only those that touch nobody's memory (rule 20):
/// null, zero, full, random, urandom, and terminals.
pub fn is_harmless_file(mode: u32, device: u64) -> bool {
    const KIND: u32 = 0o170_000;
    const CHARACTER: u32 = 0o020_000;
    const BLOCK: u32 = 0o060_000;
    // The kernel's encoding: the low 8 bits of the minor, 12 of the major.
    let (major, minor) = (
        device >> 8 & 0xfff | device >> 32 & !0xfff,
        device & 0xff | device >> 12 & !0xff,
    );
    match mode & KIND {
        BLOCK => false,
        CHARACTER => match major {
            1 => matches!(minor, 3 | 5 | 7 | 8 | 9),
            4 | 5 | 136..=143 => true,
            _ => false,
        },
        _ => true,
    }
}

/// procfs and sysfs stay closed: /proc/self/mem alone would undo everything.
#[cfg(monitor_image)]
pub fn opened(descriptor: i64) -> i64 {
    const PROC_SUPER_MAGIC: i64 = 0x9fa0;
    const SYSFS_MAGIC: i64 = 0x6265_6572;
    if descriptor < 0 {
        return descriptor;
    }
    let mut statistics = [0i64; 15];
    // SAFETY: struct statfs takes 120 bytes; the descriptor was just
    // opened.
    let result = unsafe {
        kernel::call(
            number::FSTATFS,
            [
                descriptor as u64,
                statistics.as_mut_ptr() as u64,
                0,
                0,
                0,
                0,
            ],
        )
    };
    let closed = matches!(statistics[0], PROC_SUPER_MAGIC | SYSFS_MAGIC) && !off(Defence::Procfs);
    if result == 0 && !closed && (is_harmless(descriptor) || off(Defence::Devices)) {
        return descriptor;
    }
    // SAFETY: no memory is involved.
    unsafe { kernel::call(number::CLOSE, [descriptor as u64, 0, 0, 0, 0, 0]) };
    -error::EACCES
}

/// [`is_harmless_file`] of an open descriptor.
#[cfg(monitor_image)]
fn is_harmless(descriptor: i64) -> bool {
    const FSTAT: u64 = 5;
    // struct stat: st_mode at 24, st_rdev at 40.
    let mut status = [0u64; 18];
    // SAFETY: struct stat takes 144 bytes; the descriptor was just opened.
    let result = unsafe {
        kernel::call(
            FSTAT,
            [descriptor as u64, status.as_mut_ptr() as u64, 0, 0, 0, 0],
        )
    };
    result == 0 && is_harmless_file(status[3] as u32, status[5])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_devices_without_memory_are_opened() {
        let device = |major: u64, minor: u64| major << 8 | minor;
        assert!(is_harmless_file(0o100_644, 0));
        assert!(is_harmless_file(0o020_666, device(1, 3)));
        assert!(is_harmless_file(0o020_620, device(136, 5)));
        // /dev/mem, /dev/kvm (misc), a disk.
        assert!(!is_harmless_file(0o020_640, device(1, 1)));
        assert!(!is_harmless_file(0o020_660, device(10, 232)));
        assert!(!is_harmless_file(0o060_660, device(8, 0)));
    }
}
