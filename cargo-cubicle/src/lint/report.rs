//! What was found out about one program.

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::levels::Levels;
use crate::authority::Program;
use crate::capture::LinkLine;
use crate::diagnostics::{Finding, Findings, Sources};
use crate::picture::Picture;

/// What the analysis of one program found. It is written where cargo expects the
/// program, so cargo knows when it is out of date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Tells a report from whatever else may lie there.
    pub cubicle_lint: u32,
    /// The program's name, and the package it belongs to.
    pub program: String,
    pub package: String,
    /// Whether the lock file is about it.
    pub has_lock: bool,
    /// Where the program's link line is.
    pub directory: Utf8PathBuf,
    /// The manifest that applies.
    pub manifest: Utf8PathBuf,
    /// The manifest itself cannot be understood.
    pub manifest_rejected: bool,
    /// At the rules' own levels, in the order of the text they point into.
    pub findings: Vec<Finding>,
    /// That text, as it was.
    pub texts: Sources,
    /// What the manifest says of levels.
    pub levels: Levels,
    /// What the plan grants; `None` if the analysis did not get so far.
    pub authority: Option<Program>,
    /// The partition, as far as it could be planned, with what it forbids.
    pub picture: Option<Picture>,
}

/// The version of [`Report`].
const VERSION: u32 = 4;

impl Report {
    /// Nothing has been found yet.
    pub fn about(line: &LinkLine) -> Report {
        Report {
            cubicle_lint: VERSION,
            program: line.name().to_owned(),
            package: line.program.package.clone(),
            has_lock: line.has_lock(),
            directory: line.directory.clone(),
            manifest: line.manifest.clone(),
            manifest_rejected: false,
            findings: Vec::new(),
            texts: Sources::new(),
            levels: Levels::new(),
            authority: None,
            picture: None,
        }
    }

    /// Takes in what was found, with the texts it points into.
    pub fn found(&mut self, mut findings: Findings, mut texts: Sources) {
        findings.sort_by_place();
        texts.read_lines_of(findings.iter());
        self.findings = findings.into_iter().collect();
        self.texts = texts;
    }

    /// Puts it where the program would be. Nobody takes it for one: it cannot be
    /// executed.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn leave(&self, output: &Utf8Path) -> anyhow::Result<()> {
        let text = serde_json::to_string(self)?;
        let _ = std::fs::remove_file(output);
        std::fs::write(output, text).with_context(|| format!("cannot write `{output}`"))
    }

    /// Reads a report; `None` if the file is none, but a program.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(path: &Utf8Path) -> std::io::Result<Option<Report>> {
        let bytes = std::fs::read(path)?;
        let report: Option<Report> = serde_json::from_slice(&bytes).ok();
        Ok(report.filter(|report| report.cubicle_lint == VERSION))
    }
}
