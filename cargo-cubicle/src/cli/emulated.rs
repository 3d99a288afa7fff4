//! `--vm`: runs a program in the emulated machine, as alike to a run on this one
//! as that can be.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::time::Duration;

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};

use super::arguments::MachineOptions;
use super::foreground::Ending;
use super::{UsageError, message, violations};
use crate::capture::session::{Emulation, Session};
use crate::capture::{CaptureError, linker};
use crate::vm::{Job, Machine, Options, Status, host_has_keys};

/// A program may run as long as it likes, as it may on this machine; this only
/// ends what nobody waits for any more.
const LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// The oldest kernel that gives the same protection as the emulated machine's.
const KERNEL: (u32, u32) = (6, 12);

/// Whether programs are to run in the emulated machine, and with what. QEMU and a
/// kernel are looked for now, so that nobody waits for a build in vain.
pub fn decide(subcommand: &str, options: &MachineOptions) -> anyhow::Result<Option<Emulation>> {
    if !options.vm {
        return Ok(None);
    }
    let emulation = Emulation {
        files: files(&options.vm_file, &linker::current_directory()?)?,
        environment: environment(&options.vm_env)?,
        // A harness runs many programs, and none of them reads.
        input: subcommand == "run",
    };
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    if host_has_keys() && is_new_enough(&release) {
        let unused = match emulation.files.is_empty() && emulation.environment.is_empty() {
            true => "",
            false => "; --vm-file and --vm-env have no effect here",
        };
        message::note(&format!(
            "this machine has protection keys, so programs run on it and not in the emulated machine{unused}"
        ));
        return Ok(None);
    }
    Machine::prepare(&Options {
        install: options.install,
        ..Options::default()
    })?;
    Ok(Some(emulation))
}

/// Whether a kernel's release, such as `6.12.9-cloud`, is [`KERNEL`] or later.
fn is_new_enough(release: &str) -> bool {
    let mut numbers = release
        .split(|character: char| !character.is_ascii_digit())
        .map_while(|digits| digits.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) => (major, minor) >= KERNEL,
        _ => false,
    }
}

/// Reads `GUEST=HOST` or `PATH`, relative to `directory`.
fn files(
    words: &[String],
    directory: &Utf8Path,
) -> Result<Vec<(Utf8PathBuf, Utf8PathBuf)>, UsageError> {
    words
        .iter()
        .map(|word| {
            let (guest, host) = word.split_once('=').unwrap_or((word, word));
            let path = directory.join(host);
            match fs::metadata(&path) {
                _ if guest.is_empty() => Err(UsageError(format!(
                    "`--vm-file {word}` names no file for the guest"
                ))),
                Ok(_) => Ok((Utf8PathBuf::from(guest), path)),
                Err(error) => Err(UsageError(format!("`--vm-file {word}`: {path}: {error}"))),
            }
        })
        .collect()
}

/// Reads `NAME=VALUE` or `NAME`.
fn environment(words: &[String]) -> Result<BTreeMap<String, String>, UsageError> {
    words
        .iter()
        .map(|word| {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Ok(value.to_owned())),
                None => (word.as_str(), std::env::var(word)),
            };
            match value {
                _ if name.is_empty() => {
                    Err(UsageError(format!("`--vm-env {word}` names no variable")))
                }
                Ok(value) => Ok((name.to_owned(), value)),
                Err(error) => Err(UsageError(format!(
                    "`--vm-env {word}`: {error}; give it a value with `--vm-env {word}=VALUE`"
                ))),
            }
        })
        .collect()
}

