//! Finds the static library behind every `-l`, and explains what is missing.
//!
//! A linker that is told `-static` and later `-Bdynamic` takes a shared library
//! without a word, and the program then needs a loader it does not have. So
//! every library is resolved here, before anything is linked.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};

use super::error::CaptureError;
use super::link_line::{LinkItem, LinkLine};

/// What looking for a library came to.
#[derive(Debug, PartialEq)]
enum Found {
    Static(Utf8PathBuf),
    OnlyShared(Utf8PathBuf),
    Nothing,
}

/// Fills in [`super::Library::file`] of every library on the line. All that are missing
/// are reported at once.
pub fn resolve(line: &mut LinkLine) -> Result<(), CaptureError> {
    let mut directories: Vec<Utf8PathBuf> = line
        .items
        .iter()
        .filter_map(|item| match item {
            LinkItem::SearchPath(path) => Some(path.clone()),
            _ => None,
        })
        .collect();
    directories.extend(driver_directories(line)?);

    let mut problems = BTreeSet::new();
    let mut items = std::mem::take(&mut line.items);
    for item in &mut items {
        match item {
            LinkItem::Library(library) => match find(&library.name, &directories) {
                Found::Static(file) => library.file = Some(file),
                Found::OnlyShared(file) => {
                    problems.insert((library.name.clone(), Some(file)));
                }
                Found::Nothing => {
                    problems.insert((library.name.clone(), None));
                }
            },
            LinkItem::Object(path) if is_shared(path) => {
                problems.insert((
                    path.file_name().unwrap_or_default().to_owned(),
                    Some(path.clone()),
                ));
            }
            _ => {}
        }
    }
    line.items = items;
    if problems.is_empty() {
        return Ok(());
    }
    let (system, others): (Vec<_>, Vec<_>) = problems
        .iter()
        .partition(|(name, _)| OF_C.contains(&name.as_str()));
    let mut explained: Vec<String> = others
        .into_iter()
        .map(|(name, shared)| explain(line, name, shared.as_deref()))
        .collect();
    if !system.is_empty() {
        let names: Vec<String> = system
            .iter()
            .map(|(name, _)| format!("lib{name}.a"))
            .collect();
        explained.push(format!(
            "the static C library is not installed\n  = note: `{}` does not find {}\n  = help: install the packages gcc and libc6-dev of Debian and Ubuntu, gcc and glibc-static of Fedora",
            line.driver,
            names.join(", ")
        ));
    }
    Err(CaptureError::Libraries(explained))
}

/// What comes with the C library and compiler, and is missing together with them.
const OF_C: [&str; 8] = ["c", "dl", "gcc", "gcc_eh", "m", "pthread", "rt", "util"];

/// The directories that the driver searches by itself. gcc and clang print them
/// in the same form.
fn driver_directories(line: &LinkLine) -> Result<Vec<Utf8PathBuf>, CaptureError> {
    let output = Command::new(&line.driver)
        .arg("-print-search-dirs")
        .current_dir(&line.working_directory)
        .envs(&line.environment)
        .output()
        .map_err(|source| CaptureError::Start {
            program: line.driver.clone(),
            source,
        })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let list = text
        .lines()
        .find_map(|line| line.strip_prefix("libraries: ="));
    let paths = list
        .unwrap_or_default()
        .split(':')
        .filter(|path| !path.is_empty());
    Ok(paths.map(Utf8PathBuf::from).collect())
}

fn find(name: &str, directories: &[Utf8PathBuf]) -> Found {
    if let Some(exact) = name.strip_prefix(':') {
        let mut candidates = directories.iter().map(|directory| directory.join(exact));
        return match candidates.find(|path| path.is_file()) {
            Some(path) if is_shared(&path) => Found::OnlyShared(path),
            Some(path) => Found::Static(path),
            None => Found::Nothing,
        };
    }
    let in_any = |file: String| {
        let mut candidates = directories.iter().map(|directory| directory.join(&file));
        candidates.find(|path| path.is_file())
    };
    match in_any(format!("lib{name}.a")) {
        Some(path) => Found::Static(path),
        None => match in_any(format!("lib{name}.so")) {
            Some(path) => Found::OnlyShared(path),
            None => Found::Nothing,
        },
    }
}

/// `libx.so`, `libx.so.1` and `libx.so.1.2.3` are shared libraries.
fn is_shared(path: &Utf8Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.ends_with(".so") || name.contains(".so."))
}

/// One finding: what is missing, who asked, and what usually helps.
fn explain(line: &LinkLine, name: &str, shared: Option<&Utf8Path>) -> String {
    let mut text = match shared {
        Some(path) => format!(
            "the library `{name}` exists only as a shared library, but a partitioned program is linked statically\n  = note: found {path}"
        ),
        None => format!("no static library `{name}` was found"),
    };
    let asking = asking_crates(line, name);
    for (package, links) in &asking {
        let _ = write!(
            text,
            "\n  = note: the build script of `{package}` asks for it"
        );
        if let Some(links) = links {
            let _ = write!(
                text,
                "\n  = help: look for a feature `bundled`, `vendored` or `static` of `{package}`, or set {}_STATIC=1",
                links.to_uppercase().replace('-', "_")
            );
        }
    }
    if asking.is_empty() {
        let candidates = candidates_with_links(line);
        text += "\n  = note: no build script names it, so a `#[link]` attribute or a linker argument does";
        if !candidates.is_empty() {
            let _ = write!(
                text,
                "\n  = note: packages of this program that bind native libraries: {candidates}"
            );
        }
        text += "\n  = help: look for a feature `bundled`, `vendored` or `static` of the package that binds it";
    }
    let file = name.strip_prefix(':').unwrap_or(name);
    let _ = write!(
        text,
        "\n  = help: or set PKG_CONFIG_ALL_STATIC=1, with a package installed that brings lib{file}.a (often lib{file}-dev)"
    );
    text
}

/// Packages whose build scripts name the library, with their `links` keys.
fn asking_crates(line: &LinkLine, name: &str) -> BTreeSet<(String, Option<String>)> {
    records(line)
        .filter(|record| record.native_names().any(|asked| asked == name))
        .map(|record| (record.package.clone(), record.links.clone()))
        .collect()
}

fn candidates_with_links(line: &LinkLine) -> String {
    let names: BTreeSet<String> = records(line)
        .filter(|record| record.links.is_some())
        .map(|record| format!("`{}`", record.package))
        .collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

fn records(line: &LinkLine) -> impl Iterator<Item = &super::CrateRecord> {
    let of_archives = line.items.iter().filter_map(|item| match item {
        LinkItem::Archive(archive) => archive.record.as_ref(),
        _ => None,
    });
    of_archives.chain([&line.program])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_static_library_is_preferred_wherever_it_is() {
        let root = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        let (first, second) = (root.join("1"), root.join("2"));
        for (directory, name) in [
            (&first, "libz.so"),
            (&second, "libz.a"),
            (&second, "libq.so"),
        ] {
            std::fs::create_dir_all(directory).unwrap();
            std::fs::write(directory.join(name), "").unwrap();
        }
        let directories = [first.clone(), second.clone()];
        assert_eq!(
            find("z", &directories),
            Found::Static(second.join("libz.a"))
        );
        assert_eq!(
            find("q", &directories),
            Found::OnlyShared(second.join("libq.so"))
        );
        assert_eq!(
            find(":libz.so", &directories),
            Found::OnlyShared(first.join("libz.so"))
        );
        assert_eq!(
            find(":libz.a", &directories),
            Found::Static(second.join("libz.a"))
        );
        assert_eq!(find("absent", &directories), Found::Nothing);
    }
}
