//! Gates for functions that cross as pointers. Their numbers follow those of the
//! edges, because how many there are is known only when the images are linked.
//!
//! Functions that cross in different places, but are called in the same way from
//! the same cubicle, share one gate: a function that `add(f)` has passed is then
//! the same pointer again in `remove(f)`.

use cubicle_abi::layout::{MAXIMUM_CALLBACKS, MAXIMUM_GATES};

use super::gates::{Call, Decided};
use super::lends::{ResolvedCallback, Rules};
use super::{Cubicle, Gate};
use crate::diagnostics::{Finding, Findings, Place};
use crate::manifest::Policy;
use std::ops::Range;

/// What is needed to decide the callbacks of one edge.
pub struct Scene<'a> {
    pub policy: &'a Policy,
    pub cubicles: &'a [Cubicle],
    /// The cubicle in whose table the manifest describes them.
    pub interface: &'a str,
    /// An audit build.
    pub audit: bool,
    /// The places that make the calls in which they cross.
    pub references: &'a mut dyn FnMut() -> Vec<Place>,
    pub findings: &'a mut Findings,
}

/// The gates of callbacks, while they are decided.
#[derive(Debug)]
pub struct Callbacks {
    /// The number of the first one.
    first: usize,
    gates: Vec<Gate>,
}

impl Callbacks {
    /// For a program with `edges` other gates.
    pub fn behind(edges: usize) -> Callbacks {
        Callbacks {
            first: edges,
            gates: Vec::new(),
        }
    }

    /// All of them, by number.
    pub fn into_gates(self) -> impl Iterator<Item = Option<Gate>> {
        self.gates.into_iter().map(Some)
    }

    /// Completes a gate: the function pointers that cross in its calls, and in the
    /// calls of those, get gates. `None` if one of them cannot be decided, which
    /// is a finding.
    pub fn complete(&mut self, decided: Decided, scene: &mut Scene<'_>) -> Option<Gate> {
        let Decided {
            mut gate,
            callbacks,
        } = decided;
        let mut complete = true;
        for callback in callbacks {
            match self.number(&gate, &callback, scene) {
                Some(number) => gate.lends[callback.lend].value = number as u64,
                None => complete = false,
            }
        }
        complete.then_some(gate)
    }

    /// The number of the gate of a function that crosses in calls of `outer`.
    fn number(
        &mut self,
        outer: &Gate,
        crossing: &ResolvedCallback,
        scene: &mut Scene<'_>,
    ) -> Option<usize> {
        // Who gets the pointer calls the function of who gave it.
        let (from, to) = match crossing.returns {
            false => (outer.to, outer.from),
            true => (outer.from, outer.to),
        };
        let declared = &crossing.rule.declared.span;
        let call = Call {
            policy: scene.policy,
            cubicles: scene.cubicles,
            from,
            to,
            name: &crossing.signature.name,
            interface: scene.interface,
            rules: Some(Rules::from(&crossing.rule)),
            described: Some(declared.clone()),
            signature: &crossing.signature,
            fault: None,
            // It goes into a cubicle that never said it holds no authority.
            fast: false,
            is_callback: true,
            audit: scene.audit,
            number_of: &|_| None,
        };
        let decided = call.decide(scene.references, scene.findings)?;
        let gate = self.complete(decided, scene)?;
        let known = self.gates.iter().position(|known| known.is_like(&gate));
        let number = self.first + known.unwrap_or(self.gates.len());
        if known.is_none() {
            if self.gates.len() == MAXIMUM_CALLBACKS || number as u64 >= MAXIMUM_GATES {
                scene.findings.push(too_many(scene.policy, declared));
                return None;
            }
            self.gates.push(Gate {
                callback: Some(self.gates.len()),
                ..gate
            });
        }
        Some(number)
    }
}

fn too_many(policy: &Policy, declared: &Range<usize>) -> Finding {
    Finding::error(format!(
        "more than {MAXIMUM_CALLBACKS} callbacks are passed between cubicles"
    ))
    .at(policy.place(declared, "there is no room for this one"))
    .help("those that are described alike, and called from the same cubicle, count once")
}

#[cfg(test)]
mod tests;
