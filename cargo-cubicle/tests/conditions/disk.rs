//! A disk that is full: no file can grow beyond a limit (RLIMIT_FSIZE), which the kernel
//! tells a program as it tells it of a full disk, in the middle of a write.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::project::{Project, largest, text};

/// What becomes of a process that writes more.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    /// The write fails.
    Error,
    /// The process is killed by SIGXFSZ.
    Killed,
}

fn limit(command: &mut Command, bytes: u64, then: Then) {
    let handler = match then {
        Then::Error => libc::SIG_IGN,
        Then::Killed => libc::SIG_DFL,
    };
    let set = move || {
        let limits = libc::rlimit {
            rlim_cur: bytes,
            rlim_max: bytes,
        };
        // SAFETY: calls that are allowed between fork and exec, on this memory.
        let done = unsafe {
            libc::signal(libc::SIGXFSZ, handler) != libc::SIG_ERR
                && libc::setrlimit(libc::RLIMIT_FSIZE, &limits) == 0
                // The kernel writes no cores of what it kills.
                && libc::prctl(libc::PR_SET_DUMPABLE, 0) == 0
        };
        match done {
            true => Ok(()),
            false => Err(std::io::Error::last_os_error()),
        }
    };
    // SAFETY: as above.
    unsafe { command.pre_exec(set) };
}

#[test]
fn a_full_disk_leaves_the_previous_program() {
    let project = Project::new(0);
    project.build_and_check(0);
    let before = fs::read(project.program()).unwrap();
    let whole = before.len() as u64;
    // What is written on the way to the program, and the program, which must be more.
    let folder = project.program().with_file_name("cubicle");
    let on_the_way = largest(&folder, &|_| true);
    assert!(on_the_way < whole, "{on_the_way} of {whole} bytes");
    let mut number = 0;
    let mut composing = 0;
    for bytes in [20_000, whole / 4, on_the_way, whole - 1] {
        for then in [Then::Error, Then::Killed] {
            number += 1;
            project.change(number);
            let mut command = project.build();
            limit(&mut command, bytes, then);
            let output = command.output().unwrap();
            let said = text(&output);
            assert!(!output.status.success(), "{bytes} {then:?}: {said}");
            assert!(!said.contains("panicked"), "{bytes} {then:?}: {said}");
            assert!(said.contains("error: "), "{bytes} {then:?}: {said}");
            assert!(
                fs::read(project.program()).unwrap() == before,
                "{bytes} {then:?}"
            );
            let named = said.contains("cannot write `") && said.contains("File too large");
            composing += u32::from(named && bytes >= on_the_way);
        }
    }
    assert_eq!(composing, 2, "no write of the program itself failed");
    project.check(0);
    project.build_and_check(number);
}
