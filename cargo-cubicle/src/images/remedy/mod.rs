//! Forbidden bytes that nobody wrote as an instruction, in an image: part of a constant, of a
//! displacement, or of two instructions. What holds them moves to the image's *island*, in other
//! bytes that do the same, and comes back:
//!
//! ```text
//!   rol edi, 15   c1 c7 0f   ►   jmp island      island:  rol edi, 15
//!   add edi, ebp  01 ef          (int3)                   nop
//!                                                         add edi, ebp
//!                                                         jmp back
//! ```
//!
//! A direct branch whose distance is forbidden goes by way of a jump on the island instead and
//! stays where it is. Calls never move: unwinders know functions by return addresses.
//!
//! Nothing here is trusted: `forbidden.rs` and `verify` search the result at every offset. What is
//! not understood completely is left alone.

mod entries;
pub(super) mod island;
mod landing;
mod layout;
mod rewrite;

pub use layout::{Layout, settle};
pub use rewrite::{encode, equivalents};

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use iced_x86::{Code, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic};

use self::entries::{Entries, Flow, falls_through, is_near_branch, is_text};
use self::island::TRAP;
use super::{Image, forbidden};
use crate::gates::unintended;

/// Bytes of `jmp rel32`.
const JUMP: u64 = 5;
/// One less than the longest pattern: how far one reaches over a border, bytes.
const REACH: u64 = 4;
/// As many instructions as are looked at before and behind a pattern.
const NEIGHBOURS: usize = 6;
/// As many places on the island as are tried for one piece.
const TRIES: u64 = 24;

/// Why forbidden bytes are still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Somebody wrote that instruction.
    Meant,
    /// No symbol says which function it is, or control does not get there from its start.
    Unknown,
    /// The function jumps to places that nobody can list.
    Computed,
    /// Something jumps between the instructions that would have to move.
    Entered,
    /// There is no other form, or none that is free of such bytes.
    NoOtherForm,
}

impl Why {
    /// Half a sentence about the bytes.
    pub fn explain(self) -> &'static str {
        match self {
            Why::Meant => "an instruction that was written as such",
            Why::Unknown => {
                "not moved: they are data, or code that no function's beginning leads to"
            }
            Why::Computed => "not moved: the function jumps to addresses that it computes",
            Why::Entered => {
                "not moved: fewer than 5 bytes around them can move, between a call and what is jumped to"
            }
            Why::NoOtherForm => "not moved: their instruction has no other form without such bytes",
        }
    }
}

/// Moves what can be moved. For each place where forbidden bytes are left, why they are.
pub fn remedy(image: &mut Image) -> BTreeMap<u64, Why> {
    let (meant, found) = places(image);
    let mut left: BTreeMap<u64, Why> = meant.into_iter().map(|one| (one, Why::Meant)).collect();
    // Every libc has some that are meant; decoding the whole image is for those that are not.
    if found.is_empty() {
        return left;
    }
    let Some(entries) = Entries::of(image) else {
        left.extend(found.into_iter().map(|one| (one, Why::Unknown)));
        return left;
    };
    let mut room = Room {
        free: island(image),
        changed: Vec::new(),
    };
    // Control is followed in the code as it was compiled.
    let original = image.clone();
    for address in found {
        // Gone with another one.
        if !forbidden::starts_at(image, address) {
            continue;
        }
        if let Err(why) = one(image, &original, &entries, &mut room, address) {
            left.insert(address, why);
        }
    }
    left
}

/// Where forbidden instructions start: those that were written as such, and the accidental ones.
fn places(image: &Image) -> (Vec<u64>, Vec<u64>) {
    forbidden::places(image)
        .into_iter()
        .partition(|address| is_meant(image, *address))
}

/// Where code can go, and what is changed already.
struct Room {
    /// What is left of the island.
    free: Range<u64>,
    /// Ranges of functions that are not as they were compiled.
    changed: Vec<Range<u64>>,
}

impl Room {
    fn is_changed(&self, range: Range<u64>) -> bool {
        let meets = |one: &Range<u64>| one.start < range.end && range.start < one.end;
        self.changed.iter().any(meets)
    }

