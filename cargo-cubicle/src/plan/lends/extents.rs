//! From `*destLen` and its kin to numbers the monitor can compute.

use super::flat::{Extent, Operand};
use cubicle_abi::plan::{EXTENT_PRODUCT, EXTENT_STRING};

use super::arguments::{Described, Known};
use super::{Subject, constant};
use crate::diagnostics::Finding;
use crate::graph::signature::{Pointee, Pointer, TypeKind};
use crate::manifest::{
    self, ArgumentPath, ArgumentRule, Direction, Extent as Written, Located, Unit,
};

/// The lend whose extents are computed.
pub(super) struct Context<'a> {
    pub(super) subject: &'a Subject<'a>,
    pub(super) described: &'a Described<'a>,
    /// The argument that is lent.
    pub(super) known: &'a Known<'a>,
    /// Its type.
    pub(super) pointer: &'a Pointer,
    pub(super) unit: Unit,
}

/// When an extent is computed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// Before the call, from what the caller passes.
    Before,
    /// After it, from what the callee wrote.
    After,
}

/// An integer in memory or in a register.
struct Integer {
    /// 1, 2, 4 or 8 bytes.
    bytes: u8,
    signed: bool,
}

type Outcome<T> = Result<T, Finding>;

impl Context<'_> {
    /// How many bytes are lent.
    pub(super) fn lent(&self, extent: &Located<Written>) -> Outcome<Extent> {
        self.extent(extent, When::Before)
    }

    /// How many of them the callee wrote.
    pub(super) fn written(&self, used: &Located<Written>) -> Outcome<Extent> {
        self.extent(used, When::After)
    }

    fn extent(&self, at: &Located<Written>, when: When) -> Outcome<Extent> {
        match &at.value {
            Written::Constant(number) => {
                let unit = self.unit(at)?;
                let bytes = number.checked_mul(unit).ok_or_else(|| {
                    let message = format!("{number} elements of {unit} bytes are too many");
                    self.subject
                        .error(at, message, "")
                        .help("lend fewer: more than 2^64 bytes exist nowhere")
                })?;
                Ok(constant(bytes))
            }
            Written::SizeOf => self.target_size(at, "say how many `bytes`").map(constant),
            Written::CString => self.string(at),
            Written::Argument(path) => self.product(at, &[self.operand(at, path)?]),
            Written::Deref(path) => self.product(at, &[self.indirect(at, path, when)?]),
            Written::Product(left, right) => {
                let operands = [self.operand(at, left)?, self.operand(at, right)?];
                self.product(at, &operands)
            }
        }
    }

    fn product(&self, at: &Located<Written>, factors: &[Operand]) -> Outcome<Extent> {
        let mut operands = [Operand::default(); 2];
        operands[..factors.len()].copy_from_slice(factors);
        Ok(Extent {
            kind: EXTENT_PRODUCT,
            count: factors.len() as u32,
            scale: self.unit(at)?,
            operands,
        })
    }

    /// What a number in the extent counts, in bytes.
    fn unit(&self, at: &Located<Written>) -> Outcome<u64> {
        match self.unit {
            Unit::Bytes => Ok(1),
            Unit::Elements => self.target_size(at, "write a number of `bytes` instead of `count`"),
        }
    }

    /// The size of what the lent pointer points to. Zero is a type too
    /// incomplete to be lent, such as an array of unknown length.
    fn target_size(&self, at: &Located<Written>, remedy: &str) -> Outcome<u64> {
        let to = self.pointer.to.as_deref();
        if let Some(size) = to.and_then(|to| to.size).filter(|size| *size > 0) {
            return Ok(size);
        }
        let message = format!(
            "nothing says how large that is to which `{}` of {} points",
            self.known.label,
            self.subject.title()
        );
        let label = match to {
            None => "it is a `void` pointer".to_owned(),
            Some(to) => match to.names.first() {
                Some(name) => format!("the type `{name}` is incomplete"),
                None => "its type is incomplete".to_owned(),
            },
        };
        Err(self.subject.error(at, message, label).help(remedy))
    }

    fn string(&self, at: &Located<Written>) -> Outcome<Extent> {
        let size = self.pointer.to.as_deref().and_then(|to| to.size);
        if let Some(size) = size.filter(|size| *size > 1) {
            let message = format!(
                "`{}` of {} is no C string",
                self.known.label,
                self.subject.title()
            );
            let label = format!("it points to elements of {size} bytes");
            let help = "say how many there are with `count`";
            return Err(self.subject.error(at, message, label).help(help));
        }
        Ok(Extent {
            kind: EXTENT_STRING,
            scale: 1,
            ..Extent::default()
        })
    }

    /// An argument that is a number.
    fn operand(&self, at: &Located<Written>, path: &ArgumentPath) -> Outcome<Operand> {
        let known = self.find(at, path)?;
        let place = known.word();
        let refused = |label: &str| {
            let message = format!(
                "`{}` of {} is not a length",
                known.label,
                self.subject.title()
            );
            self.subject.error(at, message, label)
        };
        match &known.type_.kind {
            TypeKind::Integer { bytes, signed, .. } => match place {
                Some(place) if *bytes <= 8 => Ok(operand(place, *bytes, *signed, false)),
                _ => Err(refused("it is wider than 64 bits")
                    .help("a length is an integer of at most 64 bits")),
            },
            TypeKind::Pointer(_) => Err(refused("it is a pointer")
                .help(format!("write `*{path}` if the length is where it points"))),
            TypeKind::Float { .. } | TypeKind::Vector { .. } => {
                Err(refused("it travels in an SSE register").help("a length is an integer"))
            }
            _ => Err(refused("it is not an integer").help("a length is an integer")),
        }
    }

    /// A number where an argument points.
    fn indirect(&self, at: &Located<Written>, path: &ArgumentPath, when: When) -> Outcome<Operand> {
        let index = self.subject.find(path, at)?;
        let known = self.subject.arguments.get(index);
        let integer = match &known.type_.kind {
            TypeKind::Pointer(pointer) => pointer.to.as_deref().and_then(integer),
            _ => None,
        };
        let (Some(integer), Some(place)) = (integer, known.word()) else {
            let message = format!(
                "`{}` of {} does not point to an integer",
                known.label,
                self.subject.title()
            );
            let finding = self.subject.error(at, message, "");
            return Err(match &known.type_.kind {
                TypeKind::Integer { .. } => {
                    finding.help(format!("it is the number itself: write `{path}`"))
                }
                _ => finding.help("a length is an integer of at most 64 bits"),
            });
        };
        let rule = self.described.get(&index).map(|argument| &argument.rule);
        let lend = match rule {
            Some(ArgumentRule::Lend(lend)) => Some(&**lend),
            _ => None,
        };
        self.check_lent(at, known, path, when, lend)?;
        if let Some(lend) = lend
            && let (Written::Constant(bytes), Unit::Bytes) = (&lend.extent.value, lend.unit)
            && *bytes < u64::from(integer.bytes)
        {
            let message = format!(
                "`*{path}` has {} bytes, and {bytes} of them are lent",
                integer.bytes
            );
            let finding = self.subject.error(at, message, "");
            let place = self.subject.policy.place(&lend.extent.span, "lent here");
            return Err(finding.at(place).help("lend all of it"));
        }
        Ok(operand(place, integer.bytes, integer.signed, true))
    }

    /// Before the call the caller must have set it; afterwards the callee must
    /// have been able to.
    fn check_lent(
        &self,
        at: &Located<Written>,
        known: &Known,
        path: &ArgumentPath,
        when: When,
        lend: Option<&manifest::Lend>,
    ) -> Outcome<()> {
        let label = &known.label;
        let direction = lend.map(|lend| &lend.direction);
        let (problem, lent) = match (when, direction.map(|direction| direction.value)) {
            (When::Before, Some(Direction::Out)) => (
                "read before the call, and nothing is there",
                "lent \"out\" here",
            ),
            (When::After, Some(Direction::In)) => (
                "read after the call, and nobody wrote there",
                "lent \"in\" here",
            ),
            (When::After, None) => ("read after the call, and it is not lent", ""),
            _ => return Ok(()),
        };
        let finding = self
            .subject
            .error(at, format!("`*{path}` is {problem}"), "");
        let remedy = format!("`arg.{} = {{ lend = \"inout\" }}`", key(label));
        Err(match direction {
            Some(direction) => finding
                .at(self.subject.policy.place(&direction.span, lent))
                .help(format!("say {remedy}")),
            None => finding.help(format!("add {remedy}")),
        })
    }

    fn find(&self, at: &Located<Written>, path: &ArgumentPath) -> Outcome<&Known<'_>> {
        let index = self.subject.find(path, at)?;
        Ok(self.subject.arguments.get(index))
    }
}

