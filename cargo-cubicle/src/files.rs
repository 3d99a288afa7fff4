//! Writing the result.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use anyhow::Context;
use camino::Utf8Path;

/// Writes an executable file so that at every moment there is a whole one: the new one grows
/// beside it, under a name of its own, which a build that was killed leaves to the next.
///
/// # Errors
/// If there is no room or no permission; the old file is then as it was.
pub fn replace(path: &Utf8Path, bytes: &[u8]) -> anyhow::Result<()> {
    let name = path.file_name().unwrap_or_default();
    let new = path.with_file_name(format!(".{name}.new"));
    let written = write(&new, bytes).with_context(|| format!("cannot write `{new}`"));
    let replaced = written
        .and_then(|()| fs::rename(&new, path).with_context(|| format!("cannot replace `{path}`")));
    replaced.inspect_err(|_| {
        // Where there is no room, half a file must not take more of it.
        let _ = fs::remove_file(&new);
    })
}

fn write(path: &Utf8Path, bytes: &[u8]) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.set_permissions(Permissions::from_mode(0o755))
}
