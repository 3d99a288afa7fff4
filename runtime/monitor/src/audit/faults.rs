//! Faults of a cubicle at another one's memory or text: noted, and then what
//! faulted happens.
//!
//! A page that is opened for one instruction is closed behind it: the processor's
//! trap flag raises SIGTRAP there. Where that happens too often, the page stays open
//! until the next switch, and the record says so. Unlike elsewhere in the monitor
//! the handler returns into the cubicle.

use super::memory::{
    Access, Callback, FIRST_READ, FIRST_WRITTEN, Memory, OpenPage, Origin, SEEN_TRUNCATED, Touched,
    When,
};
use super::objects::{Found, Touch, find};
use super::repeated::{Repeated, decode};
use super::{noting, pages};
use crate::machine::kernel::{PROT_EXEC, PROT_READ, PROT_WRITE};
use crate::machine::signals::{SIGSEGV, SIGTRAP, SignalContext, SignalInformation, rights_of};
use crate::mappings::{Kind, Mapping};
use crate::process::{self, callbacks, cubicles, owner};
use crate::violation::is_runtime_text;
use cubicle_abi::layout::{PAGE, page_down, page_up, slot_owner};
use cubicle_abi::rights::Rights;

/// How closely one pointer is looked at in one call, by how much was seen of it in all
/// calls: so many instructions are stepped over, up to so many in all.
const CLOSELY: [(u32, u32); 3] = [(100_000, 20_000), (500_000, 1000), (u32::MAX, 32)];
/// The same for a pointer of earlier calls.
const LESS_CLOSELY: [(u32, u32); 2] = [(20_000, 512), (u32::MAX, 8)];

fn limit(spent: u32, steps: &[(u32, u32)]) -> u32 {
    let step = steps.iter().find(|(most, _)| spent <= *most);
    step.map_or(0, |(_, limit)| *limit)
}

/// The trap flag, and the direction flag.
const TF: u64 = 1 << 8;
const DF: u64 = 1 << 10;
/// Bits of a page fault's error code.
const WRITE: u64 = 1 << 1;
const FETCH: u64 = 1 << 4;

/// Answers whether the signal was the audit's and the cubicle goes on.
pub fn handle(context: &mut SignalContext, information: &SignalInformation) -> bool {
    let rights = rights_of(context);
    let Some(cubicle) = process::cubicle_with(rights) else {
        return false;
    };
    match information.signal as u64 {
        SIGTRAP => noting(|memory| stepped(memory, context, rights)),
        SIGSEGV if context.error & FETCH != 0 => noting(|memory| called(memory, context, cubicle)),
        SIGSEGV if !is_runtime_text(context.rip) => {
            noting(|memory| touched(memory, context, information, cubicle, rights))
        }
        _ => None,
    }
    .unwrap_or(false)
}

fn stepped(memory: &mut Memory, context: &mut SignalContext, rights: Rights) -> bool {
    if memory.stepped.length == 0 {
        return false;
    }
    pages::close_stepped(memory, rights);
    context.rflags &= !TF;
    true
}

/// The mapping of another cubicle that an address belongs to, if its owner could do
/// the same there.
fn foreign(cubicle: usize, address: u64, protection: u32) -> Option<(usize, Mapping)> {
    let owner = owner(address).filter(|owner| *owner != cubicle)?;
    let mappings = cubicles().get(owner)?.mappings.lock();
    let mapping = *mappings.find(address)?;
    let possible = mapping.protection & protection == protection && mapping.kind != Kind::Frame;
    possible.then_some((owner, mapping))
}

fn touched(
    memory: &mut Memory,
    context: &mut SignalContext,
    information: &SignalInformation,
    cubicle: usize,
    rights: Rights,
) -> bool {
    let address = information.address;
    let writes = context.error & WRITE != 0;
    let protection = if writes { PROT_WRITE } else { PROT_READ };
    let Some((owner, mapping)) = foreign(cubicle, address, protection) else {
        return false;
    };
    if repeat(memory, context, cubicle, rights) {
        return true;
    }
    let by = By {
        cubicle,
        instruction: context.rip,
    };
    // The rest of an instruction that crosses into another page says nothing new.
    let goes_on = memory.stepped.length > 0;
    let leave_open = !goes_on && note(memory, by, owner, &mapping, address, 0, writes);
    let page = OpenPage {
        page: page_down(address),
        owner: owner as u32,
        protection: mapping.protection,
    };
    pages::open(page.page, page.protection);
    if leave_open {
        memory.left.push(page);
        return true;
    }
    memory.stepped.push(page);
    context.rflags |= TF;
    true
}

