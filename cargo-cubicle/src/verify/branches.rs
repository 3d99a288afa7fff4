//! What the code of an image refers to: branches, and operands at a fixed place in memory. Whoever
//! jumps into another's text runs it with its own rights, so this protects nobody; but
//! a link that bound a name to another image instead of a gate would be wrong, and this is where
//! that shows.
//!
//! Code is followed instruction by instruction from each function that the symbol table
//! knows, and from the start of each segment. What lies between instructions (tables in assembly)
//! can be taken for some; so behind the first bytes that are none, nothing is held against
//! the image until the next function begins.

use std::collections::BTreeSet;

use cubicle_abi::layout::{
    CALLBACK_TABLE_BASE, GATE_BASE, MONITOR_BASE, SITE_BASE, SITE_STRIDE, SLOT_BASE, gate, gate_at,
    slot_owner,
};
use iced_x86::{Decoder, DecoderOptions, Instruction, OpKind, Register};

use super::file::{File, Segment};
use super::places::{self, PlaceKind};
use super::report::{Finding, Report, Rule};

/// As many places as a note about bytes that are no instructions names.
const NAMED: usize = 3;

pub fn check(file: &File<'_>, report: &mut Report) {
    let sites = SitesByCubicle::of(file);
    let mut unknown = Vec::new();
    for segment in file.segments.iter().filter(|segment| segment.executable) {
        let Some(owner) = slot_owner(segment.address) else {
            continue;
        };
        follow(file, owner, segment, &sites, &mut unknown, report);
    }
    report.undecodable = unknown.len();
    if !unknown.is_empty() {
        let named: Vec<String> = unknown
            .iter()
            .take(NAMED)
            .map(|address| format!("{address:#x}{}", file.function_name(*address)))
            .collect();
        report.notes.push(format!(
            "no instruction at {} places of the images' text (padding, or tables in assembly), such as {}",
            unknown.len(),
            named.join(", ")
        ));
    }
}

fn follow(
    file: &File<'_>,
    owner: usize,
    segment: &Segment<'_>,
    sites: &SitesByCubicle,
    unknown: &mut Vec<u64>,
    report: &mut Report,
) {
    let end = segment.address + segment.bytes.len() as u64;
    let mut borders = BTreeSet::from([segment.address, end]);
    for (start, (size, _)) in file.functions.range(segment.address..end) {
        borders.insert(*start);
        borders.insert(start.saturating_add(*size).min(end));
    }
    let borders: Vec<u64> = borders.into_iter().collect();
    for pair in borders.windows(2) {
        let part =
            &segment.bytes[(pair[0] - segment.address) as usize..][..(pair[1] - pair[0]) as usize];
        let mut decoder = Decoder::with_ip(64, part, pair[0], DecoderOptions::NONE);
        let mut instruction = Instruction::default();
        let mut in_step = true;
        while decoder.can_decode() {
            let at = decoder.ip();
            decoder.decode_out(&mut instruction);
            report.followed += 1;
            if instruction.is_invalid() {
                // One mistake shows itself at many places.
                if in_step {
                    unknown.push(at);
                }
                in_step = false;
                let next = (at - pair[0]) as usize + 1;
                decoder.set_ip(at + 1);
                if decoder.set_position(next).is_err() {
                    break;
                }
                continue;
            }
            if in_step && let Some((target, why)) = refers(file, owner, &instruction, sites) {
                let message = format!("{why} {target:#x}{}", file.function_name(target));
                let place = format!("{}{}", file.plan.name(owner), file.function_name(at));
                let offset = (at - pair[0]) as usize;
                report.find(
                    Finding::new(Rule::Branch, at, place, message)
                        .showing(&part[offset..offset + instruction.len()]),
                );
            }
        }
    }
}

/// Where an instruction leads that its image may not refer to.
fn refers(
    file: &File<'_>,
    owner: usize,
    instruction: &Instruction,
    sites: &SitesByCubicle,
) -> Option<(u64, &'static str)> {
    if instruction.op0_kind() == OpKind::NearBranch64 {
        let target = instruction.near_branch64();
        return branches_wrongly(file, owner, target, sites).map(|why| (target, why));
    }
    // An instruction without memory has a displacement of no bytes.
    let fixed = instruction.is_ip_rel_memory_operand()
        || instruction.memory_displ_size() != 0
            && instruction.memory_base() == Register::None
            && instruction.memory_index() == Register::None
            && !matches!(instruction.segment_prefix(), Register::FS | Register::GS);
    if !fixed {
        return None;
    }
    let address = instruction.memory_displacement64();
    let other = slot_owner(address).filter(|other| *other != owner)?;
    // Keyed windows are for whoever has the right, which the key says.
    let is_cubicle = other < file.plan.cubicles.len();
    (is_cubicle && file.segment_at(address).is_some())
        .then_some((address, "an operand is in another cubicle's image:"))
}

fn branches_wrongly(
    file: &File<'_>,
    owner: usize,
    target: u64,
    sites: &SitesByCubicle,
) -> Option<&'static str> {
    if let Some(other) = slot_owner(target) {
        let foreign = other != owner && file.is_code(target);
        return foreign.then_some("it leads into another cubicle's text:");
    }
    match target {
        GATE_BASE..SLOT_BASE => {
            let number = gate_at(target)?;
            match file.plan.gates.get(number).and_then(Option::as_ref) {
                Some(one) if one.from == owner && target == gate(number) => None,
                Some(one) if one.from == owner => Some("it leads into the middle of a gate:"),
                Some(_) => Some("it leads to a gate of others:"),
                // Nothing is mapped behind the last gate.
                None if number < file.plan.gates.len() => {
                    Some("it leads to a gate that does not exist:")
                }
                None => None,
            }
        }
        SITE_BASE..CALLBACK_TABLE_BASE => match sites.is_start(owner, target) {
            Some(true) | None => None,
            Some(false) => Some("it leads to the stub of another's system call:"),
        },
        MONITOR_BASE..SITE_BASE if file.is_code(target) => Some("it leads into the monitor:"),
        _ => None,
    }
}

/// Which stubs of patched system calls belong to which cubicle.
struct SitesByCubicle {
    /// By number; `None` for the second half of one that takes two places.
    owners: Vec<Option<usize>>,
}

impl SitesByCubicle {
    fn of(file: &File<'_>) -> SitesByCubicle {
        let mut owners = Vec::new();
        // All versions have the same.
        let text = file
            .plan
            .texts
            .iter()
            .find(|text| text.address == SITE_BASE);
        for place in text.map(|text| places::of(file, text)).unwrap_or_default() {
            let PlaceKind::Site(number) = place.kind else {
                continue;
            };
            let code = &file.plan.texts.iter().find_map(|text| {
                let start = place.offset.checked_sub(text.offset)?;
                text.bytes.get(start..start + place.size)
            });
            owners.resize(number, None);
            owners.push(code.and_then(|code| super::stubs::site_owner(code, place.address)));
        }
        SitesByCubicle { owners }
    }

    /// Whether a stub of `owner` starts at `address`; `None` if no stub is there at all.
    fn is_start(&self, owner: usize, address: u64) -> Option<bool> {
        let offset = address - SITE_BASE;
        let one = self.owners.get((offset / SITE_STRIDE) as usize)?;
        Some(offset.is_multiple_of(SITE_STRIDE) && *one == Some(owner))
    }
}
