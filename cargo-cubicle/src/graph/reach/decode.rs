//! From code bytes to nodes.

use super::Cause;
use super::image::Image;
use super::nodes::Nodes;
use iced_x86::{
    Code, CpuidFeature, Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory,
    InstructionInfoOptions, Mnemonic, OpAccess, OpKind, Register,
};
use std::collections::{BTreeMap, BTreeSet};

/// What is found in a function, or in code without a symbol.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) end: u64,
    /// Its first own reason to count as a user.
    pub(super) fs: Option<(Cause, u64)>,
    pub(super) x87: Option<(Cause, u64)>,
    pub(super) contains_x87: bool,
    /// Branch targets outside of the node.
    pub(super) edges: BTreeSet<u64>,
    /// All targets of its direct branches.
    pub(super) targets: BTreeSet<u64>,
    /// Indirect branches, to be resolved.
    pub(super) indirect: Vec<IndirectBranch>,
    /// Addresses that it forms, of code and of data.
    pub(super) addresses: BTreeSet<u64>,
    /// Addresses from which it loads 8 bytes into a register; `None` is one
    /// that is not constant.
    pub(super) loads: BTreeSet<Option<u64>>,
    /// Addresses that it takes, not only to read or write there.
    pub(super) taken: BTreeSet<u64>,
    /// What it writes to fixed places.
    pub(super) stores: Vec<Store>,
    pub(super) calls: bool,
}

/// A write to a fixed place in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Store {
    pub(super) place: u64,
    /// 0 if that is not known.
    pub(super) bytes: u64,
    /// The eight bytes that it writes, if they are an address (or null) whichever
    /// way the instruction is reached, as long as nothing branches to what
    /// comes behind `since`.
    pub(super) value: Option<u64>,
    pub(super) since: u64,
    pub(super) address: u64,
}

/// An indirect branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IndirectBranch {
    pub(super) address: u64,
    pub(super) from: Indirect,
    /// The first of the instructions that say so. Nothing may branch to what
    /// comes between it and the branch.
    pub(super) since: u64,
}

/// Where an indirect branch takes its target from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Indirect {
    /// Eight bytes at a fixed address.
    Slot(u64),
    /// An entry of a table of addresses.
    Table(u64),
    /// A field of a record in a table with a symbol.
    Records(u64),
    /// An entry of a table of distances, added to its base.
    RelativeTable,
    /// An address of code, and a multiple of a power of two added to it.
    Pieces(u64),
    Unknown,
}

impl Found {
    /// Makes the node a user of everything.
    pub(super) fn distrust(&mut self, cause: Cause, instruction: u64) {
        self.fs.get_or_insert((cause, instruction));
        self.x87.get_or_insert((cause, instruction));
    }
}

/// How many instructions before a jump its table load is looked for.
const WINDOW: usize = 12;

/// What is below is no address in an image: nothing is mapped there.
const SMALLEST_ADDRESS: u64 = 0x1_0000;

/// Decodes the whole image.
pub(super) fn nodes(image: &Image<'_>) -> Nodes {
    let mut nodes = decode_all(image);
    // Code without symbols is told apart by the places that other code branches to.
    let mut more = BTreeSet::new();
    for node in nodes.all() {
        for target in nodes.edges(node) {
            let home = nodes.before(*target);
            if let Some(home) = home
                && home.start != *target
                && !image.starts.contains_key(&home.start)
                && image.in_code(*target)
            {
                more.insert(*target);
            }
        }
    }
    // A split node has to be decoded again; all others stay as they are.
    let mut split: BTreeMap<u64, Found> = BTreeMap::new();
    for target in more {
        let part = split.range(..=target).next_back();
        let part = part.map(|(start, part)| (*start, part.end));
        let part = part.filter(|(_, end)| target < *end);
        let whole = || nodes.around(target).map(|node| (node.start, node.end));
        if let Some((home, end)) = part.or_else(whole)
            && home < target
        {
            decode_range(image, home, target, |start, found| {
                split.insert(start, found);
            });
            decode_range(image, target, end, |start, found| {
                split.insert(start, found);
            });
        }
    }
    nodes.replace(split);
    nodes
}

