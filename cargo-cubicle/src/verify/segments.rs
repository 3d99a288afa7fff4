//! What is loaded: each page belongs to one part, where the layout has it, as the plan
//! lists it, and none is writable and executable.

use std::ops::Range;

use cubicle_abi::layout::{
    MONITOR_BASE, MONITOR_END, PLAN_BASE, PLAN_END, SLOT_SIZE, page_up, slot, slot_owner,
};
use cubicle_abi::plan as abi;
use cubicle_abi::rights::KEY_PUBLIC;
use object::elf;

use super::file::{File, Segment};
use super::report::{Finding, Report, Rule};

const READ: u32 = 1;
const WRITE: u32 = 2;
const EXECUTE: u32 = 4;

pub fn check(file: &File<'_>, report: &mut Report) {
    let mut findings = Vec::new();
    let mut find = |address: u64, message: String| {
        findings.push(Finding::new(
            Rule::Segments,
            address,
            file.owner_name(address),
            message,
        ));
    };
    for segment in &file.segments {
        if let Some(why) = wrong(segment) {
            find(segment.address, why.to_owned());
        }
    }
    for pair in file.segments.windows(2) {
        if pair[0].end() > pair[1].start() {
            find(
                pair[1].address,
                "it shares a page with the segment before it".to_owned(),
            );
        }
    }
    stack(file, &mut find);
    let plan = &file.plan;
    for (number, cubicle) in plan.cubicles.iter().enumerate() {
        listed(
            file,
            number,
            &cubicle.segments,
            cubicle.key,
            true,
            &mut find,
        );
        for (what, address) in ["its entry", "its `exit`", "its maker of threads"]
            .into_iter()
            .zip(cubicle.code)
        {
            let absent = address == 0 && what != "its entry";
            if !absent && !file.is_code_of(number, address) {
                find(
                    address,
                    format!("{what} is not code of {}", plan.name(number)),
                );
            }
        }
        let (headers, count) = cubicle.program_headers;
        let size =
            count.saturating_mul(size_of::<elf::ProgramHeader64<object::LittleEndian>>() as u64);
        if slot_owner(headers) != Some(number) || file.at(headers, size as usize).is_none() {
            find(
                headers,
                format!("the program headers of {} are not in it", plan.name(number)),
            );
        }
    }
    for (index, window) in plan.windows.iter().enumerate() {
        let number = plan.cubicles.len() + index;
        listed(file, number, &window.segments, window.key, false, &mut find);
    }
    for finding in findings {
        report.find(finding);
    }
}

/// Why a segment may not be there, by itself.
fn wrong(segment: &Segment<'_>) -> Option<&'static str> {
    if segment.writable && segment.executable {
        return Some("it is writable and executable");
    }
    if segment.executable && segment.bytes.len() as u64 != segment.memory_size {
        return Some("it is executable, and the file does not say what all of it is");
    }
    let within = |range: Range<u64>| segment.start() >= range.start && segment.end() <= range.end;
    if within(MONITOR_BASE..MONITOR_END) {
        return None;
    }
    if within(PLAN_BASE..PLAN_END) {
        return match segment.writable || segment.executable || segment.address != PLAN_BASE {
            true => Some("it is where the plan is, and is not a plan"),
            false => None,
        };
    }
    match slot_owner(segment.address) {
        Some(owner) if within(slot(owner)..slot(owner) + SLOT_SIZE) => None,
        _ => Some("it is nobody's: neither in a slot nor the monitor's nor the plan"),
    }
}

/// The stack is not executable, and nothing else asks the kernel for something.
fn stack(file: &File<'_>, find: &mut dyn FnMut(u64, String)) {
    let mut stacks = 0;
    for (kind, flags) in &file.others {
        if *kind != elf::PT_GNU_STACK.0 {
            find(
                0,
                format!("a program header of kind {kind:#x}, which no such program has"),
            );
            continue;
        }
        stacks += 1;
        if flags & elf::PF_X.0 != 0 {
            find(0, "it asks for an executable stack".to_owned());
        }
    }
    if stacks != 1 {
        find(
            0,
            "it does not say once that its stack is not executable".to_owned(),
        );
    }
}

/// The segments in a slot are those that the plan lists, with its protection and key.
fn listed(
    file: &File<'_>,
    owner: usize,
    planned: &[abi::Segment],
    key: u32,
    constants: bool,
    find: &mut dyn FnMut(u64, String),
) {
    let slot = slot(owner)..slot(owner) + SLOT_SIZE;
    let loaded = file
        .segments
        .iter()
        .filter(|one| slot.contains(&one.address));
    let mut unlisted: Vec<&abi::Segment> = planned.iter().collect();
    for segment in loaded {
        let found = unlisted
            .iter()
            .position(|one| (one.start, one.end) == (segment.start(), page_up(segment.end())));
        let Some(found) = found else {
            find(segment.address, "the plan does not list it".to_owned());
            continue;
        };
        let one = unlisted.remove(found);
        let file_says =
            u32::from(segment.writable) * WRITE + u32::from(segment.executable) * EXECUTE;
        if one.protection & !READ != file_says {
            find(
                segment.address,
                "the plan lists it with another protection".to_owned(),
            );
        }
        if !segment.writable && !constants {
            find(
                segment.address,
                "it is in a window and cannot be written".to_owned(),
            );
        }
        let wanted = if segment.writable { key } else { KEY_PUBLIC };
        if one.key != wanted {
            find(
                segment.address,
                format!(
                    "it is to have key {wanted}, and the plan gives it {}",
                    one.key
                ),
            );
        }
    }
    for one in unlisted {
        find(
            one.start,
            "the plan lists a segment that is not loaded".to_owned(),
        );
    }
}
