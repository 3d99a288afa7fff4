//! Runs of a program that is interrupted at every instruction: another program
//! (`interrupt.c`) starts it, steps through it, and sends it signals.

use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_cubicle::vm::Job;

static INTERRUPT: LazyLock<Utf8PathBuf> = LazyLock::new(|| {
    let source = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/interrupt.c");
    let program = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("interrupt");
    let status = Command::new("cc")
        .args(["-static", "-O1", "-Wall", "-Werror", "-o"])
        .args([&program, &source])
        .status()
        .unwrap();
    assert!(status.success(), "{source}");
    program
});

/// The same job, interrupted: `everywhere`, or at `gates` and stubs.
pub fn at(places: &str, job: Job) -> Job {
    const NAME: &str = "interrupted";
    let mut arguments = vec![places.to_owned(), format!("./{NAME}")];
    arguments.extend(job.arguments);
    Job {
        program: INTERRUPT.clone(),
        files: vec![(NAME.into(), job.program)],
        arguments,
        timeout: Duration::from_secs(300),
        ..job
    }
}
