//! From paths (`strm.next_in`, `iov[].base`) to places.
//!
//! A step through a pointer leads into what a lend of it covers: `strm.next_in`
//! is a field of the range that `strm` lends. What only counts something may
//! also lead through a pointer that nothing is said about: the monitor then reads
//! what it points to, and the pointer crosses as it is.

use cubicle_abi::plan::{LEND_STAGED, Lend};

use super::draft::{Covered, Draft, Holder, Key, Span, argument, field};
use super::{MOST_STAGED, Resolver, constant, key};
use crate::diagnostics::Finding;
use crate::graph::signature::{Aggregate, Member, Pointer, Type, TypeKind};
use crate::manifest::{ArgumentPath, ArgumentRule, Base, Extent, Step};
use crate::similar::similar;

/// What a path leads to.
#[derive(Clone)]
pub(super) struct Position<'a> {
    pub(super) key: Key,
    pub(super) type_: &'a Type,
    /// How messages call it.
    pub(super) label: String,
}

/// What a path is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To describe what it leads to: what lies in between must be lent.
    Rule,
    /// To count with it.
    Count,
}

/// Without a finding: what is wrong has been said elsewhere.
pub(super) type Outcome<T> = Result<T, Option<Finding>>;

/// Why a member is not simply there.
enum Missing {
    Unknown,
    Union,
    BitField,
}

