//! Writing files so that at every moment there is a whole one, where to keep those of the tool, and handing them down.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};

/// What a file is for, as far as its mode says so. The user's umask takes from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is there to be executed.
    Program,
    Data,
}

/// Why a file was not replaced.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{path}`: {source}")]
pub struct ReplaceError {
    path: Utf8PathBuf,
    source: io::Error,
}

/// Puts a file in the place of what is there: the new one grows beside it, under a name of
/// its own, which a build that was killed leaves to the next.
///
/// # Errors
/// If there is no room or no permission; the old file is then as it was.
pub fn replace(path: &Utf8Path, bytes: &[u8], kind: Kind) -> Result<(), ReplaceError> {
    let name = path.file_name().unwrap_or_default();
    let new = path.with_file_name(format!(".{name}.new"));
    let replaced = write(&new, bytes, kind).and_then(|()| fs::rename(&new, path));
    replaced.map_err(|source| {
        // Where there is no room, half a file must not take more of it.
        let _ = fs::remove_file(&new);
        ReplaceError {
            path: path.to_owned(),
            source,
        }
    })
}

/// Lets the program that `command` starts have an open file; `variable` tells it the descriptor. The file must stay open
/// until the program has been started.
pub fn hand_down(file: &File, command: &mut Command, variable: &str) {
    let descriptor = file.as_raw_fd();
    command.env(variable, descriptor.to_string());
    // SAFETY: fcntl on an open descriptor; a system call is permitted between fork and exec.
    unsafe {
        command.pre_exec(move || match libc::fcntl(descriptor, libc::F_SETFD, 0) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        });
    }
}

/// Where the tool keeps what it can make again; `None` if there is no such place.
pub fn cache() -> Option<Utf8PathBuf> {
    let set = |name| {
        env::var(name)
            .ok()
            .filter(|text| text.starts_with('/'))
            .map(Utf8PathBuf::from)
    };
    let base = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    Some(base?.join("cargo-cubicle"))
}

fn write(path: &Utf8Path, bytes: &[u8], kind: Kind) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mode = match kind {
        Kind::Program => 0o777,
        Kind::Data => 0o666,
    };
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)
}
