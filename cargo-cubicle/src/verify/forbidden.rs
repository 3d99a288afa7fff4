//! The bytes that would change rights or bases, at any offset: whoever can choose
//! where to jump executes them, whatever they were meant to be (MONITOR.md of the design,
//! "Forbidden bytes").

use std::collections::BTreeSet;

use cubicle_abi::layout::page_up;

use super::file::File;
use super::report::{Finding, Report, Rule};

/// What `bytes` begin with, if it is forbidden. Intel SDM volume 2: an opcode of two bytes behind
/// 0F, or behind the REX2 prefix D5 whose bit 7 stands for it, then ModRM.
fn forbidden(bytes: &[u8]) -> Option<&'static str> {
    let rest = match bytes {
        [0x0f, rest @ ..] => rest,
        [0xd5, payload, rest @ ..] if payload & 0x80 != 0 => rest,
        _ => return None,
    };
    let [opcode, modrm, ..] = rest else {
        return None;
    };
    // ModRM: mod in bits 7 and 6, 3 for a register; the rest of the opcode in 5 to 3.
    let register = modrm >> 6 == 3;
    match (opcode, modrm >> 3 & 7, register) {
        (0x01, _, _) if *modrm == 0xef => Some("WRPKRU"),
        (0xae, 5, false) => Some("XRSTOR"),
        (0xae, 2, true) => Some("WRFSBASE"),
        (0xae, 3, true) => Some("WRGSBASE"),
        (0xc7, 3, false) => Some("XRSTORS"),
        _ => None,
    }
}

/// Two bytes that ask the kernel for something. In gates and stubs nobody may: signals step
/// through them with system calls let through.
fn asks_kernel(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x0f, 0x05, ..] => Some("SYSCALL"),
        [0x0f, 0x34, ..] => Some("SYSENTER"),
        [0xcd, 0x80, ..] => Some("INT 80"),
        _ => None,
    }
}

/// The longest pattern, less one: how far it can reach over a border.
const REACH: usize = 3;

/// Offsets in `bytes` where a pattern begins. Eight bytes are looked at together, because hardly
/// any is one with which a pattern can begin.
pub fn scan(bytes: &[u8]) -> Vec<(usize, &'static str)> {
    const WORD: usize = 8;
    let mut found = Vec::new();
    let (mut offset, mut rest) = (0, bytes);
    while let Some((word, behind)) = rest.split_first_chunk::<WORD>() {
        let word = u64::from_le_bytes(*word);
        if has(word, 0x0f) || has(word, 0xd5) {
            for at in offset..offset + WORD {
                if let Some(what) = forbidden(&bytes[at..]) {
                    found.push((at, what));
                }
            }
        }
        (offset, rest) = (offset + WORD, behind);
    }
    for at in offset..bytes.len() {
        if let Some(what) = forbidden(&bytes[at..]) {
            found.push((at, what));
        }
    }
    found
}

/// Is one of the eight bytes this one? Sometimes yes where none is: a borrow may reach the byte
/// behind one that is.
fn has(word: u64, byte: u8) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let difference = word ^ (ONES * byte as u64);
    difference.wrapping_sub(ONES) & !difference & (ONES << 7) != 0
}

/// What is wrong in gates and stubs at `address`, besides what is intended.
pub fn in_text(code: &[u8], address: u64, place: &str, intended: &BTreeSet<u64>) -> Vec<Finding> {
    let calls = code
        .iter()
        .enumerate()
        .filter(|(_, byte)| matches!(byte, 0x0f | 0xcd))
        .filter_map(|(offset, _)| Some((offset, asks_kernel(&code[offset..])?)));
    scan(code)
        .into_iter()
        .filter(|(offset, _)| !intended.contains(&(address + *offset as u64)))
        .chain(calls)
        .map(|(offset, what)| {
            let message = format!("these bytes are {what}, and nobody meant them to be");
            Finding::new(Rule::Forbidden, address + offset as u64, place, message)
                .showing(&code[offset..])
        })
        .collect()
}

/// A range of executable memory.
struct Executable<'a> {
    start: u64,
    bytes: &'a [u8],
    name: String,
}

/// Searches all executable segments of the file, whole pages, and what reaches from one
/// executable range into the next. `intended` is for each text what belongs there.
pub fn check(file: &File<'_>, intended: &[BTreeSet<u64>], report: &mut Report) {
    let monitors = super::monitor::intended(file);
    let mut fixed = Vec::new();
    for segment in file.segments.iter().filter(|segment| segment.executable) {
        report.scanned += segment.pages.len() as u64;
        let start = segment.start();
        for (offset, what) in scan(segment.pages) {
            let address = start + offset as u64;
            if monitors.contains(&address) {
                continue;
            }
            let message = format!(
                "these bytes are {what}{}: whoever jumps there changes its own rights",
                file.function_name(address)
            );
            let place = file.owner_name(address);
            report.find(
                Finding::new(Rule::Forbidden, address, place, message)
                    .showing(&segment.pages[offset..]),
            );
        }
        fixed.push(Executable {
            start,
            bytes: segment.pages,
            name: file.owner_name(start),
        });
    }
    seams(file, &fixed, intended, report);
}

