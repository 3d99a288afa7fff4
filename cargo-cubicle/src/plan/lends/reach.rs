//! Whether what is read from a range lies in it.

use cubicle_abi::plan::{EXTENT_CONSTANT, LEND_VALUE, Lend};

use super::Resolver;
use super::draft::{Span, holder};
use crate::diagnostics::Finding;

/// A number that is read from what a draft covers.
pub(super) struct Use {
    /// As it is written, and where.
    pub(super) text: String,
    pub(super) at: Span,
    pub(super) draft: usize,
    /// Bytes from the start of what the draft covers.
    pub(super) end: u64,
}

impl Resolver<'_> {
    /// What is read from a range must lie in it. What has no constant length, the
    /// monitor checks.
    pub(super) fn check_reach(&mut self) {
        let uses = std::mem::take(&mut self.uses);
        for one in uses {
            if let Some(bytes) = self.covers(one.draft).filter(|bytes| one.end > *bytes) {
                let message = if one.text.starts_with('*') {
                    format!(
                        "`{}` has {} bytes, and {bytes} of them are lent",
                        one.text, one.end
                    )
                } else {
                    format!(
                        "`{}` ends {} bytes into something of which {bytes} are lent",
                        one.text, one.end
                    )
                };
                let finding = self.error(&one.at, message, "");
                self.findings.push(self.lend_more(finding, one.draft));
            }
        }
        for draft in 0..self.drafts.len() {
            let place = self.drafts[draft].lend.pointer;
            let (Some(parent), Some(at)) = (holder(&place), self.drafts[draft].at.clone()) else {
                continue;
            };
            let end = place.offset + word_size(&self.drafts[draft].lend);
            if let Some(bytes) = self.covers(parent).filter(|bytes| end > *bytes) {
                let message = format!(
                    "{} ends {end} bytes into something of which {bytes} are lent",
                    self.of(&self.drafts[draft].label),
                );
                let finding = self.error(&at, message, "");
                self.findings.push(self.lend_more(finding, parent));
                self.drafts[draft].good = false;
            }
        }
    }

    fn lend_more(&self, finding: Finding, draft: usize) -> Finding {
        let rule = self.drafts[draft]
            .range
            .as_ref()
            .and_then(|range| range.rule);
        let finding = match rule {
            Some(rule) => finding.at(self.subject.policy.place(&rule.extent.span, "lent here")),
            None => finding,
        };
        finding.help("lend all of it")
    }

    /// How many bytes a draft covers, if that is constant and it is one object.
    fn covers(&self, draft: usize) -> Option<u64> {
        let draft = &self.drafts[draft];
        let one = draft.range.as_ref()?.each != Some(true);
        (one && draft.good && draft.lend.extent.kind == EXTENT_CONSTANT)
            .then_some(draft.lend.extent.scale)
    }
}

/// Bytes of what stands at a lend's place: a pointer, or a number that is
/// replaced.
fn word_size(lend: &Lend) -> u64 {
    match lend.flags & LEND_VALUE {
        0 => 8,
        _ => lend.extent.scale,
    }
}
