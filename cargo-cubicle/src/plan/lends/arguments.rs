//! The arguments of a function, by name and by position.

use cubicle_abi::plan::ArgumentPlace;

use crate::graph::shape::{CallShape, Place};
use crate::graph::signature::{Signature, Type};
use crate::manifest::Base;

/// The stack's words follow the six integer registers.
const FIRST_STACK_WORD: ArgumentPlace = 6;

/// One argument of the function: a parameter or a declared variadic slot.
#[derive(Clone)]
pub(super) struct Known<'a> {
    /// The name if there is one.
    pub(super) name: Option<&'a str>,
    /// How messages call it: its name, or `#1` and so on.
    pub(super) label: String,
    pub(super) type_: &'a Type,
    place: Place,
}

impl Known<'_> {
    /// Where it travels, if that is one integer register or one stack word.
    pub(super) fn word(&self) -> Option<ArgumentPlace> {
        match self.place {
            Place::Integer(register) => Some(u32::from(register)),
            Place::Stack { word, words: 1 } => Some(FIRST_STACK_WORD + word),
            _ => None,
        }
    }
}

/// All of them, in order.
pub(super) struct Arguments<'a> {
    pub(super) list: Vec<Known<'a>>,
}

impl<'a> Arguments<'a> {
    pub(super) fn of(signature: &'a Signature, shape: &CallShape) -> Self {
        let named = signature.parameters.iter();
        let named = named.map(|parameter| (parameter.name.as_deref(), &parameter.type_));
        let slots = signature.slots.iter().flatten().map(|type_| (None, type_));
        let list = named
            .chain(slots)
            .zip(&shape.parameters)
            .enumerate()
            .map(|(index, ((name, type_), place))| Known {
                name,
                label: name.map_or_else(|| format!("#{}", index + 1), str::to_owned),
                type_,
                place: *place,
            })
            .collect();
        Arguments { list }
    }

    /// The argument of an index that [`Arguments::find`] answered.
    pub(super) fn get(&self, index: usize) -> &Known<'a> {
        &self.list[index]
    }

    /// The index of the argument a path begins with.
    pub(super) fn find(&self, base: &Base) -> Option<usize> {
        match base {
            Base::Name(name) => self
                .list
                .iter()
                .position(|known| known.name == Some(name.as_str())),
            Base::Position(position) => {
                let index = (*position as usize).checked_sub(1)?;
                (index < self.list.len()).then_some(index)
            }
            Base::Result => None,
        }
    }
}
