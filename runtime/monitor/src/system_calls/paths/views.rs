//! File systems that show the kernel's own state, and what of them is open.
//!
//! Through /proc/self/mem alone everything could be undone. So they are closed but
//! for what libcs, std and allocators really ask: about the machine, and a
//! little about the process itself. It can be read, never written.

use super::judge::Level;

/// `f_type` of procfs (linux/magic.h).
pub const PROC: u64 = 0x9fa0;
const SYSFS: u64 = 0x6265_6572;
const CGROUP: u64 = 0x27_e0eb;
const CGROUP2: u64 = 0x6367_7270;

/// Views of the kernel of which nothing is open: debugfs, tracefs, securityfs,
/// selinuxfs, bpffs, configfs, binfmt_misc, pstore, efivarfs.
const CLOSED: [u64; 9] = [
    0x6462_6720,
    0x7472_6163,
    0x7363_6673,
    0xf97c_ff8c,
    0xcafe_4a11,
    0x6265_6570,
    0x4249_4e4d,
    0x6165_676c,
    0xde5e_81e4,
];

/// Files of procfs that say something about the machine.
pub const OF_THE_MACHINE: [&[u8]; 16] = [
    b"cpuinfo",
    b"filesystems",
    b"loadavg",
    b"meminfo",
    b"stat",
    b"uptime",
    b"version",
    b"sys/fs/file-max",
    b"sys/fs/pipe-max-size",
    b"sys/kernel/osrelease",
    b"sys/kernel/pid_max",
    b"sys/kernel/random/boot_id",
    b"sys/kernel/threads-max",
    b"sys/net/core/somaxconn",
    b"sys/vm/max_map_count",
    b"sys/vm/overcommit_memory",
];

/// Files of the process's own folder in procfs. Where its memory lies (`maps`,
/// `stat`, `auxv`) is not among them.
pub const OF_THE_PROCESS: [&[u8]; 7] = [
    b"cgroup",
    b"cmdline",
    b"comm",
    b"limits",
    b"mountinfo",
    b"statm",
    b"status",
];

/// Files of sysfs.
const OF_SYSFS: [&[u8]; 7] = [
    b"/sys/devices/system/cpu",
    b"/sys/devices/system/cpu/kernel_max",
    b"/sys/devices/system/cpu/online",
    b"/sys/devices/system/cpu/possible",
    b"/sys/devices/system/cpu/present",
    b"/sys/kernel/mm/transparent_hugepage/enabled",
    b"/sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
];

/// Files of a control group: how many processors and how much memory a program
/// may count on.
const OF_CGROUPS: [&[u8]; 8] = [
    b"cgroup.controllers",
    b"cpu.cfs_period_us",
    b"cpu.cfs_quota_us",
    b"cpu.max",
    b"memory.high",
    b"memory.limit_in_bytes",
    b"memory.max",
    b"memory.current",
];

/// Does a file system of this type show the kernel's own state?
pub fn is_view(kind: u64) -> bool {
    matches!(kind, PROC | SYSFS | CGROUP | CGROUP2) || CLOSED.contains(&kind)
}

/// Is what lies at `place` in such a file system open to cubicles of process
/// `own`?
pub fn is_open(kind: u64, place: &[u8], level: Level, own: u64) -> bool {
    if level == Level::Write {
        return false;
    }
    match kind {
        PROC => is_open_in_proc(place, level, own),
        SYSFS => OF_SYSFS.contains(&place),
        CGROUP | CGROUP2 => {
            let file = place.rsplit(|byte| *byte == b'/').next();
            file.is_some_and(|file| OF_CGROUPS.contains(&file))
        }
        _ => false,
    }
}

fn is_open_in_proc(place: &[u8], level: Level, own: u64) -> bool {
    let looking = level == Level::Look;
    let Some(inside) = place.strip_prefix(b"/proc") else {
        return false;
    };
    let Some(inside) = inside.strip_prefix(b"/") else {
        return inside.is_empty() && looking;
    };
    if OF_THE_MACHINE.contains(&inside) {
        return true;
    }
    // Symbolic links to the folders of the process and the thread.
    if matches!(inside, b"self" | b"thread-self") {
        return looking;
    }
    let mut parts = inside.splitn(2, |byte| *byte == b'/');
    let number = parts.next().and_then(|digits| {
        let digits = core::str::from_utf8(digits).ok()?;
        digits.parse::<u64>().ok()
    });
    if number != Some(own) {
        return false;
    }
    match parts.next() {
        // Looked at, links say where they lead: current_exe, ttyname.
        None | Some(b"exe") => looking,
        Some(file) if file.starts_with(b"fd/") => looking,
        Some(file) => OF_THE_PROCESS.contains(&file),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(kind: u64, place: &str) -> bool {
        is_open(kind, place.as_bytes(), Level::Read, 42)
    }

    fn looks(place: &str) -> bool {
        is_open(PROC, place.as_bytes(), Level::Look, 42)
    }

    #[test]
    fn the_machine_and_a_little_of_the_process() {
        assert!(reads(PROC, "/proc/meminfo") && reads(PROC, "/proc/42/status"));
        assert!(reads(SYSFS, "/sys/devices/system/cpu/online"));
        assert!(reads(CGROUP2, "/sys/fs/cgroup/a/b/cpu.max"));
        assert!(looks("/proc/42/exe") && looks("/proc/self") && looks("/proc/42/fd/7"));
    }

    #[test]
    fn what_reaches_memory_stays_closed() {
        for place in [
            "/proc",
            "/proc/42",
            "/proc/42/mem",
            "/proc/42/task/43/mem",
            "/proc/42/exe",
            "/proc/42/maps",
            "/proc/41/status",
            "/proc/42/fd/3",
            "/jail/proc/meminfo",
            "/proc/42/root",
            "/proc/42/statm/x",
            "/proc/kcore",
        ] {
            assert!(!reads(PROC, place), "{place}");
        }
        assert!(!looks("/proc/42/mem") && !looks("/proc/42/root") && !looks("/proc/41"));
        assert!(!reads(SYSFS, "/sys/kernel/mm/ksm/run"));
        assert!(!reads(CGROUP2, "/sys/fs/cgroup/cgroup.procs"));
    }

    #[test]
    fn nothing_is_written() {
        for (kind, place) in [
            (PROC, "/proc/meminfo"),
            (PROC, "/proc/42/comm"),
            (CGROUP2, "/sys/fs/cgroup/cpu.max"),
        ] {
            assert!(!is_open(kind, place.as_bytes(), Level::Write, 42));
        }
    }

    #[test]
    fn ordinary_file_systems_are_no_views() {
        // ext4, tmpfs, overlayfs, btrfs, xfs, and devpts.
        for kind in [
            0xef53,
            0x0102_1994,
            0x794c_7630,
            0x9123_683e,
            0x5846_5342,
            0x1cd1,
        ] {
            assert!(!is_view(kind));
        }
        assert!(is_view(PROC) && is_view(0x7472_6163));
    }
}
