//! From the words before a declarator (`unsigned long`, `struct z`) to a type.

use crate::graph::signature::{FunctionType, IntegerFlavour, Pointee, Pointer, TargetId, TypeKind};

/// A type as C writes it, before parameters are adjusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CType {
    Void,
    /// Size known.
    Known {
        names: Vec<String>,
        kind: TypeKind,
    },
    /// A struct, union or typedef that only DWARF knows.
    Opaque {
        names: Vec<String>,
        shown: String,
    },
    Pointer {
        to: Box<CType>,
        to_const: bool,
    },
    Array {
        element: Box<CType>,
        element_const: bool,
        count: Option<u64>,
    },
    Function(Box<FunctionType>),
}

fn integer(bytes: u8, signed: bool) -> TypeKind {
    TypeKind::Integer {
        bytes,
        signed,
        flavour: IntegerFlavour::Plain,
    }
}

fn known(names: &[&str], kind: TypeKind) -> CType {
    CType::Known {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        kind,
    }
}

/// The words that specify a basic type, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Basic {
    pub(super) signed: u8,
    pub(super) unsigned: u8,
    pub(super) short: u8,
    pub(super) long: u8,
    pub(super) int: u8,
    pub(super) char_: u8,
    pub(super) float: u8,
    pub(super) double: u8,
    pub(super) bool_: u8,
    pub(super) void: u8,
    pub(super) complex: u8,
    pub(super) int128: u8,
}

impl Basic {
    /// Counts a word; `false` if it is none of these.
    pub(super) fn add(&mut self, word: &str) -> bool {
        let counter = match word {
            "signed" | "__signed__" | "__signed" => &mut self.signed,
            "unsigned" => &mut self.unsigned,
            "short" => &mut self.short,
            "long" => &mut self.long,
            "int" => &mut self.int,
            "char" => &mut self.char_,
            "float" => &mut self.float,
            "double" => &mut self.double,
            "_Bool" | "bool" => &mut self.bool_,
            "void" => &mut self.void,
            "_Complex" | "__complex__" | "complex" => &mut self.complex,
            "__int128" => &mut self.int128,
            _ => return false,
        };
        *counter = counter.saturating_add(1);
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Basic::default()
    }

    /// The type, or `None` if the words do not go together. Names are those
    /// that gcc writes into DWARF.
    pub(super) fn type_(&self) -> Option<CType> {
        let signed = self.unsigned == 0;
        if self.signed + self.unsigned > 1 || self.long > 2 || self.complex > 1 {
            return None;
        }
        let rest = Basic {
            signed: 0,
            unsigned: 0,
            complex: 0,
            ..*self
        };
        let plain = self.signed + self.unsigned == 0;
        let only = |change: fn(&mut Basic)| {
            let mut expected = Basic::default();
            change(&mut expected);
            rest == expected
        };
        let float = |name: &str, kind: TypeKind| {
            if !plain {
                None
            } else if self.complex == 1 {
                let component = Box::new(kind);
                let name = format!("complex {name}");
                Some(known(&[&name], TypeKind::Complex { component }))
            } else {
                Some(known(&[name], kind))
            }
        };
        if only(|b| b.float = 1) {
            return float("float", TypeKind::Float { bytes: 4 });
        }
        if only(|b| b.double = 1) {
            return float("double", TypeKind::Float { bytes: 8 });
        }
        if only(|b| (b.long, b.double) = (1, 1)) {
            return float("long double", TypeKind::LongDouble);
        }
        if self.complex > 0 {
            return None;
        }
        if only(|b| b.void = 1) && plain {
            return Some(CType::Void);
        }
        if only(|b| b.bool_ = 1) && plain {
            let kind = TypeKind::Integer {
                bytes: 1,
                signed: false,
                flavour: IntegerFlavour::Boolean,
            };
            return Some(known(&["_Bool"], kind));
        }
        if only(|b| b.char_ = 1) {
            let name = match (self.signed, signed) {
                (1, _) => "signed char",
                (_, true) => "char",
                (_, false) => "unsigned char",
            };
            return Some(known(&[name], integer(1, signed)));
        }
        if only(|b| b.int128 = 1) {
            let name = if signed {
                "__int128"
            } else {
                "__int128 unsigned"
            };
            return Some(known(&[name], integer(16, signed)));
        }
        // What is left are `short`, `int`, `long` and `long long`.
        let without_int = Basic { int: 0, ..rest };
        let lengths = Basic {
            short: self.short,
            long: self.long,
            ..Basic::default()
        };
        if without_int != lengths || self.int > 1 || (self.short > 0 && self.long > 0) {
            return None;
        }
        let (bytes, names) = match (self.short, self.long) {
            (0, 0) => (4, ["int", "unsigned int"]),
            (1, 0) => (2, ["short int", "short unsigned int"]),
            (0, 1) => (8, ["long int", "long unsigned int"]),
            (0, 2) => (8, ["long long int", "long long unsigned int"]),
            _ => return None,
        };
        let name = names[usize::from(!signed)];
        Some(known(&[name], integer(bytes, signed)))
    }
}

/// The typedefs of the C library whose size is the same on every x86-64 Linux.
pub(super) fn typedef(name: &str) -> Option<CType> {
    let (base, bytes, signed) = match name {
        "int8_t" => ("signed char", 1, true),
        "uint8_t" | "u_char" => ("unsigned char", 1, false),
        "int16_t" => ("short int", 2, true),
        "uint16_t" | "char16_t" | "u_short" => ("short unsigned int", 2, false),
        "int32_t" | "wchar_t" | "pid_t" => ("int", 4, true),
        "uint32_t" | "char32_t" | "wint_t" | "uid_t" | "gid_t" | "mode_t" | "socklen_t"
        | "u_int" => ("unsigned int", 4, false),
        "int64_t" | "ssize_t" | "ptrdiff_t" | "intptr_t" | "intmax_t" | "off_t" | "off64_t"
        | "time_t" | "int_fast16_t" | "int_fast32_t" | "int_fast64_t" => ("long int", 8, true),
        "uint64_t" | "size_t" | "uintptr_t" | "uintmax_t" | "u_long" | "dev_t" | "ino_t"
        | "uint_fast16_t" | "uint_fast32_t" | "uint_fast64_t" => ("long unsigned int", 8, false),
        "int_least8_t" | "int_fast8_t" => ("signed char", 1, true),
        "uint_least8_t" | "uint_fast8_t" => ("unsigned char", 1, false),
        "int_least16_t" => ("short int", 2, true),
        "uint_least16_t" => ("short unsigned int", 2, false),
        "int_least32_t" => ("int", 4, true),
        "uint_least32_t" => ("unsigned int", 4, false),
        "int_least64_t" => ("long int", 8, true),
        "uint_least64_t" => ("long unsigned int", 8, false),
        // An array of one struct: as a parameter, a pointer to it.
        "va_list" | "__builtin_va_list" | "__gnuc_va_list" => {
            let to = Pointee {
                names: vec!["__va_list_tag".to_owned()],
                size: Some(24),
                is_function: false,
                is_const: false,
                to: None,
                target: TargetId::UNKNOWN,
            };
            let to = Some(Box::new(to));
            return Some(known(&[name], TypeKind::Pointer(Pointer { to })));
        }
        "__float128" | "_Float128" => {
            return Some(known(&[name], TypeKind::Float { bytes: 16 }));
        }
        _ => return None,
    };
    Some(known(&[name, base], integer(bytes, signed)))
}
