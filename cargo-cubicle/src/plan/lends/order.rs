//! From drafts to the gate's list: what something refers to comes before it.

use cubicle_abi::plan::{
    EXTENT_CONSTANT, LEND_CALLBACK, LEND_STAGED, LEND_VALUE, LEND_WITHIN, Lend, PLACE_ARGUMENT,
    PLACE_FIELD, PLACE_RESULT,
};

use super::callbacks::ResolvedCallback;
use super::draft::{holder, operands};
use super::{MOST_LENDS, MOST_STAGED, ResolvedLends, Resolver};
use crate::diagnostics::{Finding, Findings};

/// How far the search has come with a draft.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unseen,
    /// On the way to what it needs.
    Open,
    Done,
}

impl<'a> Resolver<'a> {
    /// Marks what goes through the monitor's own memory, and how elements follow
    /// each other.
    pub(super) fn stage(&mut self) {
        let mut staged = vec![false; self.drafts.len()];
        for draft in self.drafts.iter().filter(|draft| draft.good) {
            for referred in referred(&draft.lend) {
                staged[referred] = true;
            }
        }
        for (index, staged) in staged.into_iter().enumerate() {
            let draft = &mut self.drafts[index];
            let Some(range) = draft.range.as_ref().filter(|_| staged && draft.good) else {
                continue;
            };
            draft.lend.flags |= LEND_STAGED;
            if range.each == Some(true) {
                draft.lend.stride = range.data.and_then(|data| data.size()).unwrap_or(0);
            }
            let extent = draft.lend.extent;
            if extent.kind == EXTENT_CONSTANT && extent.scale > MOST_STAGED {
                let (at, label) = (draft.at.clone(), draft.label.clone());
                draft.good = false;
                let rule = range_rule(&self.drafts[index]);
                let at = rule.map(|rule| rule.extent.span.clone()).or(at);
                if let Some(at) = at {
                    let finding = self.too_much(&at, &label, extent.scale);
                    self.findings.push(finding);
                }
            }
        }
    }

    /// The drafts in an order in which the monitor can handle them.
    pub(super) fn order(&mut self) -> Vec<usize> {
        let count = self.drafts.len();
        let mut roots: Vec<usize> = (0..count).collect();
        roots.sort_by_key(|draft| self.rank(*draft));
        let mut states = vec![State::Unseen; count];
        let mut order = Vec::new();
        for root in roots {
            self.visit(root, &mut states, &mut Vec::new(), &mut order);
        }
        order
    }

    /// Hidden results, then arguments in their order with what is inside them,
    /// then results.
    fn rank(&self, draft: usize) -> (u32, u32, usize) {
        let mut place = self.drafts[draft].lend.pointer;
        while let Some(holder) = holder(&place) {
            place = self.drafts[holder].lend.pointer;
        }
        let is_result = u32::from(place.kind == PLACE_RESULT);
        debug_assert!(is_result == 1 || place.kind == PLACE_ARGUMENT);
        (is_result, place.index, draft)
    }

    /// Depth first. The depth is at most the number of drafts, which the manifest
    /// of one function writes down.
    fn visit(
        &mut self,
        draft: usize,
        states: &mut [State],
        path: &mut Vec<usize>,
        order: &mut Vec<usize>,
    ) {
        match states[draft] {
            State::Done => return,
            State::Open => return self.circle(draft, path),
            State::Unseen => {}
        }
        states[draft] = State::Open;
        path.push(draft);
        for needed in self.needs(draft) {
            self.visit(needed, states, path, order);
        }
        path.pop();
        states[draft] = State::Done;
        order.push(draft);
    }

