//! System calls that a manifest cannot grant, and why.

use syscalls::x86_64::Sysno;

/// Why a call is never performed for a cubicle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// Whatever the manifest says, in every version (MONITOR.md, "Refused
    /// whatever the manifest says").
    Refused,
    /// Nothing to grant: the monitor answers it itself, for every cubicle.
    Virtual,
    /// The monitor would have to guard it and does not do so yet. Why, as a
    /// phrase after "because".
    Unguarded(&'static str),
}

/// Why `call` cannot be granted, if it cannot.
pub fn bar(call: Sysno) -> Option<Bar> {
    if REFUSED.contains(&call) {
        return Some(Bar::Refused);
    }
    if VIRTUAL.contains(&call) {
        return Some(Bar::Virtual);
    }
    let (_, why) = UNGUARDED.iter().find(|(calls, _)| calls.contains(&call))?;
    Some(Bar::Unguarded(why))
}

/// The monitor's list of refused calls, by name. A test compares the two.
pub static REFUSED: [Sysno; 74] = [
    // A way to mount.
    Sysno::open_tree_attr,
    // They change protection keys, or who owns which memory.
    Sysno::map_shadow_stack,
    Sysno::memfd_secret,
    Sysno::mlockall,
    Sysno::mseal,
    Sysno::pkey_alloc,
    Sysno::pkey_free,
    Sysno::pkey_mprotect,
    Sysno::remap_file_pages,
    Sysno::shmat,
    Sysno::userfaultfd,
    // NUMA: the kernel does not check every address.
    Sysno::mbind,
    Sysno::migrate_pages,
    Sysno::move_pages,
    Sysno::set_mempolicy,
    Sysno::set_mempolicy_home_node,
    // They reach memory that protection keys do not guard.
    Sysno::kcmp,
    Sysno::process_madvise,
    Sysno::process_mrelease,
    Sysno::process_vm_readv,
    Sysno::process_vm_writev,
    Sysno::ptrace,
    // Deputies that work later, or with other rights.
    Sysno::io_cancel,
    Sysno::io_destroy,
    Sysno::io_getevents,
    Sysno::io_pgetevents,
    Sysno::io_setup,
    Sysno::io_submit,
    Sysno::io_uring_enter,
    Sysno::io_uring_register,
    Sysno::io_uring_setup,
    Sysno::vmsplice,
    // Forged signals and contexts.
    Sysno::get_robust_list,
    Sysno::pidfd_getfd,
    Sysno::pidfd_open,
    Sysno::pidfd_send_signal,
    Sysno::restart_syscall,
    Sysno::rt_sigreturn,
    // The machine below the monitor.
    Sysno::bpf,
    Sysno::ioperm,
    Sysno::iopl,
    Sysno::modify_ldt,
    Sysno::perf_event_open,
    Sysno::personality,
    Sysno::set_thread_area,
    Sysno::uprobe,
    Sysno::uretprobe,
    // What the whole process may do.
    Sysno::add_key,
    Sysno::keyctl,
    Sysno::landlock_add_rule,
    Sysno::landlock_create_ruleset,
    Sysno::landlock_restrict_self,
    Sysno::lsm_set_self_attr,
    Sysno::request_key,
    Sysno::seccomp,
    Sysno::setns,
    Sysno::unshare,
    // Other views of the file system, where procfs might be open.
    Sysno::fanotify_init,
    Sysno::fsconfig,
    Sysno::fsmount,
    Sysno::fsopen,
    Sysno::fspick,
    Sysno::mount,
    Sysno::mount_setattr,
    Sysno::move_mount,
    Sysno::open_by_handle_at,
    Sysno::open_tree,
    Sysno::pivot_root,
    Sysno::umount2,
    // It maps what the file says, executable.
    Sysno::uselib,
    // Another kernel, or parts of one.
    Sysno::finit_module,
    Sysno::init_module,
    Sysno::kexec_file_load,
    Sysno::kexec_load,
];

/// What the monitor answers by itself for every cubicle: memory, threads,
/// signals.
pub static VIRTUAL: [Sysno; 26] = [
    Sysno::arch_prctl,
    Sysno::brk,
    Sysno::clone,
    Sysno::clone3,
    Sysno::exit,
    Sysno::exit_group,
    Sysno::futex,
    Sysno::madvise,
    Sysno::mmap,
    Sysno::mprotect,
    Sysno::mremap,
    Sysno::munmap,
    Sysno::pause,
    Sysno::rseq,
    Sysno::rt_sigaction,
    Sysno::rt_sigpending,
    Sysno::rt_sigprocmask,
    Sysno::rt_sigqueueinfo,
    Sysno::rt_sigsuspend,
    Sysno::rt_sigtimedwait,
    Sysno::rt_tgsigqueueinfo,
    Sysno::set_robust_list,
    Sysno::set_tid_address,
    Sysno::sigaltstack,
    Sysno::tgkill,
    Sysno::tkill,
];

/// What a later version may grant, once the monitor looks at the arguments.
pub static UNGUARDED: [(&[Sysno], &str); 4] = [
    (
        &[
            Sysno::get_mempolicy,
            Sysno::mincore,
            Sysno::mlock,
            Sysno::mlock2,
            Sysno::msync,
            Sysno::munlock,
            Sysno::shmdt,
        ],
        "the kernel does not check its address against the rights of the caller",
    ),
    (
        &[
            Sysno::futex_requeue,
            Sysno::futex_wait,
            Sysno::futex_waitv,
            Sysno::futex_wake,
        ],
        "a private wake is not checked against the rights of the caller",
    ),
    (
        &[
            Sysno::acct,
            Sysno::chroot,
            Sysno::fanotify_mark,
            Sysno::getxattr,
            Sysno::getxattrat,
            Sysno::inotify_add_watch,
            Sysno::lgetxattr,
            Sysno::listxattr,
            Sysno::listxattrat,
            Sysno::llistxattr,
            Sysno::lremovexattr,
            Sysno::lsetxattr,
            Sysno::mknod,
            Sysno::mknodat,
            Sysno::name_to_handle_at,
            Sysno::quotactl,
            Sysno::removexattr,
            Sysno::removexattrat,
            Sysno::setxattr,
            Sysno::setxattrat,
            Sysno::swapoff,
            Sysno::swapon,
        ],
        "its path is not judged, and procfs or what `files` does not list may be there",
    ),
    (
        &[Sysno::close_range],
        "it would close descriptors of the monitor's own",
    ),
];
