//! Finds QEMU and a kernel on this machine.

use std::cmp::Ordering;
use std::env;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Series, VmError};
use crate::files;

/// The emulator's name, as a program and in messages.
pub const QEMU: &str = "qemu-system-x86_64";

/// QEMU on the path, if it is there.
pub fn qemu() -> Option<Utf8PathBuf> {
    let path = env::var("PATH").ok()?;
    path.split(':')
        .map(|directory| Utf8Path::new(directory).join(QEMU))
        .find(|candidate| {
            candidate
                .metadata()
                .is_ok_and(|kind| kind.is_file() && kind.permissions().mode() & 0o111 != 0)
        })
}

/// Where kernels that the tool fetched are kept.
pub fn cache() -> Result<Utf8PathBuf, VmError> {
    Ok(files::cache().ok_or(VmError::NoCache)?.join("kernel"))
}

/// The best kernel in a directory of files called `vmlinuz-VERSION`, of those that
/// may be read.
pub fn kernel_in(directory: &Utf8Path, series: Option<Series>) -> Option<Utf8PathBuf> {
    let entries = directory.read_dir_utf8().ok()?.flatten();
    let names = entries.map(|entry| entry.file_name().to_owned());
    let best = names
        .filter(|name| {
            let version = name.strip_prefix("vmlinuz-");
            version.is_some_and(|version| suits(version, series))
                && File::open(directory.join(name)).is_ok()
        })
        .max_by(|one, two| preference(one, two))?;
    Some(directory.join(best))
}

/// Whether a kernel of this version is wanted. Without a series that is one from
/// 6.12 on, which can write a signal frame whatever rights were in force. Only
/// flavours that have the machine's drivers built in will do.
pub fn suits(version: &str, series: Option<Series>) -> bool {
    let flavour = version.ends_with("-cloud-amd64") || version.ends_with("-generic");
    let numbers = numbers(version);
    flavour
        && match series {
            Some(Series(major, minor)) => numbers.starts_with(&[major, minor]),
            None => numbers.as_slice() >= [6, 12].as_slice(),
        }
}

/// Orders kernels or their packages by how much we want them: 6.12, with which
/// everything here is tried, before others; then newer before older.
pub fn preference(one: &str, two: &str) -> Ordering {
    let rank = |name: &str| {
        let numbers = numbers(name);
        (numbers.starts_with(&[6, 12]), numbers)
    };
    rank(one).cmp(&rank(two)).then_with(|| one.cmp(two))
}

/// The numbers of a version, from its first digit on: `6.12.9+deb12` is 6, 12, 9, 12.
fn numbers(text: &str) -> Vec<u64> {
    let start = text
        .find(|character: char| character.is_ascii_digit())
        .unwrap_or(text.len());
    text[start..]
        .split(|character: char| !character.is_ascii_digit())
        .filter_map(|part| part.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_newest_kernel_of_the_series_that_is_tried() {
        let directory = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(directory.path()).unwrap();
        assert_eq!(kernel_in(root, None), None);
        for name in [
            "vmlinuz-6.1.0-56-cloud-amd64",
            "vmlinuz-6.12.99+deb12-amd64",
            "config-6.12.117+deb12-cloud-amd64",
        ] {
            std::fs::write(root.join(name), "").unwrap();
        }
        assert_eq!(
            kernel_in(root, None),
            None,
            "too old, without the drivers, no kernel"
        );
        for name in [
            "vmlinuz-6.12.9+deb12-cloud-amd64",
            "vmlinuz-6.12.117+deb12-cloud-amd64",
            "vmlinuz-6.17.0-5-generic",
        ] {
            std::fs::write(root.join(name), "").unwrap();
        }
        assert_eq!(
            kernel_in(root, None),
            Some(root.join("vmlinuz-6.12.117+deb12-cloud-amd64"))
        );
        let old = Some(root.join("vmlinuz-6.1.0-56-cloud-amd64"));
        assert_eq!(kernel_in(root, Some(Series(6, 1))), old, "6.1 is not 6.12");
        assert_eq!(kernel_in(root, Some(Series(6, 2))), None);
        std::fs::remove_file(root.join("vmlinuz-6.12.117+deb12-cloud-amd64")).unwrap();
        std::fs::remove_file(root.join("vmlinuz-6.12.9+deb12-cloud-amd64")).unwrap();
        assert_eq!(
            kernel_in(root, None),
            Some(root.join("vmlinuz-6.17.0-5-generic"))
        );
    }
}
