//! What happens to a system call of a cubicle.
//!
//! Some are the monitor's to answer (memory, threads, signals): they are
//! virtual for each cubicle. The others need a grant of the manifest and are
//! performed with the rights of the caller, so that the kernel checks their
//! pointers. Everything else answers EPERM.

#[cfg(monitor_image)]
pub use dispatching::dispatch;

/// The distance of a number from the kernel's highest: beyond it, nothing is
/// granted.
pub const NUMBERS: u64 = 512;

/// Is `number` among `granted`?
pub fn is_granted(granted: &[u64; 8], number: u64) -> bool {
    number < NUMBERS && granted[number as usize / 64] >> (number % 64) & 1 == 1
}

/// A set of system-call numbers.
const fn set(numbers: &[u64]) -> [u64; 8] {
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
const WITHOUT_POINTERS: [u64; 8] =
    set(&[3, 8, 24, 32, 39, 74, 75, 77, 102, 104, 107, 108, 110, 186]);

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

/// Refused whatever the manifest says (MONITOR.md has the reasons): pkey_*,
/// ptrace, process_vm_*, process_madvise, process_mrelease, userfaultfd,
/// io_uring_*, aio, vmsplice, remap_file_pages, map_shadow_stack,
/// memfd_secret, the NUMA calls, shmat, mlockall, personality, modify_ldt,
/// iopl, ioperm, bpf, perf_event_open, kcmp, pidfd_*, rt_*queueinfo, seccomp,
/// landlock_*, setns, unshare, mounts, open_by_handle_at, fanotify_init,
/// kexec, keyctl and its kin, get_robust_list, restart_syscall,
/// lsm_set_self_attr, uretprobe, uprobe, set_thread_area, mseal, rt_sigreturn,
/// execve, execveat, fork and vfork (a child would have no dispatch),
/// open_tree_attr, uselib, and the loading of kernel modules.
pub const REFUSED: [u64; 8] = set(&[
    329, 330, 331, 101, 310, 311, 440, 448, 323, 425, 426, 427, 206, 207, 208, 209, 210, 333, 278,
    216, 453, 447, 237, 279, 256, 450, 238, 30, 151, 135, 154, 172, 173, 321, 298, 312, 434, 438,
    424, 129, 297, 317, 444, 445, 446, 308, 272, 165, 166, 155, 428, 429, 430, 431, 432, 433, 442,
    304, 300, 246, 320, 250, 248, 249, 274, 219, 460, 335, 336, 205, 462, 15, 59, 322, 57, 58, 467,
    134, 175, 313,
]);

#[cfg(monitor_image)]
mod dispatching {
    use super::*;
    use crate::machine::context::Registers;
    use crate::machine::kernel::{self, error, number};
    use crate::machine::rights::call_as;
    use crate::machine::thread;
    use crate::memory_calls;
    use crate::process::{self, exit, virtual_threads};
    use crate::threads;
    use crate::windows;
    use cubicle_abi::calls;
    use cubicle_abi::layout::PAGE;
    use cubicle_abi::plan::{CUBICLE_ANY_DESCRIPTOR, WINDOW_PREFIX};

    /// Answers the call that `registers` show, of `cubicle`.
    ///
    /// # Safety
    /// Called by a system-call gate only, which has proven who calls.
    pub unsafe extern "C" fn dispatch(registers: &mut Registers, cubicle: u32) -> i64 {
        let cubicle = cubicle as usize;
        let arguments = registers.arguments();
        let [a, b, c, d, ..] = arguments;
        let Some(policy) = process::plan().and_then(|plan| plan.cubicles().get(cubicle)) else {
            crate::violation::fatal("a system call of a cubicle that is not in the plan");
        };
        let files = policy.flags & CUBICLE_ANY_DESCRIPTOR != 0;
        match registers.number {
            calls::PARK => virtual_threads::park(cubicle, registers),
            calls::PARK_THREAD => virtual_threads::park_thread(cubicle, registers),
            calls::ATTACH => virtual_threads::attach(cubicle, a),
            calls::STACK_SIZE => policy.stack as i64,
            calls::FIND => find(cubicle, a, b),
            calls::WINDOW_FIRST..calls::KEYED_FIRST => {
                windows::call(cubicle, registers.number, arguments)
            }
            calls::KEYED_FIRST..calls::END => {
                flat(windows::keyed::call(cubicle, registers.number, arguments))
            }
            number::MMAP => flat(memory_calls::map(cubicle, arguments, files)),
            number::MUNMAP => flat(memory_calls::unmap(cubicle, a, b)),
            number::MPROTECT => flat(memory_calls::protect(cubicle, a, b, c)),
            number::MREMAP => flat(memory_calls::remap(cubicle, arguments)),
            number::MADVISE => flat(memory_calls::advise(cubicle, a, b, c)),
            number::BRK => memory_calls::set_break(cubicle, a) as i64,
            number::CLONE => virtual_threads::clone(cubicle, registers),
            number::CLONE3 | number::RSEQ => -error::ENOSYS,
            number::SET_TID_ADDRESS => {
                register(cubicle, |presence| presence.clear_id = a);
                thread_id(cubicle)
            }
            number::SET_ROBUST_LIST => {
                register(cubicle, |presence| presence.robust_list = a);
                0
            }
            number::GETTID if is_granted(&policy.granted, number::GETTID) => thread_id(cubicle),
            number::ARCH_PRCTL => set_thread_pointer(cubicle, a, b),
            number::EXIT_GROUP => exit::exit_group(cubicle, a),
            number::EXIT => threads::end::exit(cubicle),
            number::RT_SIGACTION => action(cubicle, a, b, c),
            number::RT_SIGPROCMASK => mask(cubicle, a, b, c, d),
            number::SIGALTSTACK => alternate_stack(cubicle, b),
            number::TGKILL => kill_self(cubicle, a, b, c),
            number::FUTEX => threads::futex::call(cubicle, arguments),
            wanted if is_granted(&REFUSED, wanted) => -error::EPERM,
            wanted if !is_granted(&policy.granted, wanted) => -error::EPERM,
            wanted => granted(cubicle, files, wanted, arguments),
        }
    }

    /// The number of the cubicle or keyed window whose name has `length` bytes at
    /// `name`. No two have the same.
    fn find(cubicle: usize, name: u64, length: u64) -> i64 {
        const LONGEST_NAME: usize = 256;
        let mut bytes = [0; LONGEST_NAME];
        let Some(wanted) = bytes.get_mut(..length as usize) else {
            return -error::ENOENT;
        };
        if !memory_calls::read(cubicle, name, wanted) {
            return -error::EFAULT;
        }
        let found = process::plan().and_then(|plan| {
            (0..process::region_count()).find(|index| {
                let name = plan.name(*index);
                match plan.window(*index) {
                    Some(_) => name.strip_prefix(WINDOW_PREFIX.as_bytes()) == Some(&*wanted),
                    None => name == wanted,
                }
            })
        });
        found.map_or(-error::ENOENT, |index| index as i64)
    }

    /// Performs a call of `cubicle` with its own rights. What it points to in
    /// windows changes hands first; a structure without a length may cross into
    /// one more page, which is tried once the kernel has found it closed.
    fn perform(cubicle: usize, number: u64, arguments: [u64; 6]) -> i64 {
        let rights = process::rights(cubicle);
        windows::arguments::admit(cubicle, number, &arguments, 1);
        let result = call_as(rights, number, arguments);
        if result != -error::EFAULT {
            return result;
        }
        windows::arguments::admit(cubicle, number, &arguments, PAGE);
        match call_as(rights, number, arguments) {
            result if result == -error::EFAULT && crate::audit::on() => {
                crate::audit::system_calls::again(rights, number, arguments)
            }
            result => result,
        }
    }

    fn flat(result: Result<u64, i64>) -> i64 {
        match result {
            Ok(value) => value as i64,
            Err(error) => error,
        }
    }

    /// A call the manifest grants. Some need a second look at their arguments.
    fn granted(cubicle: usize, files: bool, wanted: u64, arguments: [u64; 6]) -> i64 {
        let [a, b, c, d, e, f] = arguments;
        if !files && !uses_standard_descriptors(wanted, &arguments)
            || is_deferred(wanted, &arguments)
        {
            return -error::EPERM;
        }
        match wanted {
            // Of an open descriptor only: the path would be the caller's.
            number::NEWFSTATAT if !files => {
                const AT_EMPTY_PATH: u64 = 0x1000;
                if d & AT_EMPTY_PATH == 0 {
                    return -error::EPERM;
                }
                perform(cubicle, number::FSTAT, [a, c, 0, 0, 0, 0])
            }
            number::IOCTL if !is_harmless_ioctl(b as u32) => -error::EPERM,
            number::FCNTL if !is_harmless_fcntl(b as u32) => -error::EPERM,
            number::PRCTL if !matches!(a, 15 | 16) => -error::EPERM,
            number::PRLIMIT64 if c != 0 || a != 0 => -error::EPERM,
            number::OPEN | number::OPENAT | number::CREAT | number::OPENAT2 => {
                opened(perform(cubicle, wanted, arguments))
            }
            _ if is_granted(&WITHOUT_POINTERS, wanted) => {
                // SAFETY: none of these takes a pointer.
                unsafe { kernel::call(wanted, [a, b, c, d, e, f]) }
            }
            _ => perform(cubicle, wanted, arguments),
        }
    }

    /// TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX.
    fn is_harmless_ioctl(request: u32) -> bool {
        matches!(request, 0x5401 | 0x5413 | 0x541b | 0x5421 | 0x5451 | 0x5450)
    }

    /// F_DUPFD to F_SETLKW, F_DUPFD_CLOEXEC: no owners, signals, notifications.
    fn is_harmless_fcntl(command: u32) -> bool {
        matches!(command, 0..=7 | 1030)
    }

    /// procfs and sysfs stay closed: /proc/self/mem alone would undo everything.
    fn opened(descriptor: i64) -> i64 {
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
        let closed = statistics[0] == PROC_SUPER_MAGIC || statistics[0] == SYSFS_MAGIC;
        if result == 0 && !closed && is_harmless(descriptor) {
            return descriptor;
        }
        // SAFETY: no memory is involved.
        unsafe { kernel::call(number::CLOSE, [descriptor as u64, 0, 0, 0, 0, 0]) };
        -error::EACCES
    }

    /// [`is_harmless_file`] of an open descriptor.
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

    /// Notes what a libc registers for its thread on this one.
    fn register(cubicle: usize, set: impl FnOnce(&mut thread::Presence)) {
        // SAFETY: this thread's state. A parked `main` runs on threads of others
        // and is ended with the process.
        unsafe {
            if (*thread::state()).parked_main != Some(cubicle) {
                set(&mut (*thread::state()).presences[cubicle]);
            }
        }
    }

    /// A real id for a virtual thread. A parked `main` has one of its own,
    /// because two threads of one libc must not have the same: recursive
    /// mutexes would take them for one.
    fn thread_id(cubicle: usize) -> i64 {
        const PARKED: i64 = 0x2000_0000;
        // SAFETY: this thread's state.
        let state = unsafe { &*thread::state() };
        if state.parked_main == Some(cubicle) {
            PARKED + cubicle as i64
        } else {
            state.id as i64
        }
    }

    fn set_thread_pointer(cubicle: usize, code: u64, address: u64) -> i64 {
        const ARCH_SET_FS: u64 = 0x1002;
        if code != ARCH_SET_FS {
            return -error::EINVAL;
        }
        if !virtual_threads::is_canonical(address) {
            return -error::EPERM;
        }
        // SAFETY: this thread's block; the gate loads FS from it.
        unsafe { (*thread::block()).virtual_threads[cubicle].fs = address };
        0
    }

    /// Signals are the monitor's in this version. A fault ends in a report, so
    /// a handler for it is accepted and never runs; ignoring and defaults go
    /// to the kernel; handlers of other signals are refused, not forgotten.
    fn action(cubicle: usize, signal: u64, new: u64, old: u64) -> i64 {
        let faults = crate::machine::signals::FAULTS.contains(&signal);
        let mut action = [0u64; 4];
        let mut before = [0u64; 4];
        if new != 0 && !memory_calls::read(cubicle, new, as_bytes(&mut action)) {
            return -error::EFAULT;
        }
        let mut result = 0;
        if !faults {
            let takes_handler = new != 0 && action[0] > 1;
            let pointer = if new == 0 || takes_handler {
                0
            } else {
                action.as_ptr() as u64
            };
            // SAFETY: both structures are the monitor's; the disposition is
            // SIG_DFL or SIG_IGN.
            result = unsafe {
                kernel::call(
                    number::RT_SIGACTION,
                    [signal, pointer, before.as_mut_ptr() as u64, 8, 0, 0],
                )
            };
            if takes_handler {
                result = -error::ENOSYS;
            }
        }
        if result == 0 && old != 0 && !memory_calls::write(cubicle, old, as_bytes(&mut before)) {
            return -error::EFAULT;
        }
        result
    }

    /// The mask a libc believes in. The kernel's stays open: if SIGSYS were
    /// blocked when it is forced, the process would die.
    fn mask(cubicle: usize, how: u64, new: u64, old: u64, size: u64) -> i64 {
        const SIG_BLOCK: u64 = 0;
        const SIG_UNBLOCK: u64 = 1;
        const SIG_SETMASK: u64 = 2;
        if size != 8 {
            return -error::EINVAL;
        }
        // SAFETY: this thread's state.
        let current = unsafe { &mut (*thread::state()).masks[cubicle] };
        let before = *current;
        if new != 0 {
            let mut wanted = [0u64; 1];
            if !memory_calls::read(cubicle, new, as_bytes(&mut wanted)) {
                return -error::EFAULT;
            }
            *current = match how {
                SIG_BLOCK => before | wanted[0],
                SIG_UNBLOCK => before & !wanted[0],
                SIG_SETMASK => wanted[0],
                _ => return -error::EINVAL,
            };
        }
        if old != 0 && !memory_calls::write(cubicle, old, &before.to_le_bytes()) {
            return -error::EFAULT;
        }
        0
    }

    /// Signal stacks are the monitor's: the old one is "disabled".
    fn alternate_stack(cubicle: usize, old: u64) -> i64 {
        const SS_DISABLE: u64 = 2;
        let mut stack = [0, SS_DISABLE, 0];
        if old != 0 && !memory_calls::write(cubicle, old, as_bytes(&mut stack)) {
            return -error::EFAULT;
        }
        0
    }

    fn as_bytes<const N: usize>(words: &mut [u64; N]) -> &mut [u8] {
        // SAFETY: any bytes are words, and words are bytes.
        unsafe { core::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), N * 8) }
    }

    /// `abort`, and nothing else a thread could send itself.
    fn kill_self(cubicle: usize, process: u64, to: u64, signal: u64) -> i64 {
        const SIGABRT: u64 = 6;
        // SAFETY: this thread's state; getpid has no arguments.
        let (own, id) = unsafe { (kernel::call(number::GETPID, [0; 6]), (*thread::state()).id) };
        if process != own as u64 || to != id || signal != SIGABRT {
            return -error::EPERM;
        }
        crate::violation::aborted(cubicle)
    }
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

    #[test]
    fn no_call_that_takes_a_pointer_is_performed_with_all_rights() {
        // read, write, fstat, ioctl, open: with pointers.
        for number in [0, 1, 2, 5, 16] {
            assert!(!is_granted(&WITHOUT_POINTERS, number));
        }
    }
}
