//! From what is said about a returned pointer to its lend.

use cubicle_abi::plan::{
    Extent, LEND_CALLBACK, LEND_OUT, LEND_POINTER, LEND_RETURNED, LEND_WITHIN, Lend, PLACE_RESULT,
    Place,
};

use super::Resolver;
use super::callbacks::{ResolvedCallback, UNNUMBERED};
use super::draft::{Draft, Span};
use super::extents::{Counted, When};
use super::paths::{Outcome, Purpose};
use crate::graph::signature::{Pointer, TypeKind};
use crate::manifest::{self, ArgumentPath, ArgumentRule, Located, ResultKind, ResultRule};

/// Where a result travels.
const RESULT: Place = Place {
    kind: PLACE_RESULT,
    index: 0,
    offset: 0,
};

impl<'a> Resolver<'a> {
    /// What is said about the result.
    pub(super) fn result(&mut self, rule: &'a ResultRule) -> Outcome<()> {
        let at = &rule.declared.span;
        let title = self.title();
        let Some(type_) = &self.subject.signature.result else {
            let message = format!("{title} returns nothing");
            return Err(Some(self.error(at, message, "").help("remove this line")));
        };
        let TypeKind::Pointer(pointer) = &type_.kind else {
            let message = format!("{title} does not return a pointer");
            return Err(Some(self.error(at, message, "").help(
                "values cross as they are, and structs in memory need no line: remove it",
            )));
        };
        match &rule.rule {
            ResultKind::Within(path) => self.within(at, path),
            ResultKind::Like(ArgumentRule::Lend(lend)) => self.returned(at, pointer, lend),
            ResultKind::Like(ArgumentRule::Callback(callback)) => {
                let signature = self.called(at, type_, ("the result", "result"), callback)?;
                let flags = LEND_CALLBACK | LEND_OUT;
                let lend = self.of_result(Some(at), flags, UNNUMBERED, Extent::default());
                self.callbacks.push(ResolvedCallback {
                    lend,
                    path: "result".to_owned(),
                    returns: true,
                    signature,
                    rule: callback.clone(),
                });
                Ok(())
            }
            ResultKind::Like(ArgumentRule::Handle | ArgumentRule::Value(_)) => Ok(()),
        }
    }

    /// It points into something that is lent.
    fn within(&mut self, at: &Span, path: &'a Located<ArgumentPath>) -> Outcome<()> {
        let here = self.position(&path.span, &path.value, Purpose::Rule)?;
        let lent = self.ranges.get(&here.key).copied();
        match lent.filter(|draft| self.drafts[*draft].is_lent()) {
            Some(draft) => {
                let flags = LEND_POINTER | LEND_WITHIN;
                self.of_result(Some(at), flags, draft as u64, Extent::default());
                Ok(())
            }
            // Its own finding says why.
            None if self
                .rules
                .get(&here.key)
                .is_some_and(|argument| matches!(argument.rule, ArgumentRule::Lend(_))) =>
            {
                Err(None)
            }
            None => {
                let message = format!("{} is not lent", self.of(&here.label));
                let label = "nothing can point into it";
                let help = "say how it is lent, with `bytes` or `count`, or remove this line";
                Err(Some(self.error(&path.span, message, label).help(help)))
            }
        }
    }

    /// It points into the callee's memory: the caller gets a copy.
    fn returned(
        &mut self,
        at: &Span,
        pointer: &'a Pointer,
        lend: &'a manifest::Lend,
    ) -> Outcome<()> {
        if pointer.to.as_ref().is_some_and(|to| to.is_function) {
            let message = format!("{} returns a pointer to a function", self.title());
            return Err(Some(self.error(at, message, "").help(
                "a function is not lent: say `result = { callback = true }`",
            )));
        }
        let counted = Counted {
            label: "the result".to_owned(),
            pointer,
            unit: lend.unit,
            negative: false,
            draft: None,
        };
        let extent = self.extent(&counted, &lend.extent, When::After)?;
        self.of_result(Some(at), LEND_RETURNED, 0, extent);
        Ok(())
    }

    /// A pointer that nothing is said about may lead into what was lent.
    pub(super) fn unsaid_result(&mut self) {
        let Some(type_) = &self.subject.signature.result else {
            return;
        };
        let TypeKind::Pointer(pointer) = &type_.kind else {
            return;
        };
        if pointer.to.as_ref().is_some_and(|to| to.is_function) {
            self.functions.push("result".to_owned());
            return;
        }
        if self.drafts.iter().any(Draft::is_lent) || self.keeps() {
            self.of_result(None, LEND_POINTER, 0, Extent::default());
        }
    }

    /// Whether something stays lent in this cubicle between calls.
    fn keeps(&self) -> bool {
        let cubicle = &self.subject.policy.cubicles[self.subject.cubicle];
        let mut functions = cubicle.functions.values();
        !self.subject.rules.is_some_and(|rules| rules.of_callback)
            && functions.any(|function| {
                let mut rules = function.args.values().map(|argument| &argument.rule);
                rules.any(|rule| match rule {
                    ArgumentRule::Lend(lend) => lend.keep.is_some(),
                    _ => false,
                })
            })
    }

    fn of_result(&mut self, at: Option<&Span>, flags: u32, value: u64, extent: Extent) -> usize {
        self.drafts.push(Draft {
            lend: Lend {
                pointer: RESULT,
                flags,
                value,
                extent,
                ..Lend::default()
            },
            label: "result".to_owned(),
            at: at.cloned(),
            range: None,
            automatic: at.is_none(),
            good: true,
        });
        self.drafts.len() - 1
    }
}
