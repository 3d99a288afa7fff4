//! Phase 1: from `Cubicle.toml` to a checked policy.
//!
//! The text is parsed with recovery (`toml`), read table by table by a checked
//! reader (`read`) that reports and goes on, and then judged as a whole
//! (`check`). Only a policy without mistakes leaves this module; everything in
//! it still knows where in the text it came from.

mod check;
mod extent;
mod files;
mod find;
mod function;
mod interfaces;
mod located;
mod policy;
mod read;
mod schema;
mod size;
mod unsupported;
mod variant;
mod words;

use camino::{Utf8Path, Utf8PathBuf};
use toml::de::DeTable;

pub use extent::{ArgumentPath, Base, Extent, PathError, Step};
pub use find::{FILE_NAME, FindError, find};
pub use function::{
    Argument, ArgumentRule, Callback, Direction, Fault, Function, Interface, Lend, ResultKind,
    ResultRule, Unit,
};
pub use interfaces::{EMBEDDED as EMBEDDED_INTERFACES, FOLDER as INTERFACES_FOLDER};
pub use located::Located;
pub use policy::{
    CSources, Cubicle, Files, InterfaceText, MAX_KEYED, Policy, SYSCALL_GROUPS, Sight,
    SymbolPattern, Variant, Window,
};
pub use schema::{interface_json_schema, json_schema};
pub use words::{
    Access, Denied, GateKind, Isolation, Kind, LendWord, LintLevel, Negative, OnFault, Rodata, Word,
};

use crate::diagnostics::{Finding, Findings, Sources, render};

/// The longest manifest that is read, in bytes. People write them by hand; a
/// longer one is some other file.
const LONGEST: usize = 1 << 20;

/// The most mistakes reported in one run. After that many, the file is broken in
/// some way that a longer list does not make clearer.
const MOST_FINDINGS: usize = 50;

/// Why a manifest could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read, or is not UTF-8.
    #[error("cannot read `{path}`")]
    Io {
        /// The file.
        path: Utf8PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There are mistakes in it.
    #[error("{0}")]
    Rejected(#[from] Box<Rejected>),
}

/// A manifest with mistakes, and its text to show them in.
#[derive(Clone, Debug, thiserror::Error)]
#[error("there are mistakes in `{file}`")]
pub struct Rejected {
    /// The manifest's path, as it is shown to the user.
    pub file: Utf8PathBuf,
    /// The mistakes, and any warnings, in the order of the text.
    pub findings: Findings,
    /// The manifest's text.
    pub sources: Sources,
}

impl Rejected {
    /// The findings in cargo's look, with terminal colours or without.
    pub fn render(&self, color: bool) -> String {
        render(&self.findings, &self.sources, color)
    }
}

/// Reads and checks a manifest, and partitions as its variant says, if one is
/// named. `path` is also how the file is called in messages.
///
/// # Errors
/// [`LoadError::Io`] if there is no text to be had, [`LoadError::Rejected`] with
/// all mistakes at once if it is not a good manifest.
pub fn load(path: &Utf8Path, variant: Option<&str>) -> Result<Policy, LoadError> {
    let text = std::fs::read_to_string(path).map_err(|source| LoadError::Io {
        path: path.to_owned(),
        source,
    })?;
    Ok(parse_variant(path, &text, variant)?)
}

/// Checks a manifest's text. `path` is how the file is called in messages, and
/// its folder is what file patterns are relative to; it is not read. The
/// interface files that the text names are read, from that folder.
///
/// # Errors
/// All mistakes at once.
pub fn parse(path: &Utf8Path, text: &str) -> Result<Policy, Box<Rejected>> {
    parse_variant(path, text, None)
}

/// The same, of a variant that the text has.
///
/// # Errors
/// All mistakes at once.
pub fn parse_variant(
    path: &Utf8Path,
    text: &str,
    variant: Option<&str>,
) -> Result<Policy, Box<Rejected>> {
    let mut policy = Policy::empty(path, text.into());
    let mut findings = Findings::new();
    if text.len() > LONGEST {
        findings.push(too_long(path, "manifest"));
        return Err(reject(&policy, findings));
    }

    let mut reader = read::Reader::new(path, 0);
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        reader.syntax_errors(&errors);
        return Err(reject(&policy, reader.findings));
    }

    let doubts = read::read(&mut reader, document.get_ref(), &mut policy);
    findings.extend(reader.findings);
    findings.extend(check::check(&policy, &doubts));
    interfaces::load(&mut policy, &mut findings);
    if !findings.has_denied() {
        variant::check(&policy, &mut findings);
    }
    if findings.has_denied() {
        return Err(reject(&policy, findings));
    }
    if let Some(name) = variant {
        match variant::choose(&policy, name) {
            Ok(merged) => policy = merged,
            Err(finding) => {
                findings.push(finding);
                return Err(reject(&policy, findings));
            }
        }
    }
    findings.sort_by_place();
    policy.warnings = findings;
    Ok(policy)
}

/// Checks an interface file's text by itself. `path` is how the file is called in messages.
///
/// # Errors
/// All mistakes at once.
pub fn parse_interface(path: &Utf8Path, text: &str) -> Result<Interface, Box<Rejected>> {
    let mut findings = Findings::new();
    let interface = interfaces::parse(path, text, 0, &mut findings);
    if findings.has_denied() {
        return Err(reject(&Policy::empty(path, text.into()), findings));
    }
    Ok(interface)
}

fn reject(policy: &Policy, mut findings: Findings) -> Box<Rejected> {
    findings.sort_by_place();
    Box::new(Rejected {
        file: policy.file.clone(),
        findings: shorten(findings),
        sources: policy.sources(),
    })
}

fn too_long(path: &Utf8Path, what: &str) -> Finding {
    Finding::error(format!(
        "`{path}` is longer than {}: it is no {what}",
        size::show(LONGEST as u64)
    ))
}

/// Cuts an endless list short and says so.
fn shorten(findings: Findings) -> Findings {
    let more = findings.len().saturating_sub(MOST_FINDINGS);
    let mut kept: Findings = findings.into_iter().take(MOST_FINDINGS).collect();
    if more > 0 {
        kept.push(Finding::error(format!("there are {more} more mistakes")));
    }
    kept
}

#[cfg(test)]
mod tests;
