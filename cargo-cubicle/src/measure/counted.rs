//! The program in one piece: plainly, and with what counts calls between what will be cubicles.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::{counters, redirected};
use crate::assign::{self, Assignment, Piece};
use crate::capture::{ArchiveKind, LinkItem, LinkLine};
use crate::graph::edges::{Edge, What};

/// What maps the counters.
const COUNTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/counts.o"));

/// What a counter counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Call {
    pub from: String,
    pub to: String,
    pub function: String,
}

/// Links both into `folder`, as `plain` and `counted`. Answers what is counted, in the order of
/// the counters.
///
/// # Errors
/// What the linker says, if it fails; or if a file cannot be read or written.
pub fn link(
    line: &LinkLine,
    main: &str,
    assignment: &Assignment,
    edges: &[Edge],
    folder: &Utf8Path,
) -> anyhow::Result<Vec<Call>> {
    let calls: Vec<Call> = edges
        .iter()
        .filter(|edge| edge.what == What::Function && edge.rivals.is_empty())
        .map(|edge| Call {
            from: edge.from.clone(),
            to: edge.to.clone(),
            function: edge.symbol.clone(),
        })
        .collect();
    assign::empty_folder(folder)?;
    let program = Program {
        line,
        main,
        owners: owners(assignment),
        added: added(line, assignment),
        folder,
    };
    program.link(&folder.join("plain"), &BTreeMap::new(), &[])?;

    let functions: Vec<&str> = calls.iter().map(|call| call.function.as_str()).collect();
    let object = folder.join("counters.o");
    fs::write(&object, counters::object(&functions)?)
        .with_context(|| format!("cannot write `{object}`"))?;
    let counts = folder.join("counts.o");
    fs::write(&counts, COUNTS).with_context(|| format!("cannot write `{counts}`"))?;
    let counted: Vec<String> = (0..calls.len()).map(counters::name).collect();
    let mut redirections: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for (call, counter) in calls.iter().zip(&counted) {
        let of = redirections.entry(&call.from).or_default();
        of.insert(&call.function, counter);
    }
    program.link(&folder.join("counted"), &redirections, &[object, counts])?;
    Ok(calls)
}

/// Whose each archive and object is; the main cubicle's where nothing is said.
fn owners(assignment: &Assignment) -> BTreeMap<&Utf8Path, &str> {
    let mut owners = BTreeMap::new();
    for (name, inputs) in &assignment.images {
        owners.extend(inputs.owned().map(|path| (path.as_path(), name.as_str())));
    }
    owners
}

/// What the manifest adds to the link line: objects, archives and compiled sources.
fn added(line: &LinkLine, assignment: &Assignment) -> Vec<Utf8PathBuf> {
    let on_line: Vec<&Utf8Path> = line.inputs().collect();
    let mut added = Vec::new();
    for inputs in assignment.images.values() {
        added.extend(inputs.objects.iter().cloned());
        let archives = inputs.line.iter().filter_map(|piece| match piece {
            Piece::Archive { path, owned: true } => Some(path.clone()),
            _ => None,
        });
        added.extend(archives.filter(|path| !on_line.contains(&path.as_path())));
    }
    added
}

struct Program<'a> {
    line: &'a LinkLine,
    main: &'a str,
    owners: BTreeMap<&'a Utf8Path, &'a str>,
    added: Vec<Utf8PathBuf>,
    folder: &'a Utf8Path,
}

/// New names by old ones, by the cubicle whose references are meant.
type Redirections<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a str>>;

