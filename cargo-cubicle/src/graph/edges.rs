//! References that cross a border, before anything is linked: more than will
//! survive, never less.

use std::collections::BTreeMap;

use super::symbols::{Kind, Symbols, is_instance, is_rust_abi};
use crate::assign::{ArchiveError, Assignment};
use crate::diagnostics::{Code, Finding, Findings};
use crate::manifest::Policy;

/// A symbol that one image takes from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    pub from: String,
    pub to: String,
    pub symbol: String,
    pub what: What,
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
                if let Some(nearest) = crate::similar::similar(symbol, known) {
                    finding = finding.help(format!("there is one called `{nearest}`"));
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
        for reference in &symbols.references {
            // What the image can have itself, its own or a private copy, it has.
            if OWN.contains(&reference.as_str()) || symbols.definitions.contains_key(reference) {
                continue;
            }
            let definer = owned.iter().find_map(|(to, theirs)| {
                let definition = theirs.definitions.get(reference)?;
                (to != from).then_some((*to, *definition))
            });
            let Some((to, definition)) = definer else {
                continue;
            };
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
