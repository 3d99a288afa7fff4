//! Words of constants and initial data that are the address of another image's function. The
//! linker writes such words for pointers to functions; what crosses a border must be a gate.
//!
//! Any number can look like an address, and unwind tables are full of such. What a link could
//! confuse are the two addresses of an imported function; so a word counts if it is the
//! address of a function that some gate calls, and is only reported if another function begins there.

use std::collections::BTreeMap;

use cubicle_abi::layout::{SLOT_BASE, slot_owner};

use super::file::File;
use super::report::{Finding, Report, Rule};

const WORD: usize = 8;

pub fn check(file: &File<'_>, report: &mut Report) {
    let gates = file.plan.gates.iter().flatten();
    let targets: BTreeMap<u64, &str> = gates
        .filter(|gate| gate.callback.is_none())
        .map(|gate| (gate.target, gate.name.as_str()))
        .collect();
    let mut doubtful = 0;
    for segment in file.segments.iter().filter(|segment| !segment.executable) {
        let Some(owner) = slot_owner(segment.address) else {
            continue;
        };
        let first = (segment.address.next_multiple_of(WORD as u64) - segment.address) as usize;
        let words = segment
            .bytes
            .get(first..)
            .unwrap_or_default()
            .chunks_exact(WORD);
        report.words += words.len() as u64;
        for (number, word) in words.enumerate() {
            // Addresses of images have four bytes.
            if word[4..] != [0; 4] {
                continue;
            }
            let value = u64::from(u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
            if value < SLOT_BASE || slot_owner(value) == Some(owner) || !file.is_code(value) {
                continue;
            }
            let Some(name) = targets.get(&value) else {
                doubtful += usize::from(file.functions.contains_key(&value));
                continue;
            };
            let address = segment.address + (first + number * WORD) as u64;
            let owner_name = file.owner_name(value);
            let message = format!("it is the address of `{name}` in {owner_name}, not of a gate");
            let place = file.plan.name(owner);
            report.find(Finding::new(Rule::Pointer, address, place, message).showing(word));
        }
    }
    if doubtful > 0 {
        report.notes.push(format!(
            "{doubtful} words of initial data have the value of an address where another image has a \
             function that no gate calls: by accident, if nothing else is wrong"
        ));
    }
}
