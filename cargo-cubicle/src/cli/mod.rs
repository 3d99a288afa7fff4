//! The command line, and the roles in which cargo starts this program again.

mod arguments;
mod audit;
mod cargo_config;
mod cfg_expression;
mod compile;
mod drive;
mod emulated;
mod explain;
mod foreground;
mod graph;
mod init;
mod linked;
mod lint;
mod manual;
mod mend;
mod message;
mod progress;
mod reference;
mod report;
mod runner;
mod status;
mod suggest;
mod symbolize;
mod verify;
mod violations;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::capture::session::{CAPTURE_VARIABLE, Session};
use crate::capture::{After, CaptureError, Reported, linker, rustdoc, wrapper};
use crate::vm::VmError;
use arguments::{Arguments, Command, MachineOptions};
use foreground::Ending;
pub use reference::reference;
use status::{BUILD_FAILED, USAGE};

/// Something the user asked for that cannot be. Status 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// The whole program.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let ending = match Role::of(&arguments) {
        Ok(Some((session, role))) => play(&session, role, arguments),
        Ok(None) => command(arguments),
        Err(error) => Err(error.into()),
    };
    match ending {
        Ok(ending) => ending.pass_on(),
        Err(error) => {
            if error.downcast_ref::<Reported>().is_none() {
                message::error(&error);
            }
            ExitCode::from(status_of(&error))
        }
    }
}

/// What cargo or rustc started this program for.
enum Role {
    Wrapper,
    /// rustc is to link a program that has a manifest: keep the line here.
    Capture(String),
    /// Some other link.
    PlainLinker,
    Rustdoc,
    Runner,
}

impl Role {
    /// Tells the roles apart by how each caller is known to begin its arguments:
    /// rustc's path from cargo, options or objects from rustc, the word this
    /// program put into the runner's configuration.
    fn of(arguments: &[OsString]) -> Result<Option<(Session, Role)>, CaptureError> {
        let Some(first) = arguments.first() else {
            return Ok(None);
        };
        // `cargo cubicle` inside of a program that `cargo cubicle run` started,
        // or of a build script.
        if first == "cubicle" {
            return Ok(None);
        }
        let Some(session) = Session::from_environment()? else {
            return Ok(None);
        };
        let role = if first == runner::RUNNER_WORD {
            Role::Runner
        } else if let Ok(directory) = std::env::var(CAPTURE_VARIABLE) {
            Role::Capture(directory)
        } else if arguments.iter().any(|word| word == "--test-run-directory") {
            Role::Rustdoc
        } else if first.to_string_lossy().starts_with(['-', '@']) {
            Role::PlainLinker
        } else {
            Role::Wrapper
        };
        Ok(Some((session, role)))
    }
}

/// The phases behind the capture.
const PHASES: After = After {
    link: crate::pipeline::run,
    sources: crate::pipeline::sources,
};

fn play(session: &Session, role: Role, arguments: Vec<OsString>) -> anyhow::Result<Ending> {
    message::use_colour(session.colour);
    match role {
        Role::Wrapper => leaving_status(
            session,
            wrapper::run(session, arguments, PHASES).map(Ending::of),
        ),
        Role::Capture(directory) => {
            let arguments = arguments
                .into_iter()
                .map(|word| word.into_string().map_err(CaptureError::NotUtf8))
                .collect::<Result<_, _>>()?;
            linker::capture(arguments, directory.as_ref())?;
            Ok(Ending::Status(0))
        }
        Role::PlainLinker => foreground::run(&mut linker::plain(&session.driver, &arguments)),
        Role::Rustdoc => foreground::run(&mut rustdoc::command(session, &arguments)),
        Role::Runner => leaving_status(session, runner::run(session, &arguments[1..])),
    }
}

/// Tells the command what an error means: cargo only knows that something failed.
fn leaving_status(session: &Session, result: anyhow::Result<Ending>) -> anyhow::Result<Ending> {
    result.inspect_err(|error| session.leave_status(status_of(error)))
}

/// `cargo cubicle …`, which cargo starts as `cargo-cubicle cubicle …`.
fn command(mut arguments: Vec<OsString>) -> anyhow::Result<Ending> {
    if arguments.first().is_some_and(|word| word == "cubicle") {
        arguments.remove(0);
    }
    let parsed = Arguments::parse_from(arguments::with_own_flags_first(arguments));
    let here = MachineOptions::default();
    match parsed.command {
        Command::Build(options) if options.vm => Err(UsageError(
            "`build` runs nothing; `cargo cubicle run --vm` runs a program in the emulated machine"
                .to_owned(),
        )
        .into()),
        Command::Bench(options) if options.vm => Err(UsageError(
            "nothing about time can be learnt from the emulated machine, so `bench` has no `--vm`"
                .to_owned(),
        )
        .into()),
        Command::Build(options) | Command::Bench(options) if options.audit => Err(UsageError(
            "an audit records what a program does, so it needs one that runs: \
             `cargo cubicle run --audit` or `cargo cubicle test --audit`"
                .to_owned(),
        )
        .into()),
        Command::Build(options) => drive::cargo("build", options.common, &here, false),
        Command::Bench(options) => drive::cargo("bench", options.common, &here, false),
        Command::Run(options) => {
            drive::cargo("run", options.common, &options.machine, options.audit)
        }
        Command::Test(options) => {
            drive::cargo("test", options.common, &options.machine, options.audit)
        }
        Command::Init(options) => init::run(&options),
        Command::Lint(options) => lint::run(options),
        Command::Graph(options) => graph::run(options),
        Command::Explain(options) => explain::run(options),
        Command::Suggest(options) => suggest::run(options),
        Command::Symbolize(options) => symbolize::run(&options),
        Command::Report(options) => report::run(options),
        Command::Verify(options) => verify::run(&options),
        Command::Manual(options) => manual::run(&options),
    }
}

fn status_of(error: &anyhow::Error) -> u8 {
    if let Some(reported) = error.downcast_ref::<Reported>() {
        return reported.status;
    }
    if error.is::<UsageError>() {
        return USAGE;
    }
    if let Some(
        VmError::NoQemu { .. }
        | VmError::NoKernel { .. }
        | VmError::NamedKernel { .. }
        | VmError::NoCache,
    ) = error.downcast_ref()
    {
        return USAGE;
    }
    match error.downcast_ref::<CaptureError>() {
        Some(error) => error.status(),
        None => BUILD_FAILED,
    }
}