/// Where one executable range ends and the next begins, in each set of texts that the monitor
/// could choose: any of those for one address can precede any for the next.
fn seams(
    file: &File<'_>,
    fixed: &[Executable<'_>],
    intended: &[BTreeSet<u64>],
    report: &mut Report,
) {
    let texts = file.plan.texts.iter().map(|text| Executable {
        start: text.address,
        bytes: text.bytes,
        name: "gates and stubs".to_owned(),
    });
    let texts: Vec<Executable<'_>> = texts.collect();
    let intended: BTreeSet<u64> = intended.iter().flatten().copied().collect();
    let all = || fixed.iter().chain(&texts);
    for before in all() {
        let end = before
            .start
            .saturating_add(page_up(before.bytes.len() as u64));
        for behind in all().filter(|behind| behind.start == end) {
            let fill = (end - before.start) as usize - before.bytes.len();
            let mut seam = before.bytes[before.bytes.len().saturating_sub(REACH)..].to_vec();
            seam.resize(seam.len() + fill.min(REACH), 0);
            let border = seam.len();
            seam.extend(&behind.bytes[..behind.bytes.len().min(REACH)]);
            for (offset, what) in scan(&seam) {
                let address = end - (border as u64).min(end) + offset as u64;
                if offset >= border || intended.contains(&address) {
                    continue;
                }
                let message = format!("these bytes are {what}, over the border to the next pages");
                report.find(
                    Finding::new(Rule::Forbidden, address, before.name.clone(), message)
                        .showing(&seam[offset..]),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At every offset from a border of eight bytes, and at the very end.
    #[test]
    fn a_pattern_is_found_wherever_it_begins() {
        for pattern in [
            &[0x0f, 0x01, 0xef][..],
            &[0x0f, 0xae, 0x2c],
            &[0x0f, 0xae, 0xd0],
            &[0x0f, 0xae, 0xdf],
            &[0x0f, 0xc7, 0x5b],
            &[0xd5, 0x80, 0x01, 0xef],
            &[0xd5, 0xff, 0xc7, 0x18],
        ] {
            for offset in 0..20 {
                let mut bytes = vec![0x90; offset];
                bytes.extend(pattern);
                let found: Vec<usize> = scan(&bytes).into_iter().map(|(at, _)| at).collect();
                assert_eq!(found, [offset], "{pattern:x?}");
                bytes.extend([0x90; 20]);
                assert_eq!(scan(&bytes)[0].0, offset);
                bytes.pop();
                assert_eq!(scan(&bytes[..offset + pattern.len() - 1]), []);
            }
        }
    }

    #[test]
    fn neighbours_of_the_patterns_are_no_harm() {
        for harmless in [
            &[0x0f, 0x01, 0xee][..],         // RDPKRU
            &[0x0f, 0xae, 0xe8],             // LFENCE
            &[0x0f, 0xae, 0x20],             // XSAVE
            &[0xf3, 0x48, 0x0f, 0xae, 0xc8], // RDGSBASE
            &[0x0f, 0xc7, 0x08],             // CMPXCHG8B
            &[0x0f, 0xc7, 0xd8],             // of a register: none
            &[0xd5, 0x7f, 0x01, 0xef],       // map 0: ADD
        ] {
            assert_eq!(scan(harmless), [], "{harmless:x?}");
        }
    }

    /// Every byte that can stand behind 0F, twice: what is forbidden is what iced-x86 calls so.
    #[test]
    fn the_decoder_agrees() {
        use iced_x86::{Decoder, Mnemonic};
        for opcode in 0..=255 {
            for modrm in 0..=255 {
                let code = [0xf3, 0x0f, opcode, modrm, 0, 0, 0, 0, 0, 0];
                let named = [&code[1..], &code[..]].map(|code| {
                    let mnemonic = Decoder::new(64, code, 0).decode().mnemonic();
                    matches!(
                        mnemonic,
                        Mnemonic::Wrpkru
                            | Mnemonic::Xrstor
                            | Mnemonic::Xrstors
                            | Mnemonic::Wrfsbase
                            | Mnemonic::Wrgsbase
                    )
                });
                let is_found = forbidden(&code[1..]).is_some();
                assert!(
                    is_found || named == [false; 2],
                    "0f {opcode:02x} {modrm:02x}"
                );
                // With REX.W they are XRSTOR64 and XRSTORS64.
                assert!(
                    !is_found || named != [false; 2],
                    "0f {opcode:02x} {modrm:02x}"
                );
            }
        }
    }
}