    /// Places for one piece of code.
    fn places(&self) -> Range<u64> {
        self.free.start..self.free.end.min(self.free.start + TRIES)
    }
}

/// The room for what moves; none if the image was linked without. Anybody may call something so:
/// room is only what holds nothing.
fn island(image: &Image) -> Range<u64> {
    let named = image
        .symbols
        .iter()
        .filter(|symbol| symbol.name == island::SYMBOL && symbol.size > 0)
        .filter(|symbol| is_text(image, symbol.address));
    named
        .map(|symbol| symbol.address..symbol.address.saturating_add(symbol.size))
        .find(|range| {
            let bytes = image.at(range.start).unwrap_or_default();
            let own = bytes.get(..(range.end - range.start) as usize);
            own.is_some_and(|own| own.iter().all(|byte| *byte == TRAP))
        })
        .unwrap_or(0..0)
}

/// Functions that hold one of the bytes in `range`, each once.
fn functions(image: &Image, range: Range<u64>) -> BTreeSet<(u64, u64)> {
    let holds = |start: u64, end: u64| start < range.end && range.start < end;
    image
        .symbols
        .iter()
        .filter(|symbol| symbol.function && symbol.name != island::SYMBOL)
        .map(|symbol| (symbol.address, symbol.address.saturating_add(symbol.size)))
        .filter(|(start, end)| holds(*start, *end))
        .collect()
}

/// Is it an instruction, decoded from the start of its function, that changes rights? Then it is
/// refused and not disguised.
fn is_meant(image: &Image, address: u64) -> bool {
    functions(image, address..address + 1)
        .into_iter()
        .any(|(start, end)| {
            let Some(bytes) = image.at(start) else {
                return false;
            };
            let bytes = &bytes[..bytes.len().min((end - start) as usize)];
            Decoder::with_ip(64, bytes, start, DecoderOptions::NONE)
                .iter()
                .take_while(|one| one.ip() <= address)
                .any(|one| address < one.next_ip() && changes_rights(&one))
        })
}

fn changes_rights(one: &Instruction) -> bool {
    matches!(
        one.mnemonic(),
        Mnemonic::Wrpkru
            | Mnemonic::Xrstor
            | Mnemonic::Xrstor64
            | Mnemonic::Xrstors
            | Mnemonic::Xrstors64
            | Mnemonic::Wrfsbase
            | Mnemonic::Wrgsbase
            | Mnemonic::Stui
    )
}

/// Removes the forbidden bytes at `address`.
fn one(
    image: &mut Image,
    original: &Image,
    entries: &Entries,
    room: &mut Room,
    address: u64,
) -> Result<(), Why> {
    let length = unintended::length(image.at(address).unwrap_or_default());
    let pattern = address..address + length;
    let flows: Vec<((u64, u64), Option<Flow>)> = functions(original, pattern.clone())
        .into_iter()
        .map(|(start, end)| ((start, end), entries.follow(original, start..end)))
        .collect();
    // Of several symbols for one place all must be right.
    let agree = |from: u64, to: u64| {
        let of = flows.iter();
        let mut of = of.filter(|((start, end), _)| *start < to && from < *end);
        if of.clone().any(|(_, flow)| flow.is_none()) {
            return false;
        }
        let series = of.by_ref().filter_map(|(_, flow)| flow.as_ref());
        let series = series.map(|flow| flow.between(from, to));
        let mut series = series.filter(|one| !one.is_empty());
        let first = series.next();
        series.all(|one| Some(&one) == first.as_ref())
    };
    let mut why = Why::Unknown;
    for flow in flows.iter().filter_map(|(_, flow)| flow.as_ref()) {
        let near = neighbourhood(flow, &pattern);
        for branch in near.iter().filter(|one| overlaps(one, &pattern)) {
            if agree(branch.ip(), branch.next_ip()) && detour(image, room, branch) {
                return Ok(());
            }
        }
        if near.is_empty() {
            continue;
        }
        // Nobody can say where it goes.
        if flow.indirect && (flow.takes_own || entries.unknown_tables) {
            why = Why::Computed;
            continue;
        }
        let windows = windows(&near, &pattern);
        let can: Vec<_> = windows
            .into_iter()
            .filter(|window| {
                let (start, end) = (window[0].ip(), end_of(window));
                !entries.any_in(start + 1..end, flow)
                    && !room.is_changed(start..end)
                    && agree(start, end)
            })
            .collect();
        why = if can.is_empty() {
            Why::Entered
        } else {
            Why::NoOtherForm
        };
        for window in can {
            if displace(image, room, window, flow.ordinary_stack) {
                return Ok(());
            }
        }
    }
    Err(why)
}

