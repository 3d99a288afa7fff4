//! What the manifest's grammar has and the build does not yet honour. Nothing of
//! it is ignored: each use is an error. When a feature arrives, its line goes.

use std::ops::Range;

use super::function::Function;
use super::policy::{Cubicle, Policy};
use super::words::Rodata;
use crate::diagnostics::Finding;

/// The places in the manifest that use a feature.
type Uses = Vec<Range<usize>>;

/// Finds the uses of one feature.
type Search = fn(&Policy) -> Uses;

/// Each feature that is missing, and where a policy uses it.
const UNSUPPORTED: &[(&str, Search)] = &[
    ("`kind = \"shared\"`", |policy| {
        cubicles(policy, |cubicle| {
            cubicle.kind.iter().map(|kind| kind.span.clone()).collect()
        })
    }),
    ("`rodata = \"private\"`", |policy| {
        cubicles(policy, |cubicle| {
            let rodata = &cubicle.rodata;
            one(rodata.value == Rodata::Private, &rodata.span)
        })
    }),
    ("`may-unwind`", |policy| {
        functions(policy, |function| match &function.may_unwind {
            Some(may) => one(may.value, &may.span),
            None => Vec::new(),
        })
    }),
];

impl Policy {
    /// One error for each use of something that this version of the tool reads
    /// but does not build, in the order of the manifest.
    pub fn unsupported(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        for (feature, uses) in UNSUPPORTED {
            findings.extend(uses(self).into_iter().map(|span| {
                Finding::error(format!("{feature} is not supported yet"))
                    .at(self.place(&span, ""))
                    .help("this version of the tool reads it but does not build it")
            }));
        }
        findings.sort_by(|left, right| left.places.cmp(&right.places));
        findings
    }
}

fn one(used: bool, span: &Range<usize>) -> Uses {
    if used { vec![span.clone()] } else { Vec::new() }
}

fn cubicles(policy: &Policy, uses: impl Fn(&Cubicle) -> Uses) -> Uses {
    policy.cubicles.values().flat_map(uses).collect()
}

fn functions(policy: &Policy, uses: impl Fn(&Function) -> Uses) -> Uses {
    let cubicles = policy.cubicles.values();
    cubicles
        .flat_map(|cubicle| cubicle.functions.values())
        .flat_map(uses)
        .collect()
}
