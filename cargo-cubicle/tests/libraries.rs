//! C libraries that nobody here wrote, each in a cubicle of its own: the
//! partitioned program packs the tool's own executable as the plain one does.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/projects/libraries");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libraries");
    let tool = env!("CARGO_BIN_EXE_cargo-cubicle");
    // Something with all kinds of bytes in it.
    let input: PathBuf = target.join("input");
    std::fs::create_dir_all(&target).unwrap();
    let bytes = std::fs::read(tool).unwrap();
    std::fs::write(&input, &bytes[..bytes.len().min(4 << 20)]).unwrap();
    let run = |command: &mut Command| {
        text(
            &command
                .args(["--locked", "-q", "--target-dir"])
                .arg(&target)
                .arg("--")
                .arg(&input)
                .current_dir(&project)
                .output()
                .unwrap(),
        )
    };
    let plain = run(Command::new(env!("CARGO")).arg("run"));
    assert_eq!(plain.lines().count(), 3, "{plain}");
    let partitioned = run(Command::new(tool).args(["cubicle", "run"]));
    assert_eq!(partitioned, plain);
}
