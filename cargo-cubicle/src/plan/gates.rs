//! What each gate is: its shape, its lends, and how it proves a call.

use super::cubicles::sees;
use super::lends::{self, ResolvedCallback, ResolvedLends, Rules, Subject};
use super::{Cubicle, Gate, faults, libc_objects, probes, undescribed};
use crate::diagnostics::{Code, Finding, Findings, Place};
use crate::gates::spec::{WORDS_IN_REGISTERS, WORDS_OF_CALLBACKS};
use crate::gates::{GateKind, GateShape};
use crate::graph::declaration;
use crate::graph::edges::Edge;
use crate::graph::shape::CallShape;
use crate::graph::signature::Signature;
use crate::graph::signatures::Known;
use crate::manifest::{self, Function, Policy};
use std::ops::Range;

/// The places in the caller's source that make a call, looked up only for a
/// finding.
pub type CallSites<'a> = &'a mut dyn FnMut() -> Vec<Place>;

/// A gate, and the function pointers that cross in its calls.
#[derive(Debug)]
pub struct Decided {
    pub gate: Gate,
    pub callbacks: Vec<ResolvedCallback>,
}

/// What is called, by whom, and what is known about it.
#[derive(Clone)]
pub struct Call<'a> {
    pub policy: &'a Policy,
    pub cubicles: &'a [Cubicle],
    pub from: usize,
    pub to: usize,
    /// The symbol; of a callback `FUNCTION.PATH`.
    pub name: &'a str,
    /// The cubicle in whose table the manifest describes it.
    pub interface: &'a str,
    pub rules: Option<Rules<'a>>,
    /// Where the manifest says so, if it does.
    pub described: Option<Range<usize>>,
    pub signature: &'a Signature,
    /// What the manifest says it returns if its cubicle is restarted.
    pub fault: Option<&'a manifest::Fault>,
    /// The manifest asks for a fast gate.
    pub fast: bool,
    /// It crosses as a pointer.
    pub is_callback: bool,
    /// An audit build: whatever happens is looked at.
    pub audit: bool,
    /// The number of the gate to another function of the interface, for the same
    /// caller.
    pub number_of: &'a dyn Fn(&str) -> Option<u32>,
}

/// What is the same for all edges.
pub struct Program<'a> {
    pub policy: &'a Policy,
    pub cubicles: &'a [Cubicle],
    /// An audit build.
    pub audit: bool,
}

/// Decides the gate of one edge. What stands in the way is a finding, with the
/// places that make the call. `number_of` answers with the number of the gate to
/// another function, for the same caller and callee.
pub fn resolve(
    edge: &Edge,
    program: &Program<'_>,
    known: Option<&Known>,
    number_of: &dyn Fn(&str) -> Option<u32>,
    references: CallSites<'_>,
    findings: &mut Findings,
) -> Option<Decided> {
    let Program {
        policy,
        cubicles,
        audit,
    } = *program;
    let number = |name: &str| cubicles.iter().position(|cubicle| cubicle.name == name);
    let callee = &policy.cubicles[&edge.to];
    let function = callee.functions.get(&edge.symbol);
    let signature = signature(edge, policy, function, known, references, findings)?;
    let call = Call {
        policy,
        cubicles,
        from: number(&edge.from)?,
        to: number(&edge.to)?,
        name: &edge.symbol,
        interface: &edge.to,
        rules: function.map(Rules::from),
        described: function.map(|function| function.name.span.clone()),
        signature: &signature,
        fault: function.and_then(|function| function.fault.as_ref()),
        fast: is_fast(function, callee),
        is_callback: false,
        audit,
        number_of,
    };
    call.decide(references, findings)
}

impl Call<'_> {
    /// Decides the gate. What stands in the way is a finding, with the places
    /// that make the call, or the one from which it comes.
    pub fn decide(&self, references: CallSites<'_>, findings: &mut Findings) -> Option<Decided> {
        let shape = match CallShape::of(self.signature) {
            Ok(shape) => shape,
            Err(error) => {
                let code = Code::from_code(error.code()).unwrap_or(Code::CUB007);
                let mut finding = Finding::of_rule(code, error.to_string()).help(error.remedy());
                finding.places.extend(references());
                if let Some(span) = &self.described {
                    finding = finding.at(self.policy.place(span, "declared here"));
                }
                findings.push(finding);
                return None;
            }
        };
        libc_objects::check(self, references, findings);
        let (mut resolved, problems) = lends::resolve(Subject {
            policy: self.policy,
            cubicle: self.interface,
            function: self.name,
            rules: self.rules,
            signature: self.signature,
            shape: &shape,
            number_of: self.number_of,
        });
        findings.extend(problems);
        let (caller, callee) = (&self.cubicles[self.from], &self.cubicles[self.to]);
        let callee_sees = sees(callee.rights, caller);
        // An audit is there to find out.
        if !self.audit {
            undescribed::find(self, &resolved, callee_sees, references, findings);
        }
        if callee_sees {
            resolved.keep_what_sight_does_not_replace();
        }
        let fault = faults::resolve(self, references, findings);
        let kind = self.kind(callee_sees, &resolved, shape.stack_words as usize);
        Some(Decided {
            gate: Gate {
                symbol: self.name.to_owned(),
                callback: None,
                from: self.from,
                to: self.to,
                kind,
                shape: GateShape::of(&shape),
                lends: resolved.lends,
                errno: resolved.errno || fault.errno != 0,
                fault,
                probes: match self.audit {
                    true => probes::of(self.signature, &shape),
                    false => Vec::new(),
                },
            },
            callbacks: resolved.callbacks,
        })
    }

    fn kind(&self, callee_sees: bool, resolved: &ResolvedLends, stack_words: usize) -> GateKind {
        let (caller, callee) = (&self.cubicles[self.from], &self.cubicles[self.to]);
        let words = match self.is_callback {
            false => WORDS_IN_REGISTERS,
            true => WORDS_OF_CALLBACKS,
        };
        if self.audit || !resolved.lends.is_empty() || stack_words > words {
            GateKind::Lending
        } else if self.fast {
            GateKind::Fast
        } else if sees(caller.rights, callee) {
            GateKind::CallerSees
        } else if callee_sees {
            GateKind::CalleeSees
        } else {
            GateKind::Union
        }
    }
}

fn is_fast(function: Option<&Function>, callee: &manifest::Cubicle) -> bool {
    let own = function.and_then(|function| function.gate.as_ref());
    own.unwrap_or(&callee.gate).value == manifest::GateKind::Fast
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
