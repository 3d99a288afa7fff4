//! From pointer entries to what they point to.
//!
//! A pointer's target only gets a number while signatures are read. The targets
//! themselves are read afterwards, each once, and with them those that they
//! point to in turn: every entry of the debug information is looked at once,
//! however types refer to each other.

use super::types::{Bare, Budget, DEEPEST, LARGEST, TypeReader, unknown};
use super::units::{Entry, EntryId, flag, number};
use crate::graph::signature::{FunctionType, Parameter, Pointee, Target, TargetId, Targets, Type};
use std::collections::BTreeMap;

/// How many targets are read of one file, and of how many types they may
/// consist together: some hundred times what SQLite has.
const MOST_TARGETS: usize = 1 << 17;
const MOST_TYPES: u32 = 1 << 22;

/// The targets met so far.
#[derive(Default)]
pub(super) struct Pointees {
    /// By number.
    entries: Vec<EntryId>,
    numbers: BTreeMap<EntryId, TargetId>,
}

impl Pointees {
    fn number(&mut self, id: EntryId) -> TargetId {
        if let Some(known) = self.numbers.get(&id) {
            return *known;
        }
        if self.entries.len() == MOST_TARGETS {
            return TargetId::UNKNOWN;
        }
        let number = TargetId::numbered(self.entries.len());
        self.entries.push(id);
        self.numbers.insert(id, number);
        number
    }
}

impl<'a> TypeReader<'_, 'a> {
    /// What a pointer entry points to.
    pub(super) fn pointee(
        &self,
        unit: usize,
        entry: &Entry<'a>,
        depth: u32,
    ) -> Option<Box<Pointee>> {
        let value = entry.attr_value(gimli::DW_AT_type);
        let id = self.units.follow(unit, value)?;
        let (bare, names) = self.bare(id);
        let Some(bare) = bare else {
            return names.map(|names| {
                Box::new(Pointee {
                    names,
                    size: None,
                    is_function: false,
                    is_const: false,
                    to: None,
                    target: TargetId::UNKNOWN,
                })
            });
        };
        let tag = bare.entry.tag();
        let is_pointer = is_pointer(tag);
        let to = if is_pointer && depth < DEEPEST {
            self.pointee(bare.id.unit, &bare.entry, depth + 1)
        } else {
            None
        };
        let size = match tag {
            _ if is_pointer => Some(8),
            gimli::DW_TAG_subroutine_type => None,
            _ => self.shallow_size(&bare, 0),
        };
        Some(Box::new(Pointee {
            names: bare.names,
            size,
            is_function: tag == gimli::DW_TAG_subroutine_type,
            is_const: bare.is_const,
            to,
            target: self.pointees.borrow_mut().number(bare.id),
        }))
    }

    /// Reads everything that the pointers met so far lead to.
    pub(super) fn targets(&self) -> Targets {
        let mut targets = Targets::default();
        let mut left = MOST_TYPES;
        let mut read = 0;
        while let Some(id) = { self.pointees.borrow().entries.get(read).copied() } {
            targets.add(self.target(id, &mut left));
            read += 1;
        }
        targets
    }

    fn target(&self, id: EntryId, left: &mut u32) -> Target {
        let Some(bare) = self.bare(id).0 else {
            return Target::Data(Type {
                names: Vec::new(),
                kind: unknown("is damaged in the debug information"),
            });
        };
        let allowed = LARGEST.min(*left);
        let budget = Budget::of(allowed);
        let target = if bare.entry.tag() == gimli::DW_TAG_subroutine_type {
            let (parameters, variadic) = self.parameters(bare.id, &budget);
            Target::Function(FunctionType {
                parameters,
                result: self.result(bare.id.unit, &bare.entry, &budget),
                variadic,
                slots: None,
            })
        } else {
            let kind = if budget.spend() {
                self.kind(&bare, &budget)
            } else {
                unknown("is one of too many in the debug information")
            };
            Target::Data(Type {
                names: bare.names,
                kind,
            })
        };
        *left -= allowed - budget.types.get();
        target
    }

    /// The parameters among an entry's children, and whether `...` follows.
    pub(super) fn parameters(&self, id: EntryId, budget: &Budget) -> (Vec<Parameter>, bool) {
        let mut parameters = Vec::new();
        let mut variadic = false;
        self.children(id, |child, entry| match entry.tag() {
            gimli::DW_TAG_formal_parameter => {
                let name = self.units.text(child.unit, entry, gimli::DW_AT_name);
                let type_ = self.parameter(child.unit, entry, budget);
                parameters.push(Parameter { name, type_ });
            }
            gimli::DW_TAG_unspecified_parameters => variadic = true,
            _ => {}
        });
        (parameters, variadic)
    }

    /// The complete size of a type, without looking at what it consists of:
    /// structs may refer to themselves through pointers.
    fn shallow_size(&self, bare: &Bare<'a>, depth: u32) -> Option<u64> {
        if flag(&bare.entry, gimli::DW_AT_declaration) || depth > DEEPEST {
            return None;
        }
        let stated = number(&bare.entry, gimli::DW_AT_byte_size);
        match bare.entry.tag() {
            tag if is_pointer(tag) => Some(8),
            gimli::DW_TAG_array_type if stated.is_none() => {
                let value = bare.entry.attr_value(gimli::DW_AT_type);
                let element = self.bare(self.units.follow(bare.id.unit, value)?).0?;
                let element = self.shallow_size(&element, depth + 1)?;
                element.checked_mul(self.element_count(bare))
            }
            _ => stated,
        }
    }
}

fn is_pointer(tag: gimli::DwTag) -> bool {
    matches!(
        tag,
        gimli::DW_TAG_pointer_type
            | gimli::DW_TAG_reference_type
            | gimli::DW_TAG_rvalue_reference_type
    )
}
