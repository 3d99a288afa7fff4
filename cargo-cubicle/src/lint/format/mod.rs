//! Findings as people and machines want them.

mod github;
mod human;
mod json;
mod sarif;

use camino::{Utf8Path, Utf8PathBuf};

use super::report::{Found, Position};
use crate::diagnostics::{Level, Place};

/// One finding, once, with the programs it is about.
#[derive(Clone, Debug)]
pub struct Shown {
    pub found: Found,
    /// The manifest that applies to them.
    pub manifest: Utf8PathBuf,
    /// Sorted.
    pub programs: Vec<String>,
}

/// All that is to be shown.
#[derive(Clone, Debug)]
pub struct Results {
    /// In order.
    pub shown: Vec<Shown>,
    /// What paths are relative to: the repository, else the workspace.
    pub root: Utf8PathBuf,
    /// How many programs were looked at.
    pub programs: usize,
}

/// The forms there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people, in cargo's look, to standard error
    #[default]
    Human,
    /// One document, described in docs/LINT.md
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands of GitHub Actions
    Github,
}

impl Results {
    /// How many findings have this level.
    pub fn count(&self, level: Level) -> usize {
        let is = |shown: &&Shown| shown.found.finding.level == level;
        self.shown.iter().filter(is).count()
    }

    /// Shows them: what machines read to standard output.
    pub fn print(&self, format: Format) {
        match format {
            Format::Human => human::print(self),
            Format::Json => println!("{:#}", json::document(self)),
            Format::Sarif => println!("{:#}", sarif::document(self)),
            Format::Github => print!("{}", github::commands(self)),
        }
    }

    /// A path below the root as it is from there; `None` for others.
    fn relative<'a>(&self, file: &'a Utf8Path) -> Option<&'a Utf8Path> {
        file.strip_prefix(&self.root).ok()
    }
}

impl Shown {
    /// Where people are led to: the first place in the repository, else the manifest.
    /// A reference in a crate of the registry is nothing that anybody can edit.
    fn primary(&self, results: &Results) -> (Utf8PathBuf, Option<Position>) {
        let own = self
            .places()
            .find_map(|(file, position, _)| Some((results.relative(file?)?.to_owned(), position)));
        own.unwrap_or_else(|| {
            let manifest = results.relative(&self.manifest);
            (manifest.unwrap_or(&self.manifest).to_owned(), None)
        })
    }

    /// Each place: its file and position, if it has any, and what is said about it.
    fn places(&self) -> impl Iterator<Item = (Option<&Utf8Path>, Option<Position>, &str)> {
        let places = self.found.finding.places.iter();
        places
            .zip(&self.found.positions)
            .map(|(place, position)| match place {
                Place::Span { file, label, .. } | Place::Line { file, label, .. } => {
                    (Some(file.as_path()), *position, label.as_str())
                }
                Place::Note { text } => (None, None, text.as_str()),
            })
    }
}
