//! How the System V x86-64 calling convention carries a signature.
//!
//! ```text
//!   rdi rsi rdx rcx r8 r9     integer registers 0 to 5
//!   xmm0 … xmm7               SSE registers 0 to 7
//!   rsp at the callee's entry ──► return address
//!                       rsp+8 ──► stack word 0   (16-byte aligned)
//!                      rsp+16 ──► stack word 1   …
//! ```
//!
//! Section numbers are those of the psABI, version 1.0 ("3.2.3 Parameter
//! Passing"). The tests in `tests/shapes` compare every answer with what gcc
//! does at run time.

use super::signature::{Signature, Type, TypeKind};
use std::fmt;

mod classify;

use classify::{Class, Classes, classify};

/// Where everything that a call passes travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallShape {
    /// How many of rdi, rsi, rdx, rcx, r8, r9 carry arguments, a hidden result
    /// pointer included: 0 to 6.
    pub integer_registers: u8,
    /// How many of xmm0 to xmm7 carry arguments: 0 to 8.
    pub sse_registers: u8,
    /// How many 8-byte words of arguments lie on the stack, padding between
    /// them included. Not rounded to the stack's alignment of two words.
    pub stack_words: u32,
    /// Whether al must hold the number of SSE registers in use (a variadic
    /// function reads it).
    pub vector_count: bool,
    /// Where the result travels.
    pub result: ResultPlace,
    /// Where each parameter travels, then each declared variadic slot.
    pub parameters: Vec<Place>,
}

/// A register that carries (part of) an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Register {
    /// 0 to 5: rdi, rsi, rdx, rcx, r8, r9.
    Integer(u8),
    /// 0 to 7: xmm0 to xmm7.
    Sse(u8),
}

/// Where one argument travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: an empty struct.
    Nothing,
    /// In one integer register.
    Integer(u8),
    /// In one SSE register (all 16 bytes of it for a vector).
    Sse(u8),
    /// In two registers, the lower eight bytes in the first.
    Pair(Register, Register),
    /// On the stack.
    Stack {
        /// First 8-byte word, counted from the word above the return address.
        word: u32,
        /// How many 8-byte words.
        words: u32,
    },
}

/// Where the result travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultPlace {
    /// There is none, or it is empty.
    None,
    /// rax.
    Integer,
    /// rax, then rdx.
    IntegerPair,
    /// xmm0.
    Sse,
    /// xmm0, then xmm1.
    SsePair,
    /// The lower eight bytes in rax, the upper in xmm0.
    IntegerThenSse,
    /// The lower eight bytes in xmm0, the upper in rax.
    SseThenInteger,
    /// In memory that the caller provides: its address comes in rdi and goes
    /// back in rax.
    Memory {
        /// Size of the result in bytes.
        bytes: u64,
    },
}

/// Which part of a signature an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The parameter of this index, from 0.
    Parameter(usize),
    /// The declared variadic slot of this index, from 0.
    Slot(usize),
    /// The result.
    Result,
}

/// A shape that a gate cannot carry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// `...` without a declaration of what is passed.
    #[error(
        "`{function}` takes variable arguments and nothing declares which; add `signature = \"… {function}(…, ..., int)\"`"
    )]
    UndeclaredVariadic {
        /// The function.
        function: String,
    },
    /// A result in the x87 registers, which a gate clears.
    #[error("the result of `{function}` travels in x87 registers")]
    X87Result {
        /// The function.
        function: String,
    },
    /// A vector that not every processor passes alike.
    #[error("{part} of `{function}` is a vector of {bytes} bytes; only 8 and 16 can be carried")]
    WideVector {
        /// The function.
        function: String,
        /// The offending part.
        part: Part,
        /// Size of the vector.
        bytes: u64,
    },
    /// An argument on the stack with an alignment that the stack has not.
    #[error(
        "{part} of `{function}` must be aligned to {alignment} bytes on the stack, which aligns to 16 only"
    )]
    OverAligned {
        /// The function.
        function: String,
        /// The offending part.
        part: Part,
        /// Required alignment in bytes.
        alignment: u64,
    },
    /// More than a gate will ever copy (1 MiB).
    #[error("{part} of `{function}` takes {bytes} bytes of stack")]
    TooLarge {
        /// The function.
        function: String,
        /// The offending part.
        part: Part,
        /// Size in bytes.
        bytes: u64,
    },
    /// A type of which neither DWARF nor the manifest says enough.
    #[error("{part} of `{function}`: its type {reason}")]
    UnknownType {
        /// The function.
        function: String,
        /// The offending part.
        part: Part,
        /// Why it is unknown; fits after "its type ".
        reason: String,
    },
}

