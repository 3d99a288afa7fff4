//! Drafts of manifest entries, from what an audit recorded and what debug
//! information says. A person reads them before they become the manifest's.
//!
//! ```text
//!   recordings ─► evidence: for each function, its calls ─┐
//!   signatures ─► types: what each path leads to          ├─► function ─► entries ─► text
//!   policy     ─► what is described already               ┘
//! ```
//!
//! Everything here is a function of its arguments. What is inferred, and from what:
//!
//! * `direction`: from who read and wrote first, and from `const`;
//! * `extent`: from numbers of the same call that were never less than what was
//!   touched;
//! * `owned`: types of which a callee was only ever passed what is its own;
//! * `kept`: from pointers that the callee held after a call and was passed again;
//! * `callback`: from functions that were called by their address;
//! * `ready`: from the names of functions, which a ready-made interface may describe;
//! * `guess`: from types and names alone, for what was never seen in use.
//!
//! `first` makes a whole manifest of what a program is linked from.

mod callback;
mod direction;
mod evidence;
mod extent;
pub mod first;
mod function;
mod guess;
mod kept;
mod owned;
mod ready;
mod text;
mod types;

use std::collections::BTreeMap;

use crate::audit::Recording;
use crate::graph::signature::Signature;
use crate::manifest::Policy;

pub use evidence::Evidence;
pub use ready::Ready;

/// How sure an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// From types and names alone.
    Guess,
    /// Nothing that was seen speaks against it.
    Likely,
    /// What was seen speaks for it.
    Sure,
}

/// One line of a function's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub cubicle: String,
    pub function: String,
    /// `arg.n`, `arg."strm.next_in"`, `result`.
    pub key: String,
    /// Its value, TOML.
    pub value: String,
    pub why: String,
    pub confidence: Confidence,
    /// The manifest has an entry there, which was not enough.
    pub replaces: bool,
}

/// All that is proposed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// Interface files that make entries unnecessary.
    pub ready: Vec<Ready>,
    /// By cubicle and function, in the order of the arguments.
    pub entries: Vec<Entry>,
    /// What no entry can mend, in words.
    pub remarks: Vec<String>,
}

/// What is known.
#[derive(Debug)]
pub struct Known<'a> {
    pub policy: &'a Policy,
    /// By the cubicle that has the function, and its name.
    pub signatures: &'a BTreeMap<(String, String), Signature>,
    /// Ready-made interface files: names and texts.
    pub interfaces: &'a [(&'a str, &'a str)],
}

/// Drafts entries for all functions that the recorded programs could call.
pub fn draft(recordings: &[Recording], known: &Known<'_>) -> Draft {
    draft_from(Evidence::of(recordings), known)
}

/// Drafts entries for functions of which nothing but the types is known: all of those in
/// [`Known::signatures`].
pub fn draft_types(known: &Known<'_>) -> Draft {
    draft_from(Evidence::of_types(known.signatures.keys().cloned()), known)
}

fn draft_from(evidence: Evidence, known: &Known<'_>) -> Draft {
    let kept = kept::find(&evidence, known);
    let hooks = callback::hooks(&evidence, known);
    let owned = owned::find(&evidence, known);
    let mut draft = Draft {
        ready: ready::find(&evidence, known, known.interfaces),
        ..Draft::default()
    };
    for ((cubicle, name), signature) in known.signatures {
        let is_ready = |ready: &Ready| ready.cubicle == *cubicle && ready.functions.contains(name);
        if draft.ready.iter().any(is_ready) {
            continue;
        }
        let Some(calls) = evidence.functions.get(&(cubicle.clone(), name.clone())) else {
            continue;
        };
        let subject = function::Subject {
            cubicle,
            name,
            signature,
            calls,
            evidence: &evidence,
            known,
            kept: &kept,
            hooks: &hooks,
            owned: &owned,
        };
        subject.draft(&mut draft);
    }
    draft.remarks.extend(evidence.remarks);
    draft
}