/// Runs `program`, a built file and its arguments, and shows what it wrote.
pub fn run(
    session: &Session,
    emulation: &Emulation,
    program: &[OsString],
) -> anyhow::Result<Ending> {
    let mut words = program
        .iter()
        .map(|word| word.clone().into_string().map_err(CaptureError::NotUtf8));
    let binary = Utf8PathBuf::from(words.next().transpose()?.unwrap_or_default());
    let mut environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| is_passed_on(name))
        .collect();
    environment.extend(emulation.environment.clone());
    let job = Job {
        arguments: words.collect::<Result<_, _>>()?,
        environment: environment.into_iter().collect(),
        files: emulation.files.clone(),
        stdin: input(emulation)?,
        ..Job::new(binary.clone(), LIMIT)
    };

    let machine = Machine::prepare(&Options::default())?;
    // The command removes the session's directory whatever becomes of this process.
    let work = session
        .directory
        .join(format!("machine-{}", std::process::id()));
    fs::create_dir_all(&work).with_context(|| format!("could not create `{work}`"))?;
    let outcome = machine
        .run(&[job], &work)?
        .pop()
        .context("the emulated machine says nothing about the program")?;

    write(io::stdout(), &outcome.stdout)?;
    let explained = violations::explain(&outcome.stderr, &binary, &session.workspace_root);
    write(io::stderr(), &explained)?;
    if outcome.dropped > 0 {
        message::note(&format!(
            "the program wrote {} bytes more than the emulated machine keeps",
            outcome.dropped
        ));
    }
    match outcome.status {
        Status::Exit(status) => Ok(Ending::Status(status as u8)),
        Status::Signal(signal) => Ok(Ending::Signal(signal)),
        Status::TimedOut => anyhow::bail!("`{binary}` ran for more than a day"),
        Status::NotStarted(reason) => Err(UsageError(format!(
            "`{binary}` cannot run in the emulated machine: {reason}\n  \
             = help: only static programs can, as partitioned ones are; is there a Cubicle.toml for its package?"
        ))
        .into()),
    }
}

/// Variables that mean the same in another machine: what steers a Rust program
/// and its tests, the package's description, and time. Paths, sessions and
/// secrets of this machine stay here.
fn is_passed_on(name: &str) -> bool {
    name.starts_with("RUST_")
        || name.starts_with("CARGO_PKG_")
        || matches!(name, "TZ" | "SOURCE_DATE_EPOCH")
}

/// What this process can read, if that has an end: a file or a pipe.
fn input(emulation: &Emulation) -> anyhow::Result<Option<Vec<u8>>> {
    let descriptor = io::stdin().as_fd().try_clone_to_owned();
    let Ok(mut file) = descriptor.map(fs::File::from) else {
        // It is closed.
        return Ok(None);
    };
    let kind = file.metadata()?.file_type();
    if !emulation.input || !(kind.is_file() || kind.is_fifo() || kind.is_socket()) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)
        .context("could not read standard input")?;
    Ok(Some(bytes))
}

/// A reader that has seen enough is no failure.
fn write(mut stream: impl Write, bytes: &[u8]) -> io::Result<()> {
    match stream.write_all(bytes).and_then(|()| stream.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_a_name_on_each_side() {
        let directory = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(directory.path()).unwrap();
        fs::write(root.join("b"), "").unwrap();
        let read = |word: &str| files(&[word.to_owned()], root).map_err(|error| error.to_string());
        assert_eq!(read("a=b"), Ok(vec![("a".into(), root.join("b"))]));
        assert_eq!(read("b"), Ok(vec![("b".into(), root.join("b"))]));
        assert!(read("c").unwrap_err().starts_with("`--vm-file c`: "));
        assert!(read("=b").is_err());
    }

    #[test]
    fn variables_are_given_or_passed_on() {
        let read = |word: &str| environment(&[word.to_owned()]).map_err(|error| error.to_string());
        assert_eq!(read("A=b=c").unwrap()["A"], "b=c");
        assert_eq!(
            read("PATH").unwrap()["PATH"],
            std::env::var("PATH").unwrap()
        );
        assert!(read("CUBICLE_NOT_SET").unwrap_err().contains("=VALUE"));
        assert!(read("=x").is_err());
    }

    #[test]
    fn kernels_are_told_apart_by_their_numbers() {
        for new in ["6.12.0-rc1", "6.18.44-fc", "7.0\n"] {
            assert!(is_new_enough(new), "{new}");
        }
        for old in ["6.2.99", "6.1.0-56-cloud", "5.15", "", "x"] {
            assert!(!is_new_enough(old), "{old}");
        }
    }
}
