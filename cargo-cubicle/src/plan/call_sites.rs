//! Where in the source a call across a border is made.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::diagnostics::Place;
use crate::graph::lines::Lines;
use crate::images::{Image, Reference};

/// As many call sites as a finding lists.
const SHOWN_SITES: usize = 3;

/// Source lines of references, read from an image's debug information only
/// when a finding needs them.
pub struct CallSites<'a> {
    images: &'a [Image],
    lines: BTreeMap<usize, Option<Lines>>,
}

impl<'a> CallSites<'a> {
    pub fn new(images: &'a [Image]) -> CallSites<'a> {
        CallSites {
            images,
            lines: BTreeMap::new(),
        }
    }

    /// Where `references` in the image of a cubicle are made: the first few.
    pub fn of(&mut self, cubicle: usize, references: &[Reference]) -> Vec<Place> {
        let mut lines = self.lines(cubicle, references);
        lines.truncate(SHOWN_SITES);
        let place = |line: Line| {
            let label = format!("in `{}`", line.function);
            Place::line(Utf8PathBuf::from(line.file), line.line, label)
        };
        lines.into_iter().map(place).collect()
    }

    /// All lines from which `references` in the image of a cubicle are made.
    pub fn lines(&mut self, cubicle: usize, references: &[Reference]) -> Vec<Line> {
        let images = self.images;
        let lines = self
            .lines
            .entry(cubicle)
            .or_insert_with(|| Lines::read(&images[cubicle].bytes).ok());
        let mut found = Vec::new();
        for reference in references.iter().filter(|reference| reference.text) {
            let location = lines
                .as_ref()
                .and_then(|lines| lines.lookup(reference.place));
            let Some(location) = location else {
                continue;
            };
            if let (Some(file), Some(line)) = (location.file, location.line) {
                let function = location.outer.or(location.function).unwrap_or_default();
                found.push(Line {
                    file,
                    line,
                    function,
                });
            }
        }
        found.dedup();
        found
    }
}

/// A line of source code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub file: String,
    /// Counted from 1.
    pub line: u32,
    /// The function around it.
    pub function: String,
}
