//! References that cross a border, before anything is linked: more than will
//! survive, never less.

use std::collections::{BTreeMap, BTreeSet};

use cubicle_abi::layout::MAXIMUM_GATES;

use super::symbols::{Binding, Definition, Kind, Symbols, is_instance, is_rust_abi};
use crate::assign::{ArchiveError, Assignment};
use crate::diagnostics::{Code, Finding, Findings, Fix};
use crate::manifest::Policy;

/// A symbol that one image takes from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    pub from: String,
    pub to: String,
    pub symbol: String,
    pub what: What,
    /// Further cubicles that define the symbol, so that nobody knows which one is meant.
    pub rivals: Vec<String>,
    /// Its image chooses what it is when it starts.
    pub indirect: bool,
}

/// What is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Function,
    Variable,
    ThreadLocal,
    /// A function or variable of Rust's ABI.
    Rust,
}

/// Would a program of one piece use `theirs` instead of `own`? A weak definition gives way to a
/// strong one, and common ones are all the same variable, which is here the first cubicle's.
fn gives_way(own: &Definition, from: &str, theirs: &Definition, to: &str) -> bool {
    match (own.binding, theirs.binding) {
        (Binding::Weak, Binding::Strong) => true,
        (Binding::Common, Binding::Strong) => theirs.kind == Kind::Variable,
        (Binding::Common, Binding::Common) => to < from,
        _ => false,
    }
}

/// Symbols every image has of its own, whatever the objects say.
const OWN: [&str; 8] = [
    "main",
    "_start",
    "__rustc_debug_gdb_scripts_section__",
    "rust_eh_personality",
    "_init",
    "_fini",
    "__dso_handle",
    "_Unwind_Resume",
];

/// The graph before anything is linked.
#[derive(Debug, Default)]
pub struct Graph {
    /// Sorted.
    pub edges: Vec<Edge>,
    /// By cubicle: what it defines and others could refer to.
    pub owned: BTreeMap<String, Symbols>,
}

impl Graph {
    /// An error where more functions are called across borders than there is room for gates.
    pub fn report_too_many(&self, policy: &Policy, findings: &mut Findings) {
        if self.edges.len() as u64 <= MAXIMUM_GATES {
            return;
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for edge in &self.edges {
            *counts.entry(&edge.to).or_default() += 1;
        }
        let mut finding = Finding::error(format!(
            "{} references cross a border, and there is room for {MAXIMUM_GATES} gates",
            self.edges.len()
        ));
        let mut largest: Vec<_> = counts.into_iter().collect();
        largest.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        for (name, count) in largest.into_iter().take(2) {
            let span = &policy.cubicles[name].name.span;
            finding = finding.at(policy.place(span, format!("{count} of them lead here")));
        }
        findings.push(finding.help(
            "put cubicles that call each other so much into one, or let few functions take what tells the others apart as an argument",
        ));
    }

    /// CUB013 for functions the manifest describes and the cubicle does not have.
    /// An interface file may describe more than this version of a library has.
    pub fn report_unknown_functions(&self, policy: &Policy, findings: &mut Findings) {
        for (name, cubicle) in &policy.cubicles {
            let Some(owned) = self.owned.get(name) else {
                continue;
            };
            for (symbol, function) in &cubicle.functions {
                let of_interface = policy.interface_at(&function.name.span).is_some();
                if of_interface || owned.definitions.contains_key(symbol) {
                    continue;
                }
                let mut finding = Finding::of_rule(
                    Code::CUB013,
                    format!("cubicle `{name}` defines no function `{symbol}`"),
                )
                .at(policy.place(&function.name.span, "matches nothing"));
                let known = owned.definitions.keys().map(String::as_str);
                let elsewhere = self.owned.iter();
                let elsewhere =
                    elsewhere.filter(|(_, there)| there.definitions.contains_key(symbol));
                let elsewhere: Vec<&String> = elsewhere.map(|(name, _)| name).collect();
                if let [there] = elsewhere.as_slice() {
                    finding = finding
                        .help(format!("cubicle `{there}` defines it"))
                        .fix(Fix::Move((*there).clone()));
                } else if let Some(nearest) = crate::similar::similar(symbol, known) {
                    finding = finding
                        .help(format!("there is one called `{nearest}`"))
                        .fix(Fix::Rename(nearest.to_owned()));
                } else {
                    finding = finding.fix(Fix::Remove);
                }
                findings.push(finding);
            }
        }
    }
}

/// All references of each cubicle's objects to what another one owns.
///
/// # Errors
/// If an object or archive cannot be read.
pub fn edges(assignment: &Assignment) -> Result<Graph, ArchiveError> {
    let mut owned: BTreeMap<&str, Symbols> = BTreeMap::new();
    let mut all: BTreeMap<&str, Symbols> = BTreeMap::new();
    for (name, inputs) in &assignment.images {
        let symbols = owned.entry(name).or_default();
        for path in inputs.owned() {
            symbols.add(path)?;
        }
        let symbols = all.entry(name).or_default();
        for path in inputs.all() {
            symbols.add(path)?;
        }
        let mut foreign = Symbols::default();
        for path in inputs.foreign() {
            foreign.add(path)?;
        }
        symbols.references.extend(foreign.references);
        symbols.definitions.extend(
            foreign
                .definitions
                .into_iter()
                .filter(|(name, _)| is_instance(name)),
        );
    }
    let mut edges = Vec::new();
    for (from, symbols) in &all {
        let ours = &owned[from];
        let references: BTreeSet<&String> =
            symbols.references.iter().chain(ours.yielding()).collect();
        for reference in references {
            let own = ours.definitions.get(reference);
            // What the image can have itself, its own or a private copy, it has, unless its
            // own would give way in a program of one piece.
            let private = own.is_none() && symbols.definitions.contains_key(reference);
            if private || OWN.contains(&reference.as_str()) {
                continue;
            }
            let mut candidates: Vec<(Binding, &str, Definition)> = owned
                .iter()
                .filter(|(to, _)| *to != from)
                .filter_map(|(to, theirs)| Some((to, *theirs.definitions.get(reference)?)))
                .filter(|(to, theirs)| own.is_none_or(|own| gives_way(own, from, theirs, to)))
                .map(|(to, definition)| (definition.binding, *to, definition))
                .collect();
            candidates.sort_by_key(|(binding, to, _)| (*binding, *to));
            let Some((strongest, to, definition)) = candidates.first().copied() else {
                continue;
            };
            // Any of several weak ones would do, as for a linker.
            let rivals = candidates.iter().skip(1).filter(|(binding, _, _)| {
                strongest == Binding::Strong && *binding == Binding::Strong
            });
            let rust = is_rust_abi(reference);
            edges.push(Edge {
                from: (*from).to_owned(),
                to: to.to_owned(),
                symbol: reference.clone(),
                what: match definition.kind {
                    _ if rust => What::Rust,
                    Kind::Function => What::Function,
                    Kind::Variable => What::Variable,
                    Kind::ThreadLocal => What::ThreadLocal,
                },
                rivals: rivals.map(|(_, to, _)| (*to).to_owned()).collect(),
                indirect: definition.indirect,
            });
        }
    }
    edges.sort();
    Ok(Graph {
        edges,
        owned: owned
            .into_iter()
            .map(|(name, symbols)| (name.to_owned(), symbols))
            .collect(),
    })
}
