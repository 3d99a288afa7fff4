//! The small language of arguments and extents: `input_len`, `*path`, `a*b`,
//! `"strm.next_in"`, `"a[].p"`, `"#1"`.
//!
//! In an extent, some words have a meaning of their own: `cstr`, `sizeof`,
//! `moved` and `result`. An argument that is called so is named by its position.

use std::fmt;

/// How much memory a pointer argument stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// A number.
    Constant(u64),
    /// The value of an argument or field.
    Argument(ArgumentPath),
    /// `*path`: the value that a pointer argument or field points to.
    Deref(ArgumentPath),
    /// `path*path`: the product of two arguments or fields.
    Product(ArgumentPath, ArgumentPath),
    /// `"cstr"`: up to and including the terminating NUL.
    CString,
    /// `"sizeof"`: the size of the complete type pointed to, from DWARF.
    SizeOf,
    /// `"moved"`: as far as the callee moved the pointer in a field.
    Moved,
}

/// An argument, or something inside what it points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgumentPath {
    /// The argument.
    pub base: Base,
    /// The way from there, empty for the argument itself.
    pub steps: Vec<Step>,
}

/// An argument by name or by position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// The parameter's name in DWARF or in the signature.
    Name(String),
    /// `#1` is the first.
    Position(u32),
    /// `result` in an extent: what the function returned, a number.
    Result,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `.field`
    Field(String),
    /// `[]`: each element.
    Each,
}

/// Why a text is no path or extent, as a phrase after a colon.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PathError(&'static str);

impl ArgumentPath {
    /// Reads a path as it stands in the manifest.
    ///
    /// # Errors
    /// A phrase saying what is wrong.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let (base, mut rest) = if let Some(number) = text.strip_prefix('#') {
            let digits = number.bytes().take_while(u8::is_ascii_digit).count();
            let (digits, rest) = number.split_at(digits);
            let position = digits
                .parse()
                .ok()
                .filter(|position| (1..=127).contains(position))
                .ok_or(PathError("positions go from `#1` to `#127`"))?;
            (Base::Position(position), rest)
        } else {
            let (name, rest) = identifier(text)?;
            (Base::Name(name), rest)
        };
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("[]") {
                steps.push(Step::Each);
                rest = after;
            } else if let Some(after) = rest.strip_prefix('.') {
                let (field, after) = identifier(after)?;
                steps.push(Step::Field(field));
                rest = after;
            } else {
                return Err(PathError(
                    "after a name there can be `.field` or `[]`, and nothing else",
                ));
            }
        }
        Ok(ArgumentPath { base, steps })
    }

    /// Whether it leads into something an argument points to.
    pub fn is_nested(&self) -> bool {
        !self.steps.is_empty()
    }
}

impl Extent {
    /// Reads an extent that is written as a string.
    ///
    /// # Errors
    /// A phrase saying what is wrong.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        match text {
            "cstr" => return Ok(Extent::CString),
            "sizeof" => return Ok(Extent::SizeOf),
            "moved" => return Ok(Extent::Moved),
            _ if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                return Err(PathError("a number is written without quotes"));
            }
            _ => {}
        }
        if let Some(target) = text.strip_prefix('*') {
            return match factor(target)? {
                path if path.base == Base::Result => Err(RESULT),
                path => Ok(Extent::Deref(path)),
            };
        }
        match text.split_once('*') {
            Some((left, right)) => Ok(Extent::Product(factor(left.trim())?, factor(right.trim())?)),
            None => factor(text).map(Extent::Argument),
        }
    }

    /// The paths it is computed from.
    pub fn paths(&self) -> impl Iterator<Item = &ArgumentPath> {
        let (first, second) = match self {
            Extent::Argument(path) | Extent::Deref(path) => (Some(path), None),
            Extent::Product(left, right) => (Some(left), Some(right)),
            Extent::Constant(_) | Extent::CString | Extent::SizeOf | Extent::Moved => (None, None),
        };
        first.into_iter().chain(second)
    }
}

/// Why something inside of the result is no length.
const RESULT: PathError = PathError(
    "`result` is the number that the function returns; an argument of that name is written as its position, such as `#1`",
);

/// A path in an extent, where `result` is not an argument.
fn factor(text: &str) -> Result<ArgumentPath, PathError> {
    let mut path = ArgumentPath::parse(text)?;
    if path.base == Base::Name("result".to_owned()) {
        if path.is_nested() {
            return Err(RESULT);
        }
        path.base = Base::Result;
    }
    Ok(path)
}

/// Splits a C identifier off the front.
fn identifier(text: &str) -> Result<(String, &str), PathError> {
    let length = text
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        .count();
    if length == 0 || text.as_bytes()[0].is_ascii_digit() {
        return Err(PathError(
            "expected the name of an argument or field, or a position such as `#1`",
        ));
    }
    let (name, rest) = text.split_at(length);
    Ok((name.to_owned(), rest))
}

impl fmt::Display for ArgumentPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.base {
            Base::Name(name) => formatter.write_str(name)?,
            Base::Position(position) => write!(formatter, "#{position}")?,
            Base::Result => formatter.write_str("result")?,
        }
        for step in &self.steps {
            match step {
                Step::Field(field) => write!(formatter, ".{field}")?,
                Step::Each => formatter.write_str("[]")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Extent::Constant(bytes) => write!(formatter, "{bytes}"),
            Extent::Argument(path) => write!(formatter, "{path}"),
            Extent::Deref(path) => write!(formatter, "*{path}"),
            Extent::Product(left, right) => write!(formatter, "{left}*{right}"),
            Extent::CString => formatter.write_str("cstr"),
            Extent::SizeOf => formatter.write_str("sizeof"),
            Extent::Moved => formatter.write_str("moved"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_shown() {
        for text in [
            "input_len",
            "*pixels_len",
            "width*height",
            "#1",
            "*#2",
            "#1*#2",
            "strm.avail_in",
            "a[].p",
            "#1.iov[].len",
            "cstr",
            "sizeof",
            "moved",
            "result",
            "result*size",
        ] {
            assert_eq!(Extent::parse(text).map(|e| e.to_string()), Ok(text.into()));
        }
        assert_eq!(Extent::parse("a * b"), Extent::parse("a*b"));
    }

    #[test]
    fn the_forms_are_told_apart() {
        let name = |name: &str| ArgumentPath {
            base: Base::Name(name.into()),
            steps: vec![],
        };
        assert_eq!(Extent::parse("n"), Ok(Extent::Argument(name("n"))));
        assert_eq!(Extent::parse("*n"), Ok(Extent::Deref(name("n"))));
        assert_eq!(
            Extent::parse("n*m"),
            Ok(Extent::Product(name("n"), name("m")))
        );
        assert_eq!(Extent::parse("cstr"), Ok(Extent::CString));
        let result = ArgumentPath {
            base: Base::Result,
            steps: vec![],
        };
        assert_eq!(Extent::parse("result"), Ok(Extent::Argument(result)));
        // As a key it is an argument like any other.
        assert_eq!(ArgumentPath::parse("result"), Ok(name("result")));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "*",
            "a*",
            "*a*b",
            "a*b*c",
            "64",
            "#0",
            "#",
            "#999",
            "a.",
            ".a",
            "a[1]",
            "a[",
            "1a",
            "a+b",
            "a b",
            "ä",
            "**a",
            "*result",
            "result.n",
            "n*result[]",
        ] {
            assert!(Extent::parse(text).is_err(), "{text}");
        }
    }
}
