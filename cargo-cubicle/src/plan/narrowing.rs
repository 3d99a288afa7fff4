//! What becomes of calls that a cubicle is denied, and which files the granted ones
//! reach.

use cubicle_abi::plan::{
    CUBICLE_DENIED_KILL, CUBICLE_DENIED_LOG, CUBICLE_NARROWED, MOST_FILE_PLACES,
};
use syscalls::x86_64::Sysno;

use super::system_calls::{GROUPS, Grants};
use crate::diagnostics::{Finding, Findings};
use crate::manifest::{Cubicle, Denied, Policy};

/// How the calls of one cubicle are narrowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// What path calls reach, if that is not everything.
    pub places: Option<Vec<FilePlace>>,
    pub denied: Denied,
}

/// A file or folder, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePlace {
    pub path: String,
    pub writable: bool,
}

impl Narrowing {
    /// The `CUBICLE_` flags that follow.
    pub fn flags(&self) -> u64 {
        let narrowed = if self.places.is_some() {
            CUBICLE_NARROWED
        } else {
            0
        };
        narrowed
            | match self.denied {
                Denied::Error => 0,
                Denied::Log => CUBICLE_DENIED_LOG,
                Denied::Kill => CUBICLE_DENIED_KILL,
            }
    }
}

/// What the manifest says of one cubicle.
pub fn resolve(policy: &Policy, cubicle: &Cubicle, grants: &Grants) -> (Narrowing, Findings) {
    let mut findings = Findings::new();
    let mut narrowing = Narrowing {
        places: None,
        denied: cubicle.denied.value,
    };
    let Some(files) = &cubicle.files else {
        return (narrowing, findings);
    };
    let places: Vec<FilePlace> = [(&files.read, false), (&files.write, true)]
        .into_iter()
        .flat_map(|(places, writable)| {
            places.iter().map(move |place| FilePlace {
                path: place.value.clone(),
                writable,
            })
        })
        .collect();
    let place = || policy.place(&files.span, "");
    if places.len() > MOST_FILE_PLACES {
        findings.push(
            Finding::error(format!(
                "`files` lists {} places; there is room for {MOST_FILE_PLACES}",
                places.len()
            ))
            .at(place())
            .help("list the folders that they are in"),
        );
    }
    if !names_paths(grants) {
        findings.push(
            Finding::warning("`files` narrows calls that name a path, and none is granted")
                .at(place())
                .help("grant `@file`, or remove `files`"),
        );
    }
    narrowing.places = Some(places);
    (narrowing, findings)
}

/// Is some call granted that `@file` or `@net` has and `@stdio` has not?
fn names_paths(grants: &Grants) -> bool {
    let groups = GROUPS.iter().filter(|group| group.any_descriptor);
    groups
        .flat_map(|group| group.calls)
        .any(|call: &Sysno| grants.numbers.contains(&(call.id() as u32)))
}
