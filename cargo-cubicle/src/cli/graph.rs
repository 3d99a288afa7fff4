//! `cargo cubicle graph`: the partition as a picture.

use std::io::Write;

use anyhow::Context;

use super::arguments::{GraphFormat, GraphOptions};
use super::foreground::Ending;
use super::{UsageError, compile, lint};
use crate::lint::Report;
use crate::picture::{Picture, dot, html, svg};

/// Runs the command.
pub fn run(mut options: GraphOptions) -> anyhow::Result<Ending> {
    let judged = match lint::judge(&mut options.common)? {
        Ok(judged) => judged,
        Err(ending) => return Ok(ending),
    };
    let picture = one(&judged.reports)?;
    let text = match options.format {
        GraphFormat::Svg => svg::draw(picture),
        GraphFormat::Html => html::draw(picture),
        GraphFormat::Dot => dot::draw(picture),
        GraphFormat::Json => serde_json::to_string_pretty(picture)? + "\n",
    };
    match &options.output {
        Some(path) => {
            std::fs::write(path, text).with_context(|| format!("cannot write `{path}`"))?;
        }
        None => std::io::stdout().write_all(text.as_bytes())?,
    }
    Ok(Ending::Status(0))
}

/// The picture of the only program.
///
/// # Errors
/// If there are several, or its partition could not be planned.
pub fn one(reports: &[Report]) -> Result<&Picture, UsageError> {
    let report = compile::only(reports, |report| &report.program)?;
    report.picture.as_ref().ok_or_else(|| {
        UsageError(format!(
            "the partition of `{}` cannot be planned\n  = help: `cargo cubicle lint` says why",
            report.program
        ))
    })
}
