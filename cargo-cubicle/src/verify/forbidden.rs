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

/// Offsets in `bytes` where a pattern begins.
pub fn scan(bytes: &[u8]) -> impl Iterator<Item = (usize, &'static str)> + '_ {
    bytes
        .iter()
        .enumerate()
        // Almost every byte is another.
        .filter(|(_, byte)| matches!(byte, 0x0f | 0xd5))
        .filter_map(|(offset, _)| Some((offset, forbidden(&bytes[offset..])?)))
}

/// What is wrong in gates and stubs at `address`, besides what is intended.
pub fn in_text(code: &[u8], address: u64, place: &str, intended: &BTreeSet<u64>) -> Vec<Finding> {
    let calls = code
        .iter()
        .enumerate()
        .filter(|(_, byte)| matches!(byte, 0x0f | 0xcd))
        .filter_map(|(offset, _)| Some((offset, asks_kernel(&code[offset..])?)));
    scan(code)
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
