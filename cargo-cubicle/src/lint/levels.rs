//! How bad a rule's findings are: by default, by the manifest, by the command line.

use std::collections::BTreeMap;

use crate::diagnostics::{Code, Finding, Findings, Level};
use crate::manifest::{LintLevel, Policy};

/// Levels that differ from the defaults.
pub type Levels = BTreeMap<Code, LintLevel>;

/// Without these rules there is no gate to make, or a gate that nobody can trust: a
/// level may make them stricter, and nothing else.
fn is_indispensable(code: Code) -> bool {
    let optional = [
        Code::CUB004,
        Code::CUB009,
        Code::CUB010,
        Code::CUB013,
        Code::CUB014,
        Code::CUB016,
        Code::CUB019,
        Code::CUB020,
    ];
    !optional.contains(&code)
}

/// Whether there is something that no level could permit, so that the phases which
/// follow have nothing to go on with.
pub fn stop(findings: &Findings) -> bool {
    findings
        .iter()
        .any(|finding| finding.level == Level::Deny && finding.code.is_none_or(is_indispensable))
}

/// Why a rule cannot have this level, if it cannot.
pub fn refusal(code: Code, level: LintLevel) -> Option<String> {
    (is_indispensable(code) && level != LintLevel::Deny).then(|| {
        format!(
            "`{}` ({code}) can only be denied: a build cannot do without what it asks for",
            code.name()
        )
    })
}

/// What the manifest says, and what of it cannot be.
pub fn of_manifest(policy: &Policy) -> (Levels, Findings) {
    let mut findings = Findings::new();
    let mut levels = Levels::new();
    for (code, rule) in &policy.lint {
        let level = rule.level.as_ref();
        let level = level.map(|level| (level.value, &level.span));
        // An exception permits what it is about.
        let except = rule.except.values();
        let except = except.map(|except| (LintLevel::Allow, &except.name.span));
        for (level, span) in level.into_iter().chain(except.take(1)) {
            if let Some(why) = refusal(*code, level) {
                findings.push(
                    Finding::error(why)
                        .at(policy.place(span, ""))
                        .help("remove the line, and mend what the rule finds"),
                );
            }
        }
        // There is one way to accept that.
        if let Some(except) = rule
            .except
            .values()
            .next()
            .filter(|_| *code == Code::CUB016)
        {
            findings.push(
                Finding::error(format!("`{}` ({code}) has no exceptions", code.name()))
                    .at(policy.place(&except.name.span, ""))
                    .help("accept what changed with `cargo cubicle lint --accept`"),
            );
        }
        if let Some((level, _)) = level.filter(|(level, _)| refusal(*code, *level).is_none()) {
            levels.insert(*code, level);
        }
    }
    (levels, findings)
}

/// Gives findings the levels; those that are allowed go.
pub fn apply(levels: &Levels, findings: Findings) -> Findings {
    findings
        .into_iter()
        .filter_map(|mut finding| {
            match finding.code.and_then(|code| levels.get(&code)) {
                None => {}
                Some(LintLevel::Allow) => return None,
                Some(LintLevel::Warn) => finding.level = Level::Warn,
                Some(LintLevel::Deny) => finding.level = Level::Deny,
            }
            Some(finding)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed_goes_and_what_is_denied_refuses() {
        let findings: Findings = [
            Finding::of_rule(Code::CUB004, "a"),
            Finding::of_rule(Code::CUB013, "b"),
            Finding::error("c"),
        ]
        .into_iter()
        .collect();
        let levels = Levels::from([
            (Code::CUB004, LintLevel::Allow),
            (Code::CUB013, LintLevel::Deny),
        ]);
        let left = apply(&levels, findings);
        let left: Vec<_> = left
            .iter()
            .map(|finding| (finding.message.as_str(), finding.level))
            .collect();
        assert_eq!(left, [("b", Level::Deny), ("c", Level::Deny)]);
    }

    #[test]
    fn what_cannot_be_allowed_has_no_exceptions() {
        for rule in ["undeclared-call", "widened-authority"] {
            let text = format!(
                "schema = 1\n[cubicle.app]\nmain = true\n[lint.{rule}]\nexcept = {{ f = \"why not\" }}\n"
            );
            let policy = crate::manifest::parse("Cubicle.toml".into(), &text).unwrap();
            assert_eq!(of_manifest(&policy).1.len(), 1, "{rule}");
        }
    }

    #[test]
    fn a_gate_cannot_be_made_of_what_is_not_permitted() {
        assert!(refusal(Code::CUB001, LintLevel::Allow).is_some());
        assert!(refusal(Code::CUB001, LintLevel::Deny).is_none());
        assert!(refusal(Code::CUB004, LintLevel::Allow).is_none());
    }
}
