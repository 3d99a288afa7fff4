//! The crate `cubicle` and its header, in a project that uses both: the partitioned
//! program does what the plain one does, and only the plain one lets a library
//! write through a pointer whose window is closed. On this machine and, if
//! `CUBICLE_TEST_VM=1` asks for it, under protection keys in the emulated one.

#[path = "common/emulation.rs"]
mod emulation;
#[path = "common/target.rs"]
mod target;

use std::path::Path;
use std::process::{Command, Output};
use target::shared_target;

const TOOL: &str = env!("CARGO_BIN_EXE_cargo-cubicle");

fn run(command: &mut Command, arguments: &[&str]) -> Output {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/projects/windows");
    let target = shared_target("windows");
    command
        .args(["--locked", "-q", "--target-dir"])
        .arg(target)
        .arg("--")
        .args(arguments)
        .current_dir(project)
        .output()
        .unwrap()
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn check(partitioned: impl Fn() -> Command, plain: &str) {
    let output = run(&mut partitioned(), &[]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
    assert_eq!(printed(&output), plain);
    assert!(!errors.contains("warning"), "{errors}");
    let output = run(&mut partitioned(), &["late"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(86), "{errors}");
    assert!(!printed(&output).contains("late"));
    assert!(errors.contains("codec_fill"), "{errors}");
}

#[test]
fn windows_close_when_they_go() {
    let output = run(Command::new(env!("CARGO")).arg("run"), &[]);
    let plain = printed(&output);
    assert!(plain.ends_with("done\n"), "{output:?}");
    let output = run(Command::new(env!("CARGO")).arg("run"), &["late"]);
    assert!(
        printed(&output).ends_with("written late\ndone\n"),
        "{output:?}"
    );

    let with = |arguments: &'static [&'static str]| {
        move || {
            let mut command = Command::new(TOOL);
            command.args(["cubicle", "run"]).args(arguments);
            command
        }
    };
    check(with(&[]), &plain);
    // A machine with keys has just shown it.
    if emulation::is_wanted() && !cargo_cubicle::vm::host_has_keys() {
        check(with(&["--vm", "--install"]), &plain);
    }
}

/// What a call about a window answers is easily overlooked; an audit lists it.
#[test]
fn misuse_is_a_report_in_an_audit() {
    let mut command = Command::new(TOOL);
    command.args(["cubicle", "run", "--audit"]);
    let output = run(&mut command, &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    for (call, error, function) in [
        ("cubicle_window_add", "Permission denied", "calls::add"),
        (
            "cubicle_window_close",
            "No such file or directory",
            "calls::close",
        ),
        (
            "cubicle_window_alloc",
            "Operation not permitted",
            "calls::allocate",
        ),
    ] {
        let line = format!("audit: `app` misuses `{call}`: {error}");
        let found = said.lines().find(|one| one.starts_with(&line));
        assert!(
            found.is_some_and(|one| one.contains(function)),
            "{line}\n{said}"
        );
    }
    // Each once, and nothing that was right.
    assert_eq!(
        said.matches("misuses `cubicle_window_close`").count(),
        1,
        "{said}"
    );
    assert!(!said.contains("cubicle_window_destroy"), "{said}");
}
