//! Sets of system calls, as bits: what was granted, and what the monitor knows
//! of calls by their number.

/// The distance of a number from the kernel's highest: beyond it, nothing is
/// granted.
pub const NUMBERS: u64 = 512;

/// Is `number` among `granted`?
pub fn is_granted(granted: &[u64; 8], number: u64) -> bool {
    number < NUMBERS && granted[number as usize / 64] >> (number % 64) & 1 == 1
}

/// A set of system-call numbers.
pub const fn set(numbers: &[u64]) -> [u64; 8] {
    let mut bits = [0; 8];
    let mut index = 0;
    while index < numbers.len() {
        bits[numbers[index] as usize / 64] |= 1 << (numbers[index] % 64);
        index += 1;
    }
    bits
}

/// Calls without pointers need no change of rights: close, lseek, sched_yield,
/// dup, getpid, fsync, fdatasync, ftruncate, getuid, getgid, geteuid, getegid,
/// getppid, gettid.
pub const WITHOUT_POINTERS: [u64; 8] =
    set(&[3, 8, 24, 32, 39, 74, 75, 77, 102, 104, 107, 108, 110, 186]);

/// Refused whatever the manifest says (MONITOR.md has the reasons): pkey_*,
/// ptrace, process_vm_*, process_madvise, process_mrelease, userfaultfd,
/// io_uring_*, aio, vmsplice, remap_file_pages, map_shadow_stack,
/// memfd_secret, the NUMA calls, shmat, mlockall, personality, modify_ldt,
/// iopl, ioperm, bpf, perf_event_open, kcmp, pidfd_*, seccomp,
/// landlock_*, setns, unshare, mounts, open_by_handle_at, fanotify_init,
/// kexec, keyctl and its kin, get_robust_list, restart_syscall,
/// lsm_set_self_attr, uretprobe, uprobe, set_thread_area, mseal, rt_sigreturn,
/// open_tree_attr, uselib, and the loading of kernel modules.
pub const REFUSED: [u64; 8] = set(&[
    329, 330, 331, 101, 310, 311, 440, 448, 323, 425, 426, 427, 206, 207, 208, 209, 210, 333, 278,
    216, 453, 447, 237, 279, 256, 450, 238, 30, 151, 135, 154, 172, 173, 321, 298, 312, 434, 438,
    424, 317, 444, 445, 446, 308, 272, 165, 166, 155, 428, 429, 430, 431, 432, 433, 442, 304, 300,
    246, 320, 250, 248, 249, 274, 219, 460, 335, 336, 205, 462, 15, 467, 134, 175, 313,
]);

/// What the monitor makes of its own accord, whatever is granted: it reads and writes
/// reports, closes and copies descriptors, maps and tags memory, creates and ends
/// threads, waits and wakes, reads a clock, handles signals, waits for them and sends them, learns who it is, draws random
/// numbers, and what the kernel makes of a call that a signal interrupted. A test
/// wants every number of `kernel.rs` in one of these lists.
pub const OF_THE_MONITOR: [u64; 8] = set(&[
    1, 3, 5, 9, 10, 11, 13, 14, 15, 24, 25, 28, 34, 39, 56, 60, 62, 72, 127, 128, 129, 131, 157,
    158, 186, 202, 218, 219, 228, 231, 234, 297, 302, 318, 329,
]);

/// Only before the first cubicle runs, and so not for any of them: read, uname,
/// getdents64, seccomp, pkey_alloc, landlock_*, mseal.
pub const AT_START: [u64; 8] = set(&[0, 63, 217, 317, 330, 444, 445, 446, 462]);

/// What the monitor makes of calls with paths: fstat, sendmsg, truncate,
/// fchdir, fstatfs, openat, mkdirat, fchownat, newfstatat, unlinkat, linkat,
/// symlinkat, readlinkat, fchmodat, utimensat, dup3, renameat2, statx, openat2,
/// faccessat2; lseek and memfd_create for what it writes itself.
pub const OF_PATH_CALLS: [u64; 8] = set(&[
    5, 8, 46, 76, 81, 138, 257, 258, 260, 262, 263, 265, 266, 267, 268, 280, 292, 316, 319, 332,
    437, 439,
]);

/// Calls with paths that can be granted: open, stat, lstat, access, truncate,
/// chdir, rename, mkdir, rmdir, creat, link, unlink, symlink, readlink, chmod,
/// chown, lchown, utime, statfs, utimes, openat, mkdirat, fchownat, futimesat,
/// newfstatat, unlinkat, renameat, linkat, symlinkat, readlinkat, fchmodat,
/// faccessat, utimensat, renameat2, statx, openat2, faccessat2, fchmodat2.
pub const PATH_CALLS: [u64; 8] = set(&[
    2, 4, 6, 21, 76, 80, 82, 83, 84, 85, 86, 87, 88, 89, 90, 92, 94, 132, 137, 235, 257, 258, 260,
    261, 262, 263, 264, 265, 266, 267, 268, 269, 280, 316, 332, 437, 439, 452,
]);

/// Calls with addresses, in which a path can be: connect, sendto, sendmsg, bind,
/// sendmmsg.
pub const ADDRESS_CALLS: [u64; 8] = set(&[42, 44, 46, 49, 307]);

/// Is any of these granted?
pub fn any_granted(granted: &[u64; 8], of: &[u64; 8]) -> bool {
    granted
        .iter()
        .zip(of)
        .any(|(granted, of)| granted & of != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_bits() {
        let granted = set(&[0, 63, 64, 511]);
        for number in 0..600 {
            assert_eq!(
                is_granted(&granted, number),
                [0, 63, 64, 511].contains(&number)
            );
        }
    }

    #[test]
    fn every_number_the_monitor_knows_is_in_a_list() {
        let text = include_str!("../machine/kernel.rs");
        let numbers = text.split("pub mod number {").nth(1).expect("the module");
        let numbers = numbers.split("\n}").next().expect("its end");
        let mut found = 0;
        for line in numbers.lines().filter(|line| line.contains("pub const")) {
            let (name, value) = line.split_once(": u64 = ").expect("a number");
            let value: u64 = value.trim_end_matches(';').parse().expect("digits");
            let lists = [&OF_THE_MONITOR, &AT_START, &OF_PATH_CALLS, &PATH_CALLS];
            let answered = [&ADDRESS_CALLS, &WITHOUT_POINTERS, &ONLY_ANSWERED];
            let known = lists.iter().chain(&answered);
            let mut known = known.filter(|list| is_granted(list, value));
            assert!(known.next().is_some(), "{name}: who makes it?");
            found += 1;
        }
        assert!(found > 50);
    }

    /// Calls that the monitor answers, or looks at before it makes them as they are:
    /// brk, ioctl, dup2, fork, vfork, execve, fchmod, fchown, fsetxattr, fremovexattr,
    /// set_robust_list, execveat, rseq, clone3; rt_sigsuspend, tkill, pselect6, ppoll,
    /// epoll_pwait, epoll_pwait2.
    const ONLY_ANSWERED: [u64; 8] = set(&[
        12, 16, 33, 57, 58, 59, 91, 93, 130, 190, 199, 200, 270, 271, 273, 281, 322, 334, 435, 441,
    ]);

    #[test]
    fn no_call_that_takes_a_pointer_is_performed_with_all_rights() {
        // read, write, fstat, ioctl, open: with pointers.
        for number in [0, 1, 2, 5, 16] {
            assert!(!is_granted(&WITHOUT_POINTERS, number));
        }
    }
}
