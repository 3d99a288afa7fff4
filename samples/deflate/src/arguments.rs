//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::container::{DEFAULT_BLOCK, LARGEST_BLOCK};
use crate::error::Error;
use crate::zlib::DEFAULT_LEVEL;

/// Shown by `--help` and after every mistake.
pub const USAGE: &str = "\
Usage: deflate compress IN OUT [--block SIZE] [--level 0..9]
       deflate restore IN OUT
       deflate check [FILE] [--block SIZE] [--level 0..9]
       deflate                    the same as `deflate check`

SIZE is in bytes, or with K or M behind it; 1M unless told, 64M at most.
check compresses and restores in memory; without FILE, a text it makes.";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Compress one file into another.
    Compress(PathBuf, PathBuf),
    /// Restore one file into another.
    Restore(PathBuf, PathBuf),
    /// Compress and restore in memory and compare.
    Check(Option<PathBuf>),
    /// Show the usage.
    Help,
}

/// The whole command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Arguments {
    /// What to do.
    pub command: Command,
    /// Block size in bytes, 1 to [`LARGEST_BLOCK`].
    pub block: usize,
    /// zlib's level, 0 to 9.
    pub level: i32,
}

impl Arguments {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    /// [`Error::Usage`] for anything that is not in [`USAGE`].
    pub fn parse(given: impl IntoIterator<Item = OsString>) -> Result<Self, Error> {
        let mut given = given.into_iter();
        let mut words = Vec::new();
        let mut help = false;
        let mut block = DEFAULT_BLOCK;
        let mut level = DEFAULT_LEVEL;
        while let Some(word) = given.next() {
            match word.to_str() {
                Some("--help" | "-h") => help = true,
                Some("--block") => block = size(&value("--block", given.next())?)?,
                Some("--level") => {
                    let text = value("--level", given.next())?;
                    level = text
                        .parse()
                        .ok()
                        .filter(|level| (0..=9).contains(level))
                        .ok_or_else(|| Error::Usage(format!("--level {text}: expected 0 to 9")))?;
                }
                Some(text) if text.starts_with("--") => {
                    return Err(Error::Usage(format!("unknown option {text}")));
                }
                _ => words.push(word),
            }
        }
        let mut words = words.into_iter();
        let verb = words.next();
        let paths: Vec<PathBuf> = words.map(PathBuf::from).collect();
        let command = match (verb.as_ref().map(|verb| verb.to_str()), &paths[..]) {
            _ if help => Command::Help,
            (None, _) | (Some(Some("check")), []) => Command::Check(None),
            (Some(Some("check")), [file]) => Command::Check(Some(file.clone())),
            (Some(Some("compress")), [from, to]) => Command::Compress(from.clone(), to.clone()),
            (Some(Some("restore")), [from, to]) => Command::Restore(from.clone(), to.clone()),
            (Some(Some("compress" | "restore")), _) => {
                return Err(Error::Usage("expected IN and OUT".to_owned()));
            }
            (Some(Some("check")), _) => {
                return Err(Error::Usage("check takes one FILE at most".to_owned()));
            }
            (Some(_), _) => {
                return Err(Error::Usage(
                    "the first word is compress, restore or check".to_owned(),
                ));
            }
        };
        Ok(Arguments {
            command,
            block,
            level,
        })
    }
}

fn value(option: &str, given: Option<OsString>) -> Result<String, Error> {
    given
        .and_then(|text| text.into_string().ok())
        .ok_or_else(|| Error::Usage(format!("{option} needs a value")))
}

fn size(text: &str) -> Result<usize, Error> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'K') => (&text[..text.len() - 1], 1 << 10),
        Some(b'M') => (&text[..text.len() - 1], 1 << 20),
        _ => (text, 1),
    };
    digits
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .filter(|size| (1..=LARGEST_BLOCK).contains(size))
        .ok_or_else(|| Error::Usage(format!("--block {text}: expected 1 to 64M")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Arguments, Error> {
        Arguments::parse(text.split_whitespace().map(OsString::from))
    }

    #[test]
    fn options_may_stand_anywhere() {
        let arguments = parse("--block 64K compress a --level 9 b").unwrap();
        assert_eq!(arguments.command, Command::Compress("a".into(), "b".into()));
        assert_eq!((arguments.block, arguments.level), (65536, 9));
    }

    #[test]
    fn nothing_means_check() {
        assert_eq!(parse("").unwrap().command, Command::Check(None));
    }

    #[test]
    fn mistakes_are_named() {
        for text in [
            "compress a",
            "restore a b c",
            "shrink a",
            "--block 0",
            "--block 65M",
            "--level 10",
            "-- a",
            "--block",
        ] {
            assert!(matches!(parse(text), Err(Error::Usage(_))), "{text}");
        }
    }
}
