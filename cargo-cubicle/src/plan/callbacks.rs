//! Gates for functions that cross as pointers. Their numbers follow those of the
//! edges, because how many there are is known only when the images are linked.
//!
//! Functions that cross in different places, but are called in the same way from
//! the same cubicle, share one gate: a function that `add(f)` has passed is then
//! the same pointer again in `remove(f)`.

use cubicle_abi::layout::{MAXIMUM_CALLBACKS, MAXIMUM_GATES};
use cubicle_abi::plan::LEND_OUT;

use super::gates::{Call, Decided};
use super::lends::{CallbackLend, Siblings};
use super::{Cubicle, Gate};
use crate::diagnostics::{Finding, Findings, Place};
use crate::manifest::{Function, Located, Policy};

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
        lend: &CallbackLend,
        scene: &mut Scene<'_>,
    ) -> Option<usize> {
        // Who gets the pointer calls the function of who gave it.
        let (from, to) = match outer.lends[lend.lend].flags & LEND_OUT {
            0 => (outer.to, outer.from),
            _ => (outer.from, outer.to),
        };
        let name = format!("{}.{}", outer.symbol, lend.path);
        let function = described(&name, lend);
        let call = Call {
            policy: scene.policy,
            cubicles: scene.cubicles,
            from,
            to,
            name: &name,
            interface: scene.interface,
            function: Some(&function),
            signature: &lend.signature,
            siblings: &Siblings::new(),
            is_callback: true,
            audit: scene.audit,
        };
        let decided = call.decide(scene.references, scene.findings)?;
        let gate = self.complete(decided, scene)?;
        let known = self.gates.iter().position(|known| known.is_like(&gate));
        let number = self.first + known.unwrap_or(self.gates.len());
        if known.is_none() {
            if self.gates.len() == MAXIMUM_CALLBACKS || number as u64 >= MAXIMUM_GATES {
                scene.findings.push(too_many(scene.policy, &function));
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

/// The rule of a callback as what is said about a function.
fn described(name: &str, lend: &CallbackLend) -> Function {
    let rule = &lend.rule;
    Function {
        name: Located::new(name.to_owned(), rule.declared.span.clone()),
        signature: None,
        gate: None,
        args: rule.args.clone(),
        result: rule.result.as_deref().cloned(),
        errno: None,
        fault: None,
        may_unwind: None,
    }
}

fn too_many(policy: &Policy, function: &Function) -> Finding {
    Finding::error(format!(
        "more than {MAXIMUM_CALLBACKS} callbacks are passed between cubicles"
    ))
    .at(policy.place(&function.name.span, "there is no room for this one"))
    .help("those that are described alike, and called from the same cubicle, count once")
}
