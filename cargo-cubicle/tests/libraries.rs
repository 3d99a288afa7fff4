//! C libraries that nobody here wrote, each in a cubicle of its own: the
//! partitioned program packs the tool's own executable as the plain one does,
//! on this machine and, if `CUBICLE_TEST_VM=1` asks for it, under protection
//! keys in the emulated one. So does one whose library fails and starts anew.

#[path = "common/emulation.rs"]
mod emulation;
#[path = "common/target.rs"]
mod target;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use target::shared_target;

const TOOL: &str = env!("CARGO_BIN_EXE_cargo-cubicle");

fn text(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}: {stdout}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    stdout.into_owned()
}

#[test]
fn libraries_work_in_cubicles_as_they_do_plainly() {
    let plain = same_output("libraries");
    assert_eq!(plain.lines().count(), 3, "{plain}");
}

/// zstd with worker threads, which fails fifty times under four threads.
#[test]
fn a_library_with_threads_of_its_own_starts_anew() {
    let plain = same_output("failing");
    assert!(plain.starts_with("50 times "), "{plain}");
}

/// What the program of a project prints, plainly and partitioned.
fn same_output(name: &str) -> String {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/projects")
        .join(name);
    let target = shared_target(name);
    // Something with all kinds of bytes in it.
    let input: PathBuf = target.join("input").into();
    std::fs::create_dir_all(&target).unwrap();
    let bytes = std::fs::read(TOOL).unwrap();
    std::fs::write(&input, &bytes[..bytes.len().min(1 << 20)]).unwrap();
    let run = |command: &mut Command, input: &Path| {
        text(
            &command
                .args(["--locked", "-q", "--target-dir"])
                .arg(&target)
                .arg("--")
                .arg(input)
                .current_dir(&project)
                .output()
                .unwrap(),
        )
    };
    let plain = run(Command::new(env!("CARGO")).arg("run"), &input);
    let partitioned = run(Command::new(TOOL).args(["cubicle", "run"]), &input);
    assert_eq!(partitioned, plain);

    // A machine with keys has just shown it.
    if emulation::is_wanted() && !cargo_cubicle::vm::host_has_keys() {
        let guest = Path::new("/tmp/input");
        let file = format!("{}={}", guest.display(), input.display());
        let mut command = Command::new(TOOL);
        command.args(["cubicle", "run", "--vm", "--install", "--vm-file", &file]);
        let emulated = run(&mut command, guest);
        assert_eq!(emulated, plain);
    }
    plain
}
