//! Where a finding is: in a text, at a line of a source file, or in an object.

use std::cmp::Ordering;
use std::ops::Range;

use camino::Utf8PathBuf;

/// One place that takes part in a finding.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Place {
    /// Bytes of a text file that the tool has read, usually the manifest.
    Span {
        /// The file, as it is to be shown.
        file: Utf8PathBuf,
        /// Byte offsets into the file's text.
        span: Range<usize>,
        /// What to say under the marked bytes; may be empty.
        label: String,
    },
    /// A line of a source file as DWARF names it. The file may not exist here.
    Line {
        /// The file, as it is to be shown.
        file: Utf8PathBuf,
        /// The line, counted from 1; 0 where DWARF does not know it.
        line: u32,
        /// What to say about the line; may be empty.
        label: String,
    },
    /// Something that has no source position: an object, a symbol, a section.
    Note {
        /// A phrase such as ``in member `inflate.o` of `libz.a` ``.
        text: String,
    },
}

impl Place {
    /// Bytes of a text file.
    pub fn span(
        file: impl Into<Utf8PathBuf>,
        span: Range<usize>,
        label: impl Into<String>,
    ) -> Self {
        Place::Span {
            file: file.into(),
            span,
            label: label.into(),
        }
    }

    /// A line of a source file, counted from 1.
    pub fn line(file: impl Into<Utf8PathBuf>, line: u32, label: impl Into<String>) -> Self {
        Place::Line {
            file: file.into(),
            line,
            label: label.into(),
        }
    }

    /// Something without a source position.
    pub fn note(text: impl Into<String>) -> Self {
        Place::Note { text: text.into() }
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Spans come before lines and lines before notes; within a kind, by file and
/// position, so that a report can be read beside the file.
impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        fn key(place: &Place) -> (u8, &str, usize, usize, &str) {
            match place {
                Place::Span { file, span, label } => {
                    (0, file.as_str(), span.start, span.end, label)
                }
                Place::Line { file, line, label } => (1, file.as_str(), *line as usize, 0, label),
                Place::Note { text } => (2, "", 0, 0, text),
            }
        }
        key(self).cmp(&key(other))
    }
}
