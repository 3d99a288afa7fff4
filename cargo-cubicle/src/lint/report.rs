//! What was found out about one program.

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::levels::Levels;
use crate::authority::Program;
use crate::capture::LinkLine;
use crate::diagnostics::{Finding, Findings, Place, Sources, render};

/// What the analysis of one program found. It is written where cargo expects the
/// program, so cargo knows when it is out of date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Tells a report from whatever else may lie there.
    pub cubicle_lint: u32,
    /// The program's name, and the package it belongs to.
    pub program: String,
    pub package: String,
    /// Whether it is a binary, and not a test or benchmark harness.
    pub binary: bool,
    /// The manifest that applies.
    pub manifest: Utf8PathBuf,
    /// The manifest itself cannot be understood.
    pub manifest_rejected: bool,
    /// In the order of the text they point into.
    pub findings: Vec<Found>,
    /// What the manifest says of levels.
    pub levels: Levels,
    /// What the plan grants; `None` if the analysis did not get so far.
    pub authority: Option<Program>,
}

/// A finding with its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    pub finding: Finding,
    /// For each of its places, where that is in its file, if that can be told.
    pub positions: Vec<Option<Position>>,
    /// As people see it, with colours.
    pub rendered: String,
}

/// Lines and columns count from 1, columns in characters; the end is exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub line: u32,
    /// `None` where only the line is known.
    pub columns: Option<Columns>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Columns {
    pub start: u32,
    pub end_line: u32,
    pub end: u32,
}

impl Position {
    fn of(place: &Place, sources: &Sources) -> Option<Position> {
        match place {
            Place::Span { file, span, .. } => {
                let text = sources.get(file)?;
                let (line, start) = line_and_column(text, span.start)?;
                let (end_line, end) = line_and_column(text, span.end)?;
                let columns = Some(Columns {
                    start,
                    end_line,
                    end,
                });
                Some(Position { line, columns })
            }
            Place::Line { line, .. } if *line > 0 => Some(Position {
                line: *line,
                columns: None,
            }),
            Place::Line { .. } | Place::Note { .. } => None,
        }
    }
}

fn line_and_column(text: &str, offset: usize) -> Option<(u32, u32)> {
    let before = text.get(..offset)?;
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next()?.chars().count() + 1;
    Some((line as u32, column as u32))
}

/// The version of [`Report`].
pub const VERSION: u32 = 1;

impl Found {
    /// With the texts that its places point into.
    pub fn new(finding: Finding, sources: &Sources) -> Found {
        let rendered = render(std::iter::once(&finding), sources, true);
        let positions = finding
            .places
            .iter()
            .map(|place| Position::of(place, sources))
            .collect();
        Found {
            finding,
            positions,
            rendered,
        }
    }

    /// All of them, in order.
    pub fn all(findings: &Findings, sources: &Sources) -> Vec<Found> {
        let findings = findings.iter().cloned();
        findings.map(|one| Found::new(one, sources)).collect()
    }
}

impl Report {
    /// Nothing has been found yet.
    pub fn about(line: &LinkLine) -> Report {
        Report {
            cubicle_lint: VERSION,
            program: line.name().to_owned(),
            package: line.program.package.clone(),
            binary: line.binary_name.is_some() && !line.test,
            manifest: line.manifest.clone(),
            manifest_rejected: false,
            findings: Vec::new(),
            levels: Levels::new(),
            authority: None,
        }
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
