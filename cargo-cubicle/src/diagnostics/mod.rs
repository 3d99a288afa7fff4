//! Findings as values: what is wrong, how bad it is, where, and how to mend it.
//!
//! Analyses return findings and go on; nothing here stops at the first one, and
//! only [`render`](mod@render) turns them into text.

mod code;
mod fix;
mod place;
pub mod render;

pub use code::{Code, Rule};
pub use fix::Fix;
pub use place::Place;
pub use render::{Sources, here, render, shown};

/// How bad a finding is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Level {
    /// The build is refused.
    Deny,
    /// The build goes on.
    Warn,
}

/// One problem, with every place that takes part in it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Finding {
    /// The lint rule that was broken. A plain mistake in the manifest has none.
    pub code: Option<Code>,
    /// Whether the build is refused because of it.
    pub level: Level,
    /// One sentence without a full stop, lower case, names in backticks.
    pub message: String,
    /// Where it is. The first place is the primary one.
    pub places: Vec<Place>,
    /// What the user can do about it, one sentence each.
    pub helps: Vec<String>,
    /// What `lint --fix` does about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
}

impl Finding {
    /// A mistake that refuses the build and belongs to no lint rule.
    pub fn error(message: impl Into<String>) -> Self {
        Self::new(None, Level::Deny, message)
    }

    /// Something suspicious that belongs to no lint rule.
    pub fn warning(message: impl Into<String>) -> Self {
        Self::new(None, Level::Warn, message)
    }

    /// What a lint rule finds, at the rule's default level.
    pub fn of_rule(code: Code, message: impl Into<String>) -> Self {
        Self::new(Some(code), code.default_level(), message)
    }

    fn new(code: Option<Code>, level: Level, message: impl Into<String>) -> Self {
        Finding {
            code,
            level,
            message: message.into(),
            places: Vec::new(),
            helps: Vec::new(),
            fix: None,
        }
    }

    /// Adds a place; the first one added is the primary one.
    pub fn at(mut self, place: Place) -> Self {
        self.places.push(place);
        self
    }

    /// Says how the first place can be mended.
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    /// Adds a remedy.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.helps.push(help.into());
        self
    }
}

/// The findings of one or several analyses, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    /// No findings yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one finding.
    pub fn push(&mut self, finding: Finding) {
        self.list.push(finding);
    }

    /// Whether any of them refuses the build.
    pub fn has_denied(&self) -> bool {
        self.list.iter().any(|finding| finding.level == Level::Deny)
    }

    /// Whether there is nothing to report.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The number of findings of any level.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// The findings in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.list.iter()
    }

    /// Puts the findings in the order of the text they point into, so that they
    /// can be read from top to bottom whatever order the analyses ran in. Those
    /// at the same place stay in the order in which they came.
    pub fn sort_by_place(&mut self) {
        self.list
            .sort_by(|left, right| left.places.first().cmp(&right.places.first()));
    }
}

impl Extend<Finding> for Findings {
    fn extend<I: IntoIterator<Item = Finding>>(&mut self, findings: I) {
        self.list.extend(findings);
    }
}

impl FromIterator<Finding> for Findings {
    fn from_iter<I: IntoIterator<Item = Finding>>(findings: I) -> Self {
        Findings {
            list: findings.into_iter().collect(),
        }
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Finding;
    type IntoIter = std::slice::Iter<'a, Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_alone_do_not_refuse() {
        let mut findings = Findings::new();
        findings.push(Finding::of_rule(Code::CUB013, "matched nothing"));
        assert!(!findings.has_denied());
        findings.extend([Finding::error("wrong")]);
        assert!(findings.has_denied());
        assert_eq!(findings.len(), 2);
    }

    #[test]
    fn sorting_follows_the_text() {
        let at = |start| Place::span("Cubicle.toml", start..start + 1, "");
        let mut findings: Findings = [
            Finding::error("second").at(at(20)),
            Finding::error("first").at(at(3)),
        ]
        .into_iter()
        .collect();
        findings.sort_by_place();
        let order: Vec<_> = findings.iter().map(|f| f.message.as_str()).collect();
        assert_eq!(order, ["first", "second"]);
    }
}
