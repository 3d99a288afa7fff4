//! From everything that is known to the plan.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use cubicle_abi::defences::Defence;
use cubicle_abi::plan::{ISOLATION_ANY, ISOLATION_AUDIT, ISOLATION_PKU, ISOLATION_STAND_IN};

use super::call_sites::CallSites;
use super::callbacks::{Callbacks, Scene};
use super::gates::Program;
use super::windows::Window;
use super::{Cubicle, Plan, permission, probes, without};
use crate::assign::Assignment;
use crate::capture::{LinkLine, Purpose};
use crate::diagnostics::Findings;
use crate::graph::edges::{Edge, What};
use crate::graph::signatures::{self, Known};
use crate::images::{Image, Reference};
use crate::manifest::{Isolation, Policy};
use crate::vm::host_has_keys;

/// What the phases before have found.
#[derive(Debug)]
pub struct Inputs<'a> {
    pub line: &'a LinkLine,
    pub policy: &'a Policy,
    pub assignment: &'a Assignment,
    pub edges: &'a [Edge],
    /// For each cubicle, the places in its finished image that refer to each
    /// import: edges without any died with unused code.
    pub references: &'a [BTreeMap<String, Vec<Reference>>],
    pub images: &'a [Image],
}

/// Does an edge lead to a variable that its owner shares, by a window, with the one
/// that refers to it? There is nothing to call.
pub fn is_shared(edge: &Edge, policy: &Policy) -> bool {
    let holds = |window: &&crate::manifest::Window| {
        window.owner.value == edge.to
            && window
                .symbols
                .iter()
                .any(|symbol| symbol.value == edge.symbol)
    };
    edge.what == What::Variable
        && policy
            .windows
            .values()
            .find(holds)
            .is_some_and(|window| super::windows::admits(window, &edge.from))
}

/// Resolves the plan. What stands in its way is in `findings`.
///
/// # Errors
/// If an object cannot be read.
pub fn resolve(
    inputs: &Inputs<'_>,
    mut cubicles: Vec<Cubicle>,
    windows: Vec<Window>,
    findings: &mut Findings,
) -> anyhow::Result<Plan> {
    let Inputs {
        line,
        policy,
        assignment,
        edges,
        references,
        ..
    } = inputs;
    let number = |name: &str| cubicles.iter().position(|cubicle| cubicle.name == name);
    let live = |edge: &Edge| number(&edge.from).and_then(|from| references[from].get(&edge.symbol));
    let mut known: BTreeMap<&str, BTreeMap<String, Known>> = BTreeMap::new();
    for cubicle in &cubicles {
        let wanted: BTreeSet<&str> = edges
            .iter()
            .filter(|edge| edge.to == cubicle.name && edge.what == What::Function)
            .filter(|edge| live(edge).is_some())
            .map(|edge| edge.symbol.as_str())
            .collect();
        let objects = &assignment.images[&cubicle.name];
        known.insert(&cubicle.name, signatures::find(objects, &wanted)?);
    }
    let program = Program {
        policy,
        cubicles: &cubicles,
        audit: line.purpose == Purpose::Audit,
    };
    let mut places = CallSites::new(inputs.images);
    let mut callbacks = Callbacks::behind(edges.len());
    let mut gates = Vec::new();
    for edge in *edges {
        let Some(references) = live(edge) else {
            gates.push(None);
            continue;
        };
        let from = number(&edge.from).unwrap_or_default();
        if is_shared(edge, policy) {
            gates.push(None);
            continue;
        }
        if !permission::check(edge, policy, || places.of(from, references), findings) {
            gates.push(None);
            continue;
        }
        let number_of = |symbol: &str| {
            let same = |other: &&Edge| {
                (&other.from, &other.to, other.symbol.as_str()) == (&edge.from, &edge.to, symbol)
            };
            let number = edges.iter().position(|other| same(&other))?;
            live(&edges[number])?;
            u32::try_from(number).ok()
        };
        let decided = super::gates::resolve(
            edge,
            &program,
            known[edge.to.as_str()].get(&edge.symbol),
            &number_of,
            &mut || places.of(from, references),
            findings,
        );
        let gate = decided.and_then(|decided| {
            let mut scene = Scene {
                policy,
                cubicles: &cubicles,
                interface: &edge.to,
                audit: line.purpose == Purpose::Audit,
                references: &mut || places.of(from, references),
                findings,
            };
            callbacks.complete(decided, &mut scene)
        });
        gates.push(gate);
    }
    gates.extend(callbacks.into_gates());
    if line.purpose == Purpose::Audit {
        gates.extend(probes::callbacks(&gates));
    }
    let main = policy
        .main()
        .and_then(|(name, _)| number(name))
        .context("the manifest has no main cubicle")?;
    let isolation = match (line.purpose, policy.isolation.value) {
        (Purpose::StandIn, _) => ISOLATION_STAND_IN,
        (Purpose::Audit, _) => ISOLATION_AUDIT,
        // Page tables would say nothing about what keys cost.
        (Purpose::Measure, _) if !host_has_keys() => ISOLATION_STAND_IN,
        (_, Isolation::Pku) => ISOLATION_PKU,
        (_, Isolation::Any) => ISOLATION_ANY,
    };
    let without = without::of(&line.manifest)?;
    if without.has(Defence::Rights) {
        without::open_all(&mut cubicles);
    }
    Ok(Plan {
        name: line.stem().to_owned(),
        isolation,
        dumps: policy.dumps.value,
        measured: line.purpose == Purpose::Measure,
        cubicles,
        windows,
        main,
        gates,
        without,
    })
}
