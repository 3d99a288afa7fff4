//! From TOML to a policy, one file per table.

mod cubicle;
mod document;
mod function;
mod interface;
mod reader;

pub(super) use document::{Doubts, read};
pub(super) use interface::read as read_interface;
pub(super) use reader::{Reader, quoted};