    /// What must be handled before a draft: what its pointer and its extent stand
    /// in. An array is handled with all that lies in its elements, so what those
    /// need outside of it comes before it.
    fn needs(&self, draft: usize) -> Vec<usize> {
        let mut needs = before(&self.drafts[draft].lend);
        if self.drafts[draft].lend.stride != 0 {
            for inner in (0..self.drafts.len()).filter(|inner| self.is_inside(*inner, draft)) {
                let outside = before(&self.drafts[inner].lend);
                needs.extend(
                    outside
                        .into_iter()
                        .filter(|needed| *needed != draft && !self.is_inside(*needed, draft)),
                );
            }
        }
        needs
    }

    fn is_inside(&self, inner: usize, outer: usize) -> bool {
        let mut place = self.drafts[inner].lend.pointer;
        while let Some(holder) = holder(&place) {
            if holder == outer {
                return true;
            }
            place = self.drafts[holder].lend.pointer;
        }
        false
    }

    /// Lengths that depend on each other.
    fn circle(&mut self, again: usize, path: &[usize]) {
        let start = path.iter().position(|draft| *draft == again).unwrap_or(0);
        let circle = &path[start..];
        let labels: Vec<String> = circle
            .iter()
            .map(|draft| format!("`{}`", self.drafts[*draft].label))
            .collect();
        let at = circle.iter().filter_map(|draft| {
            let draft = &self.drafts[*draft];
            let rule = range_rule(draft).map(|rule| rule.extent.span.clone());
            rule.or(draft.at.clone())
        });
        let at: Vec<_> = at.collect();
        for draft in circle {
            self.drafts[*draft].good = false;
        }
        let message = format!(
            "to know how much of {} of {} is lent, one must know it already",
            labels.join(" and "),
            self.title()
        );
        let mut finding = Finding::error(message);
        for span in at {
            finding = finding.at(self.subject.policy.place(&span, ""));
        }
        self.findings.push(finding.help(
            "say one of the lengths with a constant, an argument, or a field that needs none of them",
        ));
    }

    /// The gate's list, without what has a mistake or needs something that has.
    pub(super) fn finish(mut self, order: &[usize], findings: &mut Findings) -> ResolvedLends {
        loop {
            let bad = |draft: &usize| !self.drafts[*draft].good;
            let spoilt = (0..self.drafts.len()).find(|draft| {
                self.drafts[*draft].good && all_needs(&self.drafts[*draft].lend).iter().any(bad)
            });
            match spoilt {
                Some(draft) => self.drafts[draft].good = false,
                None => break,
            }
        }
        let mut order: Vec<usize> = order
            .iter()
            .copied()
            .filter(|draft| self.drafts[*draft].good)
            .collect();
        self.limit(&mut order);
        findings.extend(self.findings);
        let list = order.iter().map(|draft| self.drafts[*draft].lend).collect();
        let lends = renumbered(list, &order);
        let callbacks = self.callbacks.into_iter().filter_map(|callback| {
            let lend = order.iter().position(|draft| *draft == callback.lend)?;
            Some(ResolvedCallback { lend, ..callback })
        });
        ResolvedLends {
            lends,
            errno: self.subject.rules.is_some_and(|rules| rules.errno),
            callbacks: callbacks.collect(),
            functions: self.functions,
        }
    }

    /// What a gate has no room for: first the pointers that nobody wrote down.
    fn limit(&mut self, order: &mut Vec<usize>) {
        if order.len() <= MOST_LENDS {
            return;
        }
        let at = self.drafts.iter().find_map(|draft| draft.at.clone());
        let title = self.title();
        let written = |draft: &&usize| !self.drafts[**draft].automatic;
        if order.iter().filter(written).count() > MOST_LENDS {
            let finding = Finding::error(format!("{title} lends too many arguments and fields"));
            let finding = match at {
                Some(at) => finding.at(self.subject.policy.place(&at, "")),
                None => finding,
            };
            self.findings
                .push(finding.help(format!("a gate can lend {MOST_LENDS}")));
            order.truncate(MOST_LENDS);
            return;
        }
        let mut left_out = Vec::new();
        while order.len() > MOST_LENDS {
            let last = order
                .iter()
                .rposition(|draft| self.drafts[*draft].automatic);
            let Some(last) = last else { break };
            left_out.push(order.remove(last));
        }
        let labels: Vec<String> = left_out
            .iter()
            .rev()
            .map(|draft| format!("`{}`", self.drafts[*draft].label))
            .collect();
        let finding = Finding::warning(format!(
            "of what {title} writes, these pointers reach the caller as they are: {}",
            labels.join(", ")
        ));
        let finding = match at {
            Some(at) => finding.at(self.subject.policy.place(&at, "")),
            None => finding,
        };
        self.findings.push(finding.help(format!(
            "a gate can lend and translate {MOST_LENDS} pointers; say `lend = \"handle\"` for those that need neither"
        )));
    }
}

