//! What the pointers of signatures lead to: whole structs, pointers again, and
//! functions with signatures of their own.
//!
//! Types lead to themselves (`struct node { struct node *next; }`) and large
//! ones to half a program, so a pointer holds only the number of its target,
//! and every target is in the list once.

use super::{Parameter, Pointee, Pointer, Signature, Type};
use std::sync::Arc;

/// What pointers lead to, by [`TargetId`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    list: Vec<Target>,
}

/// The number of one target. It means something only together with the
/// signature in which it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetId(u32);

/// What a pointer leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Data. Its names may lack the typedefs on the way to it, which the
    /// [`Pointee`] has; an incomplete type is [`super::TypeKind::Unknown`].
    Data(Type),
    /// A function.
    Function(FunctionType),
}

/// The type of a function that is called through a pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionType {
    /// The parameters. Compilers write down no names for them, declarations
    /// in the manifest may.
    pub parameters: Vec<Parameter>,
    /// What it returns; `None` is `void`.
    pub result: Option<Type>,
    /// Whether the parameters end in `...`, or are not said at all (`f()`).
    pub variadic: bool,
    /// The types passed for `...`, where somebody declared them.
    pub slots: Option<Vec<Type>>,
}

impl TargetId {
    /// A target of which nothing is known.
    pub const UNKNOWN: TargetId = TargetId(u32::MAX);

    /// The target that so many others precede.
    pub(in crate::graph) fn numbered(number: usize) -> Self {
        u32::try_from(number).map_or(Self::UNKNOWN, TargetId)
    }
}

impl Targets {
    /// Appends a target.
    pub fn add(&mut self, target: Target) -> TargetId {
        let id = TargetId::numbered(self.list.len());
        self.list.push(target);
        id
    }

    /// A target, if anything is known of it.
    pub fn get(&self, id: TargetId) -> Option<&Target> {
        self.list.get(id.0 as usize)
    }
}

impl Signature {
    /// The whole type of the data that a pointer leads to: one of a parameter
    /// or result, or one inside a type that this function answered. `None` for
    /// `void`, for functions, and where the debug information ends.
    pub fn data(&self, pointer: &Pointer) -> Option<&Type> {
        match self.target(pointer.to.as_deref()?)? {
            Target::Data(type_) => Some(type_),
            Target::Function(_) => None,
        }
    }

    /// The signature of the function that a pointer leads to, under the name
    /// by which messages shall call it. What the pointers in it lead to can be
    /// asked of it, as of this one.
    pub fn function(&self, pointer: &Pointer, name: impl Into<String>) -> Option<Signature> {
        let Target::Function(function) = self.target(pointer.to.as_deref()?)? else {
            return None;
        };
        Some(Signature {
            name: name.into(),
            parameters: function.parameters.clone(),
            result: function.result.clone(),
            variadic: function.variadic,
            slots: function.slots.clone(),
            position: self.position.clone(),
            targets: Arc::clone(&self.targets),
        })
    }

    fn target(&self, pointee: &Pointee) -> Option<&Target> {
        self.targets.get(pointee.target)
    }
}
