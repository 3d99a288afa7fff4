//! What each group of system calls grants, as data.

use syscalls::x86_64::Sysno;

/// One group, such as `@file`.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// Its name, with the `@`.
    pub name: &'static str,
    /// What it grants, in one sentence for the documentation.
    pub summary: &'static str,
    /// What this version of the runtime makes of it.
    pub support: Support,
    /// The calls it names itself.
    pub calls: &'static [Sysno],
    /// Groups whose calls it grants too.
    pub includes: &'static [&'static str],
    /// Whether descriptors other than 0, 1 and 2 may be used.
    pub any_descriptor: bool,
}

/// Whether a group can be granted yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// The monitor enforces it.
    Enforced,
    /// Nothing is missing and nothing is granted: what belongs here is answered
    /// by the monitor itself, or comes in a later version.
    Empty,
    /// Nothing of it works yet. Why, and what to do instead, as a sentence.
    Missing(&'static str),
}

impl Group {
    /// Every call that the group grants, those of the groups it includes first.
    pub fn all_calls(&self) -> impl Iterator<Item = Sysno> {
        // Groups include one level only, which a test guards.
        let included = self.includes.iter().filter_map(|name| group(name));
        included
            .flat_map(|group| group.calls)
            .chain(self.calls)
            .copied()
    }
}

/// The group of this name.
pub fn group(name: &str) -> Option<&'static Group> {
    GROUPS.iter().find(|group| group.name == name)
}

