//! From what the manifest says about a function's arguments and result to the
//! lends of its gates.
//!
//! The manifest speaks of names and types, the monitor of places and bytes. What
//! lies between is the signature (which argument, what is where it points) and
//! the shape of the call (where it travels). Every mistake is a finding at its
//! place in the manifest; a lend with a mistake is left out.
//!
//! ```text
//!   arg.strm = { lend = "inout" }                      paths    which pointer
//!   arg."strm.next_in" = { lend = "in",                rules    what becomes of it
//!                          bytes = "strm.avail_in" }   extents  how much it covers
//!            │                                         pointers what comes back
//!            ▼                                         order    what comes first
//!   [ strm: argument 0, 112 bytes, staged
//!     next_in: field 0 of that, as many bytes as field 8 of that says ]
//! ```

mod arguments;
mod callbacks;
mod draft;
mod extents;
mod order;
mod paths;
mod pointers;
mod reach;
mod results;
mod rules;
mod unlent;

use std::collections::BTreeMap;
use std::ops::Range;

use cubicle_abi::plan::{EXTENT_CONSTANT, Extent, LEND_OUT, LEND_RESULT, Lend};

use crate::diagnostics::{Finding, Findings};
use crate::graph::shape::{CallShape, ResultPlace};
use crate::graph::signature::Signature;
use crate::manifest::{Argument, Callback, Function, Policy, ResultRule};

use arguments::Arguments;
use draft::{Covered, Draft, Holder, Key, Span, argument};
use reach::Use;

pub use callbacks::{ResolvedCallback, UNNUMBERED};
pub use unlent::{Unlent, UnlentKind, holds_function, is_handle, unlent_pointers};

/// As many lends as one gate can have: the monitor keeps a table of this size
/// while it prepares a call.
pub const MOST_LENDS: usize = 64;

/// As many bytes as the tool lets a range have of which others read parts. The
/// monitor has 64 KiB for all that one call needs.
pub const MOST_STAGED: u64 = 32 << 10;

/// The function whose lends are resolved.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub policy: &'a Policy,
    /// The cubicle in whose tables of the manifest it stands.
    pub cubicle: &'a str,
    /// The function, or the name of a callback's gate.
    pub function: &'a str,
    /// What the manifest says about it, if anything.
    pub rules: Option<Rules<'a>>,
    pub signature: &'a Signature,
    /// The shape of `signature`.
    pub shape: &'a CallShape,
    /// The number of the gate to another function of the same cubicle, for the
    /// same caller, if there is one.
    pub number_of: &'a dyn Fn(&str) -> Option<u32>,
}

/// What the manifest says about a function, or about what a pointer to a function
/// leads to.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    pub arguments: &'a BTreeMap<String, Argument>,
    pub result: Option<&'a ResultRule>,
    pub errno: bool,
    pub of_callback: bool,
}

impl<'a> From<&'a Function> for Rules<'a> {
    fn from(function: &'a Function) -> Self {
        Rules {
            arguments: &function.args,
            result: function.result.as_ref(),
            errno: function.errno.as_ref().is_some_and(|errno| errno.value),
            of_callback: false,
        }
    }
}

impl<'a> From<&'a Callback> for Rules<'a> {
    fn from(callback: &'a Callback) -> Self {
        Rules {
            arguments: &callback.args,
            result: callback.result.as_deref(),
            errno: false,
            of_callback: true,
        }
    }
}

/// What a gate lends.
#[derive(Clone, Debug, Default)]
pub struct ResolvedLends {
    /// What a lend refers to comes before it. At most [`MOST_LENDS`].
    pub lends: Vec<Lend>,
    /// Whether the callee's errno goes to the caller's libc after the call.
    pub errno: bool,
    /// The function pointers among the lends.
    pub callbacks: Vec<ResolvedCallback>,
    /// Function pointers in lent memory and in the result of which the manifest
    /// says nothing, as messages call them.
    pub functions: Vec<String>,
}

