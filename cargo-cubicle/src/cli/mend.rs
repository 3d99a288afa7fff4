//! `cargo cubicle lint --fix`: corrects what can be corrected without permitting anything.

use std::collections::BTreeMap;
use std::ops::Range;

use camino::{Utf8Path, Utf8PathBuf};

use super::arguments::CargoOptions;
use super::foreground::Ending;
use super::lint::{self, Judged};
use crate::diagnostics::{Finding, Fix, Place, here, shown};
use crate::files::{self, Kind};
use crate::lint::levels::{self, Levels};
use crate::lint::{Report, fix};

/// What is corrected may show more: so often it is looked again.
const PASSES: usize = 8;

/// Judges and corrects until nothing is left to correct; `Err`: how cargo ended without. `is_whole`: all programs are looked
/// at, so that an entry that matched nothing in them is one that nothing needs.
///
/// # Errors
/// If there is nothing to judge, or a file cannot be read or written.
pub fn mend(
    options: &CargoOptions,
    is_whole: bool,
    levels_of: impl Fn(&Report) -> Levels,
) -> anyhow::Result<Result<(), Ending>> {
    for _ in 0..PASSES {
        let judged = match lint::judge(&mut options.clone())? {
            Ok(judged) => judged,
            Err(ending) => return Ok(Err(ending)),
        };
        let mut changed = false;
        for (file, wanted) in fixes(&judged, is_whole, &levels_of) {
            changed |= correct(&file, &wanted)?;
        }
        if !changed {
            break;
        }
    }
    Ok(Ok(()))
}

/// What is to be corrected in each file, and the text that it was found in.
#[derive(Default)]
struct Wanted {
    text: String,
    fixes: Vec<(Range<usize>, Fix)>,
}

fn fixes(
    judged: &Judged,
    is_whole: bool,
    levels_of: &impl Fn(&Report) -> Levels,
) -> BTreeMap<Utf8PathBuf, Wanted> {
    let mut all: BTreeMap<Utf8PathBuf, Wanted> = BTreeMap::new();
    let found: Vec<(&Report, Vec<Finding>)> = judged
        .reports
        .iter()
        .map(|report| {
            let findings = report.findings.iter().cloned().collect();
            let findings = levels::apply(&levels_of(report), findings);
            (report, findings.into_iter().collect())
        })
        .collect();
    for (report, findings) in &found {
        for finding in findings {
            let (Some(fix), Some(Place::Span { file, span, .. })) =
                (&finding.fix, finding.places.first())
            else {
                continue;
            };
            // Another program with the same manifest may need it.
            let mut others = found.iter();
            let everywhere = others.all(|(other, findings)| {
                other.manifest != report.manifest || findings.contains(finding)
            });
            if *fix == Fix::Remove && !(is_whole && everywhere) {
                continue;
            }
            let Some(text) = report.texts.get(file) else {
                continue;
            };
            let wanted = all.entry(file.clone()).or_default();
            text.clone_into(&mut wanted.text);
            let one = (span.clone(), fix.clone());
            if !wanted.fixes.contains(&one) {
                wanted.fixes.push(one);
            }
        }
    }
    all
}

/// Answers whether the file is another one now.
fn correct(file: &Utf8Path, wanted: &Wanted) -> anyhow::Result<bool> {
    // An interface file of the tool's own is no file; and somebody may be writing in this one.
    if !std::fs::read_to_string(file).is_ok_and(|text| text == wanted.text) {
        return Ok(false);
    }
    let (text, done) = fix::apply(&wanted.text, &wanted.fixes);
    if done.is_empty() {
        return Ok(false);
    }
    files::replace(file, text.as_bytes(), Kind::Data)?;
    let name = shown(file, &here());
    for index in done {
        let (span, fix) = &wanted.fixes[index];
        let line = wanted.text[..span.start].matches('\n').count() + 1;
        let old = wanted.text[span.clone()].trim_matches(['"', '\'']);
        let what = match fix {
            Fix::Rename(new) => format!("`{old}` is `{new}`"),
            Fix::Remove => format!("took out `{old}`"),
            Fix::Move(cubicle) => format!("`{old}` is described for cubicle `{cubicle}`"),
        };
        anstream::eprintln!("{:>12} {name}:{line}: {what}", "Fixed");
    }
    Ok(true)
}
