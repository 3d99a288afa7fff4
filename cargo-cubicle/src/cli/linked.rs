//! What a program is linked from, as far as manifest entries are drafted from it.

use std::collections::{BTreeMap, BTreeSet};

use super::lint::Judged;
use crate::assign::{self, Assignment};
use crate::capture::{LINK_LINE_FILE, LinkLine};
use crate::diagnostics::Findings;
use crate::graph::edges::{self, What};
use crate::graph::signature::Signature;
use crate::graph::{declaration, signatures};
use crate::manifest::Policy;

/// The link lines of the programs that were judged.
pub fn lines(judged: &Judged) -> anyhow::Result<Vec<LinkLine>> {
    let lines = judged.reports.iter();
    let lines = lines.map(|report| LinkLine::load(&report.directory.join(LINK_LINE_FILE)));
    Ok(lines.collect::<Result<_, _>>()?)
}

/// Functions, by the cubicle that has them.
pub type Functions = BTreeMap<String, BTreeSet<String>>;

/// A program's objects, each with its cubicle.
pub struct Linked<'a> {
    policy: &'a Policy,
    assignment: Assignment,
}

impl<'a> Linked<'a> {
    pub fn of(line: &LinkLine, policy: &'a Policy) -> anyhow::Result<Linked<'a>> {
        Ok(Linked {
            policy,
            assignment: assign::assign(line, policy, &mut Findings::new())?,
        })
    }

    /// The functions that others refer to.
    pub fn called(&self) -> anyhow::Result<Functions> {
        let mut called = Functions::new();
        for edge in edges::edges(&self.assignment)?.edges {
            if edge.what == What::Function {
                called.entry(edge.to).or_default().insert(edge.symbol);
            }
        }
        Ok(called)
    }

    /// Their signatures, as far as the manifest or debug information has them.
    pub fn signatures(
        &self,
        functions: &Functions,
    ) -> anyhow::Result<BTreeMap<(String, String), Signature>> {
        let mut found = BTreeMap::new();
        for (cubicle, functions) in functions {
            let Some(inputs) = self.assignment.images.get(cubicle) else {
                continue;
            };
            let wanted = functions.iter().map(String::as_str).collect();
            for (function, known) in signatures::find(inputs, &wanted)? {
                let declared = self.policy.cubicles[cubicle].functions.get(&function);
                let declared = declared.and_then(|function| function.signature.as_ref());
                let declared = declared.and_then(|text| declaration::parse(&text.value).ok());
                let signature = match (declared, known) {
                    (Some(declared), _) => declared,
                    (None, signatures::Known::Signature(signature)) => *signature,
                    _ => continue,
                };
                found.insert((cubicle.clone(), function), signature);
            }
        }
        Ok(found)
    }
}