fn decode_all(image: &Image<'_>) -> Nodes {
    let mut starts: BTreeSet<u64> = image.starts.keys().copied().collect();
    starts.extend(image.code.iter().map(|(start, _)| *start));
    // Code without symbols (PLT stubs) lies beyond the end of a function.
    for (start, (size, _)) in &image.starts {
        let end = start.saturating_add(*size);
        if *size > 0 && image.in_code(end) {
            starts.insert(end);
        }
    }
    let mut nodes = Nodes::default();
    for (address, bytes) in &image.code {
        let end = address + bytes.len() as u64;
        let mut inside = starts.range(*address..end).copied().peekable();
        while let Some(start) = inside.next() {
            let end = inside.peek().copied().unwrap_or(end);
            decode_range(image, start, end, |start, found| nodes.push(start, found));
        }
    }
    nodes
}

/// Decodes a range into one node, or two if it begins with a linkage stub.
fn decode_range(image: &Image<'_>, start: u64, end: u64, mut with: impl FnMut(u64, Found)) {
    let node = decode(image, start, end);
    let rest = node.end;
    with(start, node);
    if rest < end {
        with(rest, decode(image, rest, end));
    }
}

/// Decodes one node. It ends early behind a jump through a slot that is its
/// very first instruction: that is a linkage stub, and what follows (lazy
/// binding, which a static image never does) can only be branched to.
fn decode(image: &Image<'_>, start: u64, end: u64) -> Found {
    let mut node = Found {
        end,
        ..Found::default()
    };
    let section = image
        .code
        .iter()
        .find(|(address, bytes)| (*address..address + bytes.len() as u64).contains(&start));
    let bytes = section.and_then(|(address, bytes)| {
        bytes.get((start - address) as usize..(end - address) as usize)
    });
    let mut decoder = Decoder::with_ip(64, bytes.unwrap_or_default(), start, DecoderOptions::NONE);
    let mut window: Vec<Instruction> = Vec::new();
    let mut last = FlowControl::Next;
    while decoder.can_decode() {
        let instruction = decoder.decode();
        if instruction.code() == Code::INVALID {
            node.distrust(Cause::Undecodable, instruction.ip());
        }
        look(&mut node, &instruction, &window, start);
        let first = window.iter().all(|i| i.mnemonic() == Mnemonic::Endbr64);
        if first
            && instruction.flow_control() == FlowControl::IndirectBranch
            && instruction.is_ip_rel_memory_operand()
        {
            node.end = instruction.next_ip();
            return node;
        }
        if !matches!(instruction.mnemonic(), Mnemonic::Nop | Mnemonic::Endbr64) {
            last = instruction.flow_control();
        }
        if window.len() == WINDOW {
            window.remove(0);
        }
        window.push(instruction);
    }
    let next_is_function = image
        .starts
        .get(&end)
        .is_some_and(|(_, function)| *function);
    let goes_on = match last {
        FlowControl::Next | FlowControl::ConditionalBranch | FlowControl::XbeginXabortXend => true,
        // Nothing follows a call at the very end but another function.
        FlowControl::Call | FlowControl::IndirectCall => !next_is_function,
        _ => false,
    };
    // What consists of padding only leads nowhere.
    let padding = window.iter().all(|i| i.mnemonic() == Mnemonic::Nop);
    if goes_on && !padding && image.in_code(end) {
        node.edges.insert(end);
    }
    node
}

