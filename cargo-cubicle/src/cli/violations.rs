//! Explains what a program's monitor reported.

use std::io;

use anstream::{AutoStream, ColorChoice};
use camino::Utf8Path;

use super::message;
use crate::symbolize::{Binary, START, Style, from_stream};

/// `text` with every record of a violation replaced by its report, for stderr.
/// All else stays as it is, and so do the records if `binary` cannot explain
/// them. Paths below `root` are shown relative to it.
pub fn explain(text: &[u8], binary: &Utf8Path, root: &Utf8Path) -> Vec<u8> {
    if !holds_record(text) {
        return text.to_vec();
    }
    let style = Style {
        colour: AutoStream::choice(&io::stderr()) != ColorChoice::Never,
        root: Some(root.to_owned()),
    };
    match Binary::open(binary) {
        Ok(binary) => from_stream(text, &binary, &style),
        Err(error) => {
            message::note(&format!("a violation cannot be explained: {error}"));
            text.to_vec()
        }
    }
}

/// Whether something in `text` begins like a record.
pub fn holds_record(text: &[u8]) -> bool {
    text.windows(START.len())
        .any(|window| window == START.as_bytes())
}
