//! Runs one job: its files, its output, its limit, and what is left of it.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::port::Port;
use crate::system;
use crate::wire::{self, ended, kind};

/// Bytes sent at once; what a pipe holds.
const PIECE: usize = 64 * 1024;

/// Runs the job and sends everything about it. An error is one of the machine,
/// never of the program.
pub fn run(job: &wire::Job, number: u32, port: &Port) -> Result<(), String> {
    system::refresh_directories()?;
    let placed = place_files(job)?;
    port.send(kind::STARTED, number, &[])?;
    let output = Output {
        port,
        number,
        length: AtomicU64::new(0),
    };
    let end = execute(job, &output)?;
    for (index, path) in job.collect.iter().enumerate() {
        send_file(index as u32, &in_directory(path), number, port)?;
    }
    for path in placed {
        // The program may have removed it itself.
        let _ = fs::remove_file(path);
    }
    let dropped = output
        .length
        .into_inner()
        .saturating_sub(wire::OUTPUT_LIMIT);
    port.send(
        kind::ENDED,
        number,
        &[&dropped.to_le_bytes(), &*end].concat(),
    )
}

/// Where the output of a job goes.
struct Output<'port> {
    port: &'port Port,
    number: u32,
    /// Bytes that the program has written so far, to both streams.
    length: AtomicU64,
}

fn in_directory(path: &[u8]) -> PathBuf {
    Path::new(wire::DIRECTORY).join(OsStr::from_bytes(path))
}

fn place_files(job: &wire::Job) -> Result<Vec<PathBuf>, String> {
    let mut placed = Vec::new();
    for (path, blob, mode) in &job.files {
        let path = in_directory(path);
        let place = || {
            fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
            fs::copy(wire::blob_path(*blob), &path)?;
            fs::set_permissions(&path, Permissions::from_mode(*mode))
        };
        place().map_err(|error| format!("{}: {error}", path.display()))?;
        placed.push(path);
    }
    Ok(placed)
}

/// Runs the program to its end and returns how that came, as the last frame says it.
fn execute(job: &wire::Job, output: &Output) -> Result<Vec<u8>, String> {
    let (name, arguments) = match job.arguments.split_first() {
        Some((name, arguments)) => (name.as_slice(), arguments),
        None => (b"".as_slice(), [].as_slice()),
    };
    let stdin = match job.stdin {
        Some(blob) => {
            let path = wire::blob_path(blob);
            File::open(&path)
                .map_err(|error| format!("{path}: {error}"))?
                .into()
        }
        None => Stdio::null(),
    };
    let mut command = Command::new(wire::blob_path(job.program));
    command
        .arg0(OsStr::from_bytes(name))
        .args(arguments.iter().map(|text| OsStr::from_bytes(text)))
        .env_clear()
        .envs(
            job.environment
                .iter()
                .map(|(name, value)| (OsStr::from_bytes(name), OsStr::from_bytes(value))),
        )
        .current_dir(wire::DIRECTORY)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let mut end = vec![ended::NOT_STARTED];
            end.extend_from_slice(error.to_string().as_bytes());
            return Ok(end);
        }
    };
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        let out = scope.spawn(|| forward(stdout, kind::STDOUT, output));
        let err = scope.spawn(|| forward(stderr, kind::STDERR, output));
        let (sender, receiver) = mpsc::channel();
        scope.spawn(move || sender.send(child.wait()));
        let status = receiver.recv_timeout(Duration::from_millis(job.timeout));
        let end = match status {
            Ok(Ok(status)) => describe(status),
            Ok(Err(error)) => return Err(format!("waiting for the program: {error}")),
            Err(_) => {
                system::kill_everything();
                // The thread above has to be the one that sees the program's end.
                let _ = receiver.recv();
                vec![ended::TIMED_OUT]
            }
        };
        // What the program left running keeps its pipes open: nothing of it stays.
        system::kill_everything();
        system::reap_everything();
        for reader in [out, err] {
            reader
                .join()
                .map_err(|_| "a thread died while reading output")??;
        }
        Ok(end)
    })
}

fn describe(status: ExitStatus) -> Vec<u8> {
    let (how, value) = match (status.code(), status.signal()) {
        (Some(code), _) => (ended::EXIT, code),
        (None, signal) => (ended::SIGNAL, signal.unwrap_or(0)),
    };
    let mut end = vec![how];
    end.extend_from_slice(&value.to_le_bytes());
    end
}

/// Sends a stream as it comes, so that it survives a machine that dies. Beyond the
/// limit it is read and dropped: a program must not hang because nobody listens.
fn forward(stream: Option<impl Read>, kind: u8, output: &Output) -> Result<(), String> {
    let Some(mut stream) = stream else {
        return Ok(());
    };
    let mut piece = vec![0; PIECE];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) => {
                let before = output.length.fetch_add(length as u64, Ordering::Relaxed);
                let room = wire::OUTPUT_LIMIT.saturating_sub(before);
                let kept = length.min(usize::try_from(room).unwrap_or(usize::MAX));
                if kept > 0 {
                    output.port.send(kind, output.number, &piece[..kept])?;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(format!("reading output: {error}")),
        }
    }
}

/// Sends a file in pieces, at least one; none if there is no such file.
fn send_file(index: u32, path: &Path, number: u32, port: &Port) -> Result<(), String> {
    let Ok(mut file) = File::open(path) else {
        return Ok(());
    };
    let mut piece = vec![0; PIECE];
    piece[..4].copy_from_slice(&index.to_le_bytes());
    let mut first = true;
    loop {
        match file.read(&mut piece[4..]) {
            Ok(0) if !first => return Ok(()),
            Ok(length) => port.send(kind::FILE, number, &piece[..4 + length])?,
            // A directory, or something that cannot be read: as good as absent.
            Err(_) => return Ok(()),
        }
        first = false;
    }
}
