//! How much the tool had to read for a program.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use cargo_cubicle::capture::{LinkItem, LinkLine};

/// Bytes.
pub struct Input {
    /// Objects and archives on the link line, and those in the folder `objects`.
    pub given: u64,
    /// Images.
    pub linked: u64,
}

/// For the program at this path, which was linked once.
pub fn of(program: &Path) -> anyhow::Result<Input> {
    let cubicle = program.with_file_name("cubicle");
    let kept = fs::read_dir(&cubicle)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.join("link.json").is_file())
        .with_context(|| format!("no link line below {}", cubicle.display()))?;
    let line: LinkLine = serde_json::from_str(&fs::read_to_string(kept.join("link.json"))?)?;
    let on_line = line.items.iter().filter_map(|item| match item {
        LinkItem::Object(path) => Some(path.as_std_path().to_owned()),
        LinkItem::Archive(archive) => Some(archive.path.as_std_path().to_owned()),
        LinkItem::Library(library) => Some(library.file.as_ref()?.as_std_path().to_owned()),
        LinkItem::SearchPath(_) | LinkItem::Other(_) => None,
    });
    let mut given: BTreeSet<PathBuf> = on_line.collect();
    let objects = line.manifest.as_std_path().with_file_name("objects");
    if objects.is_dir() {
        for entry in fs::read_dir(objects)? {
            given.insert(entry?.path());
        }
    }
    let images = fs::read_dir(kept.join("images"))?.filter_map(|entry| Some(entry.ok()?.path()));
    let images = images.filter(|path| path.extension().is_some_and(|extension| extension == "elf"));
    Ok(Input {
        given: sum(given)?,
        linked: sum(images)?,
    })
}

fn sum(paths: impl IntoIterator<Item = PathBuf>) -> anyhow::Result<u64> {
    let sizes = paths.into_iter().map(|path| Ok(fs::metadata(path)?.len()));
    sizes.sum()
}
