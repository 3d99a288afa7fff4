//! Kernels that lack something: a filter answers for them.

use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

use crate::project::{Project, text};

const PR_SET_SYSCALL_USER_DISPATCH: u32 = 59;
/// `mseal`, Linux 6.10.
const MSEAL: u32 = 462;
const LANDLOCK_CREATE_RULESET: u32 = 444;

/// A call that the kernel does not know.
struct Absent {
    call: u32,
    /// What its first argument must be for that.
    first: Option<u32>,
    error: i32,
}

/// Runs the program as on a kernel without some calls.
fn run(project: &Project, absent: &Absent) -> Output {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    // Offsets in `struct seccomp_data`: the number, and the lower half of the first argument.
    const NUMBER: u32 = 0;
    const FIRST: u32 = 16;
    let instruction = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let mut program = vec![
        instruction(LOAD, 0, 0, NUMBER),
        instruction(EQUAL, 0, 3, absent.call),
        instruction(LOAD, 0, 0, FIRST),
        match absent.first {
            Some(first) => instruction(EQUAL, 0, 1, first),
            None => instruction(LOAD, 0, 0, FIRST),
        },
        instruction(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | absent.error as u32),
        instruction(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let install = move || {
        let filter = libc::sock_fprog {
            len: program.len() as u16,
            filter: program.as_mut_ptr(),
        };
        // SAFETY: calls that are allowed between fork and exec; the program outlives them.
        let done = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &filter) == 0
        };
        match done {
            true => Ok(()),
            false => Err(std::io::Error::last_os_error()),
        }
    };
    let mut command = Command::new(project.program());
    // SAFETY: as above.
    unsafe { command.pre_exec(install) };
    command.output().unwrap()
}

#[test]
fn a_kernel_without_syscall_user_dispatch_is_refused() {
    let project = Project::new(1);
    project.build_and_check(1);
    let absent = Absent {
        call: libc::SYS_prctl as u32,
        first: Some(PR_SET_SYSCALL_USER_DISPATCH),
        error: libc::EINVAL,
    };
    let output = run(&project, &absent);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(87), "{said}");
    assert!(
        said.contains("Syscall User Dispatch (Linux 5.11 or newer"),
        "{said}"
    );
    assert!(output.stdout.is_empty(), "{said}");

    // Second walls are built where the kernel has them.
    for call in [libc::SYS_seccomp as u32, MSEAL, LANDLOCK_CREATE_RULESET] {
        let absent = Absent {
            call,
            first: None,
            error: libc::ENOSYS,
        };
        let output = run(&project, &absent);
        assert!(output.status.success(), "{call}: {}", text(&output));
        assert_eq!(output.stdout, b"1\n", "{call}");
    }
}
