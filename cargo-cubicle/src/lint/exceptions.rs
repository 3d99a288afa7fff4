//! What the manifest excepts from a rule, with a reason.

use std::collections::BTreeSet;

use crate::diagnostics::{Code, Finding, Findings, Fix};
use crate::manifest::Policy;

/// Takes out what is excepted. An exception that nothing is about is a finding itself (CUB013).
pub fn apply(policy: &Policy, findings: Findings) -> Findings {
    let mut used: BTreeSet<(Code, &str)> = BTreeSet::new();
    let mut left = Findings::new();
    for finding in findings {
        let rule = finding
            .code
            .and_then(|code| Some((code, policy.lint.get(&code)?)));
        let excepted = rule.and_then(|(code, rule)| {
            let is_about = |name: &&String| finding.message.contains(&format!("`{name}`"));
            Some((code, rule.except.keys().find(is_about)?.as_str()))
        });
        match excepted {
            Some(excepted) => drop(used.insert(excepted)),
            None => left.push(finding),
        }
    }
    for (code, rule) in &policy.lint {
        for (name, exception) in &rule.except {
            if !used.contains(&(*code, name.as_str())) {
                left.push(
                    Finding::of_rule(
                        Code::CUB013,
                        format!("`{}` finds nothing about `{name}`, which is excepted from it", code.name()),
                    )
                    .at(policy.place(&exception.name.span, "matches nothing"))
                    .fix(Fix::Remove)
                    .help("an exception is for a name that stands in backticks in what the rule finds; take it out if that is gone"),
                );
            }
        }
    }
    left
}
