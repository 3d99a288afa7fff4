//! From type entries to types.

use super::units::{Entry, EntryId, Units, flag, number};
use crate::graph::signature::{
    Aggregate, BitField, IntegerFlavour, Member, Pointer, Type, TypeKind,
};
use std::cell::{Cell, RefCell};

pub(super) struct TypeReader<'u, 'a> {
    pub(super) units: &'u Units<'a>,
    pub(super) pointees: RefCell<super::pointees::Pointees>,
}

/// How many qualifiers and typedefs in a row, or structs inside structs, are
/// believed. Damaged debug information may contain circles.
pub(super) const DEEPEST: u32 = 64;

/// How many types the parameters of a function, or one target of a pointer, may
/// consist of. A struct of structs of structs doubles at every level; nobody
/// passes that by value.
pub(super) const LARGEST: u32 = 4096;

/// What is left of both limits.
pub(super) struct Budget {
    depth: u32,
    pub(super) types: Cell<u32>,
}

pub(super) fn unknown(reason: &str) -> TypeKind {
    TypeKind::Unknown {
        reason: reason.to_owned(),
    }
}

/// A type without its qualifiers and typedefs.
pub(super) struct Bare<'a> {
    pub(super) id: EntryId,
    pub(super) entry: Entry<'a>,
    pub(super) names: Vec<String>,
    pub(super) is_const: bool,
}

impl<'u, 'a> TypeReader<'u, 'a> {
    pub(super) fn new(units: &'u Units<'a>) -> Self {
        TypeReader {
            units,
            pointees: RefCell::default(),
        }
    }

    /// The type of a parameter.
    pub(super) fn parameter(&self, unit: usize, entry: &Entry<'a>, budget: &Budget) -> Type {
        self.type_of(unit, entry, budget).unwrap_or(Type {
            names: Vec::new(),
            kind: unknown("is missing from the debug information"),
        })
    }

    /// The type of a result; `None` for `void` and for Rust's `()` and `!`.
    pub(super) fn result(&self, unit: usize, entry: &Entry<'a>, budget: &Budget) -> Option<Type> {
        self.type_of(unit, entry, budget)
    }

