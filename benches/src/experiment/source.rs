//! speedtest1, SQLite's own benchmark. It is in SQLite's sources and in no binary
//! package, so it comes from the distribution's source package, once, into the user's
//! cache. Anybody may do that: apt-get works in a folder of its own, with a list of
//! sources of its own, and the machine stays as it is.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::programs::run;

const PACKAGE: &str = "sqlite3";

/// A file `speedtest1.c`, and the version of SQLite it belongs to.
pub struct Source {
    pub path: PathBuf,
    pub version: String,
}

/// From the cache; the first time from the distribution.
pub fn get() -> anyhow::Result<Source> {
    let cache = cache()?;
    if let Some(source) = cached(&cache) {
        return Ok(source);
    }
    fs::create_dir_all(&cache).with_context(|| format!("cannot create {}", cache.display()))?;
    fetch(&cache).with_context(|| by_hand(&cache))?;
    cached(&cache).with_context(|| by_hand(&cache))
}

fn by_hand(cache: &Path) -> String {
    format!(
        "SQLite's speedtest1.c could not be had from the distribution's source package `{PACKAGE}`.\n\
         Bring the lists of packages up to date (`sudo apt-get update`) and try again; where `apt-get source` \
         is not to be had, put test/speedtest1.c of SQLite's sources in place as\n    {}/speedtest1-VERSION.c",
        cache.display()
    )
}

/// Beside the kernels that `cargo cubicle run --vm` keeps.
fn cache() -> anyhow::Result<PathBuf> {
    let set = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let base =
        base.context("no place for SQLite's speedtest1: neither XDG_CACHE_HOME nor HOME is set")?;
    Ok(base.join("cargo-cubicle/speedtest1"))
}

/// The last one by name, if there are several.
fn cached(cache: &Path) -> Option<Source> {
    let entries = fs::read_dir(cache).ok()?.flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name.strip_prefix("speedtest1-")?.strip_suffix(".c")?;
            Some(Source {
                version: version.to_owned(),
                path: entry.path(),
            })
        })
        .max_by(|one, two| one.path.cmp(&two.path))
}

fn fetch(cache: &Path) -> anyhow::Result<()> {
    let work = cache.join(format!(".fetch-{}", std::process::id()));
    let result = fetch_in(&work, cache);
    // What was fetched is much more than what is kept.
    let _ = fs::remove_dir_all(&work);
    result
}

fn fetch_in(work: &Path, cache: &Path) -> anyhow::Result<()> {
    for folder in ["state/lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(work.join(folder))?;
    }
    fs::write(work.join("sources.list"), source_list()?)?;
    let apt = || {
        let mut command = Command::new("apt-get");
        command.current_dir(work);
        // As root, apt would hand the download to a user who may not write here.
        command.args(["-o", "APT::Sandbox::User=root"]);
        for (option, place) in [
            ("Dir::Etc::SourceList", "sources.list"),
            ("Dir::Etc::SourceParts", "none"),
            ("Dir::State", "state"),
            ("Dir::Cache", "cache"),
        ] {
            let place = work.join(place);
            command
                .arg("-o")
                .arg(format!("{option}={}", place.display()));
        }
        command
    };
    run(apt().arg("update"))?;
    run(apt().args(["source", "--download-only", "--tar-only", PACKAGE]))?;

    let (archive, version) = archive(work)?;
    run(Command::new("tar")
        .current_dir(work)
        .args(["--extract", "--wildcards", "--strip-components=2", "--file"])
        .arg(archive)
        .arg("*/test/speedtest1.c"))?;
    // Whole or not at all: another process may do the same at the same time.
    let target = cache.join(format!("speedtest1-{version}.c"));
    fs::rename(work.join("speedtest1.c"), target)?;
    Ok(())
}

/// The source side of the repository that has the binary package.
fn source_list() -> anyhow::Result<String> {
    let offered = run(Command::new("apt-cache").args(["madison", PACKAGE]))?;
    offer(&offered).with_context(|| {
        format!("the machine's lists of packages name no repository of `{PACKAGE}`")
    })
}

/// Turns `  sqlite3 | 3.40.1-2 | http://deb.debian.org/debian bookworm/main amd64 Packages`
/// into `deb-src http://deb.debian.org/debian bookworm main`.
fn offer(madison: &str) -> Option<String> {
    madison.lines().find_map(|line| {
        let (_, place) = line.rsplit_once('|')?;
        let mut words = place.split_whitespace();
        let site = words.next()?;
        let (release, component) = words.next()?.rsplit_once('/')?;
        (words.last()? == "Packages").then(|| format!("deb-src {site} {release} {component}\n"))
    })
}

/// The upstream tarball, `sqlite3_VERSION.orig.tar.xz`.
fn archive(work: &Path) -> anyhow::Result<(PathBuf, String)> {
    for entry in fs::read_dir(work)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let version = name
            .strip_prefix("sqlite3_")
            .and_then(|rest| rest.split_once(".orig.tar."))
            .map(|(version, _)| version.to_owned());
        if let Some(version) = version {
            return Ok((entry.path(), version));
        }
    }
    bail!("the source package has no tarball of SQLite's own")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_come_from_where_the_package_came_from() {
        let madison = "   sqlite3 | 3.40.1-2+deb12u2 | http://deb.debian.org/debian bookworm/main amd64 Packages\n\
                       sqlite3 | 3.40.1-2 | http://old.example/debian bookworm/main amd64 Packages\n";
        assert_eq!(
            offer(madison).as_deref(),
            Some("deb-src http://deb.debian.org/debian bookworm main\n")
        );
        let ubuntu = "sqlite3 | 3.45.1 | http://archive.ubuntu.com/ubuntu noble-updates/main amd64 Packages\n";
        assert_eq!(
            offer(ubuntu).as_deref(),
            Some("deb-src http://archive.ubuntu.com/ubuntu noble-updates main\n")
        );
        assert_eq!(offer("N: nothing known\n"), None);
    }
}
