//! CUB019: objects of a libc that cross a border. Each cubicle has a libc of
//! its own, and what one libc made another one must not work on: it refers to
//! memory, locks, tables or stacks of the libc that made it.

mod table;

use super::gates::{Call, CallSites};
use super::lends::Rules;
use super::undescribed;
use crate::diagnostics::{Code, Findings};
use crate::graph::signature::{Pointee, Signature, Type, TypeKind};
use crate::manifest::{ArgumentRule, Base, ResultKind};

pub use table::{LibcObject, OBJECTS};

/// One object that crosses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// The parameter's index, from 0; `None` is the result.
    pub parameter: Option<usize>,
    /// As the source calls its type, such as `FILE`.
    pub type_name: String,
    /// Its row of the table.
    pub object: &'static LibcObject,
}

/// Everything of a libc's that a call of this signature carries, in order:
/// parameters, declared variadic slots, the result.
pub fn crossings(signature: &Signature) -> Vec<Crossing> {
    let named = signature.parameters.iter().map(|named| &named.type_);
    let slots = signature.slots.iter().flatten();
    let parameters = named
        .chain(slots)
        .enumerate()
        .map(|(index, type_)| (Some(index), type_));
    let result = signature.result.iter().map(|type_| (None, type_));
    parameters
        .chain(result)
        .filter_map(|(parameter, type_)| {
            let (type_name, object) = in_type(type_)?;
            Some(Crossing {
                parameter,
                type_name: type_name.to_owned(),
                object,
            })
        })
        .collect()
}

/// Whether a value of this type is an object of a libc's, or carries one.
pub fn in_type(type_: &Type) -> Option<(&str, &'static LibcObject)> {
    let inside = || match &type_.kind {
        TypeKind::Pointer(pointer) => pointer.to.as_deref().and_then(in_pointee),
        TypeKind::Aggregate(aggregate) => aggregate
            .members
            .iter()
            .find_map(|member| in_type(&member.type_)),
        TypeKind::Array { element, .. } => in_type(element),
        _ => None,
    };
    of_names(&type_.names).or_else(inside)
}

fn in_pointee(pointee: &Pointee) -> Option<(&str, &'static LibcObject)> {
    of_names(&pointee.names).or_else(|| pointee.to.as_deref().and_then(in_pointee))
}

/// Typedefs come first, so that an object is called what its user calls it.
fn of_names(names: &[String]) -> Option<(&str, &'static LibcObject)> {
    names.iter().find_map(|name| {
        let is_it = |object: &&LibcObject| object.types.contains(&name.as_str());
        Some((name.as_str(), OBJECTS.iter().find(is_it)?))
    })
}

/// Reports what crosses and is not declared a handle.
pub fn check(call: &Call<'_>, references: CallSites<'_>, findings: &mut Findings) {
    for crossing in crossings(call.signature) {
        let handles = &call.policy.cubicles[call.interface].handles;
        let by_type = crossing.parameter.is_some() && handles.contains(&crossing.type_name);
        if by_type || is_handle(&crossing, call.rules, call.signature) {
            continue;
        }
        let (subject, key) = match crossing.parameter {
            Some(index) => {
                let label = label(call.signature, index);
                (format!("argument `{label}`"), undescribed::key(&label))
            }
            None => ("the result".to_owned(), undescribed::key("result")),
        };
        let message = format!(
            "{subject} of {} is or carries a `{}`: {}",
            undescribed::title(call),
            crossing.type_name,
            crossing.object.reason
        );
        let helps = [
            format!(
                "if the other side only keeps it and passes it back: `{key} = {{ lend = \"handle\" }}`"
            ),
            format!("otherwise {}", crossing.object.instead),
        ];
        undescribed::report(Code::CUB019, call, message, &helps, references, findings);
    }
}

/// Whether the manifest says that the other side never looks at it, or sees
/// something else in its place.
fn is_handle(crossing: &Crossing, rules: Option<Rules<'_>>, signature: &Signature) -> bool {
    let Some(rules) = rules else {
        return false;
    };
    let Some(index) = crossing.parameter else {
        let rule = rules.result.map(|result| &result.rule);
        return matches!(rule, Some(ResultKind::Like(ArgumentRule::Handle)));
    };
    let name = signature
        .parameters
        .get(index)
        .and_then(|parameter| parameter.name.as_deref());
    rules.arguments.values().any(|argument| {
        let is_it = match &argument.path.base {
            Base::Name(written) => Some(written.as_str()) == name,
            Base::Position(position) => *position as usize == index + 1,
            Base::Result => false,
        };
        let unseen = matches!(argument.rule, ArgumentRule::Handle | ArgumentRule::Value(_));
        is_it && argument.path.steps.is_empty() && unseen
    })
}

fn label(signature: &Signature, index: usize) -> String {
    let named = signature
        .parameters
        .get(index)
        .and_then(|parameter| parameter.name.clone());
    named.unwrap_or_else(|| format!("#{}", index + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::signature::{Aggregate, Member, Pointer, TargetId};

    fn pointer(names: &[&str]) -> Type {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let to = Pointee {
            names,
            size: None,
            is_function: false,
            is_const: false,
            to: None,
            target: TargetId::UNKNOWN,
        };
        let to = Some(Box::new(to));
        Type {
            names: Vec::new(),
            kind: TypeKind::Pointer(Pointer { to }),
        }
    }

    #[test]
    fn objects_are_found_behind_typedefs_and_inside_structs() {
        let stream = pointer(&["my_stream", "FILE", "_IO_FILE"]);
        assert_eq!(in_type(&stream).unwrap().0, "FILE");
        let tag = pointer(&["_IO_FILE"]);
        assert_eq!(in_type(&tag).unwrap().1.types[0], "FILE");
        let aggregate = TypeKind::Aggregate(Aggregate {
            is_union: false,
            size: 8,
            alignment: 8,
            members: vec![Member {
                name: None,
                offset: 0,
                type_: stream,
                bits: None,
            }],
            by_reference: false,
        });
        assert!(in_type(&Type::named("sink", aggregate)).is_some());
        assert_eq!(in_type(&pointer(&["sink"])), None);
    }

    #[test]
    fn no_type_has_two_rows() {
        let mut seen = std::collections::BTreeSet::new();
        for object in OBJECTS {
            assert!(!object.reason.is_empty() && !object.instead.is_empty());
            for name in object.types {
                assert!(seen.insert(name), "{name}");
            }
        }
    }
}
