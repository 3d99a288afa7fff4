//! What can be said about a violation, before it becomes text.

use super::access;
use super::binary::{Binary, Symbol};
use super::images::Position;
use super::record::{Kind, Record};

/// A record, with names and positions in place of its addresses.
#[derive(Debug, Clone)]
pub struct Report {
    pub record: Record,
    /// Where the instruction stands in the source; for a lend, the call.
    pub position: Position,
    /// Bytes that the instruction tried to read or write, where that is known.
    pub width: Option<usize>,
    /// What lives at the address.
    pub memory: Option<Memory>,
    /// The chain of calls, outermost first.
    pub calls: Vec<Step>,
    /// What could not be found out, and why; each reason once.
    pub missing: Vec<String>,
}

/// A variable or function at, or just before, the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// As its author wrote it.
    pub name: String,
    /// Bytes from its start, or from its end if the address lies `beyond` it.
    pub offset: u64,
    pub beyond: bool,
}

/// One call through a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub from: String,
    /// The call in the source of `from`.
    pub position: Position,
    pub to: String,
    pub function: String,
}

/// Explains a record with what the composed file and its images say.
pub fn symbolize(record: &Record, binary: &Binary) -> Report {
    let mut missing = Vec::new();
    let cubicle = record.cubicle.as_deref();
    let position = match (cubicle, record.instruction) {
        (Some(cubicle), Some(at)) => Some(find(binary, cubicle, at.0, &mut missing)),
        _ => None,
    };
    let calls: Vec<Step> = record
        .chain
        .iter()
        .map(|call| Step {
            from: call.from.clone(),
            // A return address belongs to the instruction after the call, which may
            // well be on another line.
            position: find(
                binary,
                &call.from,
                call.site.0.wrapping_sub(1),
                &mut missing,
            ),
            to: call.to.clone(),
            function: super::readable(&call.function),
        })
        .collect();
    let width = match (record.access, record.instruction) {
        (Some(access), Some(at)) => binary
            .bytes_at(at.0)
            .and_then(|code| access::width(code, access)),
        _ => None,
    };
    let position = match (record.kind, calls.last()) {
        (Kind::Lend | Kind::Callback, Some(call)) if cubicle == Some(&call.from) => {
            Some(call.position.clone())
        }
        _ => position,
    };
    Report {
        memory: memory(record, binary),
        record: record.clone(),
        position: position.unwrap_or_default(),
        width,
        calls,
        missing,
    }
}

/// The position of an instruction; its function from the symbol table if need be.
fn find(binary: &Binary, cubicle: &str, address: u64, missing: &mut Vec<String>) -> Position {
    let mut position = binary
        .images
        .position(cubicle, address)
        .unwrap_or_else(|reason| {
            if !missing.contains(&reason) {
                missing.push(reason);
            }
            Position::default()
        });
    if position.function.is_none() {
        position.function = binary
            .symbol_at(address)
            .map(|symbol| super::readable(&symbol.name));
    }
    position
}

fn memory(record: &Record, binary: &Binary) -> Option<Memory> {
    let address = record.address?.0;
    let named = |symbol: &Symbol, offset, beyond| Memory {
        name: super::readable(&symbol.name),
        offset,
        beyond,
    };
    if let Some(symbol) = binary.symbol_at(address) {
        return Some(named(symbol, address - symbol.address, false));
    }
    let before = binary.variable_before(record.owner.as_deref()?, address)?;
    Some(named(before, address - before.address - before.size, true))
}