impl ResolvedLends {
    /// Where the callee sees the caller, pointers work as they are: what remains
    /// is what crosses as something else, a function or a replaced value, and
    /// what it stands in.
    pub fn keep_what_sight_does_not_replace(&mut self) {
        let mut kept = vec![false; self.lends.len()];
        let replaced = |lend: &Lend| lend.flags & (LEND_CALLBACK | LEND_VALUE) != 0;
        let numbers = 0..self.lends.len();
        let mut open: Vec<usize> = numbers
            .filter(|index| replaced(&self.lends[*index]))
            .collect();
        while let Some(lend) = open.pop() {
            if !std::mem::replace(&mut kept[lend], true) {
                open.extend(all_needs(&self.lends[lend]));
            }
        }
        // What the callee leaves beside a callback may lead into the copy.
        for (index, lend) in self.lends.iter().enumerate() {
            if lend.flags == cubicle_abi::plan::LEND_POINTER
                && holder(&lend.pointer).is_some_and(|holder| kept[holder])
            {
                kept[index] = true;
            }
        }
        let order: Vec<usize> = (0..kept.len()).filter(|lend| kept[*lend]).collect();
        let list = order.iter().map(|lend| self.lends[*lend]).collect();
        self.lends = renumbered(list, &order);
        for callback in &mut self.callbacks {
            let place = order.iter().position(|lend| *lend == callback.lend);
            callback.lend = place.unwrap_or_default();
        }
    }
}

/// Lends that referred to each other by number, after only those of `order` are
/// left, in that order.
fn renumbered(mut list: Vec<Lend>, order: &[usize]) -> Vec<Lend> {
    let number = |old: u32| {
        let place = order.iter().position(|draft| *draft == old as usize);
        place.unwrap_or_default() as u32
    };
    for lend in &mut list {
        let places = [&mut lend.extent, &mut lend.used]
            .into_iter()
            .flat_map(|extent| extent.operands.iter_mut())
            .map(|operand| &mut operand.place);
        for place in places.chain([&mut lend.pointer]) {
            if place.kind == PLACE_FIELD {
                place.index = number(place.index);
            }
        }
        if lend.flags & LEND_WITHIN != 0 {
            lend.value = u64::from(number(lend.value as u32));
        }
    }
    list
}

fn range_rule<'a>(draft: &super::draft::Draft<'a>) -> Option<&'a crate::manifest::Lend> {
    draft.range.as_ref()?.rule
}

/// What a lend's pointer and extent stand in.
fn before(lend: &Lend) -> Vec<usize> {
    let pointer = holder(&lend.pointer);
    let counted = operands(&lend.extent);
    let counted = counted.iter().filter_map(|operand| holder(&operand.place));
    pointer.into_iter().chain(counted).collect()
}

/// What a lend refers to, before the call or after it.
fn referred(lend: &Lend) -> Vec<usize> {
    let used = operands(&lend.used).iter();
    let used = used.filter_map(|operand| holder(&operand.place));
    before(lend).into_iter().chain(used).collect()
}

/// The lends without which one makes no sense.
fn all_needs(lend: &Lend) -> Vec<usize> {
    let mut needs = referred(lend);
    if lend.flags & LEND_WITHIN != 0 {
        needs.push(lend.value as usize);
    }
    needs
}
