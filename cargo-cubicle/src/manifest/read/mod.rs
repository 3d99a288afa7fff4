//! From TOML to a policy, one file per table.

mod cubicle;
mod document;
mod function;
mod reader;

pub(super) use document::{Doubts, read};
pub(super) use reader::{Reader, quoted};