/// Who touches something, and with which instruction.
#[derive(Clone, Copy)]
struct By {
    cubicle: usize,
    instruction: u64,
}

/// Notes an access of `size` bytes, 0 if that is to be seen from the instruction.
/// Answers whether it is time to look less closely.
fn note(
    memory: &mut Memory,
    by: By,
    owner: usize,
    mapping: &Mapping,
    address: u64,
    size: u64,
    writes: bool,
) -> bool {
    let touch = Touch {
        cubicle: by.cubicle as u32,
        owner: owner as u32 + 1,
        address,
        low: mapping.start,
    };
    let found = find(memory, touch);
    let (origin, function, when, offset) = found
        .map_or((Origin::NONE, 0, When::Never, 0), |found| {
            (found.origin, found.function, found.when, found.offset)
        });
    let entry = memory.access(Access {
        instruction: by.instruction,
        cubicle: by.cubicle as u32,
        owner: owner as u32,
        origin,
        function,
        when: when as u32,
        write: writes.into(),
        address,
        touched: Touched::default(),
    });
    if let Some(entry) = entry {
        entry.touched.note(offset, size, by.instruction);
    }
    match found {
        Some(found) => note_at_pointer(memory, &found, by.instruction, size, writes),
        None => false,
    }
}

fn note_at_pointer(
    memory: &mut Memory,
    found: &Found,
    instruction: u64,
    size: u64,
    writes: bool,
) -> bool {
    let spent = memory.spend(found.origin);
    if found.when != When::Pending {
        let past = &mut memory.past.entries[found.index];
        past.steps += 1;
        return past.steps > limit(spent, &LESS_CLOSELY);
    }
    let call = &mut memory.calls.entries[found.index];
    let seen = &mut call.seen[found.origin.probe as usize];
    if seen.first == 0 {
        seen.first = if writes { FIRST_WRITTEN } else { FIRST_READ };
    }
    let touched = if writes {
        &mut seen.written
    } else {
        &mut seen.read
    };
    touched.note(found.offset, size, instruction);
    seen.steps += 1;
    if seen.steps > limit(spent, &CLOSELY) {
        seen.flags |= SEEN_TRUNCATED;
        return true;
    }
    false
}

/// Performs a repeated string instruction as a whole, if it is plain: forwards,
/// without overlap, and each side in one mapping.
fn repeat(
    memory: &mut Memory,
    context: &mut SignalContext,
    cubicle: usize,
    rights: Rights,
) -> bool {
    let mut code = [0u8; 4];
    // SAFETY: the instruction was just executed, and text is readable; so is what
    // follows it, up to the end of its page.
    let room = (PAGE - context.rip % PAGE).min(4) as usize;
    unsafe {
        core::ptr::copy_nonoverlapping(context.rip as *const u8, code.as_mut_ptr(), room);
    }
    let Some(repeated) = decode(&code[..room]) else {
        return false;
    };
    let Some(bytes) = context.rcx.checked_mul(repeated.unit) else {
        return false;
    };
    let (from, to) = (context.rsi, context.rdi);
    let overlap = repeated.copies && from.abs_diff(to) < bytes;
    if context.rflags & DF != 0 || bytes == 0 || overlap || memory.stepped.length > 0 {
        return false;
    }
    let by = By {
        cubicle,
        instruction: context.rip,
    };
    let Some(target) = Range::of(by, rights, to, bytes, PROT_WRITE) else {
        return false;
    };
    let source = match repeated.copies {
        true => Range::of(by, rights, from, bytes, PROT_READ),
        false => None,
    };
    if repeated.copies && source.is_none() {
        return false;
    }
    for (range, writes) in [(source, false), (Some(target), true)] {
        if let Some((range, (owner, mapping))) =
            range.and_then(|range| Some((range, range.foreign?)))
        {
            note(memory, by, owner, &mapping, range.start, bytes, writes);
            range.set(mapping.protection);
        }
    }
    perform(&repeated, context);
    for range in [source, Some(target)].into_iter().flatten() {
        if let Some((owner, mapping)) = range.foreign {
            let key = cubicle_abi::rights::cubicle_key(owner);
            range.set(crate::machine::rights::effective(
                rights,
                key,
                mapping.protection,
            ));
        }
    }
    context.rdi += bytes;
    if repeated.copies {
        context.rsi += bytes;
    }
    context.rcx = 0;
    context.rip += repeated.length;
    true
}

