//! Instructions that no image may contain, at whatever offset: WRPKRU, XRSTOR,
//! WRFSBASE, WRGSBASE and their kin (MONITOR.md, "Forbidden bytes"). Rights
//! change in gates and in the monitor alone; an image that could change them
//! would not be confined at all.

use super::Image;
use crate::diagnostics::{Code, Finding, Findings};
use crate::gates::unintended;
use crate::plan::Plan;

/// A place in an image's executable text that starts a forbidden instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Forbidden {
    address: u64,
    /// The function it lies in, if a symbol says so.
    function: Option<String>,
}

/// Every such place in the text of `image`, by address.
fn forbidden(image: &Image) -> Vec<Forbidden> {
    let text = image.segments.iter().filter(|segment| segment.executable);
    text.flat_map(|segment| {
        let bytes = image.at(segment.address).unwrap_or_default();
        unintended::all(bytes).map(|offset| segment.address + offset as u64)
    })
    .map(|address| Forbidden {
        address,
        function: function_at(image, address),
    })
    .collect()
}

fn function_at(image: &Image, address: u64) -> Option<String> {
    let symbol = image.symbols.iter().find(|symbol| {
        symbol.function && (symbol.address..symbol.address + symbol.size).contains(&address)
    })?;
    Some(symbol.name.clone())
}

/// As many places as a finding about instructions names.
const SHOWN_INSTRUCTIONS: usize = 5;

/// Refuses images that could change their rights by themselves (CUB008).
pub fn check_instructions(plan: &Plan, images: &[Image], findings: &mut Findings) {
    for (cubicle, image) in plan.cubicles.iter().zip(images) {
        let found = forbidden(image);
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
        for one in found.iter().take(SHOWN_INSTRUCTIONS) {
            finding = finding.help(match &one.function {
                Some(function) => format!("one is at {:#x}, in `{function}`", one.address),
                None => format!("one is at {:#x}", one.address),
            });
        }
        findings.push(finding.help(
            "WRPKRU, XRSTOR, WRFSBASE and WRGSBASE are for gates alone, even as part of another \
             instruction's constant: leave the code out, or change the constant",
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
        let found = forbidden(&image(&[
            0x90, 0x0f, 0x01, 0xef, 0xc3, 0xb8, 0x0f, 0x01, 0xef, 0x00, 0xc3,
        ]));
        let places: Vec<u64> = found.iter().map(|one| one.address).collect();
        assert_eq!(places, [0x800_0001, 0x800_0006]);
        assert_eq!(found[0].function.as_deref(), Some("raise"));
    }

    #[test]
    fn fences_and_reads_of_bases_are_no_harm() {
        // lfence; mfence; rdfsbase rax; fxsave [rax]; xsave [rax].
        let text = [
            0x0f, 0xae, 0xe8, 0x0f, 0xae, 0xf0, 0xf3, 0x48, 0x0f, 0xae, 0xc0, 0x0f, 0xae, 0x00,
            0x0f, 0xae, 0x20,
        ];
        assert_eq!(forbidden(&image(&text)), []);
    }
}