    /// Calls `each` for the children of an entry. A damaged list ends early.
    pub(super) fn children(&self, id: EntryId, mut each: impl FnMut(EntryId, &Entry<'a>)) {
        let Some(unit) = self.units.unit(id.unit) else {
            return;
        };
        let Ok(mut tree) = unit.entries_tree(Some(id.offset)) else {
            return;
        };
        let Ok(root) = tree.root() else {
            return;
        };
        let mut children = root.children();
        while let Ok(Some(child)) = children.next() {
            let offset = child.entry().offset();
            let unit = id.unit;
            each(EntryId { unit, offset }, child.entry());
        }
    }

    fn type_of(&self, unit: usize, entry: &Entry<'a>, budget: &Budget) -> Option<Type> {
        let value = entry.attr_value(gimli::DW_AT_type)?;
        let Some(id) = self.units.follow(unit, Some(value)) else {
            return Some(Type {
                names: Vec::new(),
                kind: unknown("is not in the debug information"),
            });
        };
        let (bare, names) = self.bare(id);
        let Some(bare) = bare else {
            let kind = unknown("is damaged in the debug information");
            return names.map(|names| Type { names, kind });
        };
        let kind = if budget.spend() {
            self.kind(&bare, budget)
        } else {
            unknown("consists of too many parts")
        };
        // Rust's unit and never types are base types of size 0.
        if bare.entry.tag() == gimli::DW_TAG_base_type
            && number(&bare.entry, gimli::DW_AT_byte_size) == Some(0)
        {
            return None;
        }
        Some(Type {
            names: bare.names,
            kind,
        })
    }

    /// Strips qualifiers and typedefs. The second part holds the names passed
    /// on the way if that leads to something damaged, and is `None` if it
    /// leads to `void`.
    pub(super) fn bare(&self, id: EntryId) -> (Option<Bare<'a>>, Option<Vec<String>>) {
        let mut names = Vec::new();
        let mut is_const = false;
        let mut id = id;
        for _ in 0..DEEPEST {
            let Some(mut entry) = self.units.entry(id) else {
                break;
            };
            match entry.tag() {
                gimli::DW_TAG_const_type => is_const = true,
                gimli::DW_TAG_typedef => {
                    names.extend(self.units.text(id.unit, &entry, gimli::DW_AT_name));
                }
                gimli::DW_TAG_volatile_type
                | gimli::DW_TAG_restrict_type
                | gimli::DW_TAG_atomic_type
                | gimli::DW_TAG_immutable_type
                | gimli::DW_TAG_packed_type
                | gimli::DW_TAG_shared_type => {}
                _ => {
                    // A declaration may name the type unit with its definition.
                    let signature = entry.attr_value(gimli::DW_AT_signature);
                    if let Some(definition) = self.units.follow(id.unit, signature)
                        && let Some(defined) = self.units.entry(definition)
                    {
                        id = definition;
                        entry = defined;
                    }
                    names.extend(self.units.text(id.unit, &entry, gimli::DW_AT_name));
                    let bare = Bare {
                        id,
                        entry,
                        names,
                        is_const,
                    };
                    return (Some(bare), None);
                }
            }
            let Some(value) = entry.attr_value(gimli::DW_AT_type) else {
                return (None, None);
            };
            match self.units.follow(id.unit, Some(value)) {
                Some(next) => id = next,
                None => break,
            }
        }
        (None, Some(names))
    }

    pub(super) fn kind(&self, bare: &Bare<'a>, budget: &Budget) -> TypeKind {
        let entry = &bare.entry;
        let size = number(entry, gimli::DW_AT_byte_size);
        match entry.tag() {
            gimli::DW_TAG_base_type => base_type(entry, bare.names.last(), size),
            gimli::DW_TAG_enumeration_type => self.enumeration(bare, size),
            gimli::DW_TAG_pointer_type
            | gimli::DW_TAG_reference_type
            | gimli::DW_TAG_rvalue_reference_type => {
                let to = self.pointee(bare.id.unit, entry, 0);
                TypeKind::Pointer(Pointer { to })
            }
            // `decltype(nullptr)` is the only one that can be passed.
            gimli::DW_TAG_unspecified_type => TypeKind::Pointer(Pointer { to: None }),
            gimli::DW_TAG_structure_type | gimli::DW_TAG_class_type | gimli::DW_TAG_union_type => {
                self.aggregate(bare, size, budget)
            }
            gimli::DW_TAG_array_type => self.array(bare, size, budget),
            gimli::DW_TAG_ptr_to_member_type => unknown("is a C++ pointer to a member"),
            gimli::DW_TAG_subroutine_type => unknown("is a function"),
            tag => TypeKind::Unknown {
                reason: format!("is of an unknown kind ({tag})"),
            },
        }
    }

    fn enumeration(&self, bare: &Bare<'a>, size: Option<u64>) -> TypeKind {
        let value = bare.entry.attr_value(gimli::DW_AT_type);
        let under = self.units.follow(bare.id.unit, value);
        let under = under.and_then(|id| self.bare(id).0).map(|under| {
            let size = number(&under.entry, gimli::DW_AT_byte_size);
            base_type(&under.entry, None, size)
        });
        let signed = matches!(under, Some(TypeKind::Integer { signed: true, .. }));
        match size.or(under.and_then(|kind| kind.size())) {
            Some(bytes @ (1 | 2 | 4 | 8 | 16)) => TypeKind::Integer {
                bytes: bytes as u8,
                signed,
                flavour: IntegerFlavour::Enumeration,
            },
            _ => unknown("is an incomplete enumeration"),
        }
    }

    /// How many elements an array has, all its dimensions together.
    pub(super) fn element_count(&self, bare: &Bare<'a>) -> u64 {
        let mut count: u64 = 1;
        self.children(bare.id, |_, child| {
            if child.tag() == gimli::DW_TAG_subrange_type {
                let bound = || match child.attr_value(gimli::DW_AT_upper_bound)? {
                    // An upper bound of -1 is an array without elements.
                    gimli::AttributeValue::Sdata(bound) => {
                        u64::try_from(bound.checked_add(1)?).ok()
                    }
                    value => Some(value.udata_value()?.wrapping_add(1)),
                };
                let own = number(child, gimli::DW_AT_count).or_else(bound);
                count = count.saturating_mul(own.unwrap_or(0));
            }
        });
        count
    }

    fn array(&self, bare: &Bare<'a>, size: Option<u64>, budget: &Budget) -> TypeKind {
        let Some(inner) = budget.deeper() else {
            return unknown("is nested too deeply");
        };
        let element = self.type_of(bare.id.unit, &bare.entry, &inner);
        budget.types.set(inner.types.get());
        let Some(element) = element else {
            return unknown("is an array of nothing");
        };
        let count = self.element_count(bare);
        if flag(&bare.entry, gimli::DW_AT_GNU_vector) {
            let bytes = element.size().and_then(|size| size.checked_mul(count));
            return match size.or(bytes) {
                Some(bytes) if bytes.is_power_of_two() => TypeKind::Vector { bytes },
                _ => unknown("is a vector of unknown size"),
            };
        }
        TypeKind::Array {
            element: Box::new(element),
            count,
        }
    }

    fn aggregate(&self, bare: &Bare<'a>, size: Option<u64>, budget: &Budget) -> TypeKind {
        let entry = &bare.entry;
        let (Some(size), false) = (size, flag(entry, gimli::DW_AT_declaration)) else {
            return unknown("is incomplete here");
        };
        let Some(inner) = budget.deeper() else {
            return unknown("is nested too deeply");
        };
        let convention = match entry.attr_value(gimli::DW_AT_calling_convention) {
            Some(gimli::AttributeValue::CallingConvention(convention)) => Some(convention),
            _ => None,
        };
        let mut members = Vec::new();
        let mut odd = None;
        // A class with virtual functions has a table pointer to set.
        let mut copying = if entry.has_attr(gimli::DW_AT_containing_type) {
            Copying::Custom
        } else {
            Copying::Bitwise
        };
        let mut alignment = number(entry, gimli::DW_AT_alignment).unwrap_or(1);
        self.members(bare.id, &inner, &mut |id, child| match child.tag() {
            gimli::DW_TAG_member | gimli::DW_TAG_inheritance => {
                if flag(child, gimli::DW_AT_external) || flag(child, gimli::DW_AT_declaration) {
                    return;
                }
                alignment = alignment.max(number(child, gimli::DW_AT_alignment).unwrap_or(1));
                match self.member(id, child, &inner) {
                    Some(member) => members.push(member),
                    None => odd = Some("has a member at no fixed place"),
                }
            }
            gimli::DW_TAG_subprogram => {
                let function = self.copying(bare, id, child);
                copying = copying.max(function);
            }
            _ => {}
        });
        budget.types.set(inner.types.get());
        if members.iter().any(|member| is_custom(&member.type_)) {
            copying = copying.max(Copying::Custom);
        }
        let by_reference = match convention {
            Some(convention) => convention == gimli::DW_CC_pass_by_reference,
            None => copying == Copying::Custom,
        };
        if convention.is_none() && copying == Copying::Unclear {
            odd = Some("is a C++ class that cannot simply be copied");
        }
        if let Some(reason) = odd
            && !by_reference
        {
            return unknown(reason);
        }
        let natural = natural_alignment(&members, size);
        TypeKind::Aggregate(Aggregate {
            is_union: entry.tag() == gimli::DW_TAG_union_type,
            size,
            alignment: alignment.max(natural),
            members,
            by_reference,
        })
    }

    /// The children of a struct; those of a Rust enumeration's variants too,
    /// which overlap like the members of a union.
    fn members(&self, id: EntryId, budget: &Budget, each: &mut dyn FnMut(EntryId, &Entry<'a>)) {
        let mut parts = Vec::new();
        self.children(id, |id, child| match child.tag() {
            gimli::DW_TAG_variant_part | gimli::DW_TAG_variant => parts.push(id),
            _ => each(id, child),
        });
        for part in parts {
            if let Some(inner) = budget.deeper() {
                self.members(part, &inner, each);
            }
        }
    }

    /// What a member function of a class says about copying it. clang states
    /// how a class is passed, gcc only which functions somebody wrote: with a
    /// destructor, or a copying or moving constructor, of its own a class is
    /// passed by address (Itanium C++ ABI, "non-trivial for the purposes of
    /// calls").
    fn copying(&self, class: &Bare<'a>, id: EntryId, function: &Entry<'a>) -> Copying {
        let name = self.units.text(id.unit, function, gimli::DW_AT_name);
        let name = name.unwrap_or_default();
        // One defaulted outside of the class counts as written.
        let defaulted = number(function, gimli::DW_AT_defaulted)
            == Some(u64::from(gimli::DW_DEFAULTED_in_class.0));
        if flag(function, gimli::DW_AT_artificial) || defaulted {
            return Copying::Bitwise;
        }
        let mut parameters = Vec::new();
        self.children(id, |id, child| {
            if child.tag() == gimli::DW_TAG_formal_parameter {
                let type_ = child.attr_value(gimli::DW_AT_type);
                let entry = self.units.follow(id.unit, type_);
                let entry = entry.and_then(|id| Some((id.unit, self.units.entry(id)?)));
                parameters.push(entry);
            }
        });
        let takes_own_class = match parameters.get(1) {
            Some(Some((unit, entry))) => {
                let is_reference = matches!(
                    entry.tag(),
                    gimli::DW_TAG_reference_type | gimli::DW_TAG_rvalue_reference_type
                );
                let to = self
                    .units
                    .follow(*unit, entry.attr_value(gimli::DW_AT_type));
                let to = to.and_then(|id| self.bare(id).0);
                is_reference && to.is_some_and(|to| to.names.last() == class.names.last())
            }
            _ => false,
        };
        let is_constructor = Some(&name) == class.names.last() && takes_own_class;
        match flag(function, gimli::DW_AT_deleted) {
            _ if !is_constructor && !name.starts_with('~') => Copying::Bitwise,
            // If all are deleted it is passed by address, else not.
            true => Copying::Unclear,
            false => Copying::Custom,
        }
    }

    fn member(&self, id: EntryId, entry: &Entry<'a>, budget: &Budget) -> Option<Member> {
        let type_ = self.type_of(id.unit, entry, budget).unwrap_or(Type {
            names: Vec::new(),
            kind: unknown("has no size"),
        });
        let mut offset = match entry.attr_value(gimli::DW_AT_data_member_location) {
            None => 0,
            Some(value) => value.udata_value()?,
        };
        let bits = number(entry, gimli::DW_AT_bit_size).map(|width| {
            let within = match number(entry, gimli::DW_AT_bit_offset) {
                // DWARF 3 counts from the other end of the storage unit.
                Some(from_top) => {
                    let storage = number(entry, gimli::DW_AT_byte_size).or(type_.size());
                    let bits = storage.unwrap_or(0).saturating_mul(8);
                    bits.saturating_sub(from_top).saturating_sub(width)
                }
                None => number(entry, gimli::DW_AT_data_bit_offset).unwrap_or(0),
            };
            let offset = offset.saturating_mul(8).saturating_add(within);
            BitField { offset, width }
        });
        if let Some(bits) = bits {
            offset = bits.offset / 8;
        }
        Some(Member {
            name: self.units.text(id.unit, entry, gimli::DW_AT_name),
            offset,
            type_,
            bits,
        })
    }
}

/// How a C++ class is copied; the greatest of what its parts say counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Copying {
    /// Like a struct of C.
    Bitwise,
    /// It depends on more than DWARF says.
    Unclear,
    /// By code of its own.
    Custom,
}

/// Whether a member makes the class around it non-trivial too.
fn is_custom(type_: &Type) -> bool {
    match &type_.kind {
        TypeKind::Aggregate(aggregate) => aggregate.by_reference,
        TypeKind::Array { element, .. } => is_custom(element),
        _ => false,
    }
}

impl Budget {
    /// For at most so many types.
    pub(super) fn of(types: u32) -> Self {
        Budget {
            depth: DEEPEST,
            types: Cell::new(types),
        }
    }

