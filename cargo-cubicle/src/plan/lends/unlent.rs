//! Addresses that cross a gate and of which nobody says what becomes of them.

use std::collections::BTreeSet;

use crate::graph::signature::{Aggregate, Pointer, Signature, Type, TypeKind};
use crate::manifest::Base;

use super::Rules;

/// A parameter that carries an address, with nothing in the manifest about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlent {
    /// Its index among the parameters, from 0; declared variadic slots follow.
    pub index: usize,
    /// Its name, or `#1` and so on.
    pub label: String,
    /// What carries the address.
    pub kind: UnlentKind,
}

/// What carries an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnlentKind {
    /// A pointer to data.
    Data,
    /// A pointer to a function.
    Function,
    /// A struct, passed by value, with a pointer in it.
    Inside,
    /// The same, with a pointer to a function.
    FunctionInside,
    /// A C++ object that is passed by reference, whatever its declaration says.
    Object,
}

/// The parameters, in order, that carry an address and that `rules` do not
/// describe at all. An entry for something inside an argument describes the
/// argument too.
pub fn unlent_pointers(signature: &Signature, rules: Option<Rules<'_>>) -> Vec<Unlent> {
    let args = rules.iter().flat_map(|rules| rules.arguments.values());
    let described: Vec<&Base> = args.map(|argument| &argument.path.base).collect();
    let named = signature.parameters.iter();
    let named = named.map(|parameter| (parameter.name.as_deref(), &parameter.type_));
    let slots = signature.slots.iter().flatten().map(|type_| (None, type_));
    let mut unlent = Vec::new();
    for (index, (name, type_)) in named.chain(slots).enumerate() {
        let Some(kind) = carries(type_) else {
            continue;
        };
        let is_it = |base: &Base| match base {
            Base::Name(written) => Some(written.as_str()) == name,
            Base::Position(position) => *position as usize == index + 1,
            Base::Result => false,
        };
        if !described.iter().any(|base| is_it(base)) {
            unlent.push(Unlent {
                index,
                label: name.map_or_else(|| format!("#{}", index + 1), str::to_owned),
                kind,
            });
        }
    }
    unlent
}

/// Whether a parameter points to one of the types that an interface file calls
/// handles: then it needs no entry.
pub fn is_handle(signature: &Signature, unlent: &Unlent, handles: &BTreeSet<String>) -> bool {
    let named = signature.parameters.iter();
    let mut types = named
        .map(|parameter| &parameter.type_)
        .chain(signature.slots.iter().flatten());
    let Some(TypeKind::Pointer(pointer)) = types.nth(unlent.index).map(|type_| &type_.kind) else {
        return false;
    };
    let names = pointer.to.iter().flat_map(|to| &to.names);
    unlent.kind == UnlentKind::Data && names.into_iter().any(|name| handles.contains(name))
}

fn carries(type_: &Type) -> Option<UnlentKind> {
    match &type_.kind {
        TypeKind::Pointer(pointer) => match &pointer.to {
            Some(to) if to.is_function => Some(UnlentKind::Function),
            _ => Some(UnlentKind::Data),
        },
        TypeKind::Aggregate(aggregate) if aggregate.by_reference => Some(UnlentKind::Object),
        TypeKind::Aggregate(aggregate) if holds_function(aggregate) => {
            Some(UnlentKind::FunctionInside)
        }
        TypeKind::Aggregate(aggregate) => holds(aggregate, &|_| true).then_some(UnlentKind::Inside),
        _ => None,
    }
}

/// Whether a pointer to a function is a member, at any depth.
pub fn holds_function(aggregate: &Aggregate) -> bool {
    holds(aggregate, &|pointer| {
        pointer.to.as_ref().is_some_and(|to| to.is_function)
    })
}

/// Whether such a pointer is a member, at any depth. The depth is what the type
/// reader allows.
fn holds(aggregate: &Aggregate, is_it: &dyn Fn(&Pointer) -> bool) -> bool {
    fn inside(type_: &Type, is_it: &dyn Fn(&Pointer) -> bool) -> bool {
        match &type_.kind {
            TypeKind::Pointer(pointer) => is_it(pointer),
            TypeKind::Aggregate(aggregate) => holds(aggregate, is_it),
            TypeKind::Array { element, .. } => inside(element, is_it),
            _ => false,
        }
    }
    let members = &aggregate.members;
    members.iter().any(|member| inside(&member.type_, is_it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::declaration;

    #[test]
    fn a_handle_is_known_by_its_type() {
        let text =
            "int f(struct box *first, char *text, box *second, box **third, int n, ..., box *)";
        let signature = declaration::parse(text).expect("a signature");
        let handles = BTreeSet::from(["box".to_owned()]);
        let unlent = unlent_pointers(&signature, None);
        let needed: Vec<&str> = unlent
            .iter()
            .filter(|unlent| !is_handle(&signature, unlent, &handles))
            .map(|unlent| unlent.label.as_str())
            .collect();
        assert_eq!(needed, ["text", "third"]);
    }
}
