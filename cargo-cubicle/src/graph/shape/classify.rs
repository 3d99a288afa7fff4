//! The classes of the psABI (3.2.3, "Classification").

use super::{Part, ShapeError};
use crate::graph::signature::{Aggregate, Type, TypeKind};

/// The class of one eightbyte. MEMORY and the x87 classes are always those of
/// a whole argument and therefore in [`Classes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    None,
    Integer,
    Sse,
    SseUp,
}

/// The class of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Classes {
    Eightbytes(Class, Class),
    Memory,
    /// X87 and COMPLEX_X87: an argument in memory, a result in st0 (and st1).
    X87,
}

/// Why a type has no class, before it is known which function it belongs to.
#[derive(Debug)]
pub(super) enum Refusal {
    WideVector(u64),
    Unknown(String),
}

impl Refusal {
    pub(super) fn about(self, function: &str, part: Part) -> ShapeError {
        let function = function.to_owned();
        match self {
            Refusal::WideVector(bytes) => ShapeError::WideVector {
                function,
                part,
                bytes,
            },
            Refusal::Unknown(reason) => ShapeError::UnknownType {
                function,
                part,
                reason,
            },
        }
    }
}

/// Classes while fields are being merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Merging {
    None,
    Integer,
    Sse,
    SseUp,
    X87,
    X87Up,
    Memory,
}

/// How deep structs may nest before a type counts as corrupt. Only what
/// overlaps the first 16 bytes is ever looked at.
const DEEPEST: u32 = 64;

pub(super) fn classify(type_: &Type) -> Result<Classes, Refusal> {
    match &type_.kind {
        TypeKind::Aggregate(aggregate) if aggregate.by_reference => {
            return Ok(Classes::Eightbytes(Class::Integer, Class::None));
        }
        TypeKind::Complex { component } if **component == TypeKind::LongDouble => {
            return Ok(Classes::X87);
        }
        TypeKind::Complex { component } if **component == (TypeKind::Float { bytes: 16 }) => {
            return Ok(Classes::Memory);
        }
        _ => {}
    }
    let size = match (&type_.kind, type_.size()) {
        (TypeKind::Unknown { reason }, _) => return Err(Refusal::Unknown(reason.clone())),
        (_, None) => return Err(Refusal::Unknown("has no known size".to_owned())),
        (_, Some(size)) => size,
    };
    let mut words = [Merging::None; 2];
    merge_type(type_, 0, size, &mut words, 0)?;
    // "If the size of the aggregate exceeds two eightbytes and the first is
    // not SSE or any other is not SSEUP, the whole has class MEMORY". The only
    // larger ones that are not are vectors, refused above.
    if size > 16 {
        return Ok(Classes::Memory);
    }
    post_merge(words)
}

/// The clean-up after merging ("post merger").
fn post_merge(words: [Merging; 2]) -> Result<Classes, Refusal> {
    let simple = |class| match class {
        Merging::Integer => Class::Integer,
        Merging::Sse => Class::Sse,
        Merging::SseUp => Class::SseUp,
        _ => Class::None,
    };
    Ok(match words {
        [Merging::Memory, _] | [_, Merging::Memory] => Classes::Memory,
        [Merging::X87, Merging::X87Up] => Classes::X87,
        // "If X87UP is not preceded by X87, the whole has class MEMORY"; a
        // lone X87 would be a long double cut in half.
        [Merging::X87 | Merging::X87Up, _] | [_, Merging::X87 | Merging::X87Up] => Classes::Memory,
        // "If SSEUP is not preceded by SSE or SSEUP, it is converted to SSE".
        [low, Merging::SseUp] if low != Merging::Sse => {
            Classes::Eightbytes(simple(low), Class::Sse)
        }
        [low, high] => Classes::Eightbytes(simple(low), simple(high)),
    })
}

