//! A partition as people look at it: who is there, who calls whom from where, who may touch whose memory. A lint
//! leaves it in its report; `cargo cubicle graph` draws it and `cargo cubicle explain` reads it.

pub mod dot;
pub mod html;
mod layout;
pub mod svg;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::authority;
use crate::gates::{GateKind, GateShape, GateSpec};
use crate::graph::edges::Edge;
use crate::images::{Image, Reference};
use crate::manifest::Policy;
use crate::plan::Plan;
use crate::plan::call_sites::{CallSites, Line};
use crate::plan::resolve::is_shared;

/// One program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// 1; raised when something of this changes or goes.
    pub version: u32,
    pub program: String,
    pub cubicles: Vec<Cubicle>,
    pub windows: Vec<Window>,
    pub sights: Vec<Sight>,
    /// Ordered by caller, callee and symbol.
    pub references: Vec<Crossing>,
}

/// A cubicle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cubicle {
    pub name: String,
    pub main: bool,
    /// Its protection key.
    pub key: u32,
    /// Bytes of its image in memory, the heap excepted.
    pub size: u64,
    /// `syscalls` of the manifest.
    pub granted: Vec<String>,
    /// What of the manifest says which code is in it.
    pub claims: Vec<String>,
}

/// A keyed window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub name: String,
    pub key: u32,
    pub owner: String,
    /// Names and `r` or `rw`.
    pub guests: BTreeMap<String, String>,
}

/// One cubicle may touch all of another one's memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    pub from: String,
    pub to: String,
    /// `r` or `rw`.
    pub access: String,
}

/// All references of one cubicle to one symbol of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crossing {
    pub from: String,
    pub to: String,
    pub symbol: String,
    pub kind: Kind,
    /// Where the source of a function begins, as far as it is known.
    pub defined: Option<Line>,
    /// Places in the image.
    pub places: usize,
    /// Those of them whose source is known.
    pub lines: Vec<Line>,
    /// What memory of the other side each may touch in a call, and what it may call back.
    pub lends: Vec<String>,
    /// What travels in which registers; empty if there is no gate.
    pub shape: String,
    /// Whether the gate switches FS, because the function may use thread-locals; not known while something
    /// forbids the partition.
    pub switches_fs: Option<bool>,
}

/// How a reference crosses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It does not: the partition forbids it, or cannot carry it.
    Forbidden,
    /// A variable in a window.
    Window,
    Fast,
    Union,
    CallerSees,
    CalleeSees,
    Lending,
}

impl Kind {
    /// As the documents have it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Forbidden => "forbidden",
            Kind::Window => "window",
            Kind::Fast => "fast",
            Kind::Union => "union",
            Kind::CallerSees => "caller-sees",
            Kind::CalleeSees => "callee-sees",
            Kind::Lending => "lending",
        }
    }

    /// What a call and its return take, in a phrase.
    pub fn explain(self) -> &'static str {
        match self {
            Kind::Forbidden => "does not cross: the lint says why",
            Kind::Window => "a variable in a keyed window: no gate, and no cost",
            Kind::Fast => {
                "a fast gate: two switches of rights, nothing checked; for callees without authority"
            }
            Kind::Union => "a gate between two that distrust each other: four switches of rights",
            Kind::CallerSees => {
                "a gate from one that may write the other's memory: two switches of rights"
            }
            Kind::CalleeSees => {
                "a gate to one that may write its caller's memory: two switches of rights"
            }
            Kind::Lending => {
                "a lending gate: four switches of rights, and the monitor lends what the manifest says"
            }
        }
    }

    fn of(kind: GateKind) -> Kind {
        match kind {
            GateKind::Fast => Kind::Fast,
            GateKind::Union => Kind::Union,
            GateKind::CallerSees => Kind::CallerSees,
            GateKind::CalleeSees => Kind::CalleeSees,
            GateKind::Lending => Kind::Lending,
        }
    }
}

/// What a picture is made of.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    pub program: &'a str,
    pub policy: &'a Policy,
    pub plan: &'a Plan,
    pub images: &'a [Image],
    pub edges: &'a [Edge],
    /// For each cubicle, where its image refers to each import.
    pub references: &'a [BTreeMap<String, Vec<Reference>>],
}

impl Picture {
    pub fn of(inputs: Inputs<'_>) -> Picture {
        let Inputs {
            policy,
            plan,
            images,
            edges,
            references,
            ..
        } = inputs;
        let number = |name: &str| plan.cubicles.iter().position(|one| one.name == name);
        let authority = authority::Program::of(plan, policy);
        let mut sites = CallSites::new(images);
        let mut crossings = Vec::new();
        for (index, edge) in edges.iter().enumerate() {
            let Some(from) = number(&edge.from) else {
                continue;
            };
            let Some(places) = references[from].get(&edge.symbol) else {
                continue;
            };
            let gate = plan.gates.get(index).and_then(Option::as_ref);
            let kind = match gate {
                Some(gate) => Kind::of(gate.kind),
                None if is_shared(edge, policy) => Kind::Window,
                None => Kind::Forbidden,
            };
            let defined = number(&edge.to).and_then(|to| {
                let place = images[to].address_of(&edge.symbol)?;
                let of = [Reference { place, text: true }];
                sites.lines(to, &of).into_iter().next()
            });
            crossings.push(Crossing {
                from: edge.from.clone(),
                to: edge.to.clone(),
                symbol: edge.symbol.clone(),
                kind,
                defined,
                places: places.len(),
                lines: sites.lines(from, places),
                lends: lends(&authority, edge),
                shape: gate.map_or(String::new(), |gate| shape(&gate.shape)),
                switches_fs: None,
            });
        }
        crossings.sort_by(|one, other| {
            let key = |one: &Crossing| (one.from.clone(), one.to.clone(), one.symbol.clone());
            key(one).cmp(&key(other))
        });
        Picture {
            version: 1,
            program: inputs.program.to_owned(),
            cubicles: cubicles(inputs),
            windows: windows(inputs),
            sights: sights(policy),
            references: crossings,
        }
    }

