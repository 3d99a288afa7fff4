//! Gets what is missing from the distribution's packages, and says how to get it
//! where that may not be done. QEMU is installed (which takes root); a kernel is
//! only unpacked into the user's cache, which anybody may do.

use std::fs;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};

use super::VmError;
use super::error::at;
use super::find;

const QEMU_PACKAGE: &str = "qemu-system-x86";

/// Installs QEMU, if `allowed`.
pub fn qemu(allowed: bool) -> Result<Utf8PathBuf, VmError> {
    let by_hand = format!("sudo apt-get install --no-install-recommends {QEMU_PACKAGE}");
    let remedy = if !has_apt() {
        format!(
            "install your distribution's package that contains {}",
            find::QEMU
        )
    } else if !is_root() {
        format!("install it with: {by_hand}")
    } else if !allowed {
        format!("install it with: {by_hand}\nor let the tool do it, with --install")
    } else {
        let install = ["install", "--yes", "--no-install-recommends", QEMU_PACKAGE];
        // The lists of packages may be absent or too old: bring them up to date once.
        if apt_get(&install).is_err() {
            apt_get(&["update"])?;
            apt_get(&install)?;
        }
        match find::qemu() {
            Some(path) => return Ok(path),
            None => format!(
                "package {QEMU_PACKAGE} is installed, but {} is not on PATH",
                find::QEMU
            ),
        }
    };
    Err(VmError::NoQemu { remedy })
}

/// Unpacks a kernel into `cache`, if `allowed`.
pub fn kernel(allowed: bool, cache: &Utf8Path) -> Result<Utf8PathBuf, VmError> {
    let by_hand = |package: &str| {
        format!(
            "get one with: cd $(mktemp -d) && apt-get download {package} && dpkg-deb -x {package}_*.deb . \
             && mkdir -p {cache} && cp boot/vmlinuz-* {cache}"
        )
    };
    let remedy = if !has_apt() {
        format!(
            "unpack vmlinuz-* of Debian's package linux-image-6.12*-cloud-amd64-unsigned into {cache}"
        )
    } else {
        let mut package = best_package(&packages()?);
        if allowed && package.is_none() && is_root() {
            apt_get(&["update"])?;
            package = best_package(&packages()?);
        }
        match package {
            None => "the package lists name no suitable kernel (linux-image-6.12*-cloud-amd64-unsigned); \
                     they may be out of date: sudo apt-get update"
                .to_owned(),
            Some(package) if !allowed => format!("{}\nor let the tool do it, with --install", by_hand(&package)),
            Some(package) => return unpack(&package, cache),
        }
    };
    Err(VmError::NoKernel { remedy })
}

/// Downloads a package and keeps its kernel. Another process may do the same at
/// the same time: the file appears in the cache whole or not at all.
fn unpack(package: &str, cache: &Utf8Path) -> Result<Utf8PathBuf, VmError> {
    fs::create_dir_all(cache).map_err(at(cache))?;
    let work = tempfile::Builder::new()
        .prefix(".unpack-")
        .tempdir_in(cache)
        .map_err(at(cache))?;
    let directory = Utf8PathBuf::from(work.path().to_string_lossy().into_owned());
    // As root, apt would hand the download to a user who may not write here.
    let unsandboxed = ["-o", "APT::Sandbox::User=root", "download", package];
    run(Command::new("apt-get")
        .args(unsandboxed)
        .current_dir(&directory))?;
    let archive = first_file(&directory, |name| name.ends_with(".deb"))?;
    let tree = directory.join("tree");
    run(Command::new("dpkg-deb").arg("-x").args([&archive, &tree]))?;
    let kernel = first_file(&tree.join("boot"), |name| name.starts_with("vmlinuz-"))?;
    let target = cache.join(kernel.file_name().unwrap_or("vmlinuz"));
    fs::rename(&kernel, &target).map_err(at(&target))?;
    Ok(target)
}

fn first_file(directory: &Utf8Path, wanted: impl Fn(&str) -> bool) -> Result<Utf8PathBuf, VmError> {
    let entries = directory.read_dir_utf8().map_err(at(directory))?;
    let found = entries.flatten().find(|entry| wanted(entry.file_name()));
    found
        .map(|entry| entry.path().to_owned())
        .ok_or_else(|| VmError::NoKernel {
            remedy: format!("the package that was downloaded has none (looked in {directory})"),
        })
}

/// All kernels that the distribution's lists name.
fn packages() -> Result<String, VmError> {
    run(Command::new("apt-cache").args(["pkgnames", "linux-image-"]))
}

/// The unsigned packages hold a plain file; the others only depend on one.
fn best_package(names: &str) -> Option<String> {
    let suits = |name: &str| {
        let Some(name) = name.strip_prefix("linux-image-") else {
            return false;
        };
        let version = name
            .strip_suffix("-unsigned")
            .or_else(|| name.strip_prefix("unsigned-"));
        version.is_some_and(find::suits)
    };
    names
        .lines()
        .filter(|name| suits(name))
        .max_by(|one, two| find::preference(one, two))
        .map(str::to_owned)
}

fn apt_get(arguments: &[&str]) -> Result<String, VmError> {
    run(Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Runs a command and returns what it printed.
fn run(command: &mut Command) -> Result<String, VmError> {
    let words = [command.get_program()]
        .into_iter()
        .chain(command.get_args());
    let shown = words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ");
    let failed = |status: String, said: String| VmError::Command {
        command: shown.clone(),
        status,
        said,
    };
    let output = command
        .output()
        .map_err(|error| failed("not started".into(), error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(failed(output.status.to_string(), said));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn has_apt() -> bool {
    Utf8Path::new("/usr/bin/apt-get").exists() && Utf8Path::new("/usr/bin/dpkg-deb").exists()
}

/// Whether this process may install packages: its effective user is in the second
/// column of this line of the kernel.
fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let users = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    users.and_then(|line| line.split_whitespace().nth(1)) == Some("0")
}

#[cfg(test)]
mod tests {
    use super::best_package;

    #[test]
    fn takes_the_newest_unsigned_package_of_the_series_that_is_tried() {
        let debian = "linux-image-6.12.117+deb12-cloud-amd64-unsigned\n\
                      linux-image-6.12.117+deb12-cloud-amd64-dbg\n\
                      linux-image-6.12.99+deb12-cloud-amd64-unsigned\n\
                      linux-image-6.12.200+deb12-cloud-amd64\n\
                      linux-image-6.1.0-56-cloud-amd64-unsigned\n";
        assert_eq!(
            best_package(debian).as_deref(),
            Some("linux-image-6.12.117+deb12-cloud-amd64-unsigned")
        );
        let ubuntu = "linux-image-unsigned-6.8.0-31-generic\nlinux-image-unsigned-6.17.0-5-generic\n\
                      linux-image-unsigned-6.14.0-24-generic\nlinux-image-6.17.0-7-generic\n";
        assert_eq!(
            best_package(ubuntu).as_deref(),
            Some("linux-image-unsigned-6.17.0-5-generic")
        );
        assert_eq!(best_package("linux-image-amd64\n"), None);
    }
}
