//! A build that is ended in the middle, by the terminal or for good.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};

use crate::project::{Project, text};

/// A linker that ends everything around it when it is called for the `N`th time.
fn script(signal: &str, call: usize) -> String {
    format!(
        "#!/bin/sh\n\
         echo >> calls\n\
         if [ $(wc -l < calls) -ge {call} ]; then kill -{signal} 0; sleep 20; fi\n\
         exec cc \"$@\"\n"
    )
}

#[test]
fn a_killed_build_leaves_the_previous_program() {
    let project = Project::new(0);
    project.build_and_check(0);
    let before = fs::read(project.program()).unwrap();
    let linker = project.path("linker");
    let mut number = 0;
    for signal in ["INT", "KILL"] {
        // It is asked where it looks for libraries, and links two images.
        for call in 1..=3 {
            number += 1;
            project.change(number);
            fs::write(&linker, script(signal, call)).unwrap();
            fs::set_permissions(&linker, fs::Permissions::from_mode(0o755)).unwrap();
            let _ = fs::remove_file(project.path("calls"));
            let mut command = project.build();
            command.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", &linker);
            // Whoever runs the tests in the background may have them ignore it.
            // SAFETY: only a signal's disposition is set between fork and exec.
            unsafe {
                command.pre_exec(|| {
                    libc::signal(libc::SIGINT, libc::SIG_DFL);
                    Ok(())
                });
            }
            let output = command.output().unwrap();
            let said = text(&output);
            assert!(!output.status.success(), "{signal} {call}: {said}");
            if signal == "KILL" {
                assert_eq!(output.status.signal(), Some(libc::SIGKILL));
            }
            assert!(!said.contains("panicked"), "{signal} {call}: {said}");
            assert!(
                fs::read(project.program()).unwrap() == before,
                "{signal} {call}"
            );
        }
    }
    project.check(0);
    project.build_and_check(number);
}
