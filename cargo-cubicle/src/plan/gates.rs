//! What each gate is: its shape, its lends, and how it proves a call.

use super::cubicles::sees;
use super::lends::{self, ResolvedCallback, ResolvedLends, Rules, UnlentKind};
use super::{Cubicle, Gate};
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

/// A gate, and what it needs besides.
#[derive(Debug)]
pub struct Decided {
    pub gate: Gate,
    /// The function pointers that cross it, each of which needs a gate of its own:
    /// its number is missing among the lends.
    pub callbacks: Vec<ResolvedCallback>,
}

/// Decides one gate. What stands in the way is a finding, with the places
/// that make the call. `number_of` answers with the number of another gate for
/// the same caller and callee.
pub fn resolve(
    edge: &Edge,
    cubicles: &[Cubicle],
    policy: &Policy,
    known: Option<&Known>,
    number_of: &dyn Fn(&str) -> Option<u32>,
    references: CallSites<'_>,
    findings: &mut Findings,
) -> Option<Decided> {
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
    let rules = function.map(Rules::from);
    let (mut resolved, problems) = lends::resolve(lends::Subject {
        policy,
        cubicle: &edge.to,
        function: &edge.symbol,
        rules,
        signature: &signature,
        shape: &shape,
        number_of,
    });
    findings.extend(problems);
    let callee_sees = sees(cubicles[to].rights, &cubicles[from]);
    let caller_sees = sees(cubicles[from].rights, &cubicles[to]);
    if callee_sees {
        resolved.keep_callbacks();
    } else {
        undescribed(
            edge, policy, function, &signature, &resolved, references, findings,
        );
    }
    let lends = resolved.lends;
    let fast = function
        .and_then(|function| function.gate.as_ref())
        .unwrap_or(&callee.gate)
        .value
        == manifest::GateKind::Fast;
    let kind = if !lends.is_empty() || shape.stack_words as usize > WORDS_IN_REGISTERS {
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
    let gate = Gate {
        symbol: edge.symbol.clone(),
        from,
        to,
        kind,
        shape: GateShape::of(&shape),
        lends,
        errno: resolved.errno,
    };
    Some(Decided {
        gate,
        callbacks: resolved.callbacks,
    })
}

/// CUB004 for pointers that nothing describes: the callee will fault when it
/// follows them. CUB005 for function pointers, also inside of what is lent or
/// returned: whoever calls one would run the other's code with its own rights.
fn undescribed(
    edge: &Edge,
    policy: &Policy,
    function: Option<&Function>,
    signature: &Signature,
    resolved: &ResolvedLends,
    references: CallSites<'_>,
    findings: &mut Findings,
) {
    let (mut data, mut code) = (Vec::new(), Vec::new());
    for unlent in lends::unlent_pointers(signature, function.map(Rules::from)) {
        let label = format!("`{}`", unlent.label);
        match unlent.kind {
            UnlentKind::Function => code.push(label),
            _ => data.push(label),
        }
    }
    code.extend(resolved.functions.iter().map(|label| format!("`{label}`")));
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
            ["is", "are"],
            "the address of a function, and nothing says what the other side gets for it",
            "say `callback = true`, `value = 0` if the other side shall see NULL, or `lend = \"handle\"` if it never calls it",
        ),
    ] {
        if labels.is_empty() {
            continue;
        }
        let verb = match labels.len() {
            1 => verb[0],
            _ => verb[1],
        };
        let message = format!(
            "{} of `{}` (cubicle `{}`) {verb} {problem}",
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