/// Adds a type at `offset` of an argument of `size` bytes.
fn merge_type(
    type_: &Type,
    offset: u64,
    size: u64,
    words: &mut [Merging; 2],
    depth: u32,
) -> Result<(), Refusal> {
    if depth > DEEPEST {
        return Err(Refusal::Unknown("is nested too deeply".to_owned()));
    }
    let own = type_.size().unwrap_or(0);
    if let Some(alignment) = type_.alignment()
        && alignment != 0
        && !offset.is_multiple_of(alignment)
        && own != 0
        && !matches!(type_.kind, TypeKind::Aggregate(_) | TypeKind::Array { .. })
    {
        // "If it contains unaligned fields, it has class MEMORY".
        words[0] = Merging::Memory;
        return Ok(());
    }
    match &type_.kind {
        TypeKind::Integer { bytes: 16, .. } => {
            set(words, offset, Merging::Integer);
            set(words, offset + 8, Merging::Integer);
        }
        TypeKind::Integer { .. } | TypeKind::Pointer(_) => set(words, offset, Merging::Integer),
        TypeKind::Float { bytes: 16 } | TypeKind::Vector { bytes: 16 } => {
            set(words, offset, Merging::Sse);
            set(words, offset + 8, Merging::SseUp);
        }
        TypeKind::Float { .. } | TypeKind::Vector { bytes: 8 } => {
            set(words, offset, Merging::Sse);
        }
        TypeKind::Vector { bytes } => return Err(Refusal::WideVector(*bytes)),
        TypeKind::LongDouble => {
            set(words, offset, Merging::X87);
            set(words, offset + 8, Merging::X87Up);
        }
        TypeKind::Complex { component } => {
            let part = Type {
                names: Vec::new(),
                kind: (**component).clone(),
            };
            let step = part.size().unwrap_or(0);
            merge_type(&part, offset, size, words, depth + 1)?;
            merge_type(&part, offset + step, size, words, depth + 1)?;
        }
        TypeKind::Aggregate(aggregate) => {
            merge_aggregate(aggregate, offset, size, words, depth)?;
        }
        TypeKind::Array { element, count } => {
            let step = element.size().unwrap_or(0);
            // Elements beyond 16 bytes change nothing: the whole is in memory
            // then. One element is enough to find a wide vector.
            let interesting = if step == 0 { 1 } else { 16u64.div_ceil(step) };
            for index in 0..(*count).min(interesting) {
                let at = offset.saturating_add(index * step);
                merge_type(element, at, size, words, depth + 1)?;
            }
        }
        TypeKind::Unknown { reason } => return Err(Refusal::Unknown(reason.clone())),
    }
    Ok(())
}

fn merge_aggregate(
    aggregate: &Aggregate,
    offset: u64,
    size: u64,
    words: &mut [Merging; 2],
    depth: u32,
) -> Result<(), Refusal> {
    if size > 16 && depth > 8 {
        // The class is MEMORY already; only a vector near the top would matter.
        return Ok(());
    }
    for member in &aggregate.members {
        let at = offset.saturating_add(member.offset);
        match member.bits {
            // An unnamed or empty bit-field has no class, and bit-fields need
            // not be aligned.
            Some(bits) if bits.width == 0 || member.name.is_none() => {}
            Some(bits) => {
                let first = offset.saturating_mul(8).saturating_add(bits.offset);
                set(words, first / 8, Merging::Integer);
                set(
                    words,
                    first.saturating_add(bits.width - 1) / 8,
                    Merging::Integer,
                );
            }
            None => merge_type(&member.type_, at, size, words, depth + 1)?,
        }
    }
    Ok(())
}

/// Merges a class into the eightbyte that contains `offset`.
fn set(words: &mut [Merging; 2], offset: u64, class: Merging) {
    let Some(word) = words.get_mut((offset / 8) as usize) else {
        return;
    };
    *word = match (*word, class) {
        (old, new) if old == new => old,
        (Merging::None, other) | (other, Merging::None) => other,
        (Merging::Memory, _) | (_, Merging::Memory) => Merging::Memory,
        (Merging::Integer, _) | (_, Merging::Integer) => Merging::Integer,
        (Merging::X87 | Merging::X87Up, _) | (_, Merging::X87 | Merging::X87Up) => Merging::Memory,
        _ => Merging::Sse,
    };
}
