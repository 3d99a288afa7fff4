//! What a path of a recording leads to, by the function's signature.

use crate::graph::signature::{Pointee, Pointer, Signature, Type, TypeKind};

/// A pointer that crosses, as its type has it.
#[derive(Clone, Debug)]
pub struct Data<'a> {
    pub pointer: &'a Pointer,
    /// The whole type it leads to, if that is known.
    pub target: Option<&'a Type>,
}

impl<'a> Data<'a> {
    pub fn of(signature: &'a Signature, type_: &'a Type) -> Option<Data<'a>> {
        let TypeKind::Pointer(pointer) = &type_.kind else {
            return None;
        };
        Some(Data {
            pointer,
            target: signature.data(pointer),
        })
    }

    fn pointee(&self) -> Option<&Pointee> {
        self.pointer.to.as_deref()
    }

    pub fn is_function(&self) -> bool {
        self.pointee().is_some_and(|to| to.is_function)
    }

    pub fn is_const(&self) -> bool {
        self.pointee().is_some_and(|to| to.is_const)
    }

    /// `void *`, or a type that is nowhere defined.
    pub fn is_opaque(&self) -> bool {
        self.size().is_none() && !self.is_function()
    }

    pub fn is_pointer(&self) -> bool {
        matches!(
            self.target,
            Some(Type {
                kind: TypeKind::Pointer(_),
                ..
            })
        )
    }

    pub fn is_character(&self) -> bool {
        self.target
            .is_some_and(|target| matches!(target.kind, TypeKind::Integer { bytes: 1, .. }))
    }

    pub fn is_struct(&self) -> bool {
        matches!(
            self.target,
            Some(Type {
                kind: TypeKind::Aggregate(_),
                ..
            })
        )
    }

    /// Bytes of what it leads to, if that is complete.
    pub fn size(&self) -> Option<u64> {
        self.pointee()
            .and_then(|to| to.size)
            .filter(|size| *size > 0)
    }

    /// The name of what it leads to: its tag, or the last of its typedefs.
    pub fn name(&self) -> Option<&str> {
        self.pointee()?.names.last().map(String::as_str)
    }
}

/// The type of what stands at a path: `strm`, `strm.next_in`, `*n`, `#2`, `result`.
pub fn at<'a>(signature: &'a Signature, path: &str) -> Option<&'a Type> {
    if let Some(inner) = path.strip_prefix('*') {
        let type_ = at(signature, inner)?;
        return Data::of(signature, type_)?.target;
    }
    let mut steps = path.split('.');
    let base = steps.next()?;
    let mut type_ = match base {
        "result" => signature.result.as_ref()?,
        _ => argument(signature, base)?,
    };
    for step in steps {
        let holder = match &type_.kind {
            TypeKind::Pointer(_) => Data::of(signature, type_)?.target?,
            _ => type_,
        };
        let TypeKind::Aggregate(aggregate) = &holder.kind else {
            return None;
        };
        let members = &aggregate.members;
        let member = members
            .iter()
            .find(|member| member.name.as_deref() == Some(step))?;
        type_ = &member.type_;
    }
    Some(type_)
}

fn argument<'a>(signature: &'a Signature, name: &str) -> Option<&'a Type> {
    let named = signature.parameters.iter();
    let all: Vec<(Option<&str>, &Type)> = named
        .map(|parameter| (parameter.name.as_deref(), &parameter.type_))
        .chain(signature.slots.iter().flatten().map(|type_| (None, type_)))
        .collect();
    if let Some(position) = name.strip_prefix('#') {
        let index: usize = position.parse().ok()?;
        return all.get(index.checked_sub(1)?).map(|(_, type_)| *type_);
    }
    let found = all.iter().find(|(known, _)| *known == Some(name));
    found.map(|(_, type_)| *type_)
}

/// The paths of a function's arguments, in order.
pub fn arguments(signature: &Signature) -> Vec<String> {
    let named = signature.parameters.iter();
    let named = named.map(|parameter| parameter.name.clone());
    let slots = signature.slots.iter().flatten().map(|_| None);
    named
        .chain(slots)
        .enumerate()
        .map(|(index, name)| name.unwrap_or_else(|| format!("#{}", index + 1)))
        .collect()
}

/// The fields of the struct that a pointer leads to, with their names.
pub fn fields<'a>(data: &Data<'a>) -> Vec<(&'a str, &'a Type)> {
    let Some(Type {
        kind: TypeKind::Aggregate(aggregate),
        ..
    }) = data.target
    else {
        return Vec::new();
    };
    if aggregate.is_union {
        return Vec::new();
    }
    let members = aggregate.members.iter();
    members
        .filter(|member| member.bits.is_none())
        .filter_map(|member| Some((member.name.as_deref()?, &member.type_)))
        .collect()
}
