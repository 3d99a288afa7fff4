//! Which manifest belongs to a package.

use camino::{Utf8Path, Utf8PathBuf};

/// The file's name beside `Cargo.toml`.
pub const FILE_NAME: &str = "Cubicle.toml";

/// Why no manifest was found although one was asked for.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// `--cubicle-manifest` names a file that is not there.
    #[error("there is no manifest at `{0}`")]
    NotThere(Utf8PathBuf),
}

/// Finds the manifest of a package: the file that `--cubicle-manifest` names,
/// else the one in the package's folder, else the one in the workspace's root.
/// `None` means that the package has none and is built plainly.
///
/// # Errors
/// If the explicitly named file is not there.
pub fn find(
    package: &Utf8Path,
    workspace_root: &Utf8Path,
    explicit: Option<&Utf8Path>,
) -> Result<Option<Utf8PathBuf>, FindError> {
    if let Some(path) = explicit {
        return if path.is_file() {
            Ok(Some(path.to_owned()))
        } else {
            Err(FindError::NotThere(path.to_owned()))
        };
    }
    Ok([package, workspace_root]
        .into_iter()
        .map(|folder| folder.join(FILE_NAME))
        .find(|path| path.is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_manifest_wins() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = Utf8Path::from_path(folder.path()).expect("a UTF-8 path");
        let package = root.join("member");
        std::fs::create_dir(&package).expect("a new folder");
        assert_eq!(find(&package, root, None).ok(), Some(None));

        let write = |path: &Utf8Path| std::fs::write(path, "schema = 1").expect("a new file");
        write(&root.join(FILE_NAME));
        assert_eq!(
            find(&package, root, None).ok().flatten(),
            Some(root.join(FILE_NAME))
        );

        write(&package.join(FILE_NAME));
        assert_eq!(
            find(&package, root, None).ok().flatten(),
            Some(package.join(FILE_NAME))
        );

        let other = root.join("other.toml");
        assert!(find(&package, root, Some(&other)).is_err());
        write(&other);
        assert_eq!(
            find(&package, root, Some(&other)).ok().flatten(),
            Some(other)
        );
    }
}