    /// Takes in what only finished gates say.
    pub fn complete(&mut self, plan: &Plan, specs: &[GateSpec]) {
        let name = |number: usize| plan.cubicles[number].name.as_str();
        let switches: BTreeMap<(&str, &str, &str), bool> = specs
            .iter()
            .map(|spec| {
                let of = (name(spec.from), name(spec.to), spec.function.as_str());
                (of, spec.switch_fs)
            })
            .collect();
        for one in &mut self.references {
            let of = (one.from.as_str(), one.to.as_str(), one.symbol.as_str());
            one.switches_fs = switches.get(&of).copied();
        }
    }

    /// How often each refers to each other, and whether some of that is forbidden.
    pub fn totals(&self) -> BTreeMap<(&str, &str), (usize, bool)> {
        let mut totals: BTreeMap<(&str, &str), (usize, bool)> = BTreeMap::new();
        for one in self
            .references
            .iter()
            .filter(|one| one.kind != Kind::Window)
        {
            let total = totals.entry((&one.from, &one.to)).or_default();
            total.0 += one.places;
            total.1 |= one.kind == Kind::Forbidden;
        }
        totals
    }
}

/// Lines of the lock file that are about calls of this function by this caller.
fn lends(authority: &authority::Program, edge: &Edge) -> Vec<String> {
    let of_callee = format!("{}: {}: ", edge.from, edge.symbol);
    let of_caller = format!("{}: {}: ", edge.to, edge.symbol);
    let mut all = Vec::new();
    for (name, prefix) in [(&edge.to, of_callee), (&edge.from, of_caller)] {
        let Some(cubicle) = authority.cubicle.get(name) else {
            continue;
        };
        let rest = |line: &String| line.strip_prefix(&prefix).map(str::to_owned);
        let lent = cubicle.lent.iter().filter_map(rest);
        all.extend(lent.map(|what| format!("`{name}` may touch {what}")));
        let called = cubicle.callbacks.iter().filter_map(rest);
        all.extend(called.map(|what| format!("`{name}` may call {what}")));
    }
    all
}

fn shape(shape: &GateShape) -> String {
    let counted = [
        (shape.integers, "integer register", "integer registers"),
        (shape.vectors, "vector register", "vector registers"),
        (shape.stack_words, "word on the stack", "words on the stack"),
    ];
    let mut parts: Vec<String> = counted
        .into_iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, one, many)| format!("{number} {}", if number == 1 { one } else { many }))
        .collect();
    if parts.is_empty() {
        parts.push("no arguments".to_owned());
    }
    if shape.variadic {
        parts.push("variadic".to_owned());
    }
    parts.join(", ")
}

fn cubicles(inputs: Inputs<'_>) -> Vec<Cubicle> {
    let Inputs {
        policy,
        plan,
        images,
        ..
    } = inputs;
    let of = |(number, planned): (usize, &crate::plan::Cubicle)| {
        let declared = &policy.cubicles[&planned.name];
        let mut claims: Vec<String> = Vec::new();
        let names = declared
            .crates
            .iter()
            .map(|one| format!("crate {}", one.value));
        claims.extend(names);
        claims.extend(
            declared
                .libs
                .iter()
                .map(|one| format!("library {}", one.value)),
        );
        claims.extend(
            declared
                .objects
                .iter()
                .map(|one| format!("objects {}", one.value)),
        );
        for sources in &declared.c {
            claims.extend(
                sources
                    .files
                    .iter()
                    .map(|one| format!("sources {}", one.value)),
            );
        }
        if declared.is_main() {
            claims.push("everything that nobody claims".to_owned());
        }
        let segments = images[number].segments.iter();
        Cubicle {
            name: planned.name.clone(),
            main: number == plan.main,
            key: planned.key,
            size: segments.map(|segment| segment.memory_size).sum(),
            granted: declared
                .syscalls
                .iter()
                .map(|one| one.value.clone())
                .collect(),
            claims,
        }
    };
    plan.cubicles.iter().enumerate().map(of).collect()
}

fn windows(inputs: Inputs<'_>) -> Vec<Window> {
    let of = |window: &crate::plan::windows::Window| {
        let declared = &inputs.policy.windows[&window.name];
        let guests = declared.guests.iter();
        Window {
            name: window.name.clone(),
            key: window.key,
            owner: declared.owner.value.clone(),
            guests: guests
                .map(|(name, sight)| {
                    (
                        name.clone(),
                        authority::access(sight.access.value).to_owned(),
                    )
                })
                .collect(),
        }
    };
    inputs.plan.windows.iter().map(of).collect()
}

fn sights(policy: &Policy) -> Vec<Sight> {
    let mut all = Vec::new();
    for (from, cubicle) in &policy.cubicles {
        all.extend(cubicle.sees.iter().map(|(to, sight)| Sight {
            from: from.clone(),
            to: to.clone(),
            access: authority::access(sight.access.value).to_owned(),
        }));
    }
    all
}
