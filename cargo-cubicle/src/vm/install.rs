//! Gets what is missing from the distribution's packages, and says how to get it
//! where that may not be done. QEMU is installed (which takes root); a kernel is
//! only unpacked into the user's cache, which anybody may do.

use std::fs;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};

use super::error::at;
use super::{Series, VmError, find};

const QEMU_PACKAGE: &str = "qemu-system-x86";

const MAY_INSTALL: &str = "or let the tool do it, with --install";

/// The flavour of kernel that Debian builds for virtual machines: small, and with
/// the drivers that such a machine needs built in.
const KERNEL_PACKAGE: &str = "linux-image-6.12*-cloud-amd64-unsigned";

/// What may be done on this machine.
#[derive(Debug, Clone, Copy)]
pub struct Host {
    /// Whether its packages are Debian's.
    apt: bool,
    root: bool,
}

impl Host {
    /// Looks at the machine that this program runs on.
    pub fn look() -> Host {
        let tools = [
            "/usr/bin/apt-get",
            "/usr/bin/apt-cache",
            "/usr/bin/dpkg-deb",
        ];
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        // The effective user stands in the second column.
        let users = status.lines().find_map(|line| line.strip_prefix("Uid:"));
        let root = users.and_then(|line| line.split_whitespace().nth(1)) == Some("0");
        Host {
            apt: tools.iter().all(|tool| Utf8Path::new(tool).exists()),
            root,
        }
    }

    /// Installs QEMU, if `allowed`.
    pub fn get_qemu(self, allowed: bool) -> Result<Utf8PathBuf, VmError> {
        if let Some(remedy) = self.qemu_by_hand(allowed) {
            return Err(VmError::NoQemu { remedy });
        }
        let install = ["install", "--yes", "--no-install-recommends", QEMU_PACKAGE];
        // The lists of packages may be absent or too old: bring them up to date once.
        if apt_get(&install).is_err() {
            apt_get(&["update"])
                .and_then(|_| apt_get(&install))
                .map_err(|error| VmError::NoQemu {
                    remedy: not_fetched(&error, &format!("apt-get install {QEMU_PACKAGE}")),
                })?;
        }
        find::qemu().ok_or_else(|| VmError::NoQemu {
            remedy: format!(
                "{QEMU_PACKAGE} is installed, but {} is not on PATH",
                find::QEMU
            ),
        })
    }

    /// What the user has to do about QEMU; nothing if we may do it.
    fn qemu_by_hand(self, allowed: bool) -> Option<String> {
        let install = format!("apt-get install --no-install-recommends {QEMU_PACKAGE}");
        match self {
            Host { apt: false, .. } => Some(format!(
                "install your distribution's package that contains {}",
                find::QEMU
            )),
            Host { root: false, .. } => Some(format!("install it with: sudo {install}")),
            Host { root: true, .. } => {
                (!allowed).then(|| format!("install it with: {install}\n{MAY_INSTALL}"))
            }
        }
    }

    /// Unpacks a kernel into `cache`, if `allowed`.
    pub fn get_kernel(
        self,
        series: Option<Series>,
        allowed: bool,
        cache: &Utf8Path,
    ) -> Result<Utf8PathBuf, VmError> {
        let wanted = match series {
            Some(Series(major, minor)) => {
                KERNEL_PACKAGE.replace("6.12*", &format!("{major}.{minor}.*"))
            }
            None => KERNEL_PACKAGE.to_owned(),
        };
        let missing = |remedy| VmError::NoKernel { remedy };
        if !self.apt {
            return Err(missing(format!(
                "put vmlinuz-* of Debian's package {wanted} into {cache}"
            )));
        }
        let mut package = best_package(&packages()?, series);
        if allowed && package.is_none() && self.root {
            apt_get(&["update"])?;
            package = best_package(&packages()?, series);
        }
        match package {
            Some(package) if allowed => unpack(&package, cache).map_err(|error| match error {
                error @ VmError::Command { .. } => missing(not_fetched(
                    &error,
                    &format!("put vmlinuz-* of the package {package} into {cache}"),
                )),
                error => error,
            }),
            Some(package) => Err(missing(kernel_by_hand(&package, cache))),
            None => Err(missing(format!(
                "the lists of packages name no {wanted}; they may be out of date: sudo apt-get update"
            ))),
        }
    }
}

/// Why there is no package although it was permitted to get one, and what to do.
fn not_fetched(error: &VmError, by_hand: &str) -> String {
    format!("{error}\nif this machine cannot reach its package archive: {by_hand}")
}

/// How to do by hand what [`unpack`] does.
fn kernel_by_hand(package: &str, cache: &Utf8Path) -> String {
    format!(
        "get one with: cd \"$(mktemp -d)\" && apt-get download {package} && dpkg-deb -x *.deb . \
         && mkdir -p {cache} && cp boot/vmlinuz-* {cache}/\n{MAY_INSTALL}"
    )
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
fn best_package(names: &str, series: Option<Series>) -> Option<String> {
    let suits = |name: &str| {
        let Some(name) = name.strip_prefix("linux-image-") else {
            return false;
        };
        let version = name
            .strip_suffix("-unsigned")
            .or_else(|| name.strip_prefix("unsigned-"));
        version.is_some_and(|version| find::suits(version, series))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_newest_unsigned_package_of_the_series_that_is_tried() {
        let debian = "linux-image-6.12.117+deb12-cloud-amd64-unsigned\n\
                      linux-image-6.12.117+deb12-cloud-amd64-dbg\n\
                      linux-image-6.12.99+deb12-cloud-amd64-unsigned\n\
                      linux-image-6.12.200+deb12-cloud-amd64\n\
                      linux-image-6.1.0-56-cloud-amd64-unsigned\n";
        let best = |series| best_package(debian, series);
        let newest = "linux-image-6.12.117+deb12-cloud-amd64-unsigned";
        assert_eq!(best(None).as_deref(), Some(newest));
        let old = "linux-image-6.1.0-56-cloud-amd64-unsigned";
        assert_eq!(best(Some(Series(6, 1))).as_deref(), Some(old));
        let ubuntu = "linux-image-unsigned-6.8.0-31-generic\n\
                      linux-image-unsigned-6.17.0-5-generic\n\
                      linux-image-unsigned-6.14.0-24-generic\n\
                      linux-image-6.17.0-7-generic\n";
        let newest = "linux-image-unsigned-6.17.0-5-generic";
        assert_eq!(best_package(ubuntu, None).as_deref(), Some(newest));
        assert_eq!(best_package("linux-image-amd64\n", None), None);
    }

    #[test]
    fn says_what_to_install_exactly_where_it_may_not() {
        let remedy = |apt, root, allowed| Host { apt, root }.qemu_by_hand(allowed);
        let command = "apt-get install --no-install-recommends qemu-system-x86";
        assert_eq!(remedy(true, true, true), None);
        let offered = format!("install it with: {command}\n{MAY_INSTALL}");
        assert_eq!(remedy(true, true, false), Some(offered));
        let sudo = format!("install it with: sudo {command}");
        assert_eq!(remedy(true, false, true), Some(sudo));
        let elsewhere = "install your distribution's package that contains qemu-system-x86_64";
        assert_eq!(remedy(false, true, true).as_deref(), Some(elsewhere));

        let host = Host {
            apt: false,
            root: true,
        };
        let error = host
            .get_kernel(Some(Series(6, 1)), true, "/cache".into())
            .unwrap_err();
        let expected =
            "put vmlinuz-* of Debian's package linux-image-6.1.*-cloud-amd64-unsigned into /cache";
        assert!(error.to_string().contains(expected), "{error}");
    }
}
