//! Records in the midst of other output.

use super::binary::Binary;
use super::record::{Record, START, VERSION};
use super::render::Style;
use super::report::symbolize;

/// Replaces every record in `text` by its report. All else stays as it is, also
/// what is not UTF-8, and records of a version that this program does not know.
pub fn from_stream(text: &[u8], binary: &Binary, style: &Style) -> Vec<u8> {
    text.split_inclusive(|byte| *byte == b'\n')
        .flat_map(|text| line(text, binary, style))
        .collect()
}

/// The same for one line, for whoever passes output on as it comes.
///
/// A record need not start its line: the program may have written half a line
/// before it was stopped. The report then starts one.
pub fn line(text: &[u8], binary: &Binary, style: &Style) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = find(rest, START.as_bytes()) {
        let mut records = serde_json::Deserializer::from_slice(&rest[at..]).into_iter::<Record>();
        let Some(Ok(record)) = records.next().filter(known) else {
            // No record after all: it stays, and the search goes on behind its start.
            let (kept, next) = rest.split_at(at + START.len());
            out.extend_from_slice(kept);
            rest = next;
            continue;
        };
        let end = at + records.byte_offset();
        out.extend_from_slice(&rest[..at]);
        if out.last().is_some_and(|byte| *byte != b'\n') {
            out.push(b'\n');
        }
        out.extend_from_slice(symbolize(&record, binary).render(style).as_bytes());
        out.push(b'\n');
        // The report ends its own line.
        rest = rest[end..].strip_prefix(b"\n").unwrap_or(&rest[end..]);
    }
    out.extend_from_slice(rest);
    out
}

fn known(record: &Result<Record, serde_json::Error>) -> bool {
    record
        .as_ref()
        .is_ok_and(|record| record.cubicle_violation == VERSION)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}
