//! This program as cargo's runner: starts the built program, with a channel for
//! violations, and explains what came through it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::process::Command;

use camino::Utf8Path;

use super::foreground::{self, Ending};
use super::status::{REFUSED, VIOLATION};
use super::{emulated, violations};
use crate::audit;
use crate::capture::session::*;
use crate::files;

/// The first argument that cargo passes to this program as a runner.
pub const RUNNER_WORD: &str = "--cubicle-runner";

/// Runs `program` (the built file and its arguments) through the runner that
/// was configured before, if any, or in the emulated machine.
pub fn run(session: &Session, program: &[OsString]) -> anyhow::Result<Ending> {
    let ending = match &session.machine {
        Some(emulation) => emulated::run(session, emulation, program)?,
        None => run_here(session, program)?,
    };
    // cargo does not always end as the only test that failed did.
    if let Ending::Status(status @ (VIOLATION | REFUSED)) = ending {
        session.leave_status(status);
    }
    Ok(ending)
}

fn run_here(session: &Session, program: &[OsString]) -> anyhow::Result<Ending> {
    let mut line = session
        .chained_runner
        .iter()
        .map(OsString::from)
        .chain(program.iter().cloned());
    let mut command = Command::new(line.next().unwrap_or_default());
    command.args(line);
    restore_environment(session, &mut command);

    let report = tempfile::tempfile()?;
    files::hand_down(&report, &mut command, REPORT_VARIABLE);
    let ending = foreground::run(&mut command)?;
    if let Some(binary) = program
        .first()
        .and_then(|path| Utf8Path::from_path(path.as_ref()))
    {
        report_violations(report, binary, &session.workspace_root)?;
    }
    Ok(ending)
}

/// Explains on stderr what the monitor of `binary` wrote: one line of JSON for
/// each violation.
fn report_violations(mut report: File, binary: &Utf8Path, root: &Utf8Path) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    report.rewind()?;
    report.read_to_end(&mut bytes)?;
    let (recorded, bytes) = audit::split(&bytes);
    if !recorded.is_empty() {
        super::audit::keep(&recorded, binary, root);
    }
    std::io::stderr().write_all(&violations::explain(&bytes, binary, root))
}

/// Gives the program the environment that the user's shell gave to this tool.
fn restore_environment(session: &Session, command: &mut Command) {
    for (name, value) in &session.original_environment {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    for name in [
        SESSION_VARIABLE,
        TOOL_VARIABLE,
        MANIFEST_VARIABLE,
        MANIFESTS_VARIABLE,
        FLAGS_VARIABLE,
    ] {
        command.env_remove(name);
    }
}