impl ShapeError {
    /// The lint rule that reports this: CUB006 (unknown-signature) where a
    /// type is not known, CUB007 (unsupported-abi) for everything else.
    pub fn code(&self) -> &'static str {
        match self {
            ShapeError::UnknownType { .. } => "CUB006",
            _ => "CUB007",
        }
    }

    /// What the user can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            ShapeError::UndeclaredVariadic { .. } => {
                "the slots behind `...` are those of every call; or let the other side call a function without them"
            }
            ShapeError::X87Result { .. } => "return a `double`, or store it through a pointer",
            ShapeError::WideVector { .. } | ShapeError::OverAligned { .. } => {
                "pass a pointer to it instead"
            }
            ShapeError::TooLarge { .. } => {
                "pass a pointer to it instead, with `lend = \"in\"` or `\"out\"` for it in the manifest"
            }
            ShapeError::UnknownType { .. } => {
                "compile what defines the type with `-g`, or say what the function is in `signature`"
            }
        }
    }
}

/// Largest single argument or result in memory, in bytes. The default stack
/// of a virtual thread is 1 MiB, so nothing larger can arrive.
const LARGEST: u64 = 1 << 20;

impl CallShape {
    /// Decides where everything travels in a call of `signature`.
    ///
    /// # Errors
    /// See [`ShapeError`]; none of them is about the machine, so the answer
    /// for a signature is always the same.
    pub fn of(signature: &Signature) -> Result<Self, ShapeError> {
        let function = &signature.name;
        let slots: &[Type] = match (&signature.slots, signature.variadic) {
            (Some(slots), _) => slots,
            (None, false) => &[],
            (None, true) => {
                return Err(ShapeError::UndeclaredVariadic {
                    function: function.clone(),
                });
            }
        };
        let result = match &signature.result {
            None => ResultPlace::None,
            Some(type_) => result_place(function, type_)?,
        };
        let mut shape = CallShape {
            integer_registers: u8::from(matches!(result, ResultPlace::Memory { .. })),
            sse_registers: 0,
            stack_words: 0,
            vector_count: signature.variadic,
            result,
            parameters: Vec::new(),
        };
        for (index, parameter) in signature.parameters.iter().enumerate() {
            let place = shape.place(function, Part::Parameter(index), &parameter.type_)?;
            shape.parameters.push(place);
        }
        for (index, type_) in slots.iter().enumerate() {
            let place = shape.place(function, Part::Slot(index), type_)?;
            shape.parameters.push(place);
        }
        Ok(shape)
    }

    /// Takes the next registers or stack words for an argument. An argument
    /// that does not fit into the remaining registers goes to the stack as a
    /// whole, and leaves them to later arguments.
    fn place(&mut self, function: &str, part: Part, type_: &Type) -> Result<Place, ShapeError> {
        let classes = classify(type_).map_err(|refusal| refusal.about(function, part))?;
        let registers: Vec<Class> = match classes {
            Classes::Memory | Classes::X87 => return self.push(function, part, type_),
            Classes::Eightbytes(low, high) => [low, high]
                .into_iter()
                .filter(|class| *class != Class::None)
                .collect(),
        };
        let integers = registers.iter().filter(|c| **c == Class::Integer).count() as u8;
        let sse = registers.iter().filter(|c| **c == Class::Sse).count() as u8;
        if self.integer_registers + integers > 6 || self.sse_registers + sse > 8 {
            return self.push(function, part, type_);
        }
        let mut taken = registers
            .iter()
            .filter(|class| **class != Class::SseUp)
            .map(|class| {
                let counter = match class {
                    Class::Integer => &mut self.integer_registers,
                    _ => &mut self.sse_registers,
                };
                let index = *counter;
                *counter += 1;
                match class {
                    Class::Integer => Register::Integer(index),
                    _ => Register::Sse(index),
                }
            });
        Ok(match (taken.next(), taken.next()) {
            (None, _) => Place::Nothing,
            (Some(Register::Integer(index)), None) => Place::Integer(index),
            (Some(Register::Sse(index)), None) => Place::Sse(index),
            (Some(low), Some(high)) => Place::Pair(low, high),
        })
    }

