//! A Rust program that starts others, whose only library is a cubicle of its own.

#[path = "common/target.rs"]
mod target;

use std::path::Path;
use std::process::Command;
use target::shared_target;

#[test]
fn programs_are_started_in_every_way_that_rust_has() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/projects/children");
    let target = shared_target("children");
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-cubicle"))
        .args(["cubicle", "run", "--locked", "-q", "--target-dir"])
        .arg(target)
        .current_dir(project)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{errors}");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "24 rounds\nkilled by Some(9)\ninstead\n",
        "{errors}"
    );
}
