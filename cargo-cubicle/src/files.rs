//! Writing files so that at every moment there is a whole one, and where to keep those of the tool.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

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