    /// Puts an argument on the stack.
    fn push(&mut self, function: &str, part: Part, type_: &Type) -> Result<Place, ShapeError> {
        let unknown = || ShapeError::UnknownType {
            function: function.to_owned(),
            part,
            reason: "has no known size".to_owned(),
        };
        // What is passed by address is a pointer here.
        let (size, alignment) = match &type_.kind {
            TypeKind::Aggregate(aggregate) if aggregate.by_reference => (Some(8), Some(8)),
            kind => (kind.size(), kind.alignment()),
        };
        let bytes = size.ok_or_else(unknown)?;
        let alignment = alignment.ok_or_else(unknown)?;
        if alignment > 16 {
            return Err(ShapeError::OverAligned {
                function: function.to_owned(),
                part,
                alignment,
            });
        }
        let end = u64::from(self.stack_words) * 8 + 8 + bytes;
        if end > LARGEST {
            return Err(ShapeError::TooLarge {
                function: function.to_owned(),
                part,
                bytes,
            });
        }
        if alignment == 16 {
            self.stack_words = self.stack_words.next_multiple_of(2);
        }
        let word = self.stack_words;
        let words = bytes.div_ceil(8) as u32;
        self.stack_words += words;
        Ok(Place::Stack { word, words })
    }
}

/// Where a result of this type travels (psABI 3.2.3, "Returning of Values").
fn result_place(function: &str, type_: &Type) -> Result<ResultPlace, ShapeError> {
    use Class::{Integer, None as Empty, Sse, SseUp};
    let part = Part::Result;
    let classes = match &type_.kind {
        TypeKind::Aggregate(aggregate) if aggregate.by_reference => Ok(Classes::Memory),
        _ => classify(type_),
    };
    match classes.map_err(|refusal| refusal.about(function, part))? {
        Classes::X87 => Err(ShapeError::X87Result {
            function: function.to_owned(),
        }),
        Classes::Memory => match type_.size() {
            Some(bytes) if bytes <= LARGEST => Ok(ResultPlace::Memory { bytes }),
            bytes => Err(ShapeError::TooLarge {
                function: function.to_owned(),
                part,
                bytes: bytes.unwrap_or(u64::MAX),
            }),
        },
        Classes::Eightbytes(low, high) => Ok(match (low, high) {
            (Empty | SseUp, Empty | SseUp) => ResultPlace::None,
            (Integer, Empty | SseUp) | (Empty | SseUp, Integer) => ResultPlace::Integer,
            (Sse, Empty | SseUp) | (Empty | SseUp, Sse) => ResultPlace::Sse,
            (Integer, Integer) => ResultPlace::IntegerPair,
            (Sse, Sse) => ResultPlace::SsePair,
            (Integer, Sse) => ResultPlace::IntegerThenSse,
            (Sse, Integer) => ResultPlace::SseThenInteger,
        }),
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Parameter(index) => write!(formatter, "parameter {}", index + 1),
            Part::Slot(index) => write!(formatter, "variadic slot {}", index + 1),
            Part::Result => write!(formatter, "the result"),
        }
    }
}

impl fmt::Display for Register {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Register::Integer(index) => {
                let names = ["rdi", "rsi", "rdx", "rcx", "r8", "r9"];
                formatter.write_str(names.get(usize::from(*index)).unwrap_or(&"?"))
            }
            Register::Sse(index) => write!(formatter, "xmm{index}"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Nothing => write!(formatter, "nothing"),
            Place::Integer(index) => write!(formatter, "{}", Register::Integer(*index)),
            Place::Sse(index) => write!(formatter, "{}", Register::Sse(*index)),
            Place::Pair(low, high) => write!(formatter, "{low}:{high}"),
            Place::Stack { word, words } => write!(formatter, "stack {word}+{words}"),
        }
    }
}

impl fmt::Display for ResultPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResultPlace::None => write!(formatter, "none"),
            ResultPlace::Integer => write!(formatter, "rax"),
            ResultPlace::IntegerPair => write!(formatter, "rax:rdx"),
            ResultPlace::Sse => write!(formatter, "xmm0"),
            ResultPlace::SsePair => write!(formatter, "xmm0:xmm1"),
            ResultPlace::IntegerThenSse => write!(formatter, "rax:xmm0"),
            ResultPlace::SseThenInteger => write!(formatter, "xmm0:rax"),
            ResultPlace::Memory { bytes } => write!(formatter, "memory {bytes}"),
        }
    }
}

/// One line that says it all, as the tests in `tests/shapes` expect it:
/// `rdi, xmm0, stack 0+1 -> rax`.
impl fmt::Display for CallShape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, place) in self.parameters.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(formatter, "{separator}{place}")?;
        }
        if self.parameters.is_empty() {
            write!(formatter, "()")?;
        }
        if self.vector_count {
            write!(formatter, ", al")?;
        }
        write!(formatter, " -> {}", self.result)
    }
}
