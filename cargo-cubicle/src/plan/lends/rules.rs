//! From what is said about one argument or field to the draft of its lend.

use cubicle_abi::plan::{LEND_IN, LEND_KEEP, LEND_OUT, LEND_VALUE, LEND_WINDOW, Lend, Place};

use super::draft::{Covered, Draft, Holder, Key, Span};
use super::paths::{Outcome, Position, Purpose};
use super::{Resolver, constant, key};
use crate::diagnostics::Finding;
use crate::graph::signature::{Pointer, TypeKind};
use crate::manifest::{self, Argument, ArgumentRule, Direction, Function, Located};
use crate::plan::libc_objects;

impl<'a> Resolver<'a> {
    /// Everything that is said about arguments. What lies inside something comes
    /// after it.
    pub(super) fn place_rules(&mut self, arguments: &mut [&'a Argument]) {
        arguments.sort_by_key(|argument| (argument.path.steps.len(), argument.path.span.start));
        for argument in arguments {
            if let Err(finding) = self.place_rule(argument) {
                self.findings.extend(finding);
            }
        }
    }

    fn place_rule(&mut self, argument: &'a Argument) -> Outcome<()> {
        let at = &argument.path.span;
        let here = self.position(at, &argument.path, Purpose::Rule)?;
        if let Some(other) = self.rules.get(&here.key) {
            let (first, second) = if other.path.span.start < at.start {
                (&other.path.span, at)
            } else {
                (at, &other.path.span)
            };
            let message = format!("{} is described twice", self.of(&here.label));
            return Err(Some(
                self.error(second, message, "again here")
                    .at(self.subject.policy.place(first, "first here"))
                    .help("remove one of the two"),
            ));
        }
        self.rules.insert(here.key, argument);
        match &argument.rule {
            ArgumentRule::Lend(lend) => self.lend(at, &here, lend),
            ArgumentRule::Handle => self.handle(at, &here),
            ArgumentRule::Value(value) => self.value(at, &here, value),
            ArgumentRule::Callback(callback) => self.callback(at, &here, callback),
        }
    }

    fn lend(&mut self, at: &Span, here: &Position<'a>, lend: &'a manifest::Lend) -> Outcome<()> {
        let pointer = self.lent_pointer(at, here)?;
        self.check_there(at, here)?;
        let place = self.word_of(at, here)?;
        let mut flags = match lend.direction.value {
            Direction::In => LEND_IN,
            Direction::Out => LEND_OUT,
            Direction::InOut => LEND_IN | LEND_OUT,
        };
        // In a window it is the caller's own: a callee that only reads must mean it.
        let is_const = pointer.to.as_ref().is_some_and(|to| to.is_const);
        if lend.direction.value == Direction::InOut || is_const {
            flags |= LEND_WINDOW;
        }
        let mut value = 0;
        if let Some(keep) = &lend.keep {
            flags |= LEND_KEEP;
            value = self.until(keep)?;
        }
        let warning = self.written_constant(here, pointer, lend);
        self.findings.extend(warning);
        let covered = Covered {
            rule: Some(lend),
            pointer: Some(pointer),
            data: self.subject.signature.data(pointer),
            each: None,
        };
        let draft = self.draft(at, here, place, flags, value);
        self.drafts[draft].range = Some(covered);
        self.ranges.insert(here.key, draft);
        Ok(())
    }

    pub(super) fn draft(
        &mut self,
        at: &Span,
        here: &Position<'a>,
        pointer: Place,
        flags: u32,
        value: u64,
    ) -> usize {
        self.drafts.push(Draft {
            lend: Lend {
                pointer,
                flags,
                value,
                ..Lend::default()
            },
            label: here.label.clone(),
            at: Some(at.clone()),
            range: None,
            automatic: false,
            good: true,
        });
        self.drafts.len() - 1
    }

    pub(super) fn word_of(&self, at: &Span, here: &Position) -> Outcome<Place> {
        // Pointers are of class INTEGER (psABI 3.2.3): one register or word.
        self.place(here.key)
            .ok_or_else(|| Some(self.no_word(at, &here.label)))
    }

    /// The pointer that is lent.
    fn lent_pointer(&self, at: &Span, here: &Position<'a>) -> Outcome<&'a Pointer> {
        let of = self.of(&here.label);
        let finding = match &here.type_.kind {
            TypeKind::Pointer(pointer) if pointer.to.as_ref().is_some_and(|to| to.is_function) => {
                self.error(at, format!("{of} is a pointer to a function"), "")
                    .help("a function is not lent: say `callback = true`")
            }
            TypeKind::Pointer(pointer) => return Ok(pointer),
            TypeKind::Aggregate(aggregate) if aggregate.by_reference => {
                let label = "a C++ object that must not be copied byte by byte";
                self.error(at, format!("{of} cannot be lent"), label)
                    .help("give the function a pointer to plain data instead")
            }
            _ => self
                .error(at, format!("{of} is not a pointer"), "")
                .help("only pointers are lent; values cross as they are: remove this line"),
        };
        Err(Some(finding))
    }

    /// What lies in an "out" range is not there before the call.
    fn check_there(&self, at: &Span, here: &Position) -> Outcome<()> {
        let Some((label, direction)) = self.parent(here.key) else {
            return Ok(());
        };
        if direction.value != Direction::Out {
            return Ok(());
        }
        let message = format!("{} is set by nobody before the call", self.of(&here.label));
        let place = self
            .subject
            .policy
            .place(&direction.span, "the callee fills what is lent so");
        Err(Some(
            self.error(at, message, "")
                .at(place)
                .help(format!(
                    "say `arg.{} = {{ lend = \"inout\" }}` if the caller sets it",
                    key(&label)
                ))
                .help("pointers that the callee writes there need no line: those into what is lent are translated"),
        ))
    }

    /// What holds a field: how it is called, and its direction.
    pub(super) fn parent(&self, key: Key) -> Option<(String, &'a Located<Direction>)> {
        let Holder::Inside(draft) = key.holder else {
            return None;
        };
        let draft = &self.drafts[draft];
        let rule = draft.range.as_ref()?.rule?;
        Some((draft.label.clone(), &rule.direction))
    }

    /// The number of the gate whose call ends what is kept.
    fn until(&self, keep: &Located<String>) -> Outcome<u64> {
        let at = &keep.span;
        if self.subject.rules.is_some_and(|rules| rules.of_callback) {
            let finding = self.error(at, "a callback cannot keep what it is lent", "");
            return Err(Some(finding.help(
                "it is the caller who calls the function that ends a lend; remove `keep`",
            )));
        }
        let (cubicle, name) = (self.subject.cubicle, &keep.value);
        let functions = &self.subject.policy.cubicles[cubicle].functions;
        let lends = |function: &Function| {
            let mut rules = function.args.values().map(|argument| &argument.rule);
            rules.any(|rule| matches!(rule, ArgumentRule::Lend(_)))
        };
        let finding = match functions.get(name) {
            Some(function) if lends(function) => {
                let number = (self.subject.number_of)(name);
                return Ok(u64::from(number.unwrap_or(u32::MAX)));
            }
            Some(function) => self
                .error(
                    at,
                    format!("`{name}` of `{cubicle}` lends nothing, so nothing ends with it"),
                    "",
                )
                .at(self
                    .subject
                    .policy
                    .place(&function.name.span, "described here")),
            None => {
                let message = format!("nothing says what `{name}` of `{cubicle}` is called with");
                let mut finding = self.error(at, message, "");
                let known = functions.keys().map(String::as_str);
                if let Some(near) = crate::similar::similar(name, known) {
                    finding = finding.help(format!("there is one called `{near}`"));
                }
                finding
            }
        };
        Err(Some(finding.help(format!(
            "`[cubicle.{cubicle}.function.{name}]` must lend the same pointer, with an `arg.… = {{ lend = … }}` of its own"
        ))))
    }

    /// A callee that writes through `const` is rare; a wrong word in the manifest is
    /// not.
    fn written_constant(
        &self,
        here: &Position,
        pointer: &Pointer,
        lend: &manifest::Lend,
    ) -> Option<Finding> {
        let is_const = pointer.to.as_ref().is_some_and(|to| to.is_const);
        if !is_const || lend.direction.value == Direction::In {
            return None;
        }
        let message = format!(
            "{} points to `const`, and is lent for writing",
            self.of(&here.label)
        );
        let place = self.subject.policy.place(&lend.direction.span, "");
        Some(
            Finding::warning(message)
                .at(place)
                .help("say `lend = \"in\"` if the function only reads it"),
        )
    }

    /// A handle is something that holds an address, or several, or that a libc made.
    fn handle(&mut self, at: &Span, here: &Position) -> Outcome<()> {
        if matches!(
            here.type_.kind,
            TypeKind::Pointer(_) | TypeKind::Aggregate(_) | TypeKind::Array { .. }
        ) || libc_objects::in_type(here.type_).is_some()
        {
            let end = here.type_.size().unwrap_or(0);
            let end = here.key.offset.saturating_add(end);
            self.handles.push((here.key.holder, here.key.offset..end));
            return Ok(());
        }
        let message = format!("{} is not a pointer", self.of(&here.label));
        Err(Some(
            self.error(at, message, "")
                .help("values cross as they are: remove this line"),
        ))
    }

    /// What the callee sees instead.
    fn value(&mut self, at: &Span, here: &Position<'a>, value: &Located<i64>) -> Outcome<()> {
        let of = self.of(&here.label);
        let bytes = match here.type_.kind {
            TypeKind::Pointer(_) => 8,
            TypeKind::Integer { bytes, .. } if bytes <= 8 => u64::from(bytes),
            _ => {
                let message = format!("{of} is neither a pointer nor a number of at most 64 bits");
                let help = "only those can be replaced by a value";
                return Err(Some(self.error(at, message, "").help(help)));
            }
        };
        let bits = 8 * bytes as u32;
        let fits = bits == 64
            || (i128::from(value.value) >= -(1 << (bits - 1))
                && i128::from(value.value) < 1 << bits);
        if !fits {
            let message = format!("{} is too large for {of}", value.value);
            let label = format!("it has {bytes} bytes");
            return Err(Some(
                self.error(&value.span, message, label)
                    .help("write a number that fits"),
            ));
        }
        self.check_there(at, here)?;
        let place = self.word_of(at, here)?;
        let draft = self.draft(at, here, place, LEND_VALUE, value.value as u64);
        self.drafts[draft].lend.extent = constant(bytes);
        Ok(())
    }
}
