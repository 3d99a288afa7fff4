//! CUB020: who may write another cubicle's memory can have it make every call that it is granted.

use super::Inputs;
use crate::diagnostics::{Code, Finding, Findings};
use crate::manifest::Access;
use crate::plan::system_calls;

/// Compares what seers and seen are granted.
pub fn check(inputs: Inputs<'_>, findings: &mut Findings) {
    let Inputs { policy, plan, .. } = inputs;
    let granted = |name: &str| {
        let cubicle = plan.cubicles.iter().find(|cubicle| cubicle.name == name);
        cubicle.map(|cubicle| &cubicle.grants.numbers)
    };
    for (seer, declared) in &policy.cubicles {
        for (seen, sight) in &declared.sees {
            let (Some(own), Some(other)) = (granted(seer), granted(seen)) else {
                continue;
            };
            let more: Vec<&str> = other
                .difference(own)
                .filter_map(|number| system_calls::name(*number))
                .collect();
            if sight.access.value != Access::ReadWrite || more.is_empty() {
                continue;
            }
            let shown = more
                .iter()
                .take(SHOWN)
                .copied()
                .collect::<Vec<_>>()
                .join("`, `");
            let rest = match more.len().saturating_sub(SHOWN) {
                0 => String::new(),
                rest => format!(" and {rest} more"),
            };
            findings.push(
                Finding::of_rule(
                    Code::CUB020,
                    format!("`{seer}` may write the memory of `{seen}`, which is granted more: `{shown}`{rest}"),
                )
                .at(policy.place(&sight.access.span, "with this"))
                .help(format!(
                    "code in `{seer}` can have `{seen}` make these calls; let it see with `\"r\"`, or grant `{seer}` the same and so say what it can do"
                )),
            );
        }
    }
}

/// As many calls as a finding names.
const SHOWN: usize = 4;
