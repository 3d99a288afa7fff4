//! Runs of a program that another one starts: `interrupt.c`, which steps through it and sends
//! it signals, or `terminal.c`, which types.

use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_cubicle::vm::Job;

static INTERRUPT: LazyLock<Utf8PathBuf> = LazyLock::new(|| compile("interrupt"));
static TERMINAL: LazyLock<Utf8PathBuf> = LazyLock::new(|| compile("terminal"));

fn compile(name: &str) -> Utf8PathBuf {
    let source = Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/programs")
        .join(name)
        .with_extension("c");
    let program = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let status = Command::new("cc")
        .args(["-static", "-O1", "-Wall", "-Werror", "-o"])
        .args([&program, &source])
        .status()
        .unwrap();
    assert!(status.success(), "{source}");
    program
}

/// The same job, interrupted: `everywhere`, at `gates` and stubs, or `behind` the place
/// that is its last argument.
pub fn interrupted(places: &str, job: Job) -> Job {
    Job {
        timeout: Duration::from_secs(300),
        ..by(&INTERRUPT, places, job)
    }
}

/// The same job on a terminal, where somebody types this.
pub fn on_terminal(key: &str, job: Job) -> Job {
    by(&TERMINAL, key, job)
}

fn by(starter: &Utf8Path, first: &str, job: Job) -> Job {
    const NAME: &str = "started";
    let mut arguments = vec![first.to_owned(), format!("./{NAME}")];
    arguments.extend(job.arguments);
    Job {
        program: starter.to_owned(),
        files: vec![(NAME.into(), job.program)],
        arguments,
        ..job
    }
}