/// Takes down what one instruction does.
fn look(node: &mut Found, instruction: &Instruction, window: &[Instruction], start: u64) {
    let address = instruction.ip();
    if uses_fs(instruction) {
        node.fs.get_or_insert((Cause::Use, address));
    }
    if uses_x87(instruction) {
        node.x87.get_or_insert((Cause::Use, address));
        node.contains_x87 = true;
    }
    match instruction.flow_control() {
        FlowControl::UnconditionalBranch
        | FlowControl::ConditionalBranch
        | FlowControl::Call
        | FlowControl::XbeginXabortXend => {
            let near = matches!(
                instruction.op0_kind(),
                OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64
            );
            let target = instruction.near_branch_target();
            if near {
                node.targets.insert(target);
            }
            if near && !(start..node.end).contains(&target) {
                node.edges.insert(target);
            }
            // The vmcall family and far branches are "calls" too.
            let harmless = instruction.mnemonic() == Mnemonic::Syscall
                || instruction.mnemonic() == Mnemonic::Xabort
                || instruction.mnemonic() == Mnemonic::Xend;
            if !near && !harmless {
                node.indirect.push(IndirectBranch {
                    address,
                    from: Indirect::Unknown,
                    since: address,
                });
            }
            node.calls |= instruction.flow_control() == FlowControl::Call && near;
        }
        FlowControl::IndirectBranch | FlowControl::IndirectCall => {
            let (from, since) = source(instruction, window).unwrap_or((Indirect::Unknown, address));
            node.indirect.push(IndirectBranch {
                address,
                from,
                since,
            });
        }
        _ => {}
    }
    let has_memory =
        (0..instruction.op_count()).any(|operand| instruction.op_kind(operand) == OpKind::Memory);
    if has_memory {
        let fixed = fixed_address(instruction, true);
        node.addresses.extend(fixed);
        touch(node, instruction, window);
        let is_load = instruction.mnemonic() != Mnemonic::Lea
            && instruction.op0_kind() == OpKind::Register
            && instruction.op0_register().is_gpr64();
        let from_stack = matches!(instruction.memory_base(), Register::RSP | Register::RBP);
        if is_load && !from_stack {
            node.loads.insert(fixed_address(instruction, false));
        }
    }
    if matches!(
        instruction.op1_kind(),
        OpKind::Immediate32 | OpKind::Immediate64 | OpKind::Immediate32to64
    ) {
        node.addresses.insert(instruction.immediate(1));
        node.taken.insert(instruction.immediate(1));
    }
    if matches!(instruction.op0_kind(), OpKind::Immediate32to64) {
        node.taken.insert(instruction.immediate(0));
    }
}

/// Takes down what an instruction with a memory operand does to a fixed place.
/// Registers may be added to the place: that is still the variable there.
fn touch(node: &mut Found, instruction: &Instruction, window: &[Instruction]) {
    if instruction.segment_prefix() != Register::None {
        return;
    }
    let place = match instruction.is_ip_rel_memory_operand() {
        true => instruction.ip_rel_memory_address(),
        false => instruction.memory_displacement64(),
    };
    if instruction.mnemonic() == Mnemonic::Lea {
        node.taken.insert(place);
        return;
    }
    let reads = matches!(
        instruction.mnemonic(),
        Mnemonic::Cmp | Mnemonic::Test | Mnemonic::Push | Mnemonic::Call | Mnemonic::Jmp
    );
    let writes = instruction.op0_kind() == OpKind::Memory && !reads
        || instruction.mnemonic() == Mnemonic::Xchg;
    // Structures are smaller than the addresses of an image.
    if !writes || place < SMALLEST_ADDRESS || place as i64 <= 0 {
        return;
    }
    let fixed = fixed_address(instruction, false).is_some();
    let (value, since) = match stored(instruction, window) {
        Some((value, since)) if fixed => (Some(value), since),
        _ => (None, instruction.ip()),
    };
    let bytes = match fixed {
        true => instruction.memory_size().size() as u64,
        false => 0,
    };
    node.stores.push(Store {
        place,
        bytes,
        value,
        since,
        address: instruction.ip(),
    });
}

/// The address, or null, that a store of eight bytes writes, and the first
/// instruction that says so.
fn stored(store: &Instruction, window: &[Instruction]) -> Option<(u64, u64)> {
    if store.mnemonic() != Mnemonic::Mov || store.memory_size().size() != 8 {
        return None;
    }
    if store.op1_kind() == OpKind::Immediate32to64 {
        return Some((store.immediate(1), store.ip()));
    }
    if !store.op1_register().is_gpr64() {
        return None;
    }
    let block = block(window);
    let last = block.iter().rfind(|i| writes(i, store.op1_register()))?;
    let value = match (last.mnemonic(), last.op1_kind()) {
        (Mnemonic::Lea, _) if last.is_ip_rel_memory_operand() => last.ip_rel_memory_address(),
        (Mnemonic::Mov, OpKind::Immediate32 | OpKind::Immediate64 | OpKind::Immediate32to64) => {
            last.immediate(1)
        }
        (Mnemonic::Xor, OpKind::Register) if last.op0_register() == last.op1_register() => 0,
        _ => return None,
    };
    // A byte or a word of the register is not the whole of it.
    let whole = last.op0_register().is_gpr64() || last.op0_register().is_gpr32();
    whole.then_some((value, last.ip()))
}

