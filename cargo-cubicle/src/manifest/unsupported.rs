//! What the manifest's grammar has and the build does not yet honour. Nothing of
//! it is ignored: each use is an error. When a feature arrives, its line goes.

use std::ops::Range;

use super::extent::Extent;
use super::function::{Argument, ArgumentRule, Function};
use super::policy::{Cubicle, Policy};
use super::words::{OnFault, Rodata};
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
    ("`on-fault = \"restart\"`", |policy| {
        cubicles(policy, |cubicle| {
            let on_fault = &cubicle.on_fault;
            one(on_fault.value == OnFault::Restart, &on_fault.span)
        })
    }),
    ("`fault`", |policy| {
        functions(policy, |function| {
            let fault = function.fault.iter();
            fault.map(|fault| fault.returns.span.clone()).collect()
        })
    }),
    ("`may-unwind`", |policy| {
        functions(policy, |function| match &function.may_unwind {
            Some(may) => one(may.value, &may.span),
            None => Vec::new(),
        })
    }),
    ("`result`", |policy| {
        functions(policy, |function| {
            let result = function.result.iter();
            result.map(|result| result.declared.span.clone()).collect()
        })
    }),
    ("a path into a struct", |policy| {
        arguments(policy, |argument| {
            if argument.path.is_nested() {
                return vec![argument.path.span.clone()];
            }
            let ArgumentRule::Lend(lend) = &argument.rule else {
                return Vec::new();
            };
            let extents = std::iter::once(&lend.extent).chain(&lend.used);
            let nested = |extent: &Extent| extent.paths().any(|path| path.is_nested());
            extents
                .filter(|extent| nested(extent))
                .map(|extent| extent.span.clone())
                .collect()
        })
    }),
    ("`value`", |policy| {
        arguments(policy, |argument| match &argument.rule {
            ArgumentRule::Value(value) => vec![value.span.clone()],
            _ => Vec::new(),
        })
    }),
    ("`callback`", |policy| {
        arguments(policy, |argument| match &argument.rule {
            ArgumentRule::Callback(callback) => vec![callback.declared.span.clone()],
            _ => Vec::new(),
        })
    }),
    ("`keep`", |policy| {
        arguments(policy, |argument| match &argument.rule {
            ArgumentRule::Lend(lend) => lend.keep.iter().map(|keep| keep.span.clone()).collect(),
            _ => Vec::new(),
        })
    }),
    ("`negative`", |policy| {
        arguments(policy, |argument| match &argument.rule {
            ArgumentRule::Lend(lend) => lend.negative.iter().map(|n| n.span.clone()).collect(),
            _ => Vec::new(),
        })
    }),
    ("a keyed window", |policy| {
        let windows = policy.windows.values();
        windows.map(|window| window.name.span.clone()).collect()
    }),
    ("a variant", |policy| {
        let variants = policy.variants.values();
        variants.map(|variant| variant.name.span.clone()).collect()
    }),
    ("`lint`", |policy| {
        let levels = policy.lint.values();
        levels.map(|level| level.span.clone()).collect()
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

/// All arguments, also those of callbacks. (A `result` is refused as a whole.) The recursion is as deep
/// as the manifest nests tables, which the TOML parser limits.
fn arguments(policy: &Policy, uses: impl Fn(&Argument) -> Uses) -> Uses {
    fn visit(argument: &Argument, uses: &impl Fn(&Argument) -> Uses, found: &mut Uses) {
        found.extend(uses(argument));
        if let ArgumentRule::Callback(callback) = &argument.rule {
            for inner in callback.args.values() {
                visit(inner, uses, found);
            }
        }
    }
    let mut found = Vec::new();
    for cubicle in policy.cubicles.values() {
        for function in cubicle.functions.values() {
            for argument in function.args.values() {
                visit(argument, &uses, &mut found);
            }
        }
    }
    found
}
