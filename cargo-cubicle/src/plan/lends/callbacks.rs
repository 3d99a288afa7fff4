//! Functions that cross a gate: one side gets something that it can call in
//! their place.

use cubicle_abi::plan::{LEND_CALLBACK, LEND_IN, LEND_OUT};

use super::Resolver;
use super::draft::Span;
use super::paths::{Outcome, Position};
use crate::graph::declaration;
use crate::graph::signature::{Signature, Type, TypeKind};
use crate::manifest::{Callback, Direction};

/// What stands in `value` of a lend with [`LEND_CALLBACK`] until its gate has a
/// number.
pub const UNNUMBERED: u64 = u64::MAX;

/// A function pointer that crosses, and the gate it needs.
///
/// Whoever plans that gate writes its number into `value` of the gate's lend with
/// index `lend`, which is [`UNNUMBERED`] until then. What the callback itself
/// lends is resolved like that of any other function, with
/// [`super::Rules::of_callback`].
#[derive(Clone, Debug)]
pub struct ResolvedCallback {
    /// Index among the lends.
    pub lend: usize,
    /// Where it crosses, such as `compare`, `table.xFunc` or `result`. With the
    /// name of the function before it, it is the name of the gate.
    pub path: String,
    /// If not, it is a function of the caller's, which the callee may call: it
    /// crosses with the call. If so, it is one of the callee's, which the caller
    /// may call after the return. A field of an "inout" range has both.
    pub returns: bool,
    /// What is called, under the name of the gate.
    pub signature: Signature,
    /// What the manifest says about its arguments and result.
    pub rule: Callback,
}

impl<'a> Resolver<'a> {
    /// A function of one side that the other may call.
    pub(super) fn callback(
        &mut self,
        at: &Span,
        here: &Position<'a>,
        rule: &'a Callback,
    ) -> Outcome<()> {
        let signature = self.called(at, here.type_, (&here.label, &here.label), rule)?;
        let place = self.word_of(at, here)?;
        // An argument crosses with the call; a field with what it is lent in.
        let parent = self.parent(here.key);
        let directions: &[u32] = match parent.map(|(_, direction)| direction.value) {
            None | Some(Direction::In) => &[LEND_IN],
            Some(Direction::Out) => &[LEND_OUT],
            Some(Direction::InOut) => &[LEND_IN, LEND_OUT],
        };
        for direction in directions {
            let flags = LEND_CALLBACK | direction;
            let draft = self.draft(at, here, place, flags, UNNUMBERED);
            self.callbacks.push(ResolvedCallback {
                lend: draft,
                path: here.label.clone(),
                returns: *direction == LEND_OUT,
                signature: signature.clone(),
                rule: rule.clone(),
            });
        }
        Ok(())
    }

    /// The signature of what is called through a pointer that messages call
    /// `label`, and the plan `path`.
    pub(super) fn called(
        &self,
        at: &Span,
        type_: &Type,
        (label, path): (&str, &str),
        rule: &Callback,
    ) -> Outcome<Signature> {
        let name = format!("{}.{path}", self.subject.function);
        let of = self.of(label);
        let TypeKind::Pointer(pointer) = &type_.kind else {
            let message = format!("{of} is not a pointer");
            return Err(Some(self.error(at, message, "").help(
                "a callback is a pointer to a function; values cross as they are: remove this line",
            )));
        };
        if let Some(text) = &rule.signature {
            return match declaration::parse(&text.value) {
                Ok(signature) => Ok(Signature { name, ..signature }),
                Err(error) => {
                    // Inside the quotes of the manifest's string.
                    let start = (text.span.start + 1 + error.offset).min(text.span.end);
                    let message = format!("the signature of {of} is not C");
                    let place = start..text.span.end;
                    let finding = self.error(&place, message, error.message);
                    Err(Some(finding.help("write it as a header file would")))
                }
            };
        }
        self.subject
            .signature
            .function(pointer, name)
            .ok_or_else(|| {
                let message = format!("nothing says how {of} is called back");
                let label = "its type is no pointer to a function";
                let finding = self.error(at, message, label);
                Some(finding.help("add `signature = \"…\"` beside `callback = true`"))
            })
    }
}
