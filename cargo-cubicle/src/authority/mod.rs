//! What a program's cubicles may do, as a value that people can review: every call
//! across a border, every lend, callback, window, sight and granted system call.
//!
//! It is computed from the plan and the manifest, kept in `Cubicle.lock`
//! ([`lock_file`]), and compared with what is kept there ([`compare`]): whatever a
//! change of the code, of a dependency or of the manifest adds is one line.

pub mod compare;
pub mod lock_file;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use syscalls::x86_64::Sysno;

use crate::gates::GateKind;
use crate::manifest::{Access, Isolation, Policy};
use crate::plan::{self, Plan};

/// What one program's cubicles may do. Every item is a line that says one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Program {
    /// What the manifest takes from the protection of the whole program.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub weakened: BTreeSet<String>,
    /// By name.
    #[serde(default)]
    pub cubicle: BTreeMap<String, Cubicle>,
    /// Keyed windows, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub window: BTreeMap<String, Window>,
}

/// What one cubicle may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Cubicle {
    /// Its protection key.
    pub key: u32,
    /// What the manifest takes from the protection against it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub weakened: BTreeSet<String>,
    /// Cubicles whose memory it may touch, and how: `codec rw`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub sees: BTreeSet<String>,
    /// Functions of others that it may call: `codec: codec_decode`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub calls: BTreeSet<String>,
    /// Functions that others pass and it may call: `app: codec_open: progress`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub callbacks: BTreeSet<String>,
    /// Memory of others that it may touch during a call:
    /// `app: codec_decode: input in, length bytes`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub lent: BTreeSet<String>,
    /// What its calls with paths reach: `read /etc/ssl`, or `anything`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub files: BTreeSet<String>,
    /// By name.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub system_calls: BTreeSet<String>,
}

/// A keyed window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Window {
    pub key: u32,
    pub owner: String,
    /// `codec rw`
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub guests: BTreeSet<String>,
    /// The variables in it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub symbols: BTreeSet<String>,
}

/// How memory may be touched, as the manifest says it.
pub fn access(access: Access) -> &'static str {
    match access {
        Access::Read => "r",
        Access::ReadWrite => "rw",
    }
}

impl Program {
    /// What `plan` grants, which was made from `policy`.
    pub fn of(plan: &Plan, policy: &Policy) -> Program {
        let mut program = Program::default();
        if policy.isolation.value == Isolation::Any {
            program
                .weakened
                .insert("isolation = \"any\": page tables where there are no keys".to_owned());
        }
        if policy.dumps.value {
            program
                .weakened
                .insert("dumps = true: debuggers and core dumps see all memory".to_owned());
        }
        for planned in &plan.cubicles {
            let cubicle = Cubicle::of(planned, policy);
            program.cubicle.insert(planned.name.clone(), cubicle);
        }
        for gate in plan
            .gates
            .iter()
            .flatten()
            .filter(|gate| !gate.is_callback())
        {
            let (from, to) = (&plan.cubicles[gate.from].name, &plan.cubicles[gate.to].name);
            let fast = if gate.kind == GateKind::Fast {
                " (fast gate)"
            } else {
                ""
            };
            if let Some(caller) = program.cubicle.get_mut(from) {
                caller.calls.insert(format!("{to}: {}{fast}", gate.symbol));
            }
            if let Some(function) = policy.cubicles[to].functions.get(&gate.symbol) {
                rules::of_function(function, from, to, &mut program);
            }
        }
        for window in &plan.windows {
            let declared = &policy.windows[&window.name];
            let guests = declared.guests.iter();
            program.window.insert(
                window.name.clone(),
                Window {
                    key: window.key,
                    owner: declared.owner.value.clone(),
                    guests: guests
                        .map(|(name, guest)| format!("{name} {}", access(guest.access.value)))
                        .collect(),
                    symbols: window.globals.keys().cloned().collect(),
                },
            );
        }
        program
    }
}

impl Cubicle {
    fn of(planned: &plan::Cubicle, policy: &Policy) -> Cubicle {
        let declared = &policy.cubicles[&planned.name];
        let mut cubicle = Cubicle {
            key: planned.key,
            sees: declared
                .sees
                .iter()
                .map(|(name, sight)| format!("{name} {}", access(sight.access.value)))
                .collect(),
            system_calls: planned.grants.names().map(str::to_owned).collect(),
            ..Cubicle::default()
        };
        if !planned.scrub_vectors {
            cubicle
                .weakened
                .insert("scrub-vectors = false: registers stay as they are".to_owned());
        }
        if planned.grants.any_descriptor {
            cubicle.system_calls.insert("(any descriptor)".to_owned());
        }
        match &planned.narrowing.places {
            Some(places) => {
                for place in places {
                    let verb = if place.writable { "write" } else { "read" };
                    cubicle.files.insert(format!("{verb} {}", place.path));
                }
            }
            None if planned
                .grants
                .numbers
                .contains(&(Sysno::openat.id() as u32)) =>
            {
                cubicle.files.insert("anything".to_owned());
            }
            None => {}
        }
        cubicle
    }
}
