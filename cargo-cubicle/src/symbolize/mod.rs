//! Violations for people: from the runtime's line of JSON, with nothing in it but
//! addresses, to a report in the look of cargo's own errors.
//!
//! ```text
//!  record ──┐
//!           ├─ symbolize ─► report ─ render ─► text
//!  binary ──┘ symbol table of the composed file: `cubicle::symbol`
//!   images    debug information of each cubicle:  cubicle/<stem>/<cubicle>.elf
//! ```
//!
//! What is missing makes a report poorer, never an error: it then says what to
//! look for.

mod access;
mod binary;
mod images;
mod record;
mod render;
mod report;
mod stream;

use std::fmt::Write;

pub use binary::{Binary, SymbolizeError};
pub use images::Position;
pub use record::{Access, Address, Call, Kind, Mechanism, Outcome, Place, Record, START, VERSION};
pub use render::Style;
pub use report::{Memory, Report, Step, symbolize};
pub use stream::{from_stream, line};

/// A linker's name as its author wrote it. Rust's names lose their hash.
pub fn readable(name: &str) -> String {
    let mut text = String::new();
    match write!(text, "{:#}", rustc_demangle::demangle(name)) {
        Ok(()) => text,
        Err(_) => name.to_owned(),
    }
}
