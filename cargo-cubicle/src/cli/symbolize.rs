//! `cargo cubicle symbolize`: a filter that explains the violations in a text,
//! for records that `run` and `test` have not seen, such as those in a log.

use std::fs::File;
use std::io::{self, Read, Write};

use anstream::{AutoStream, ColorChoice};
use anyhow::Context;

use super::arguments::SymbolizeOptions;
use super::foreground::Ending;
use super::{UsageError, message, violations};
use crate::capture::linker;
use crate::symbolize::{Binary, Style, from_stream};

/// Writes the text to standard output, with a report in the place of each record.
pub fn run(options: &SymbolizeOptions) -> anyhow::Result<Ending> {
    let Some(path) = &options.binary else {
        return Err(UsageError(format!(
            "which program wrote the records? They hold only addresses, and the program says what these mean\n  \
             = help: cargo cubicle symbolize {} --binary target/x86_64-unknown-linux-gnu/debug/NAME",
            options.file
        ))
        .into());
    };
    let mut text = Vec::new();
    match options.file.as_str() {
        "-" => io::stdin().read_to_end(&mut text),
        file => File::open(file).and_then(|mut file| file.read_to_end(&mut text)),
    }
    .map_err(|error| UsageError(format!("{}: {error}", options.file)))?;
    let binary = Binary::open(path).map_err(|error| UsageError(format!("`--binary`: {error}")))?;
    if !violations::holds_record(&text) {
        message::note("there is no record of a violation in this text");
    }
    let style = Style {
        colour: AutoStream::choice(&io::stdout()) != ColorChoice::Never,
        root: linker::current_directory().ok(),
    };
    io::stdout()
        .write_all(&from_stream(&text, &binary, &style))
        .context("could not write to standard output")?;
    Ok(Ending::Status(0))
}
