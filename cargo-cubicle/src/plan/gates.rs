//! What each gate is: its shape, its lends, and how it proves a call.

use super::cubicles::sees;
use super::lends::{self, UnlentKind};
use super::{Cubicle, Gate, probes};
use crate::diagnostics::{Code, Finding, Findings, Place};
use crate::gates::spec::WORDS_IN_REGISTERS;
use crate::gates::{GateKind, GateShape};
use crate::graph::declaration;
use crate::graph::edges::Edge;
use crate::graph::shape::CallShape;
use crate::graph::signature::Signature;
use crate::graph::signatures::Known;
use crate::manifest::{self, Function, Policy};

/// The places in the caller's source that make a call, looked up only for a
/// finding.
pub type CallSites<'a> = &'a mut dyn FnMut() -> Vec<Place>;

/// Decides one gate. What stands in the way is a finding, with the places
/// that make the call.
pub fn resolve(
    edge: &Edge,
    cubicles: &[Cubicle],
    policy: &Policy,
    known: Option<&Known>,
    audit: bool,
    references: CallSites<'_>,
    findings: &mut Findings,
) -> Option<Gate> {
    let number = |name: &str| cubicles.iter().position(|cubicle| cubicle.name == name);
    let (from, to) = (number(&edge.from)?, number(&edge.to)?);
    let callee = &policy.cubicles[&edge.to];
    let function = callee.functions.get(&edge.symbol);
    let signature = signature(edge, policy, function, known, references, findings)?;
    let shape = match CallShape::of(&signature) {
        Ok(shape) => shape,
        Err(error) => {
            let mut finding = Finding::of_rule(Code::CUB007, error.to_string());
            finding.places.extend(references());
            if let Some(function) = function {
                finding = finding.at(policy.place(&function.name.span, "declared here"));
            }
            findings.push(finding);
            return None;
        }
    };
    let (resolved, problems) =
        lends::resolve(policy, &edge.to, &edge.symbol, function, &signature, &shape);
    findings.extend(problems);
    let callee_sees = sees(cubicles[to].rights, &cubicles[from]);
    let caller_sees = sees(cubicles[from].rights, &cubicles[to]);
    // Who sees the caller can use its pointers as they are.
    let lends = if callee_sees {
        Vec::new()
    } else {
        resolved.lends
    };
    // An audit is there to find out.
    if !callee_sees && !audit {
        undescribed(edge, policy, function, &signature, references, findings);
    }
    let fast = function
        .and_then(|function| function.gate.as_ref())
        .unwrap_or(&callee.gate)
        .value
        == manifest::GateKind::Fast;
    let kind = if audit || !lends.is_empty() || shape.stack_words as usize > WORDS_IN_REGISTERS {
        GateKind::Lending
    } else if fast {
        GateKind::Fast
    } else if caller_sees {
        GateKind::CallerSees
    } else if callee_sees {
        GateKind::CalleeSees
    } else {
        GateKind::Union
    };
    Some(Gate {
        symbol: edge.symbol.clone(),
        callback: None,
        from,
        to,
        kind,
        shape: GateShape::of(&shape),
        lends,
        errno: resolved.errno,
        probes: match audit {
            true => probes::of(&signature, &shape),
            false => Vec::new(),
        },
    })
}

/// CUB004 for pointers that nothing describes: the callee will fault when it
/// follows them. CUB005 for function pointers: the callee would run the
/// caller's code with its own rights.
fn undescribed(
    edge: &Edge,
    policy: &Policy,
    function: Option<&Function>,
    signature: &Signature,
    references: CallSites<'_>,
    findings: &mut Findings,
) {
    let (mut data, mut code) = (Vec::new(), Vec::new());
    for unlent in lends::unlent_pointers(signature, function) {
        let label = format!("`{}`", unlent.label);
        match unlent.kind {
            UnlentKind::Function => code.push(label),
            _ => data.push(label),
        }
    }
    let callee = &policy.cubicles[&edge.to];
    let table = format!("[cubicle.{}.function.{}]", edge.to, edge.symbol);
    let place = match function {
        Some(function) => policy.place(&function.name.span, "described here"),
        None => policy.place(&callee.name.span, "the cubicle it belongs to"),
    };
    for (rule, labels, verb, problem, remedy) in [
        (
            Code::CUB004,
            data,
            ["points", "point"],
            "into the caller's memory without being lent",
            "describe it, or say `lend = \"handle\"` if the callee only keeps and returns it",
        ),
        (
            Code::CUB005,
            code,
            ["refers", "refer"],
            "to a function of the caller, which the callee cannot call yet",
            "if only NULL is ever passed, say `lend = \"handle\"`",
        ),
    ] {
        if labels.is_empty() {
            continue;
        }
        let (noun, verb) = match labels.len() {
            1 => ("argument", verb[0]),
            _ => ("arguments", verb[1]),
        };
        let message = format!(
            "{noun} {} of `{}` (cubicle `{}`) {verb} {problem}",
            labels.join(", "),
            edge.symbol,
            edge.to
        );
        let mut finding = Finding::of_rule(rule, message);
        finding.places.extend(references());
        findings.push(
            finding
                .at(place.clone())
                .help(format!("in `{table}`: {remedy}")),
        );
    }
}

/// From the manifest, else from DWARF, else CUB006.
fn signature(
    edge: &Edge,
    policy: &Policy,
    function: Option<&Function>,
    known: Option<&Known>,
    references: CallSites<'_>,
    findings: &mut Findings,
) -> Option<Signature> {
    if let Some(text) = function.and_then(|function| function.signature.as_ref()) {
        return match declaration::parse(&text.value) {
            Ok(signature) => Some(signature),
            Err(error) => {
                // Inside the quotes of the manifest's string.
                let at = (text.span.start + 1 + error.offset).min(text.span.end);
                findings.push(
                    Finding::error(format!("the signature of `{}` is not C", edge.symbol))
                        .at(policy.place(&(at..text.span.end), error.message)),
                );
                None
            }
        };
    }
    let why = match known {
        Some(Known::Signature(signature)) => return Some((**signature).clone()),
        Some(Known::Split) => {
            "its debug information was split off into `.dwo` files; compile it without `-gsplit-dwarf`"
        }
        Some(Known::NoDebugInfo) | None => {
            "the object that defines it has no debug information; compile it with `-g` (for a package: no `debug = false` in its profile)"
        }
    };
    let callee = &policy.cubicles[&edge.to];
    let mut finding = Finding::of_rule(
        Code::CUB006,
        format!(
            "nothing says how `{}` of cubicle `{}` is called",
            edge.symbol, edge.to
        ),
    );
    finding.places.extend(references());
    findings.push(
        finding
            .at(policy.place(&callee.name.span, "the cubicle it belongs to"))
            .help(why)
            .help(format!(
                "or add `[cubicle.{}.function.{}]` with `signature = \"…\"`",
                edge.to, edge.symbol
            )),
    );
    None
}
