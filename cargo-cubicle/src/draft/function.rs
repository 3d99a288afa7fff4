//! The entries of one function's table.

use super::callback::{self, Hooks};
use super::direction::{self, Use};
use super::evidence::{Calls, Crossing, Evidence};
use super::extent::{self, Seen};
use super::kept::Keep;
use super::owned::Owned;
use super::types::{self, Data};
use super::{Confidence, Draft, Entry, Known, guess, text};
use crate::audit::{AccessRecord, Value, When};
use crate::graph::signature::{Signature, Type, TypeKind};
use crate::manifest::{Argument, ArgumentRule, Function};
use std::collections::BTreeMap;

/// A function, and all that is known.
pub struct Subject<'a> {
    pub cubicle: &'a str,
    pub name: &'a str,
    pub signature: &'a Signature,
    pub calls: &'a Calls,
    pub evidence: &'a Evidence,
    pub known: &'a Known<'a>,
    pub kept: &'a BTreeMap<Crossing, Keep>,
    pub hooks: &'a Hooks,
    pub owned: &'a Owned,
}

/// A proposal for one pointer.
struct Proposal {
    value: String,
    why: String,
    confidence: Confidence,
}

impl Subject<'_> {
    pub fn draft(&self, draft: &mut Draft) {
        for path in types::arguments(self.signature) {
            let Some(type_) = types::at(self.signature, &path) else {
                continue;
            };
            match Data::of(self.signature, type_) {
                Some(data) => self.pointer(&path, &data, draft),
                None => self.by_value(&path, type_, draft),
            }
        }
        self.result(draft);
    }

    fn function(&self) -> Option<&Function> {
        let cubicle = self.known.policy.cubicles.get(self.cubicle)?;
        cubicle.functions.get(self.name)
    }

    /// What the manifest says already.
    fn described(&self, path: &str) -> Option<&Argument> {
        let arguments = self.function()?.args.values();
        let position = types::arguments(self.signature)
            .iter()
            .position(|argument| argument == path)
            .map(|index| format!("#{}", index + 1));
        arguments.into_iter().find(|argument| {
            let written = argument.path.to_string();
            written == path || Some(&written) == position.as_ref()
        })
    }

    fn seen(&self, path: &str) -> Vec<Seen<'_>> {
        let samples = self.calls.samples.iter();
        samples
            .filter_map(|sample| {
                let value = sample
                    .values
                    .get(path)
                    .filter(|value| value.before.0 != 0)?;
                Some(Seen { sample, value })
            })
            .collect()
    }

    fn add(&self, draft: &mut Draft, key: String, proposal: Proposal, replaces: bool) {
        draft.entries.push(Entry {
            cubicle: self.cubicle.to_owned(),
            function: self.name.to_owned(),
            key,
            value: proposal.value,
            why: proposal.why,
            confidence: proposal.confidence,
            replaces,
        });
    }

    /// An argument.
    fn pointer(&self, path: &str, data: &Data<'_>, draft: &mut Draft) {
        let key = format!("arg.{}", text::key(path));
        let described = self.described(path);
        if data.is_function() {
            let crossing = (
                self.cubicle.to_owned(),
                self.name.to_owned(),
                path.to_owned(),
            );
            if described.is_none() {
                let proposal = self.function_pointer(path, data, &crossing);
                self.add(draft, key, proposal, false);
            }
            return;
        }
        let lends = match described.map(|argument| &argument.rule) {
            None => {
                let proposal = self.data(path, data, true);
                let lends = !proposal.value.contains("handle");
                self.add(draft, key, proposal, false);
                lends
            }
            Some(ArgumentRule::Lend(lend)) => {
                let keep = self.keep(path).filter(|_| lend.keep.is_none());
                if let Some((keep, confidence)) = keep {
                    let proposal = Proposal {
                        value: format!(
                            "{{ lend = \"{}\"{}, {keep} }}",
                            text::direction(lend.direction.value),
                            text::extent(lend)
                        ),
                        why: "remembered, and passed again in later calls".to_owned(),
                        confidence,
                    };
                    self.add(draft, key, proposal, true);
                }
                true
            }
            Some(_) => false,
        };
        if lends && data.is_struct() {
            self.fields(path, data, draft);
        }
    }

    /// What stands in a struct that is lent.
    fn fields(&self, holder: &str, data: &Data<'_>, draft: &mut Draft) {
        for (name, type_) in types::fields(data) {
            let path = format!("{holder}.{name}");
            let Some(inner) = Data::of(self.signature, type_) else {
                continue;
            };
            if self.described(&path).is_some() {
                continue;
            }
            let key = format!("arg.{}", text::key(&path));
            if inner.is_function() {
                let proposal = self.hook(&path, &inner, data, name);
                self.add(draft, key, proposal, false);
                continue;
            }
            let seen = self.seen(&path);
            let values: Vec<&Value> = seen.iter().map(|seen| seen.value).collect();
            let used = Use::of(&values);
            if !(used.reads || used.writes) || self.is_callees_own(&path, &seen) {
                continue;
            }
            let proposal = self.data(&path, &inner, false);
            self.add(draft, key, proposal, false);
            if inner.is_struct() {
                self.fields(&path, &inner, draft);
            }
        }
    }

    /// A function pointer in a struct: what is found out in one function holds for
    /// all that are passed such a struct.
    fn hook(&self, path: &str, inner: &Data<'_>, holder: &Data<'_>, field: &str) -> Proposal {
        let name = holder.name().unwrap_or_default();
        if self.hooks.is_replaced(self.cubicle, name, field) {
            return Proposal {
                value: "{ value = 0 }".to_owned(),
                why: format!(
                    "a function that hands out or takes back the caller's own memory, which `{}` \
                     could not use: it gets none. Check that it then takes a default of its own",
                    self.cubicle
                ),
                confidence: Confidence::Likely,
            };
        }
        let crossing = self.hooks.called(self.cubicle, name, field).cloned();
        let own = (
            self.cubicle.to_owned(),
            self.name.to_owned(),
            path.to_owned(),
        );
        self.function_pointer(path, inner, &crossing.unwrap_or(own))
    }

    fn function_pointer(&self, path: &str, data: &Data<'_>, crossing: &Crossing) -> Proposal {
        let called = self.evidence.called.get(crossing);
        let called = called.map_or(&[][..], Vec::as_slice);
        if callback::is_allocator(called) {
            return Proposal {
                value: "{ value = 0 }".to_owned(),
                why: "a function that hands out the caller's own memory: check that there is a \
                      default for NULL"
                    .to_owned(),
                confidence: Confidence::Likely,
            };
        }
        let values = self.seen(path);
        if called.is_empty() && values.is_empty() && !self.calls.samples.is_empty() {
            return Proposal {
                value: "{ lend = \"handle\" }".to_owned(),
                why: "only NULL was ever passed".to_owned(),
                confidence: Confidence::Likely,
            };
        }
        let inner = self.signature.function(data.pointer, path);
        let (value, mut why, confidence) = callback::rule(inner.as_ref(), called);
        if !values.is_empty() && values.iter().all(|seen| !seen.value.code) {
            why = "only words that are no address were passed, which cross as they are".to_owned();
        }
        Proposal {
            value,
            why,
            confidence,
        }
    }

    /// A pointer to data.
    fn data(&self, path: &str, data: &Data<'_>, argument: bool) -> Proposal {
        let seen = self.seen(path);
        let values: Vec<&Value> = seen.iter().map(|seen| seen.value).collect();
        let used = Use::of(&values);
        if used.reads || used.writes {
            return self.touched(path, data, &seen, &used, argument);
        }
        let handle = |why: &str, confidence| Proposal {
            value: "{ lend = \"handle\" }".to_owned(),
            why: why.to_owned(),
            confidence,
        };
        let own = |value: &&Value| value.owner.as_deref() == Some(self.cubicle) && !value.constant;
        if !values.is_empty() && values.iter().all(own) {
            return handle("always the callee's own", Confidence::Sure);
        }
        let unseen = values.is_empty() || values.iter().any(|value| value.constant);
        if !unseen {
            return handle("passed, and never touched", Confidence::Likely);
        }
        if values.is_empty() && self.is_owned(data) {
            return handle(
                "never passed; elsewhere such a pointer is always the callee's own",
                Confidence::Likely,
            );
        }
        let value = guess::lend(path, data, &self.numbers(path), &seen);
        let why = match (self.calls.samples.is_empty(), values.is_empty()) {
            _ if !self.evidence.recorded => "from its type alone",
            (true, _) => "never called: from its type alone",
            (false, true) => "only NULL was passed: from its type alone",
            (false, false) => "leads to constants, which everybody may read: from its type alone",
        };
        let confidence = match data.is_character() && data.is_const() {
            true => Confidence::Likely,
            false => Confidence::Guess,
        };
        Proposal {
            value,
            why: why.to_owned(),
            confidence,
        }
    }

    fn touched(
        &self,
        path: &str,
        data: &Data<'_>,
        seen: &[Seen<'_>],
        used: &Use,
        argument: bool,
    ) -> Proposal {
        let Some(extent) = extent::infer(path, data, seen, self.signature) else {
            return Proposal {
                value: "{ lend = \"handle\" }".to_owned(),
                why: "touched in a way that could not be measured".to_owned(),
                confidence: Confidence::Guess,
            };
        };
        let written = used.writes.then(|| direction::used(path, seen)).flatten();
        let counted = extent.text.starts_with("bytes") && !extent.text.contains("cstr");
        let written = written.filter(|_| counted);
        let word = direction::direction(used, data, written.is_some() || extent.exact);
        let mut words = vec![format!("lend = \"{word}\"")];
        if !extent.text.is_empty() {
            words.push(extent.text.clone());
        }
        if let (Some(written), true) = (&written, word != "in") {
            words.push(format!("used = \"{written}\""));
        }
        if extent.negative {
            words.push("negative = \"cstr\"".to_owned());
        }
        let mut confidence = extent.confidence;
        let mut why = format!("{}, {}", used.words(), extent.why);
        if let Some((keep, sure)) = self.keep(path).filter(|_| argument) {
            words.push(keep);
            confidence = confidence.min(sure);
            why += "; remembered, and passed again in later calls";
        }
        Proposal {
            value: format!("{{ {} }}", words.join(", ")),
            why,
            confidence,
        }
    }

    fn keep(&self, path: &str) -> Option<(String, Confidence)> {
        let crossing = (
            self.cubicle.to_owned(),
            self.name.to_owned(),
            path.to_owned(),
        );
        let keep = self.kept.get(&crossing)?;
        let until = keep.until.as_ref()?;
        Some((format!("keep = \"{until}\""), keep.confidence))
    }

    fn is_owned(&self, data: &Data<'_>) -> bool {
        let name = data.name().unwrap_or_default();
        self.owned
            .contains(&(self.cubicle.to_owned(), name.to_owned()))
    }

    /// The integer arguments, and those that are led to: whether they follow `path`, and may
    /// be negative.
    fn numbers(&self, path: &str) -> Vec<guess::Number> {
        let all = types::arguments(self.signature);
        let own = all.iter().position(|argument| argument == path);
        let buffers: Vec<&String> = all.iter().filter(|name| self.is_buffer(name)).collect();
        let place = buffers.iter().position(|buffer| *buffer == path);
        let mut lengths = 0;
        let numbers = all.iter().enumerate().filter_map(|(index, name)| {
            let type_ = types::at(self.signature, name)?;
            let led_to = Data::of(self.signature, type_).filter(|data| !data.is_character());
            let (type_, name) = match &led_to {
                Some(data) => (data.target?, format!("*{name}")),
                None => (type_, name.clone()),
            };
            let TypeKind::Integer { signed, .. } = type_.kind else {
                return None;
            };
            let is_length = guess::is_length(&name);
            lengths += usize::from(is_length);
            Some(guess::Number {
                name,
                follows: own.is_some_and(|own| own + 1 == index),
                paired: is_length && place == Some(lengths - 1),
                signed,
            })
        });
        let mut numbers: Vec<guess::Number> = numbers.collect();
        for number in &mut numbers {
            number.paired &= lengths == buffers.len();
        }
        numbers
    }

    /// Whether an argument leads to bytes of which a type does not say how many.
    fn is_buffer(&self, argument: &str) -> bool {
        types::at(self.signature, argument)
            .and_then(|type_| Data::of(self.signature, type_))
            .is_some_and(|data| data.is_character() || data.is_opaque())
    }

    /// Whether the callee put there itself what it found: then it is its own, and
    /// only an allocator of the caller's made it the caller's memory.
    fn is_callees_own(&self, path: &str, seen: &[Seen<'_>]) -> bool {
        let field = path.split_once('.').map_or(path, |(_, field)| field);
        let functions = self.evidence.functions.iter();
        let same = functions.filter(|((cubicle, _), _)| cubicle == self.cubicle);
        let left: Vec<u64> = same
            .flat_map(|(_, calls)| &calls.samples)
            .flat_map(|sample| sample.values.iter())
            .filter(|(other, value)| {
                let (_, other) = other.split_once('.').unwrap_or(("", other));
                other == field && value.before.0 == 0 && value.after.0 != 0
            })
            .map(|(_, value)| value.after.0)
            .collect();
        seen.iter().any(|seen| left.contains(&seen.value.before.0))
    }

    fn by_value(&self, path: &str, type_: &Type, draft: &mut Draft) {
        if let TypeKind::Aggregate(aggregate) = &type_.kind {
            let holds = |type_: &Type| matches!(type_.kind, TypeKind::Pointer(_));
            if aggregate.members.iter().any(|member| holds(&member.type_)) {
                draft.remarks.push(format!(
                    "`{path}` of `{}` is a struct with pointers that is passed by value: nothing can describe those",
                    self.name
                ));
            }
        }
    }

    fn result(&self, draft: &mut Draft) {
        let type_ = self.signature.result.as_ref();
        let Some(data) = type_.and_then(|type_| Data::of(self.signature, type_)) else {
            return;
        };
        if self
            .function()
            .is_some_and(|function| function.result.is_some())
        {
            return;
        }
        if data.is_function() {
            let inner = self.signature.function(data.pointer, "result");
            let (value, why, confidence) = callback::rule(inner.as_ref(), &[]);
            let proposal = Proposal {
                value,
                why,
                confidence,
            };
            return self.add(draft, "result".to_owned(), proposal, false);
        }
        let later = self.calls.later.iter();
        let touched: Vec<&AccessRecord> = later
            .filter(|access| access.when == When::Returned)
            .filter(|access| access.path.as_deref() == Some("result"))
            .collect();
        if touched.is_empty() {
            return;
        }
        let end = |access: &&AccessRecord| {
            access
                .end
                .unwrap_or(access.high + access.width.unwrap_or(1) as i64)
        };
        let most = touched.iter().map(end).max().unwrap_or(0);
        let fits = data.size().is_some_and(|size| most <= size as i64);
        let writes = touched
            .iter()
            .any(|access| access.access == crate::symbolize::Access::Write);
        let proposal = if writes {
            draft.remarks.push(format!(
                "what `{}` returns is written by its callers: let them see `{}` (`sees`), or share a window",
                self.name, self.cubicle
            ));
            return;
        } else if data.is_character() {
            Proposal {
                value: "{ lend = \"in\", bytes = \"cstr\" }".to_owned(),
                why: format!("its callers read {most} bytes of it"),
                confidence: Confidence::Likely,
            }
        } else if fits {
            Proposal {
                value: "{ lend = \"in\" }".to_owned(),
                why: format!(
                    "its callers read {most} bytes of it; a copy is valid until the next call"
                ),
                confidence: Confidence::Likely,
            }
        } else {
            Proposal {
                value: format!("{{ lend = \"in\", bytes = {most} }}"),
                why: format!("its callers read {most} bytes at most: check this one"),
                confidence: Confidence::Guess,
            }
        };
        self.add(draft, "result".to_owned(), proposal, false);
    }
}