impl Program<'_> {
    fn link(
        &self,
        output: &Utf8Path,
        redirections: &Redirections<'_>,
        more: &[Utf8PathBuf],
    ) -> anyhow::Result<()> {
        let mut words: Vec<String> = more.iter().map(ToString::to_string).collect();
        for path in &self.added {
            words.extend(self.input(path, words.len(), redirections)?);
        }
        for item in &self.line.items {
            match item {
                LinkItem::Object(path) => {
                    words.extend(self.input(path, words.len(), redirections)?);
                }
                LinkItem::Archive(archive) if archive.kind != ArchiveKind::Toolchain => {
                    words.extend(self.input(&archive.path, words.len(), redirections)?);
                }
                LinkItem::Archive(archive) => words.push(archive.path.to_string()),
                LinkItem::Library(library) => match &library.file {
                    Some(path) if self.owners.contains_key(path.as_path()) => {
                        words.extend(self.input(path, words.len(), redirections)?);
                    }
                    _ => words.push(format!("-l{}", library.name)),
                },
                LinkItem::SearchPath(path) => words.push(format!("-L{path}")),
                LinkItem::Other(word) => words.push(word.clone()),
            }
        }
        words.extend(["-static", "-no-pie", "-o", output.as_str()].map(str::to_owned));
        let response = output.with_extension("link");
        fs::write(&response, crate::images::response_file(&words))
            .with_context(|| format!("cannot write `{response}`"))?;
        let result = Command::new(&self.line.driver)
            .arg(format!("@{response}"))
            .current_dir(&self.line.working_directory)
            .envs(&self.line.environment)
            .output()
            .with_context(|| format!("cannot run the linker driver `{}`", self.line.driver))?;
        if !result.status.success() {
            bail!(
                "the program cannot be linked in one piece, so nothing can be measured without a partition:\n{}",
                String::from_utf8_lossy(&result.stderr)
            );
        }
        Ok(())
    }

    /// An object or archive, itself or as what was made of it; `number` is used for nothing else.
    fn input(
        &self,
        path: &Utf8Path,
        number: usize,
        redirections: &Redirections<'_>,
    ) -> anyhow::Result<Vec<String>> {
        let unchanged = || vec![path.to_string()];
        if redirections.is_empty() {
            return Ok(unchanged());
        }
        let is_archive = assign::map_file(path)?.starts_with(b"!<");
        if !is_archive {
            let output = self.folder.join(format!("{number}.o"));
            let changed = self.object(path, path, &output, redirections)?;
            return Ok(vec![changed.unwrap_or_else(|| path.to_owned()).to_string()]);
        }
        // As the assignment has taken it apart, if it did.
        let scratch = self.line.directory.join("assigned");
        let stem = path.file_stem().unwrap_or("archive");
        let scratch = match scratch.join(stem).exists() {
            true => scratch,
            false => self.folder.join(format!("{number}")),
        };
        let whole = self.owners.contains_key(path);
        let mut any = false;
        let mut words = vec!["-Wl,--start-lib".to_owned()];
        for member in assign::extract(path, &scratch)? {
            let owner = if whole { path } else { &member.path };
            let file = member.path.file_name().unwrap_or("object");
            let output = self.folder.join(format!("{number}-{file}"));
            let changed = self.object(&member.path, owner, &output, redirections)?;
            any |= changed.is_some();
            words.push(changed.unwrap_or(member.path).into_string());
        }
        words.push("-Wl,--end-lib".to_owned());
        Ok(if any { words } else { unchanged() })
    }

    /// Where the changed object is, if it had to be changed. `owner` is what is looked up.
    fn object(
        &self,
        path: &Utf8Path,
        owner: &Utf8Path,
        output: &Utf8Path,
        redirections: &Redirections<'_>,
    ) -> anyhow::Result<Option<Utf8PathBuf>> {
        let from = self.owners.get(owner).copied().unwrap_or(self.main);
        let Some(names) = redirections.get(from) else {
            return Ok(None);
        };
        let bytes = assign::map_file(path)?;
        let changed = redirected::redirected(&bytes, names)
            .with_context(|| format!("`{path}` cannot be read"))?;
        let Some(changed) = changed else {
            return Ok(None);
        };
        fs::write(output, changed).with_context(|| format!("cannot write `{output}`"))?;
        Ok(Some(output.to_owned()))
    }
}