/// One side of a string instruction.
#[derive(Clone, Copy)]
struct Range {
    start: u64,
    end: u64,
    /// If it is another cubicle's: whose, and in which mapping.
    foreign: Option<(usize, Mapping)>,
}

impl Range {
    fn of(by: By, rights: Rights, start: u64, bytes: u64, protection: u32) -> Option<Range> {
        let end = start.checked_add(bytes)?;
        let foreign = foreign(by.cubicle, start, protection);
        let whole = match &foreign {
            Some((_, mapping)) => end <= mapping.end,
            None => process::accessible(rights, start, bytes, protection),
        };
        whole.then_some(Range {
            start,
            end,
            foreign,
        })
    }

    fn set(&self, protection: u32) {
        pages::protect(page_down(self.start), page_up(self.end), protection);
    }
}

fn perform(repeated: &Repeated, context: &SignalContext) {
    // SAFETY: both ranges lie in mappings that are open now; the direction flag is
    // clear in the monitor.
    unsafe {
        match (repeated.copies, repeated.unit) {
            (true, _) => core::arch::asm!(
                "rep movsb",
                inout("rcx") context.rcx * repeated.unit => _,
                inout("rsi") context.rsi => _,
                inout("rdi") context.rdi => _,
                options(nostack, preserves_flags),
            ),
            (false, 1) => core::arch::asm!(
                "rep stosb",
                inout("rcx") context.rcx => _,
                inout("rdi") context.rdi => _,
                in("rax") context.rax,
                options(nostack, preserves_flags),
            ),
            (false, 4) => core::arch::asm!(
                "rep stosd",
                inout("rcx") context.rcx => _,
                inout("rdi") context.rdi => _,
                in("rax") context.rax,
                options(nostack, preserves_flags),
            ),
            _ => core::arch::asm!(
                "rep stosq",
                inout("rcx") context.rcx => _,
                inout("rdi") context.rdi => _,
                in("rax") context.rax,
                options(nostack, preserves_flags),
            ),
        }
    }
}

/// A function of another cubicle is called by its address: the call goes on
/// through the gate that is kept for such calls, as a callback.
fn called(memory: &mut Memory, context: &mut SignalContext, cubicle: usize) -> bool {
    let function = context.rip;
    let (Some(plan), Some(owner)) = (process::plan(), slot_owner(function)) else {
        return false;
    };
    let Some(callee) = plan.cubicles().get(owner).filter(|_| owner != cubicle) else {
        return false;
    };
    let is_text = plan.segments(callee).iter().any(|segment| {
        segment.protection & PROT_EXEC != 0 && (segment.start..segment.end).contains(&function)
    });
    // The last one of the pair is the audit's own.
    let gate = plan.gates().iter().rposition(|gate| {
        gate.callback != 0 && (gate.from as usize, gate.to as usize) == (cubicle, owner)
    });
    let (true, Some(gate)) = (is_text, gate) else {
        return false;
    };
    let Ok(stub) = callbacks::cross(gate, function) else {
        return false;
    };
    let origin = passed(memory, cubicle, function);
    let mut site = [0; 8];
    crate::memory_calls::read(cubicle, context.rsp, &mut site);
    let new = Callback {
        cubicle: cubicle as u32,
        owner: owner as u32,
        function,
        origin,
        site: u64::from_le_bytes(site),
        count: 0,
    };
    let same = |old: &Callback| {
        (old.cubicle, old.function, old.origin) == (new.cubicle, new.function, new.origin)
    };
    if let Some(entry) = memory.callbacks.entry(same, new) {
        entry.count += 1;
    }
    memory.called = function;
    memory.called_through = origin;
    context.rip = stub;
    true
}

/// Where a function crossed as a pointer: where that says most, and first.
fn passed(memory: &Memory, cubicle: usize, function: u64) -> Origin {
    let passed = memory.passed.all().iter();
    passed
        .filter(|one| (one.function, one.knows as usize) == (function, cubicle))
        .min_by_key(|one| one.rank)
        .map_or(Origin::NONE, |one| one.origin)
}