impl<'a> Resolver<'a> {
    /// The place that `path` names, which stands at `at`.
    pub(super) fn position(
        &mut self,
        at: &Span,
        path: &ArgumentPath,
        purpose: Purpose,
    ) -> Outcome<Position<'a>> {
        let Some(index) = self.arguments.find(&path.base) else {
            return Err(Some(self.no_such(path, at)));
        };
        let known = self.arguments.get(index);
        let mut here = Position {
            key: Key {
                holder: Holder::Argument(index),
                offset: 0,
            },
            type_: known.type_,
            label: known.label.clone(),
        };
        for step in &path.steps {
            here = match step {
                Step::Field(name) => self.field(at, here, name, purpose)?,
                Step::Each => self.each(at, &here, purpose)?,
            };
        }
        Ok(here)
    }

    /// Where the monitor finds it; `None` if it does not travel as one word.
    pub(super) fn place(&self, key: Key) -> Option<cubicle_abi::plan::Place> {
        match key.holder {
            Holder::Argument(index) => self.arguments.get(index).word().map(argument),
            Holder::Inside(draft) => Some(field(draft, key.offset)),
        }
    }

    fn field(
        &mut self,
        at: &Span,
        here: Position<'a>,
        name: &str,
        purpose: Purpose,
    ) -> Outcome<Position<'a>> {
        let (holder, offset, aggregate) = match &here.type_.kind {
            TypeKind::Pointer(pointer) => {
                let data = self.data(at, &here, pointer)?;
                let TypeKind::Aggregate(aggregate) = &data.kind else {
                    return Err(Some(self.no_fields(at, &here)));
                };
                let draft = self.follow(at, &here, pointer, false, purpose)?;
                (Holder::Inside(draft), 0, aggregate)
            }
            TypeKind::Aggregate(aggregate) => {
                if matches!(here.key.holder, Holder::Argument(_)) {
                    let message = format!("{} is passed by value", self.of(&here.label));
                    return Err(Some(
                        self.error(at, message, "")
                            .help("only what a pointer leads to can be described part by part; give the function a pointer to it"),
                    ));
                }
                (here.key.holder, here.key.offset, aggregate)
            }
            TypeKind::Array { .. } => return Err(Some(self.embedded(at, &here))),
            _ => return Err(Some(self.no_fields(at, &here))),
        };
        match member(aggregate, name) {
            Ok((within, member)) => Ok(Position {
                key: Key {
                    holder,
                    offset: offset.saturating_add(within),
                },
                type_: &member.type_,
                label: format!("{}.{name}", here.label),
            }),
            Err(missing) => Err(Some(self.no_member(at, &here, aggregate, name, &missing))),
        }
    }

    /// The elements of what is at `here`.
    fn each(&mut self, at: &Span, here: &Position<'a>, purpose: Purpose) -> Outcome<Position<'a>> {
        let pointer = match &here.type_.kind {
            TypeKind::Pointer(pointer) => pointer,
            TypeKind::Array { .. } => return Err(Some(self.embedded(at, here))),
            _ => {
                let message = format!("{} is not a pointer", self.of(&here.label));
                return Err(Some(self.error(at, message, "").help(
                    "`[]` stands for the elements of an array to which a pointer leads",
                )));
            }
        };
        let type_ = self.data(at, here, pointer)?;
        let draft = self.follow(at, here, pointer, true, purpose)?;
        Ok(Position {
            key: Key {
                holder: Holder::Inside(draft),
                offset: 0,
            },
            type_,
            label: format!("{}[]", here.label),
        })
    }

    /// What a pointer leads to, if that is known and complete.
    fn data(&self, at: &Span, here: &Position, pointer: &Pointer) -> Outcome<&'a Type> {
        let signature = self.subject.signature;
        if let Some(data) = signature.data(pointer)
            && data.size().is_some_and(|size| size > 0)
        {
            return Ok(data);
        }
        let message = format!("nothing says what is where {} points", self.of(&here.label));
        let label = match pointer.to.as_deref() {
            None => "it is a `void` pointer".to_owned(),
            Some(to) if to.is_function => "it is a pointer to a function".to_owned(),
            Some(to) => match to.names.first() {
                Some(name) => format!("the type `{name}` is incomplete"),
                None => "its type is incomplete".to_owned(),
            },
        };
        let help = "only debug information says so: compile the function with `-g` where it sees the complete type, and give no `signature`";
        Err(Some(self.error(at, message, label).help(help)))
    }

    /// The draft that covers what the pointer at `here` leads to.
    pub(super) fn follow(
        &mut self,
        at: &Span,
        here: &Position<'a>,
        pointer: &'a Pointer,
        each: bool,
        purpose: Purpose,
    ) -> Outcome<usize> {
        let draft = match (self.rules.get(&here.key), self.ranges.get(&here.key)) {
            (Some(rule), known) => match &rule.rule {
                ArgumentRule::Lend(_) => *known.ok_or(None)?,
                _ => return Err(Some(self.not_followed(at, here, rule))),
            },
            (None, Some(known)) => *known,
            (None, None) if purpose == Purpose::Rule => {
                let message = format!(
                    "{} is not lent, so nothing in it can be described",
                    self.of(&here.label)
                );
                let help = format!("add `arg.{} = {{ lend = \"inout\" }}`", key(&here.label));
                return Err(Some(self.error(at, message, "").help(help)));
            }
            (None, None) => self.only_read(at, here, pointer)?,
        };
        self.look_into(at, draft, each)?;
        Ok(draft)
    }

    /// A range is looked at in one way only.
    fn look_into(&mut self, at: &Span, draft: usize, each: bool) -> Outcome<()> {
        let title = self.title();
        let Draft { label, range, .. } = &mut self.drafts[draft];
        let Some(range) = range else {
            return Err(None);
        };
        let rule = range.rule;
        match range.each {
            None => range.each = Some(each),
            Some(known) if known == each => {}
            Some(_) => {
                let message = format!(
                    "`{label}` of {title} is described as one object and as an array of them"
                );
                let help = format!("write `{label}[]` wherever an element is meant");
                return Err(Some(self.error(at, message, "").help(help)));
            }
        }
        let Some(rule) = rule.filter(|_| each) else {
            return Ok(());
        };
        let counted = matches!(
            rule.extent.value,
            Extent::Constant(_) | Extent::Argument(_) | Extent::Deref(_) | Extent::Product(..)
        );
        if counted {
            return Ok(());
        }
        let message = format!("nothing says how many elements `{label}` of {title} has");
        let place = self.subject.policy.place(&rule.extent.span, "lent here");
        let help = "say `count = …`, with 1 for a single one";
        Err(Some(self.error(at, message, "").at(place).help(help)))
    }

    /// Memory that nobody lends, read to count with it.
    fn only_read(
        &mut self,
        at: &Span,
        here: &Position<'a>,
        pointer: &'a Pointer,
    ) -> Outcome<usize> {
        let data = self.data(at, here, pointer)?;
        let size = data.size().unwrap_or(0);
        let Some(place) = self.place(here.key) else {
            return Err(Some(self.no_word(at, &here.label)));
        };
        if size > MOST_STAGED {
            return Err(Some(self.too_much(at, &here.label, size)));
        }
        let draft = Draft {
            lend: Lend {
                pointer: place,
                extent: constant(size),
                flags: LEND_STAGED,
                ..Lend::default()
            },
            label: here.label.clone(),
            at: Some(at.clone()),
            range: Some(Covered {
                rule: None,
                pointer: Some(pointer),
                data: Some(data),
                each: None,
            }),
            automatic: false,
            good: true,
        };
        self.drafts.push(draft);
        self.ranges.insert(here.key, self.drafts.len() - 1);
        Ok(self.drafts.len() - 1)
    }

    fn not_followed(
        &self,
        at: &Span,
        here: &Position,
        rule: &crate::manifest::Argument,
    ) -> Finding {
        let what = match &rule.rule {
            ArgumentRule::Handle => "crosses as a handle",
            ArgumentRule::Value(_) => "is replaced by a value",
            _ => "is a function",
        };
        let message = format!("{} {what}, and is not followed", self.of(&here.label));
        let place = self.subject.policy.place(&rule.path.span, "described here");
        self.error(at, message, "").at(place).help(format!(
            "say `arg.{} = {{ lend = \"inout\" }}` if the callee uses what it points to",
            key(&here.label)
        ))
    }

    fn no_such(&self, path: &ArgumentPath, at: &Span) -> Finding {
        let list = &self.arguments.list;
        let base = ArgumentPath {
            base: path.base.clone(),
            steps: Vec::new(),
        };
        let message = format!("{} has no argument `{base}`", self.title());
        let mut finding = self.error(at, message, "");
        if list.is_empty() {
            return finding.help("it takes no arguments");
        }
        if let Base::Name(name) = &path.base
            && let Some(near) = similar(name, list.iter().filter_map(|known| known.name))
        {
            finding = finding.help(format!("there is one called `{near}`"));
        }
        if list.iter().all(|known| known.name.is_none()) {
            finding = finding.help(
                "nothing says how its arguments are called: write positions such as `\"#1\"`",
            );
        }
        let labels: Vec<String> = list
            .iter()
            .map(|known| format!("`{}`", known.label))
            .collect();
        finding.help(format!("its arguments are {}", labels.join(", ")))
    }

    fn no_fields(&self, at: &Span, here: &Position) -> Finding {
        let message = format!("{} has no fields", self.of(&here.label));
        let mut finding = self.error(at, message, "");
        if let TypeKind::Pointer(pointer) = &here.type_.kind
            && pointer.to.as_ref().is_some_and(|to| to.to.is_some())
        {
            finding = finding.help(format!(
                "it points to a pointer: what that one points to is `{}[].…`",
                here.label
            ));
        }
        finding.help("a path leads through structs and pointers to structs")
    }

    fn no_member(
        &self,
        at: &Span,
        here: &Position,
        aggregate: &Aggregate,
        name: &str,
        missing: &Missing,
    ) -> Finding {
        let of = self.of(&here.label);
        match missing {
            Missing::Union => self
                .error(at, format!("`{name}` in {of} is part of a union"), "")
                .help("which part of a union is there only the program knows, often by an operation's number in another argument; a gate does not guess")
                .help("lend the whole as `bytes`, or give the library a function of its own for each case"),
            Missing::BitField => self
                .error(at, format!("`{name}` in {of} is a bit-field"), "")
                .help("it has no address: lengths and pointers are whole bytes"),
            Missing::Unknown => {
                let mut names = Vec::new();
                names_of(aggregate, &mut names);
                let message = format!("{of} has no field `{name}`");
                let mut finding = self.error(at, message, "");
                if let Some(near) = similar(name, names.iter().copied()) {
                    finding = finding.help(format!("there is one called `{near}`"));
                }
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                finding.help(format!("its fields are {}", names.join(", ")))
            }
        }
    }

    /// Arrays inside structs have no pointer that could be lent.
    fn embedded(&self, at: &Span, here: &Position) -> Finding {
        let message = format!("{} is an array inside a struct", self.of(&here.label));
        self.error(at, message, "")
            .help("what lies in its elements cannot be described; give the library a pointer to an array instead")
    }
}

/// A member by name, and its offset. C11 lets members of unnamed structs count as
/// members of the outer one.
fn member<'t>(aggregate: &'t Aggregate, name: &str) -> Result<(u64, &'t Member), Missing> {
    for member in &aggregate.members {
        let found = match (&member.name, &member.type_.kind) {
            (Some(known), _) if known == name && member.bits.is_some() => {
                return Err(Missing::BitField);
            }
            (Some(known), _) if known == name => (0, member),
            (None, TypeKind::Aggregate(inner)) => match self::member(inner, name) {
                Ok(found) => found,
                Err(Missing::Unknown) => continue,
                Err(missing) => return Err(missing),
            },
            _ => continue,
        };
        if aggregate.is_union {
            return Err(Missing::Union);
        }
        let (offset, found) = found;
        return Ok((offset.saturating_add(member.offset), found));
    }
    Err(Missing::Unknown)
}

fn names_of<'t>(aggregate: &'t Aggregate, names: &mut Vec<&'t str>) {
    for member in &aggregate.members {
        match (&member.name, &member.type_.kind) {
            (Some(name), _) => names.push(name),
            (None, TypeKind::Aggregate(inner)) => names_of(inner, names),
            _ => {}
        }
    }
}
