//! C declarations in the manifest: `signature = "int f(char *s, int n)"`.
//!
//! The ordinary C of header files: all spellings of integers, the types of
//! `stdint.h` and `stddef.h`, `const` and `restrict`, pointers, arrays and
//! functions as parameters, `struct NAME *`. A name that is no known type is
//! taken for a typedef, which can be pointed to but not passed: its size is
//! known to DWARF only.
//!
//! **Variadic slots.** What follows `...` are the types that are passed there:
//! `int open(const char *, int, ..., int)`. They are written as they are
//! passed, that is `int` and `double`, never `short` or `float`. `..., void)`
//! says that nothing is passed. `...` alone declares nothing, and a gate
//! cannot carry it.

mod lexer;
mod parser;
mod specifiers;

use super::signature::Signature;

/// A mistake in a declaration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DeclarationError {
    /// Where in the text it is, in bytes from its start; at most its length.
    pub offset: usize,
    /// What is wrong, and where there is one, the remedy.
    pub message: String,
}

/// Parses the declaration of one function.
///
/// # Errors
/// If it is not a declaration of one function in the C described above, or
/// something in it is passed by value whose size is not known.
pub fn parse(text: &str) -> Result<Signature, DeclarationError> {
    parser::Parser::new(text)?.function()
}