/// The address of a memory operand without a base register: `[rip+x]`, `[x]`
/// and, where `indexed` allows it, `[x+index*scale]`.
fn fixed_address(instruction: &Instruction, indexed: bool) -> Option<u64> {
    if instruction.segment_prefix() != Register::None {
        return None;
    }
    if instruction.is_ip_rel_memory_operand() {
        return Some(instruction.ip_rel_memory_address());
    }
    let no_base = instruction.memory_base() == Register::None;
    let no_index = indexed || instruction.memory_index() == Register::None;
    (no_base && no_index).then(|| instruction.memory_displacement64())
}

/// The instructions back to the last unconditional transfer or call.
fn block(window: &[Instruction]) -> &[Instruction] {
    window
        .iter()
        .rposition(|i| {
            !matches!(
                i.flow_control(),
                FlowControl::Next | FlowControl::ConditionalBranch
            )
        })
        .map_or(window, |last| window.get(last + 1..).unwrap_or_default())
}

/// Where an indirect branch takes its target from, and the first instruction
/// that says so; `None` if that is not understood.
fn source(branch: &Instruction, window: &[Instruction]) -> Option<(Indirect, u64)> {
    let block = block(window);
    if branch.op0_kind() == OpKind::Memory {
        return memory_source(branch, block);
    }
    if branch.op0_kind() != OpKind::Register {
        return None;
    }
    let target = branch.op0_register();
    let at = block.iter().rposition(|i| writes(i, target))?;
    let last = block.get(at)?;
    let before = block.get(..at)?;
    match last.mnemonic() {
        // mov table(,%index,8), %target; jmp *%target
        Mnemonic::Mov if last.op1_kind() == OpKind::Memory => memory_source(last, before),
        // movslq (%base,%index,4), %entry; add %base, %entry; jmp *%entry
        Mnemonic::Add if last.op1_kind() == OpKind::Register => {
            sum(before, [target, last.op1_register()])
        }
        // The same by hand: lea (%base,%entry), %target.
        Mnemonic::Lea if last.memory_index_scale() == 1 && last.memory_displacement64() == 0 => {
            sum(before, [last.memory_base(), last.memory_index()])
        }
        _ => None,
    }
}

/// Where a jump leads whose target is the sum of two registers.
fn sum(before: &[Instruction], pair: [Register; 2]) -> Option<(Indirect, u64)> {
    let pair = pair.map(Register::full_register);
    let last = before
        .iter()
        .rfind(|i| pair.iter().any(|register| writes(i, *register)))?;
    if last.mnemonic() == Mnemonic::Movsxd
        && last.op1_kind() == OpKind::Memory
        && last.memory_index_scale() == 4
        && last.memory_displacement64() == 0
        && pair.contains(&last.memory_base().full_register())
        && last.memory_base().full_register() != last.op0_register().full_register()
    {
        return Some((Indirect::RelativeTable, last.ip()));
    }
    // Assembly that jumps into a row of equal pieces of code:
    // lea piece(%rip), %base; shl $6, %entry; add %base, %entry; jmp *%entry
    let [first, second] = pair.map(|register| before.iter().rfind(|i| writes(i, register)));
    let (first, second) = (first?, second?);
    for (base, entry) in [(first, second), (second, first)] {
        let is_lea = |i: &Instruction| i.mnemonic() == Mnemonic::Lea;
        if is_lea(base)
            && base.is_ip_rel_memory_operand()
            && (entry.mnemonic() == Mnemonic::Shl
                || is_lea(entry) && !entry.is_ip_rel_memory_operand())
        {
            let since = base.ip().min(entry.ip());
            return Some((Indirect::Pieces(base.ip_rel_memory_address()), since));
        }
    }
    None
}

