//! Instructions that no image may contain, at whatever offset: WRPKRU, XRSTOR,
//! WRFSBASE, WRGSBASE and their kin (MONITOR.md, "Forbidden bytes"). Rights
//! change in gates and in the monitor alone; an image that could change them
//! would not be confined at all.

use std::collections::BTreeMap;

use super::Image;
use super::remedy::{self, Why};
use crate::diagnostics::{Code, Finding, Findings};
use crate::gates::unintended;
use crate::plan::Plan;

/// Every address in the text of `image` where a forbidden instruction starts.
pub(super) fn places(image: &Image) -> Vec<u64> {
    let text = image.segments.iter().filter(|segment| segment.executable);
    text.flat_map(|segment| {
        let bytes = image.at(segment.address).unwrap_or_default();
        unintended::all(bytes).map(|offset| segment.address + offset as u64)
    })
    .collect()
}

/// Is there one at this address?
pub(super) fn starts_at(image: &Image, address: u64) -> bool {
    let executable = image.segments.iter().any(|segment| {
        segment.executable
            && (segment.address..segment.address + segment.file_size).contains(&address)
    });
    let bytes = image.at(address).unwrap_or_default();
    executable && unintended::length(bytes) > 0
}

/// Those that are left in each image, and why the bytes were not moved.
pub type Left = Vec<BTreeMap<u64, Why>>;

/// Moves what can be moved, in all images.
pub fn remedy_all(images: &mut [Image]) -> Left {
    images.iter_mut().map(remedy::remedy).collect()
}

/// The bytes at an address, as a finding shows them, and the function and offset they are at.
fn described(image: &Image, address: u64, why: Option<&Why>) -> String {
    let bytes = image.at(address).unwrap_or_default();
    let length = unintended::length(bytes) as usize;
    let shown: Vec<String> = bytes[..length]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let place = match function_at(image, address) {
        Some((name, offset)) => format!("in `{name}`, at offset {offset:#x} ({address:#x})"),
        None => format!("at {address:#x}, in no function"),
    };
    let why = why.map_or(String::new(), |why| format!("; {}", why.explain()));
    format!("{} {place}{why}", shown.join(" "))
}

fn function_at(image: &Image, address: u64) -> Option<(&str, u64)> {
    let symbol = image.symbols.iter().find(|symbol| {
        symbol.function
            && (symbol.address..symbol.address.saturating_add(symbol.size)).contains(&address)
    })?;
    Some((&symbol.name, address - symbol.address))
}

/// As many places as a finding about instructions names.
const SHOWN_INSTRUCTIONS: usize = 5;

/// Refuses images that could change their rights by themselves (CUB008).
pub fn check_instructions(plan: &Plan, images: &[Image], left: &Left, findings: &mut Findings) {
    for ((cubicle, image), left) in plan.cubicles.iter().zip(images).zip(left) {
        let found = places(image);
        if found.is_empty() {
            continue;
        }
        let mut finding = Finding::of_rule(
            Code::CUB008,
            format!(
                "the image of `{}` contains {} instruction{} that could change its rights",
                cubicle.name,
                found.len(),
                if found.len() == 1 { "" } else { "s" },
            ),
        );
        for address in found.iter().take(SHOWN_INSTRUCTIONS) {
            finding = finding.help(described(image, *address, left.get(address)));
        }
        findings.push(finding.help(
            "WRPKRU, XRSTOR, WRFSBASE and WRGSBASE are for gates alone, even as part of another \
             instruction: leave the code out, change the constant, or compile it at another optimisation level",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::{Segment, Symbol};

    fn image(text: &[u8]) -> Image {
        Image {
            bytes: text.to_vec(),
            entry: 0,
            program_headers: 0,
            program_header_count: 0,
            segments: vec![Segment {
                address: 0x800_0000,
                memory_size: text.len() as u64,
                file_offset: 0,
                file_size: text.len() as u64,
                readable: true,
                writable: false,
                executable: true,
            }],
            symbols: vec![Symbol {
                name: "raise".to_owned(),
                address: 0x800_0001,
                size: 8,
                function: true,
                thread_local: false,
                global: true,
            }],
            thread_local: None,
        }
    }

    #[test]
    fn an_instruction_is_found_where_it_was_written_and_where_it_was_not() {
        // nop; wrpkru; then `mov eax, imm32` whose constant holds another.
        let image = image(&[
            0x90, 0x0f, 0x01, 0xef, 0xc3, 0xb8, 0x0f, 0x01, 0xef, 0x00, 0xc3,
        ]);
        assert_eq!(places(&image), [0x800_0001, 0x800_0006]);
        assert_eq!(
            described(&image, 0x800_0006, Some(&Why::Entered)),
            format!(
                "0f 01 ef in `raise`, at offset 0x5 (0x8000006); {}",
                Why::Entered.explain()
            )
        );
    }

    #[test]
    fn fences_and_reads_of_bases_are_no_harm() {
        // lfence; mfence; rdfsbase rax; fxsave [rax]; xsave [rax].
        let text = [
            0x0f, 0xae, 0xe8, 0x0f, 0xae, 0xf0, 0xf3, 0x48, 0x0f, 0xae, 0xc0, 0x0f, 0xae, 0x00,
            0x0f, 0xae, 0x20,
        ];
        assert_eq!(places(&image(&text)), [0_u64; 0]);
    }
}
