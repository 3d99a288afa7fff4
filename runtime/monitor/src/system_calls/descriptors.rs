//! Which descriptors a call uses, and what it asks of them that the monitor
//! allows nobody.

use super::sets::{is_granted, set};

/// Calls whose first argument is a descriptor, which without
/// CUBICLE_ANY_DESCRIPTOR may be 0, 1 or 2. Those that @stdio grants: read,
/// write, close, fstat, lseek, ioctl, pread64, pwrite64, readv, writev, fsync,
/// fdatasync, fcntl, newfstatat. And those that a manifest may grant singly:
/// dup, dup2, flock, ftruncate, getdents, fchdir, fchmod, fchown, fstatfs,
/// readahead, getdents64, fadvise64, sync_file_range, fallocate, dup3, preadv,
/// pwritev, preadv2, pwritev2.
const OF_DESCRIPTORS: [u64; 8] = set(&[
    0, 1, 3, 5, 8, 16, 17, 18, 19, 20, 72, 74, 75, 262, 32, 33, 73, 77, 78, 81, 91, 93, 138, 187,
    217, 221, 277, 285, 292, 295, 296, 327, 328,
]);

/// Calls whose second argument is a descriptor, too: dup2, sendfile, dup3.
const OF_TWO_DESCRIPTORS: [u64; 8] = set(&[33, 40, 292]);

/// Does a call use descriptors only that every cubicle may? The kernel looks
/// at the low half of an argument; what a libc leaves above it means nothing.
pub fn uses_standard_descriptors(number: u64, arguments: &[u64; 6]) -> bool {
    let standard = |argument: u64| argument as u32 <= 2;
    let first = is_granted(&OF_DESCRIPTORS, number) || is_granted(&OF_TWO_DESCRIPTORS, number);
    (!first || standard(arguments[0]))
        && (!is_granted(&OF_TWO_DESCRIPTORS, number) || standard(arguments[1]))
}

/// The descriptor that a call closes, or puts another in the place of: close, dup2,
/// dup3.
pub fn replaces(number: u64, arguments: &[u64; 6]) -> Option<u64> {
    match number {
        3 => Some(arguments[0]),
        33 | 292 => Some(arguments[1]),
        _ => None,
    }
}

/// Does a call ask the kernel to use memory later, when the caller may have
/// lost it (rule 20): MSG_ZEROCOPY, SO_ZEROCOPY, TCP_ZEROCOPY_RECEIVE?
pub fn is_deferred(number: u64, arguments: &[u64; 6]) -> bool {
    const SENDTO: u64 = 44;
    const SENDMSG: u64 = 46;
    const SETSOCKOPT: u64 = 54;
    const GETSOCKOPT: u64 = 55;
    const SENDMMSG: u64 = 307;
    const MSG_ZEROCOPY: u64 = 0x400_0000;
    const SOL_SOCKET: u32 = 1;
    const SO_ZEROCOPY: u32 = 60;
    const IPPROTO_TCP: u32 = 6;
    const TCP_ZEROCOPY_RECEIVE: u32 = 35;
    let [_, b, c, d, ..] = *arguments;
    let option = (b as u32, c as u32);
    match number {
        SENDTO | SENDMMSG => d & MSG_ZEROCOPY != 0,
        SENDMSG => c & MSG_ZEROCOPY != 0,
        SETSOCKOPT => option == (SOL_SOCKET, SO_ZEROCOPY),
        GETSOCKOPT => option == (IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE),
        _ => false,
    }
}

/// TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX.
pub fn is_harmless_ioctl(request: u32) -> bool {
    matches!(request, 0x5401 | 0x5413 | 0x541b | 0x5421 | 0x5451 | 0x5450)
}

/// F_DUPFD to F_SETLKW, F_DUPFD_CLOEXEC: no owners, signals, notifications.
pub fn is_harmless_fcntl(command: u32) -> bool {
    matches!(command, 0..=7 | 1030)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_judged_as_the_kernel_reads_them() {
        const DUP2: u64 = 33;
        const PREADV: u64 = 295;
        assert!(uses_standard_descriptors(1, &[2, 0, 0, 0, 0, 0]));
        assert!(uses_standard_descriptors(1, &[7 << 32 | 1, 0, 0, 0, 0, 0]));
        assert!(!uses_standard_descriptors(1, &[3, 0, 0, 0, 0, 0]));
        assert!(!uses_standard_descriptors(PREADV, &[3, 0, 0, 0, 0, 0]));
        assert!(!uses_standard_descriptors(DUP2, &[1, 3, 0, 0, 0, 0]));
        assert!(uses_standard_descriptors(39, &[3, 3, 0, 0, 0, 0]));
    }

    #[test]
    fn memory_is_not_used_later() {
        assert!(is_deferred(44, &[3, 0, 8, 0x400_0000, 0, 0]));
        assert!(is_deferred(46, &[3, 0, 0x400_0000, 0, 0, 0]));
        assert!(!is_deferred(46, &[3, 0, 0x4000, 0, 0, 0]));
        assert!(is_deferred(54, &[3, 1 << 32 | 1, 60, 0, 4, 0]));
        assert!(is_deferred(55, &[3, 6, 35, 0, 0, 0]));
        assert!(!is_deferred(55, &[3, 1, 35, 0, 0, 0]));
    }
}