/// What a memory operand that holds a code address refers to.
fn memory_source(instruction: &Instruction, before: &[Instruction]) -> Option<(Indirect, u64)> {
    let scale = instruction.memory_index_scale();
    let indexed = instruction.memory_index() != Register::None;
    if let Some(address) = fixed_address(instruction, true) {
        return match (indexed, scale) {
            (false, _) => Some((Indirect::Slot(address), instruction.ip())),
            (true, 8) => Some((Indirect::Table(address), instruction.ip())),
            // A distance in bytes, from `shl $4, %index` or so.
            (true, _) => Some((Indirect::Records(address), instruction.ip())),
        };
    }
    // table+8(%index): no offset into a structure is as large as an address.
    let displacement = instruction.memory_displacement64();
    if !indexed && displacement >= SMALLEST_ADDRESS && displacement as i64 > 0 {
        return Some((Indirect::Records(displacement), instruction.ip()));
    }
    // lea table(%rip), %base; call *(%base,%index,8)
    let at = before
        .iter()
        .rposition(|i| writes(i, instruction.memory_base()))?;
    let (base, before) = (before.get(at)?, before.get(..at)?);
    // lea table(%rip), %table; add %table, %distance; call *8(%distance)
    if !indexed && base.mnemonic() == Mnemonic::Add && base.op1_kind() == OpKind::Register {
        let lea = [base.op0_register(), base.op1_register()]
            .into_iter()
            .filter_map(|register| before.iter().rfind(|i| writes(i, register)))
            .find(|i| i.mnemonic() == Mnemonic::Lea && i.is_ip_rel_memory_operand())?;
        let table = lea.ip_rel_memory_address();
        return Some((
            Indirect::Records(table.wrapping_add(displacement)),
            lea.ip(),
        ));
    }
    let known = base.mnemonic() == Mnemonic::Lea && base.is_ip_rel_memory_operand();
    if !known || !indexed {
        return None;
    }
    let table = base.ip_rel_memory_address();
    let table = table.wrapping_add(displacement);
    let from = match scale {
        8 => Indirect::Table(table),
        _ => Indirect::Records(table),
    };
    Some((from, base.ip()))
}

/// Whether a register may have another value afterwards, by a result that is not
/// named among the operands too.
fn writes(instruction: &Instruction, register: Register) -> bool {
    let mut factory = InstructionInfoFactory::new();
    let info = factory.info_options(instruction, InstructionInfoOptions::NO_MEMORY_USAGE);
    info.used_registers().iter().any(|used| {
        used.register().full_register() == register.full_register()
            && !matches!(used.access(), OpAccess::Read | OpAccess::CondRead)
    })
}

fn uses_fs(instruction: &Instruction) -> bool {
    let in_memory = instruction.memory_segment() == Register::FS;
    let as_operand = (0..instruction.op_count()).any(|operand| {
        instruction.op_kind(operand) == OpKind::Register
            && instruction.op_register(operand) == Register::FS
    });
    in_memory
        || as_operand
        || matches!(
            instruction.mnemonic(),
            Mnemonic::Rdfsbase | Mnemonic::Wrfsbase | Mnemonic::Lfs
        )
}

fn uses_x87(instruction: &Instruction) -> bool {
    let by_register = (0..instruction.op_count()).any(|operand| {
        let register = instruction.op_register(operand);
        instruction.op_kind(operand) == OpKind::Register && (register.is_mm() || register.is_st())
    });
    let by_feature = instruction.cpuid_features().iter().any(|feature| {
        matches!(
            feature,
            CpuidFeature::FPU
                | CpuidFeature::FPU287
                | CpuidFeature::FPU287XL_ONLY
                | CpuidFeature::FPU387
                | CpuidFeature::FPU387SL_ONLY
                | CpuidFeature::MMX
                | CpuidFeature::D3NOW
                | CpuidFeature::D3NOWEXT
                // They save or load the x87 state along with the rest.
                | CpuidFeature::FXSR
                | CpuidFeature::XSAVE
                | CpuidFeature::XSAVEC
                | CpuidFeature::XSAVEOPT
                | CpuidFeature::XSAVES
        )
    });
    by_register || (by_feature && !matches!(instruction.mnemonic(), Mnemonic::Xgetbv))
}
