//! The figures that are kept, and what is made of them: the plot and the tables in the document.

use std::fs;
use std::path::Path;

use anyhow::Context;

use super::figures::Figures;
use super::{plot, table};

const FIGURES: &str = "docs/experiment.tsv";
const PLOT: &str = "docs/experiment.svg";
const DOCUMENT: &str = "docs/EXPERIMENT.md";

/// The tables stand between these lines.
const BEGIN: &str = "<!-- measured: written by the benchmark -->\n";
const END: &str = "<!-- end of what was measured -->\n";

/// Writes all three below the repository's root.
pub fn keep(root: &Path, figures: &Figures) -> anyhow::Result<()> {
    fs::write(root.join(FIGURES), figures.write())?;
    for (path, text) in made(root, figures)? {
        fs::write(root.join(path), text)?;
    }
    Ok(())
}

/// The files that follow from the figures.
fn made(root: &Path, figures: &Figures) -> anyhow::Result<[(&'static str, String); 2]> {
    let document = fs::read_to_string(root.join(DOCUMENT))?;
    let (before, rest) = document
        .split_once(BEGIN)
        .with_context(|| format!("{DOCUMENT} has no line {BEGIN}"))?;
    let (_, after) = rest
        .split_once(END)
        .with_context(|| format!("{DOCUMENT} has no line {END}"))?;
    let tables = table::all(figures);
    let document = format!("{before}{BEGIN}\n{tables}\n{END}{after}");
    Ok([(PLOT, plot::draw(figures)), (DOCUMENT, document)])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_EXPECT=1` draws them again.
    #[test]
    fn the_plot_and_the_tables_say_what_was_measured() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let figures = Figures::read(&fs::read_to_string(root.join(FIGURES)).unwrap()).unwrap();
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            keep(&root, &figures).unwrap();
        }
        for (path, expected) in made(&root, &figures).unwrap() {
            let stands = fs::read_to_string(root.join(path)).unwrap();
            assert!(
                stands == expected,
                "{path} is not what {FIGURES} says: run the test with UPDATE_EXPECT=1"
            );
        }
    }
}
