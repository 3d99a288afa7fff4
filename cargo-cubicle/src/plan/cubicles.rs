//! Numbers, keys, rights and slots.

use cubicle_abi::layout::{SLOT_SIZE, slot};
use cubicle_abi::rights::{Rights, cubicle_key, cubicle_rights};

use super::{Cubicle, narrowing, system_calls};
use crate::diagnostics::{Finding, Findings};
use crate::manifest::{Access, OnFault, Policy};

/// All cubicles of a policy, ordered by name, with what they are granted.
pub fn resolve(policy: &Policy, findings: &mut Findings) -> Vec<Cubicle> {
    let names: Vec<&str> = policy
        .cubicles
        .iter()
        .filter(|(_, cubicle)| !cubicle.is_shared())
        .map(|(name, _)| name.as_str())
        .collect();
    let mut cubicles = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let declared = &policy.cubicles[*name];
        let mut rights = cubicle_rights(number);
        for (seen, sight) in &declared.sees {
            let Some(other) = names.iter().position(|name| name == seen) else {
                continue;
            };
            rights = match sight.access.value {
                Access::Read => rights.reading(cubicle_key(other)),
                Access::ReadWrite => rights.writing(cubicle_key(other)),
            };
        }
        let rights = super::windows::widen(policy, name, names.len(), rights);
        let (grants, problems) = system_calls::resolve(policy, &declared.syscalls);
        findings.extend(problems);
        let (narrowing, problems) = narrowing::resolve(policy, declared, &grants);
        findings.extend(problems);
        cubicles.push(Cubicle {
            name: (*name).to_owned(),
            key: cubicle_key(number),
            rights,
            base: slot(number),
            end: slot(number) + SLOT_SIZE,
            memory: declared.memory.value,
            stack: declared.stack.value,
            scrub_vectors: declared.scrub_vectors.value,
            grants,
            narrowing,
            restarts: match declared.on_fault.value {
                OnFault::Abort => 0,
                OnFault::Restart => declared.restarts.value,
            },
        });
    }
    refuse_equal_rights(&cubicles, policy, findings);
    cubicles
}

/// Rule 7: the monitor tells a caller by its rights.
fn refuse_equal_rights(cubicles: &[Cubicle], policy: &Policy, findings: &mut Findings) {
    for (index, one) in cubicles.iter().enumerate() {
        for other in &cubicles[index + 1..] {
            if one.rights == other.rights {
                let place = policy.place(&policy.cubicles[&one.name].name.span, "this one");
                let second = policy.place(&policy.cubicles[&other.name].name.span, "and this one");
                findings.push(
                    Finding::error(format!(
                        "cubicles `{}` and `{}` would have the same rights, and so be one",
                        one.name, other.name
                    ))
                    .at(place)
                    .at(second)
                    .help("let at most one of them see the other, or merge them"),
                );
            }
        }
    }
}

/// Whether `rights` may write the memory of a cubicle.
pub fn sees(rights: Rights, cubicle: &Cubicle) -> bool {
    rights.writes(cubicle.key)
}