fn end_of(window: &[Instruction]) -> u64 {
    window.last().map_or(0, Instruction::next_ip)
}

fn overlaps(one: &Instruction, pattern: &Range<u64>) -> bool {
    one.ip() < pattern.end && pattern.start < one.next_ip()
}

/// The instructions of a pattern with those right before and behind.
fn neighbourhood(flow: &Flow, pattern: &Range<u64>) -> Vec<Instruction> {
    let all = &flow.instructions;
    let Some(first) = all
        .range(..pattern.end)
        .map(|(_, one)| *one)
        .rev()
        .take_while(|one| pattern.start < one.next_ip())
        .last()
    else {
        return Vec::new();
    };
    let mut near = vec![first];
    for _ in 0..NEIGHBOURS {
        let start = near[0].ip();
        match all.range(..start).next_back() {
            Some((_, before)) if before.next_ip() == start => near.insert(0, *before),
            _ => break,
        }
    }
    let mut behind = 0;
    while let Some(next) = all.get(&end_of(&near)) {
        behind += usize::from(next.ip() >= pattern.end);
        if behind > NEIGHBOURS {
            break;
        }
        near.push(*next);
    }
    near
}

/// All series of instructions around a pattern that could move, the shortest first.
fn windows<'a>(near: &'a [Instruction], pattern: &Range<u64>) -> Vec<&'a [Instruction]> {
    let mut all = Vec::new();
    for start in 0..near.len() {
        for end in start + 1..=near.len() {
            let window = &near[start..end];
            let long = end_of(window) - window[0].ip() >= JUMP;
            let touches = window.iter().any(|one| overlaps(one, pattern));
            let inner = &window[..window.len() - 1];
            if long && touches && window.iter().all(may_move) && inner.iter().all(falls_through) {
                all.push(window);
            }
        }
    }
    all.sort_by_key(|window| (end_of(window) - window[0].ip(), window[0].ip()));
    all
}

/// What does the same at another address.
fn may_move(one: &Instruction) -> bool {
    let kind = match one.flow_control() {
        FlowControl::Next | FlowControl::Return => true,
        FlowControl::UnconditionalBranch => is_near_branch(one),
        FlowControl::ConditionalBranch => one.is_jcc_short_or_near() && is_near_branch(one),
        _ => false,
    };
    // Both kernel and monitor know sites by their addresses, and ENDBR must stand where it is jumped to.
    let bound = matches!(
        one.mnemonic(),
        Mnemonic::Syscall | Mnemonic::Endbr64 | Mnemonic::Endbr32
    );
    kind && !bound && !one.is_privileged() && !changes_rights(one)
}

/// Sends a direct branch with a forbidden distance by way of a jump on the island.
fn detour(image: &mut Image, room: &mut Room, branch: &Instruction) -> bool {
    // Opcode bytes; the distance of 4 bytes is the rest.
    let distance_at = branch.next_ip() - 4;
    let known =
        matches!(branch.code(), Code::Call_rel32_64 | Code::Jmp_rel32_64) || branch.is_jcc_near();
    if !known || room.is_changed(branch.ip()..branch.next_ip()) {
        return false;
    }
    let Ok(jump) = Instruction::with_branch(Code::Jmp_rel32_64, branch.near_branch_target()) else {
        return false;
    };
    for at in room.places() {
        let Some(code) = encode(&[jump], at) else {
            continue;
        };
        let distance = at.wrapping_sub(branch.next_ip()) as u32;
        let change = [(distance_at, distance.to_le_bytes().to_vec()), (at, code)];
        if apply(image, room, change) {
            return true;
        }
    }
    false
}

