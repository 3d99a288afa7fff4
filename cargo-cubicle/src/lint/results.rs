//! The findings of all programs that were looked at.

use camino::{Utf8Path, Utf8PathBuf};

use super::levels::{self, Levels};
use super::position::Position;
use super::report::Report;
use crate::diagnostics::{Finding, Level, Place, Sources};

/// One finding, once, with the programs it is about.
#[derive(Clone, Debug)]
pub struct Shown {
    pub finding: Finding,
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
    /// The texts that places point into.
    pub texts: Sources,
    /// How many programs were looked at.
    pub programs: usize,
}

impl Results {
    /// Nothing has been looked at yet.
    pub fn below(root: Utf8PathBuf) -> Results {
        Results {
            shown: Vec::new(),
            root,
            texts: Sources::new(),
            programs: 0,
        }
    }

    /// Takes in what was found in a program, each at its level. What several programs
    /// share is one finding.
    pub fn add(
        &mut self,
        report: &Report,
        findings: impl IntoIterator<Item = Finding>,
        levels: &Levels,
    ) {
        for finding in levels::apply(levels, findings.into_iter().collect()) {
            let same =
                |shown: &&mut Shown| shown.finding == finding && shown.manifest == report.manifest;
            match self.shown.iter_mut().find(same) {
                Some(shown) if shown.programs.contains(&report.program) => {}
                Some(shown) => {
                    shown.programs.push(report.program.clone());
                    shown.programs.sort();
                }
                None => self.shown.push(Shown {
                    finding,
                    manifest: report.manifest.clone(),
                    programs: vec![report.program.clone()],
                }),
            }
        }
    }

    /// How many findings have this level.
    pub fn count(&self, level: Level) -> usize {
        let is = |shown: &&Shown| shown.finding.level == level;
        self.shown.iter().filter(is).count()
    }

    /// A path below the root as it is from there; `None` for others.
    pub fn relative<'a>(&self, file: &'a Utf8Path) -> Option<&'a Utf8Path> {
        file.strip_prefix(&self.root).ok()
    }

    /// Each place of a finding: its file and position, if it has any, and what is said
    /// about it.
    pub fn places<'a>(
        &'a self,
        shown: &'a Shown,
    ) -> impl Iterator<Item = (Option<&'a Utf8Path>, Option<Position>, &'a str)> {
        shown.finding.places.iter().map(|place| match place {
            Place::Span { file, label, .. } | Place::Line { file, label, .. } => (
                Some(file.as_path()),
                Position::of(place, &self.texts),
                label.as_str(),
            ),
            Place::Note { text } => (None, None, text.as_str()),
        })
    }

    /// Where people are led to: the first place in the repository, else the manifest.
    /// A reference in a crate of the registry is nothing that anybody can edit.
    pub fn primary(&self, shown: &Shown) -> (Utf8PathBuf, Option<Position>) {
        let own = self
            .places(shown)
            .find_map(|(file, position, _)| Some((self.relative(file?)?.to_owned(), position)));
        own.unwrap_or_else(|| {
            let manifest = self.relative(&shown.manifest);
            (manifest.unwrap_or(&shown.manifest).to_owned(), None)
        })
    }
}
