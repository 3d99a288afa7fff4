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
/// execve, execveat, fork and vfork (a child would have no dispatch),
/// open_tree_attr, uselib, and the loading of kernel modules.
pub const REFUSED: [u64; 8] = set(&[
    329, 330, 331, 101, 310, 311, 440, 448, 323, 425, 426, 427, 206, 207, 208, 209, 210, 333, 278,
    216, 453, 447, 237, 279, 256, 450, 238, 30, 151, 135, 154, 172, 173, 321, 298, 312, 434, 438,
    424, 317, 444, 445, 446, 308, 272, 165, 166, 155, 428, 429, 430, 431, 432, 433, 442, 304, 300,
    246, 320, 250, 248, 249, 274, 219, 460, 335, 336, 205, 462, 15, 59, 322, 57, 58, 467, 134, 175,
    313,
]);

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
    fn no_call_that_takes_a_pointer_is_performed_with_all_rights() {
        // read, write, fstat, ioctl, open: with pointers.
        for number in [0, 1, 2, 5, 16] {
            assert!(!is_granted(&WITHOUT_POINTERS, number));
        }
    }
}
