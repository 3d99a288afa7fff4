//! Words of constants and initial data that are the address of another image's code. The linker
//! writes such words for pointers to functions; what crosses a border must be a gate.
//!
//! Any number can look like an address. It counts as one where a function begins
//! there, which the symbol table has to say; otherwise it is only reported.

use cubicle_abi::layout::{SLOT_BASE, slot_owner};

use super::file::File;
use super::report::{Finding, Report, Rule};

const WORD: usize = 8;

pub fn check(file: &File<'_>, report: &mut Report) {
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
            if !file.functions.contains_key(&value) {
                doubtful += 1;
                continue;
            }
            let address = segment.address + (first + number * WORD) as u64;
            let message = format!(
                "it is the address of a function of {}{}, not of a gate",
                file.owner_name(value),
                file.function_name(value)
            );
            let place = file.plan.name(owner);
            report.find(Finding::new(Rule::Pointer, address, place, message).showing(word));
        }
    }
    if doubtful > 0 {
        report.notes.push(format!(
            "{doubtful} words of initial data could be addresses in another image's text, where no \
             function is known to begin"
        ));
    }
}
