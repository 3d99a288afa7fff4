//! Keeps what an audit recorded, and says what it was.

use anyhow::Context;
use camino::Utf8Path;

use super::message;
use crate::audit::{FILE, Recording};
use crate::symbolize::Binary;

/// So many lines are shown; all are in the recording.
const MOST_LINES: usize = 30;

/// Keeps the recording that the audit build `binary` wrote beside its link line.
/// What goes wrong is said, and does not change how the program ends.
pub fn keep(recorded: &[u8], binary: &Utf8Path, root: &Utf8Path) {
    if let Err(error) = try_to_keep(recorded, binary, root) {
        message::note(&format!("the audit's recording is lost: {error:#}"));
    }
}

fn try_to_keep(recorded: &[u8], binary: &Utf8Path, root: &Utf8Path) -> anyhow::Result<()> {
    let text = std::str::from_utf8(recorded)?;
    let mut recording = Recording::parse(binary, text)?;
    let opened = Binary::open(binary)?;
    recording.explain(&opened);
    let folder = opened
        .folder()
        .with_context(|| format!("{binary} has no folder of its own"))?;
    let path = folder.join(FILE);
    std::fs::write(&path, recording.text()).with_context(|| format!("could not write {path}"))?;

    let lines = recording.render(root);
    for line in lines.iter().take(MOST_LINES) {
        anstream::eprintln!("audit: {line}");
    }
    if lines.len() > MOST_LINES {
        anstream::eprintln!("audit: {} more in the recording", lines.len() - MOST_LINES);
    }
    if lines.is_empty() {
        anstream::eprintln!("audit: nothing that would have been a violation");
    }
    if recording.dropped() > 0 {
        message::note(&format!(
            "{} records did not fit: describe what is known, and record again",
            recording.dropped()
        ));
    }
    let from = path.strip_prefix(root).unwrap_or(&path);
    message::note(&format!(
        "the recording is {from}; `cargo cubicle suggest` drafts manifest entries from it"
    ));
    Ok(())
}
