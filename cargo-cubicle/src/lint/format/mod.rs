//! Findings as people and machines want them.

mod github;
mod human;
mod json;
mod sarif;

use super::results::Results;

/// The forms there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people, in cargo's look, to standard error
    #[default]
    Human,
    /// One document, described in docs/LINT.md
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands of GitHub Actions
    Github,
}

/// Shows results: what machines read to standard output.
pub fn print(results: &Results, format: Format) {
    match format {
        Format::Human => human::print(results),
        Format::Json => println!("{:#}", json::document(results)),
        Format::Sarif => println!("{:#}", sarif::document(results)),
        Format::Github => print!("{}", github::commands(results)),
    }
}