    /// Takes one type, if any are left.
    pub(super) fn spend(&self) -> bool {
        let left = self.types.get();
        self.types.set(left.saturating_sub(1));
        left > 0
    }

    /// The budget one level further down; its count has to be carried back.
    fn deeper(&self) -> Option<Budget> {
        Some(Budget {
            depth: self.depth.checked_sub(1)?,
            types: self.types.clone(),
        })
    }
}

/// The alignment of a struct, as its members show it: packed if one of them
/// does not lie where its type wants it.
fn natural_alignment(members: &[Member], size: u64) -> u64 {
    let mut alignment = 1;
    for member in members {
        let own = member.type_.alignment().unwrap_or(1).max(1);
        if member.bits.is_none() && !member.offset.is_multiple_of(own) {
            return 1;
        }
        alignment = alignment.max(own);
    }
    if size.is_multiple_of(alignment) {
        alignment
    } else {
        1
    }
}

fn base_type(entry: &Entry<'_>, name: Option<&String>, size: Option<u64>) -> TypeKind {
    let encoding = match entry.attr_value(gimli::DW_AT_encoding) {
        Some(gimli::AttributeValue::Encoding(encoding)) => encoding,
        _ => return unknown("has no encoding"),
    };
    let name = name.map_or("", String::as_str);
    let integer = |signed, flavour| match size {
        Some(bytes @ (1 | 2 | 4 | 8 | 16)) => TypeKind::Integer {
            bytes: bytes as u8,
            signed,
            flavour,
        },
        _ => unknown("is an integer of unusual size"),
    };
    let float = |bytes, name: &str| match bytes {
        Some(bytes @ (2 | 4 | 8)) => TypeKind::Float { bytes: bytes as u8 },
        // Both have 16 bytes; only the name tells them apart.
        Some(16) if name.contains("long double") || name == "_Float64x" => TypeKind::LongDouble,
        Some(16) => TypeKind::Float { bytes: 16 },
        _ => unknown("is a floating-point number of unusual size"),
    };
    match encoding {
        gimli::DW_ATE_boolean => integer(false, IntegerFlavour::Boolean),
        gimli::DW_ATE_signed | gimli::DW_ATE_signed_char => integer(true, IntegerFlavour::Plain),
        gimli::DW_ATE_unsigned
        | gimli::DW_ATE_unsigned_char
        | gimli::DW_ATE_UTF
        | gimli::DW_ATE_UCS
        | gimli::DW_ATE_ASCII
        | gimli::DW_ATE_address => integer(false, IntegerFlavour::Plain),
        gimli::DW_ATE_float | gimli::DW_ATE_decimal_float => float(size, name),
        gimli::DW_ATE_complex_float => match float(size.map(|size| size / 2), name) {
            TypeKind::Unknown { reason } => TypeKind::Unknown { reason },
            component => TypeKind::Complex {
                component: Box::new(component),
            },
        },
        other => TypeKind::Unknown {
            reason: format!("has the unknown encoding {other}"),
        },
    }
}
