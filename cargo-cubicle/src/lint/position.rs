//! Where a place is in its file, as machines want to know it.

use crate::diagnostics::{Place, Sources};

/// Lines and columns count from 1, columns in characters; the end is exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub line: u32,
    /// `None` where only the line is known.
    pub columns: Option<Columns>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    pub start: u32,
    pub end_line: u32,
    pub end: u32,
}

impl Position {
    /// The position of a place, if it can be told.
    pub fn of(place: &Place, texts: &Sources) -> Option<Position> {
        match place {
            Place::Span { file, span, .. } => {
                let text = texts.get(file)?;
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
