//! Pointers inside of what is lent of which nobody says anything.
//!
//! What the callee leaves in an "out" range may lead into what it was lent, and
//! must lead the caller to its own memory then. Function pointers would be called
//! with the rights of whoever finds them: somebody has to say what becomes of
//! those.

use cubicle_abi::plan::{
    EXTENT_CONSTANT, EXTENT_PRODUCT, LEND_OUT, LEND_POINTER, LEND_RESULT, Lend,
};

use super::draft::{Draft, Holder, Key, field};
use super::{MOST_LENDS, Resolver};
use crate::graph::signature::{Aggregate, Pointer, Type, TypeKind};

/// A pointer inside of a type.
struct Inner<'a> {
    offset: u64,
    pointer: &'a Pointer,
    label: String,
}

impl<'a> Resolver<'a> {
    /// Adds a lend for each pointer that may come back changed, and notes the
    /// function pointers.
    pub(super) fn unsaid(&mut self) {
        for draft in 0..self.drafts.len() {
            let one = &self.drafts[draft];
            let Some(range) = one.range.as_ref().filter(|_| one.good && one.is_lent()) else {
                continue;
            };
            let Some(data) = range.data else {
                continue;
            };
            let Some(each) = range.each.or_else(|| looks_like_array(one, data)) else {
                continue;
            };
            // As a path of the manifest: what a pointer to a pointer leads to is an
            // element, even if it is the only one.
            let label = match data.kind {
                TypeKind::Pointer(_) => format!("{}[]", one.label),
                _ if each => format!("{}[]", one.label),
                _ => one.label.clone(),
            };
            let reach = match one.lend.extent.kind {
                EXTENT_CONSTANT if !each => one.lend.extent.scale,
                _ => u64::MAX,
            };
            let comes_back = one.is_written();
            // No path leads into a struct that is returned by value.
            let has_paths = one.lend.flags & LEND_RESULT == 0;
            let mut inner = Vec::new();
            collect(data, 0, label, &mut inner);
            inner.retain(|inner| inner.offset.saturating_add(8) <= reach);
            let mut used = false;
            for inner in inner {
                let key = Key {
                    holder: Holder::Inside(draft),
                    offset: inner.offset,
                };
                let handled = self
                    .handles
                    .iter()
                    .any(|(holder, bytes)| *holder == key.holder && bytes.contains(&key.offset));
                if handled || self.rules.contains_key(&key) || self.ranges.contains_key(&key) {
                    continue;
                }
                if inner.pointer.to.as_ref().is_some_and(|to| to.is_function) {
                    self.functions.extend(has_paths.then_some(inner.label));
                } else if comes_back {
                    used = true;
                    self.translated(draft, inner);
                }
            }
            if used && let Some(range) = &mut self.drafts[draft].range {
                range.each = Some(each);
            }
        }
    }

    fn translated(&mut self, draft: usize, inner: Inner) {
        self.drafts.push(Draft {
            lend: Lend {
                pointer: field(draft, inner.offset),
                flags: LEND_POINTER,
                ..Lend::default()
            },
            label: inner.label,
            at: None,
            range: None,
            automatic: true,
            good: true,
        });
    }
}

/// Whether a range in which nobody names a field is one object or several;
/// `None` if it is something with a tail of unknown shape.
fn looks_like_array(draft: &Draft, data: &Type) -> Option<bool> {
    if draft.lend.flags & (LEND_OUT | LEND_RESULT) == LEND_RESULT {
        return Some(false);
    }
    let size = data.size().filter(|size| *size > 0)?;
    match draft.lend.extent.kind {
        EXTENT_CONSTANT => Some(draft.lend.extent.scale > size),
        EXTENT_PRODUCT if !has_tail(data) => Some(true),
        _ => None,
    }
}

/// Whether a struct ends in an array of unknown length.
fn has_tail(data: &Type) -> bool {
    let TypeKind::Aggregate(aggregate) = &data.kind else {
        return false;
    };
    let last = aggregate.members.last().map(|member| &member.type_.kind);
    matches!(last, Some(TypeKind::Array { count: 0, .. }))
}

/// The pointers in a type, at most as many as a gate could lend. Those in unions
/// may as well be numbers.
fn collect<'a>(type_: &'a Type, offset: u64, label: String, found: &mut Vec<Inner<'a>>) {
    if found.len() > MOST_LENDS {
        return;
    }
    match &type_.kind {
        TypeKind::Pointer(pointer) => found.push(Inner {
            offset,
            pointer,
            label,
        }),
        TypeKind::Aggregate(Aggregate {
            is_union: false,
            members,
            ..
        }) => {
            for member in members.iter().filter(|member| member.bits.is_none()) {
                let label = match &member.name {
                    Some(name) => format!("{label}.{name}"),
                    None => label.clone(),
                };
                let offset = offset.saturating_add(member.offset);
                collect(&member.type_, offset, label, found);
            }
        }
        TypeKind::Array { element, count } => {
            let size = element.size().unwrap_or(0);
            // Arrays of numbers can be long, and one element tells.
            let mut first = Vec::new();
            collect(element, 0, String::new(), &mut first);
            if first.is_empty() {
                return;
            }
            for index in 0..*count {
                if found.len() > MOST_LENDS {
                    return;
                }
                let offset = offset.saturating_add(size.saturating_mul(index));
                collect(element, offset, format!("{label}[{index}]"), found);
            }
        }
        _ => {}
    }
}
