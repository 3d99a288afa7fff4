//! Writing the result.

use anyhow::Context;
use camino::Utf8Path;

/// Writes an executable file so that at every moment there is a whole one.
///
/// # Errors
/// If there is no room or no permission; the old file is then as it was.
pub fn replace(path: &Utf8Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    let directory = path.parent().unwrap_or(Utf8Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory)
        .with_context(|| format!("cannot write to `{directory}`"))?;
    file.write_all(bytes)
        .and_then(|()| {
            file.as_file()
                .set_permissions(std::fs::Permissions::from_mode(0o755))
        })
        .with_context(|| format!("cannot write `{path}`"))?;
    file.persist(path)
        .with_context(|| format!("cannot replace `{path}`"))?;
    Ok(())
}