/// A position is quoted where it is a key.
fn key(label: &str) -> String {
    if label.starts_with('#') {
        format!("\"{label}\"")
    } else {
        label.to_owned()
    }
}

fn operand(place: u32, size: u8, signed: bool, indirect: bool) -> Operand {
    Operand {
        place,
        size,
        signed: u8::from(signed),
        indirect: u8::from(indirect),
    }
}

/// The integer that a pointer points to. Signatures keep of a pointee its size
/// and the name of its base type only, so the name decides: C's words as gcc and
/// clang write them into DWARF, C++'s character types, and Rust's.
fn integer(to: &Pointee) -> Option<Integer> {
    let bytes = match to.size? {
        bytes @ (1 | 2 | 4 | 8) => bytes as u8,
        _ => return None,
    };
    if to.is_function || to.to.is_some() {
        return None;
    }
    let name = to.names.last()?;
    let signed = match name.as_str() {
        "u8" | "u16" | "u32" | "u64" | "usize" | "char8_t" | "char16_t" | "char32_t" | "bool"
        | "_Bool" => false,
        "i8" | "i16" | "i32" | "i64" | "isize" | "wchar_t" => true,
        words => {
            let of_c = |word: &str| {
                matches!(
                    word,
                    "signed" | "unsigned" | "char" | "short" | "int" | "long"
                )
            };
            if !words.split(' ').all(of_c) {
                return None;
            }
            !words.split(' ').any(|word| word == "unsigned")
        }
    };
    Some(Integer { bytes, signed })
}
