//! The only place that turns findings into text, in cargo's look.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level as Title, Origin, Renderer, Snippet};
use camino::{Utf8Path, Utf8PathBuf};

use super::{Finding, Level, Place};

/// The texts that findings point into, by the path under which they are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sources {
    texts: BTreeMap<Utf8PathBuf, Arc<str>>,
}

impl Sources {
    /// No texts yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text under the path that places name.
    pub fn insert(&mut self, file: impl Into<Utf8PathBuf>, text: impl Into<Arc<str>>) {
        self.texts.insert(file.into(), text.into());
    }

    /// Adds all texts of others.
    pub fn extend(&mut self, others: Sources) {
        self.texts.extend(others.texts);
    }

    /// The text of a file, from memory only.
    pub fn get(&self, file: &Utf8Path) -> Option<&str> {
        self.texts.get(file).map(|text| &**text)
    }

    /// Reads the files that `findings` name by line, so that the lines can be
    /// shown. A file that is not there, as is usual for DWARF of a prebuilt
    /// library, is left out; its name and line are shown without the text.
    pub fn read_lines_of<'a>(&mut self, findings: impl IntoIterator<Item = &'a Finding>) {
        for place in findings.into_iter().flat_map(|finding| &finding.places) {
            if let Place::Line { file, .. } = place
                && !self.texts.contains_key(file)
                && let Ok(text) = std::fs::read_to_string(file)
            {
                self.insert(file.clone(), text);
            }
        }
    }
}

/// Renders findings one after the other, with a blank line after each, as cargo
/// does. `color` says whether to use terminal escapes.
pub fn render<'a>(
    findings: impl IntoIterator<Item = &'a Finding>,
    sources: &Sources,
    color: bool,
) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    }
    .decor_style(DecorStyle::Ascii);
    let mut output = String::new();
    for finding in findings {
        let group = group(finding, sources);
        output.push_str(&renderer.render(&[group]));
        output.push_str("\n\n");
    }
    output
}

fn group<'a>(finding: &'a Finding, sources: &'a Sources) -> Group<'a> {
    let level = match finding.level {
        Level::Deny => Title::ERROR,
        Level::Warn => Title::WARNING,
    };
    let mut title = level.primary_title(&finding.message);
    if let Some(code) = finding.code {
        title = title.id(code.as_str());
    }
    let mut group = Group::with_title(title);
    // The places of one file share one snippet, so that lines which belong
    // together are shown together. The primary place's file comes first.
    let mut files: Vec<(&Utf8Path, Vec<Mark>)> = Vec::new();
    let mut origins = Vec::new();
    let mut notes = Vec::new();
    for (index, place) in finding.places.iter().enumerate() {
        let primary = index == 0;
        match locate(place, sources) {
            Located::Marked(file, span, label) => {
                let mark = Mark {
                    span,
                    label,
                    primary,
                };
                match files.iter_mut().find(|(known, _)| *known == file) {
                    Some((_, marks)) => marks.push(mark),
                    None => files.push((file, vec![mark])),
                }
            }
            Located::Named(file, line, label) => origins.push((file, line, label)),
            Located::Note(text) => notes.push(text),
        }
    }
    let here = here();
    for (file, marks) in files {
        let text = sources.get(file).unwrap_or_default();
        let mut snippet = Snippet::source(text).path(shown(file, &here).as_str());
        for mark in marks {
            let kind = if mark.primary {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let mut annotation = kind.span(mark.span);
            if !mark.label.is_empty() {
                annotation = annotation.label(mark.label);
            }
            snippet = snippet.annotation(annotation);
        }
        group = group.element(snippet);
    }
    for (file, line, label) in origins {
        let mut origin = Origin::path(shown(file, &here).as_str());
        if let Some(line) = line {
            origin = origin.line(line);
        }
        group = group.element(origin);
        if !label.is_empty() {
            group = group.element(Title::NOTE.message(label));
        }
    }
    for text in notes {
        group = group.element(Title::NOTE.message(text));
    }
    for help in &finding.helps {
        group = group.element(Title::HELP.message(help));
    }
    group
}

struct Mark<'a> {
    span: Range<usize>,
    label: &'a str,
    primary: bool,
}

enum Located<'a> {
    /// There is text to mark.
    Marked(&'a Utf8Path, Range<usize>, &'a str),
    /// There is only a name, and perhaps a line.
    Named(&'a Utf8Path, Option<usize>, &'a str),
    Note(&'a str),
}

fn locate<'a>(place: &'a Place, sources: &'a Sources) -> Located<'a> {
    match place {
        Place::Span { file, span, label } => match sources.get(file) {
            Some(text) => Located::Marked(file, clamp(text, span), label),
            None => Located::Named(file, None, label),
        },
        Place::Line { file, line, label } => {
            let span = sources.get(file).and_then(|text| line_span(text, *line));
            match span {
                Some(span) => Located::Marked(file, span, label),
                None => Located::Named(file, (*line > 0).then_some(*line as usize), label),
            }
        }
        Place::Note { text } => Located::Note(text),
    }
}

/// Moves a span onto character boundaries inside the text. A span from a parser
/// already lies on them; one computed against an older text may not.
fn clamp(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let end = text.ceil_char_boundary(span.end.clamp(start, text.len()));
    start..end
}

/// The bytes of a line, counted from 1, without the white space around it.
fn line_span(text: &str, line: u32) -> Option<Range<usize>> {
    let index = (line as usize).checked_sub(1)?;
    let mut start = 0;
    for (number, whole) in text.split_inclusive('\n').enumerate() {
        if number == index {
            let trimmed = whole.trim();
            let lead = whole.len() - whole.trim_start().len();
            return (!trimmed.is_empty()).then(|| start + lead..start + lead + trimmed.len());
        }
        start += whole.len();
    }
    None
}

/// Where the user stands, if that can be written.
pub fn here() -> Option<Utf8PathBuf> {
    Utf8PathBuf::from_path_buf(std::env::current_dir().ok()?).ok()
}

/// A path as people write it where they stand.
pub fn shown<'a>(file: &'a Utf8Path, here: &Option<Utf8PathBuf>) -> &'a Utf8Path {
    let inside = here.as_ref().and_then(|here| file.strip_prefix(here).ok());
    inside.unwrap_or(file)
}

#[cfg(test)]
mod tests;