/// Moves instructions to the island, the troublesome among them in other bytes.
fn displace(
    image: &mut Image,
    room: &mut Room,
    window: &[Instruction],
    ordinary_stack: bool,
) -> bool {
    let (start, end) = (window[0].ip(), end_of(window));
    let back = match window.last().is_some_and(falls_through) {
        false => None,
        true => match Instruction::with_branch(Code::Jmp_rel32_64, end) {
            Ok(jump) => Some(jump),
            Err(_) => return false,
        },
    };
    for at in room.places() {
        let mut moved = Vec::new();
        for (index, one) in window.iter().enumerate() {
            // Between two of them, nothing is left of a pattern.
            if index > 0 {
                moved.push(Instruction::with(Code::Nopd));
            }
            match clean(one, at, ordinary_stack) {
                Some(other) => moved.extend(other),
                None => return false,
            }
        }
        moved.extend(back);
        // A branch to the first of them goes to its old place, which jumps to all that stands for it here: the
        // encoder would look for the instruction that still has this address.
        for one in &mut moved {
            one.set_ip(0);
        }
        let Some(code) = encode(&moved, at) else {
            return false;
        };
        let mut jump = vec![0xe9];
        jump.extend((at.wrapping_sub(start + JUMP) as u32).to_le_bytes());
        jump.resize((end - start) as usize, TRAP);
        if apply(image, room, [(start, jump), (at, code)]) {
            return true;
        }
    }
    false
}

/// The instruction, or what does the same without forbidden bytes, somewhere near `at`.
fn clean(one: &Instruction, at: u64, ordinary_stack: bool) -> Option<Vec<Instruction>> {
    let is_clean = |sequence: &Vec<Instruction>| {
        encode(sequence, at).is_some_and(|code| unintended::all(&code).next().is_none())
    };
    // What depends on its own place is judged there, with all others.
    let as_it_is = vec![*one];
    if one.is_ip_rel_memory_operand() || is_near_branch(one) || is_clean(&as_it_is) {
        let only_place = is_clean(&as_it_is) || {
            let elsewhere = |distance: u64| {
                encode(&as_it_is, at + distance)
                    .is_some_and(|code| unintended::all(&code).next().is_none())
            };
            (1..TRIES).any(elsewhere)
        };
        if only_place {
            return Some(as_it_is);
        }
    }
    equivalents(one, ordinary_stack).into_iter().find(is_clean)
}

/// Changes the image, the function first and the island second, unless there were forbidden bytes in or beside what
/// is new.
fn apply(image: &mut Image, room: &mut Room, change: [(u64, Vec<u8>); 2]) -> bool {
    let last = change[1].0 + change[1].1.len() as u64;
    if last > room.free.end {
        return false;
    }
    let mut before = Vec::new();
    for (address, new) in &change {
        let Some(offset) = image.offset_of(*address) else {
            return false;
        };
        let Some(place) = image.bytes.get_mut(offset..offset + new.len()) else {
            return false;
        };
        before.push((offset, place.to_vec()));
        place.copy_from_slice(new);
    }
    let bad = change.iter().any(|(address, new)| {
        let around = address - REACH..address + new.len() as u64 + REACH;
        around.into_iter().any(|at| {
            let holds = |length: u64| at + length > *address && at < address + new.len() as u64;
            forbidden::starts_at(image, at)
                && holds(unintended::length(image.at(at).unwrap_or_default()))
        })
    });
    if bad {
        for (offset, old) in before.iter().rev() {
            image.bytes[*offset..offset + old.len()].copy_from_slice(old);
        }
        return false;
    }
    room.free.start = last;
    room.changed
        .push(change[0].0..change[0].0 + change[0].1.len() as u64);
    true
}
