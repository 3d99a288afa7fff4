//! Where in the source a call across a border is made.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

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

    /// Where `references` in the image of a cubicle are made.
    pub fn of(&mut self, cubicle: usize, references: &[Reference]) -> Vec<Place> {
        let images = self.images;
        let lines = self
            .lines
            .entry(cubicle)
            .or_insert_with(|| Lines::read(&images[cubicle].bytes).ok());
        let mut places = Vec::new();
        for reference in references.iter().filter(|reference| reference.text) {
            let location = lines
                .as_ref()
                .and_then(|lines| lines.lookup(reference.place));
            let Some(location) = location else {
                continue;
            };
            if let (Some(file), Some(line)) = (location.file, location.line) {
                let function = location.outer.or(location.function).unwrap_or_default();
                places.push(Place::line(
                    Utf8PathBuf::from(file),
                    line,
                    format!("in `{function}`"),
                ));
            }
        }
        places.dedup();
        places.truncate(SHOWN_SITES);
        places
    }
}