/// Everything known while one function's lends are resolved.
struct Resolver<'a> {
    subject: Subject<'a>,
    arguments: Arguments<'a>,
    drafts: Vec<Draft<'a>>,
    /// What is said about each pointer.
    rules: BTreeMap<Key, &'a Argument>,
    /// What passes as it is, by where it stands: bytes from there.
    handles: Vec<(Holder, Range<u64>)>,
    /// The draft that covers what a pointer leads to.
    ranges: BTreeMap<Key, usize>,
    /// Numbers in ranges that something is counted with.
    uses: Vec<Use>,
    callbacks: Vec<ResolvedCallback>,
    functions: Vec<String>,
    findings: Findings,
}

/// Resolves the lends of a gate.
pub fn resolve(subject: Subject<'_>) -> (ResolvedLends, Findings) {
    let mut resolver = Resolver {
        subject,
        arguments: Arguments::of(subject.signature, subject.shape),
        drafts: Vec::new(),
        rules: BTreeMap::new(),
        handles: Vec::new(),
        ranges: BTreeMap::new(),
        uses: Vec::new(),
        callbacks: Vec::new(),
        functions: Vec::new(),
        findings: Findings::new(),
    };
    resolver.hidden_result();
    if let Some(rules) = subject.rules {
        let mut arguments: Vec<&Argument> = rules.arguments.values().collect();
        resolver.place_rules(&mut arguments);
        resolver.measure();
    }
    resolver.unsaid();
    match subject.rules.and_then(|rules| rules.result) {
        Some(rule) => {
            if let Err(finding) = resolver.result(rule) {
                resolver.findings.extend(finding);
            }
        }
        None => resolver.unsaid_result(),
    }
    resolver.check_reach();
    resolver.stage();
    let order = resolver.order();
    let mut findings = Findings::new();
    let resolved = resolver.finish(&order, &mut findings);
    findings.sort_by_place();
    (resolved, findings)
}

impl<'a> Resolver<'a> {
    /// An error at something in the manifest.
    fn error(&self, at: &Span, message: impl Into<String>, label: impl Into<String>) -> Finding {
        Finding::error(message).at(self.subject.policy.place(at, label))
    }

    /// The function as messages call it.
    fn title(&self) -> String {
        format!("`{}` of `{}`", self.subject.function, self.subject.cubicle)
    }

    /// Something of the function, as messages call it.
    fn of(&self, label: &str) -> String {
        match label {
            "the result" => format!("the result of {}", self.title()),
            label => format!("`{label}` of {}", self.title()),
        }
    }

    fn no_word(&self, at: &Span, label: &str) -> Finding {
        let message = format!(
            "{} does not travel in one integer register or stack word",
            self.of(label)
        );
        self.error(at, message, "")
            .help("give the function a pointer to it instead")
    }

    fn too_much(&self, at: &Span, label: &str, bytes: u64) -> Finding {
        let message = format!(
            "{} covers {bytes} bytes, and pointers or lengths in it take part in the call",
            self.of(label)
        );
        let help = format!(
            "at most {} KiB of such memory can be lent; lend less, or say `lend = \"handle\"` for the pointers in it",
            MOST_STAGED >> 10
        );
        self.error(at, message, "").help(help)
    }

    /// The place that the caller provides for a result in memory.
    fn hidden_result(&mut self) {
        let ResultPlace::Memory { bytes } = self.subject.shape.result else {
            return;
        };
        self.drafts.push(Draft {
            lend: Lend {
                pointer: argument(0),
                flags: LEND_RESULT | LEND_OUT,
                extent: constant(bytes),
                ..Lend::default()
            },
            label: "its result".to_owned(),
            at: None,
            range: Some(Covered {
                rule: None,
                pointer: None,
                data: self.subject.signature.result.as_ref(),
                each: Some(false),
            }),
            automatic: false,
            good: true,
        });
    }
}

fn constant(bytes: u64) -> Extent {
    Extent {
        kind: EXTENT_CONSTANT,
        scale: bytes,
        ..Extent::default()
    }
}

/// A path as a key of the manifest: positions and paths are quoted.
fn key(label: &str) -> String {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if label.chars().all(is_word) {
        label.to_owned()
    } else {
        format!("\"{label}\"")
    }
}

#[cfg(test)]
mod tests;