/// Every group, in the order in which they are documented.
pub static GROUPS: [Group; 8] = [
    Group {
        name: "@base",
        summary: "What a libc needs and what touches neither files nor others: clocks, sleeping, \
                  random numbers, the process's own ids and limits (to be read, not set); `poll`, \
                  which Rust's start-up code needs.",
        support: Support::Enforced,
        calls: &[
            Sysno::clock_getres,
            Sysno::clock_gettime,
            Sysno::clock_nanosleep,
            Sysno::getcpu,
            Sysno::getegid,
            Sysno::geteuid,
            Sysno::getgid,
            Sysno::getgroups,
            Sysno::getpgrp,
            Sysno::getpid,
            Sysno::getppid,
            Sysno::getrandom,
            Sysno::getresgid,
            Sysno::getresuid,
            Sysno::getrlimit,
            Sysno::getrusage,
            Sysno::gettid,
            Sysno::gettimeofday,
            Sysno::getuid,
            Sysno::nanosleep,
            // Rust's start-up code asks it about 0, 1 and 2, and aborts if it
            // may not. Of other descriptors it tells only whether they wait.
            Sysno::poll,
            // Of the process's own name only: the monitor looks at the option.
            Sysno::prctl,
            // To read only: the monitor refuses a new limit.
            Sysno::prlimit64,
            Sysno::sched_get_priority_max,
            Sysno::sched_get_priority_min,
            Sysno::sched_getaffinity,
            Sysno::sched_yield,
            Sysno::sysinfo,
            Sysno::time,
            Sysno::times,
            Sysno::uname,
        ],
        includes: &[],
        any_descriptor: false,
    },
    Group {
        name: "@stdio",
        summary: "Reading, writing and waiting on the descriptors 0, 1 and 2.",
        support: Support::Enforced,
        // All but `poll` and `ppoll` take the descriptor first, where the
        // monitor looks at it.
        calls: &[
            Sysno::close,
            Sysno::fcntl,
            Sysno::fdatasync,
            Sysno::fstat,
            Sysno::fsync,
            Sysno::ioctl,
            Sysno::lseek,
            Sysno::newfstatat,
            Sysno::poll,
            Sysno::ppoll,
            Sysno::pread64,
            Sysno::pwrite64,
            Sysno::read,
            Sysno::readv,
            Sysno::write,
            Sysno::writev,
        ],
        includes: &[],
        any_descriptor: false,
    },
    Group {
        name: "@file",
        summary: "Everything a program does with files, directories and pipes, by path or by any \
                  descriptor of the process; the working directory and umask, which all cubicles \
                  share, included. procfs and sysfs stay closed.",
        support: Support::Enforced,
        calls: &[
            Sysno::access,
            Sysno::chdir,
            Sysno::chmod,
            Sysno::chown,
            Sysno::copy_file_range,
            Sysno::creat,
            Sysno::dup,
            Sysno::dup2,
            Sysno::dup3,
            Sysno::faccessat,
            Sysno::faccessat2,
            Sysno::fadvise64,
            Sysno::fallocate,
            Sysno::fchdir,
            Sysno::fchmod,
            Sysno::fchmodat,
            Sysno::fchmodat2,
            Sysno::fchown,
            Sysno::fchownat,
            Sysno::flock,
            Sysno::fstatfs,
            Sysno::ftruncate,
            Sysno::futimesat,
            Sysno::getcwd,
            Sysno::getdents,
            Sysno::getdents64,
            Sysno::lchown,
            Sysno::link,
            Sysno::linkat,
            Sysno::lstat,
            Sysno::mkdir,
            Sysno::mkdirat,
            Sysno::open,
            Sysno::openat,
            Sysno::openat2,
            Sysno::pipe,
            Sysno::pipe2,
            Sysno::preadv,
            Sysno::preadv2,
            Sysno::pselect6,
            Sysno::pwritev,
            Sysno::pwritev2,
            Sysno::readahead,
            Sysno::readlink,
            Sysno::readlinkat,
            Sysno::rename,
            Sysno::renameat,
            Sysno::renameat2,
            Sysno::rmdir,
            Sysno::select,
            Sysno::sendfile,
            Sysno::stat,
            Sysno::statfs,
            Sysno::statx,
            Sysno::symlink,
            Sysno::symlinkat,
            Sysno::sync_file_range,
            Sysno::truncate,
            Sysno::umask,
            Sysno::unlink,
            Sysno::unlinkat,
            Sysno::utime,
            Sysno::utimensat,
            Sysno::utimes,
        ],
        includes: &["@stdio"],
        any_descriptor: true,
    },
    Group {
        name: "@thread",
        summary: "Nothing beyond `@base`: the monitor answers the calls of threads itself, \
                  for every cubicle.",
        support: Support::Empty,
        calls: &[],
        includes: &[],
        any_descriptor: false,
    },
    Group {
        name: "@net",
        summary: "Sockets of any family, and waiting for them, for timers and for signals, with any \
                  descriptor of the process.",
        support: Support::Enforced,
        calls: &[
            Sysno::accept,
            Sysno::accept4,
            Sysno::bind,
            Sysno::connect,
            Sysno::epoll_create,
            Sysno::epoll_create1,
            Sysno::epoll_ctl,
            Sysno::epoll_pwait,
            Sysno::epoll_pwait2,
            Sysno::epoll_wait,
            Sysno::eventfd,
            Sysno::eventfd2,
            Sysno::getpeername,
            Sysno::getsockname,
            Sysno::getsockopt,
            Sysno::listen,
            Sysno::pselect6,
            Sysno::recvfrom,
            Sysno::recvmmsg,
            Sysno::recvmsg,
            Sysno::select,
            Sysno::sendmmsg,
            Sysno::sendmsg,
            Sysno::sendto,
            Sysno::setsockopt,
            Sysno::shutdown,
            Sysno::signalfd,
            Sysno::signalfd4,
            Sysno::socket,
            Sysno::socketpair,
            Sysno::timerfd_create,
            Sysno::timerfd_gettime,
            Sysno::timerfd_settime,
        ],
        includes: &["@stdio"],
        any_descriptor: true,
    },
    Group {
        name: "@process",
        summary: "Starting other programs, forking, and waiting for children. Who may execute \
                  another program is held by nothing: that program has no cubicles, and does \
                  whatever the user may do.",
        support: Support::Enforced,
        calls: &[
            Sysno::execve,
            Sysno::execveat,
            Sysno::fork,
            Sysno::getpgid,
            Sysno::getpgrp,
            Sysno::getsid,
            // Where Rust's library forks, the child tells by a pair of sockets why it
            // could not execute the program.
            Sysno::recvfrom,
            Sysno::recvmsg,
            Sysno::sendmsg,
            Sysno::setpgid,
            Sysno::setsid,
            Sysno::socketpair,
            Sysno::vfork,
            Sysno::wait4,
            Sysno::waitid,
        ],
        includes: &["@stdio"],
        any_descriptor: true,
    },
    Group {
        name: "@time",
        summary: "Timers that end in a signal, and setting the clock (reading clocks and sleeping \
                  belong to `@base`).",
        support: Support::Enforced,
        calls: &[
            Sysno::adjtimex,
            Sysno::alarm,
            Sysno::clock_adjtime,
            Sysno::clock_settime,
            Sysno::getitimer,
            Sysno::setitimer,
            Sysno::settimeofday,
            Sysno::timer_create,
            Sysno::timer_delete,
            Sysno::timer_getoverrun,
            Sysno::timer_gettime,
            Sysno::timer_settime,
        ],
        includes: &[],
        any_descriptor: false,
    },
    Group {
        name: "@signal",
        summary: "Signals to other processes. Handlers, masks, waiting for signals and sending them \
                  to the process itself need no grant.",
        support: Support::Enforced,
        calls: &[Sysno::kill],
        includes: &[],
        any_descriptor: false,
    },
];
