//! A C function signature, as far as a gate and a lint need to know it.
//!
//! It comes from the DWARF of the definition (`graph::dwarf`) or from a C
//! declaration in the manifest (`graph::declaration`); everything after that
//! does not know where it came from.

mod targets;

use std::fmt;
use std::sync::Arc;

pub use targets::{FunctionType, Target, TargetId, Targets};

/// The signature of one function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The symbol: the linkage name, or the plain name where there is no other.
    pub name: String,
    /// The named parameters, in order.
    pub parameters: Vec<Parameter>,
    /// What it returns; `None` is `void`.
    pub result: Option<Type>,
    /// Whether the declaration ends in `...`.
    pub variadic: bool,
    /// The types that are passed for `...`, where somebody declared them.
    /// DWARF never does.
    pub slots: Option<Vec<Type>>,
    /// Where the function is defined.
    pub position: Option<SourcePosition>,
    /// What its pointers lead to; signatures of one file share it.
    pub targets: Arc<Targets>,
}

/// One parameter of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, if the definition or declaration gives one.
    pub name: Option<String>,
    /// Its type, after C's adjustment of arrays and functions to pointers.
    pub type_: Type,
}

/// A line of a source file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourcePosition {
    /// The path as the compiler recorded it, with its directory where known.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
}

/// A type that is passed by value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// Every name on the way to the type, outermost first: the chain of
    /// typedefs and then the name of the base type or tag. Empty for an
    /// anonymous struct without a typedef.
    pub names: Vec<String>,
    /// What it is.
    pub kind: TypeKind,
}

/// What a type is, in the categories of the System V x86-64 ABI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeKind {
    /// An integer of 1, 2, 4, 8 or 16 bytes; `_Bool`, characters and
    /// enumerations too.
    Integer {
        /// Size in bytes.
        bytes: u8,
        /// Whether it is signed.
        signed: bool,
        /// Plain, boolean or enumeration.
        flavour: IntegerFlavour,
    },
    /// An IEEE (or decimal) floating-point number of 2, 4, 8 or 16 bytes that
    /// travels in an SSE register.
    Float {
        /// Size in bytes.
        bytes: u8,
    },
    /// The 80-bit x87 type, 16 bytes in memory.
    LongDouble,
    /// `_Complex` of the given component.
    Complex {
        /// The type of the real and of the imaginary part.
        component: Box<TypeKind>,
    },
    /// A pointer or a C++ reference.
    Pointer(Pointer),
    /// A struct, class or union.
    Aggregate(Aggregate),
    /// An array; only inside structs.
    Array {
        /// The type of an element.
        element: Box<Type>,
        /// How many elements.
        count: u64,
    },
    /// A vector of the compiler (`__m128` and the like).
    Vector {
        /// Size in bytes.
        bytes: u64,
    },
    /// Something that could not be understood, and why.
    Unknown {
        /// A phrase that fits after "its type ".
        reason: String,
    },
}

/// What an integer stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegerFlavour {
    /// A number or a character.
    Plain,
    /// `_Bool`, `bool`: 0 or 1 only.
    Boolean,
    /// An enumeration.
    Enumeration,
}

/// A pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// What it points to; `None` for `void *`.
    pub to: Option<Box<Pointee>>,
}

/// What a pointer points to, at a glance. [`Signature::data`] and
/// [`Signature::function`] answer with all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointee {
    /// Every name on the way to the pointee's type, outermost first.
    pub names: Vec<String>,
    /// The complete size in bytes, if the type is complete.
    pub size: Option<u64>,
    /// Whether it is a function.
    pub is_function: bool,
    /// Whether it is `const`.
    pub is_const: bool,
    /// If the pointee is a pointer itself: what that one points to.
    pub to: Option<Box<Pointee>>,
    /// All of it.
    pub target: TargetId,
}

/// A struct, class or union passed by value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregate {
    /// Whether all members start at offset 0.
    pub is_union: bool,
    /// Size in bytes.
    pub size: u64,
    /// Alignment in bytes, a power of two.
    pub alignment: u64,
    /// Members in the order of declaration, base classes first.
    pub members: Vec<Member>,
    /// A C++ class that cannot be copied bit by bit: what is passed is a
    /// pointer to it.
    pub by_reference: bool,
}

/// One member of a struct or union.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name; anonymous members and base classes have none.
    pub name: Option<String>,
    /// Offset in bytes of the member, or of the byte in which a bit-field
    /// begins.
    pub offset: u64,
    /// Its type.
    pub type_: Type,
    /// For a bit-field, which bits of the struct it takes.
    pub bits: Option<BitField>,
}

/// The bits that a bit-field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitField {
    /// Offset in bits from the start of the struct.
    pub offset: u64,
    /// Width in bits.
    pub width: u64,
}

impl Type {
    /// A type with the given innermost name.
    pub fn named(name: impl Into<String>, kind: TypeKind) -> Self {
        Type {
            names: vec![name.into()],
            kind,
        }
    }

    /// Size in bytes, `None` if unknown.
    pub fn size(&self) -> Option<u64> {
        self.kind.size()
    }

    /// Alignment in bytes, `None` if unknown.
    pub fn alignment(&self) -> Option<u64> {
        self.kind.alignment()
    }
}

impl TypeKind {
    /// Size in bytes, `None` if unknown.
    pub fn size(&self) -> Option<u64> {
        match self {
            TypeKind::Integer { bytes, .. } | TypeKind::Float { bytes } => Some(u64::from(*bytes)),
            TypeKind::LongDouble => Some(16),
            TypeKind::Complex { component } => component.size()?.checked_mul(2),
            TypeKind::Pointer(_) => Some(8),
            TypeKind::Aggregate(aggregate) => Some(aggregate.size),
            TypeKind::Array { element, count } => element.size()?.checked_mul(*count),
            TypeKind::Vector { bytes } => Some(*bytes),
            TypeKind::Unknown { .. } => None,
        }
    }

    /// Alignment in bytes, `None` if unknown.
    pub fn alignment(&self) -> Option<u64> {
        match self {
            TypeKind::Integer { bytes, .. } | TypeKind::Float { bytes } => Some(u64::from(*bytes)),
            TypeKind::LongDouble => Some(16),
            TypeKind::Complex { component } => component.alignment(),
            TypeKind::Pointer(_) => Some(8),
            TypeKind::Aggregate(aggregate) => Some(aggregate.alignment),
            TypeKind::Array { element, .. } => element.alignment(),
            TypeKind::Vector { bytes } => Some(*bytes),
            TypeKind::Unknown { .. } => None,
        }
    }
}

impl fmt::Display for SourcePosition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}
