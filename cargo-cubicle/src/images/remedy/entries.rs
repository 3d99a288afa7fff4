//! Where in an image's text control can arrive otherwise than from the instruction before: what
//! is moved must have no such place inside.

use std::collections::BTreeSet;
use std::ops::Range;

use iced_x86::{Code, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind};
use object::{Object, ObjectSection, RelocationFlags, SectionFlags, elf};

use super::super::Image;
use super::landing::landings;

/// What is known of an image.
#[derive(Debug, Default)]
pub struct Entries {
    /// Addresses in text that something branches or points to.
    targets: BTreeSet<u64>,
    /// The same without what code refers to by operands, which may be tables.
    certain: BTreeSet<u64>,
    /// What entries of tables would lead to if they were distances from themselves.
    perhaps: BTreeSet<u64>,
    /// There are tables of jumps of which nobody says where they begin.
    pub unknown_tables: bool,
}

/// The instructions of one function that control reaches.
#[derive(Debug, Default)]
pub struct Flow {
    pub instructions: std::collections::BTreeMap<u64, Instruction>,
    /// Jumps to what a register or memory says.
    pub indirect: bool,
    /// Where its own branches lead: decoded from its beginning, behind tables in its text, too.
    pub targets: BTreeSet<u64>,
    /// Takes addresses of its own text.
    pub takes_own: bool,
    /// The stack pointer is what it is called, all the time.
    pub ordinary_stack: bool,
}

impl Flow {
    /// Where its instructions in a range begin and end, those included that reach over a border.
    pub fn between(&self, from: u64, to: u64) -> Vec<(u64, u64)> {
        /// The longest instruction, bytes.
        const LONGEST: u64 = 15;
        self.instructions
            .range(from.saturating_sub(LONGEST)..to)
            .map(|(start, one)| (*start, one.next_ip()))
            .filter(|(_, end)| *end > from)
            .collect()
    }
}

impl Entries {
    /// Is there an entry in this range of a function? A table that the function jumps by is one of distances from
    /// the table's beginning.
    pub fn any_in(&self, range: Range<u64>, flow: &Flow) -> bool {
        let any = |set: &BTreeSet<u64>| set.range(range.clone()).next().is_some();
        range.start < range.end
            && (any(&self.targets) || any(&flow.targets) || !flow.indirect && any(&self.perhaps))
    }

    /// Reads all code, relocations and unwinding tables of an image; `None` if they cannot be read.
    pub fn of(image: &Image) -> Option<Entries> {
        let file = object::File::parse(&*image.bytes).ok()?;
        let mut entries = Entries::default();
        // Addresses that code takes: where tables begin.
        let mut taken = BTreeSet::new();
        let in_text = |address: u64| is_text(image, address);
        for symbol in image.symbols.iter().filter(|symbol| !symbol.thread_local) {
            if in_text(symbol.address) {
                entries.add(symbol.address);
            }
        }
        for segment in image.segments.iter().filter(|segment| segment.executable) {
            decode_all(image, segment.address, |one| {
                if is_near_branch(one) && in_text(one.near_branch_target()) {
                    entries.add(one.near_branch_target());
                }
                if one.is_ip_rel_memory_operand() {
                    taken.insert(one.ip_rel_memory_address());
                }
            });
        }
        // Places in data that hold a distance of 4 bytes.
        let mut distances = BTreeSet::new();
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
                continue;
            };
            if !sh_flags.contains(elf::SHF_ALLOC) || section.name() == Ok(".eh_frame") {
                continue;
            }
            let code = sh_flags.contains(elf::SHF_EXECINSTR);
            for (place, relocation) in section.relocations() {
                let RelocationFlags::Elf { r_type } = relocation.flags() else {
                    continue;
                };
                let value = match r_type {
                    elf::R_X86_64_64 => word(image, place),
                    elf::R_X86_64_32 => half(image, place).map(|value| u64::from(value as u32)),
                    elf::R_X86_64_32S => half(image, place).map(|value| value as u64),
                    elf::R_X86_64_PC32 | elf::R_X86_64_PLT32 => {
                        if !code {
                            distances.insert(place);
                        }
                        None
                    }
                    // Compilers write no tables of these.
                    elf::R_X86_64_PC64
                    | elf::R_X86_64_GOTOFF64
                    | elf::R_X86_64_PC16
                    | elf::R_X86_64_PC8
                    | elf::R_X86_64_16
                    | elf::R_X86_64_8 => {
                        entries.unknown_tables |= !code;
                        None
                    }
                    _ => None,
                };
                match value {
                    Some(value) if in_text(value) => entries.add(value),
                    Some(value) if code => drop(taken.insert(value)),
                    _ => {}
                }
            }
        }
        entries.tables(image, &distances, &taken);
        for pad in landings(image, &file)? {
            entries.add(pad);
        }
        // Only they can be data.
        entries
            .targets
            .extend(taken.into_iter().filter(|address| in_text(*address)));
        Some(entries)
    }

    fn add(&mut self, address: u64) {
        self.targets.insert(address);
        self.certain.insert(address);
    }

    /// Tables of distances: from their own beginning, which code names, or from the entry itself.
    fn tables(&mut self, image: &Image, distances: &BTreeSet<u64>, taken: &BTreeSet<u64>) {
        let mut run: Vec<u64> = Vec::new();
        let mut last = None;
        for place in distances {
            if last.is_none_or(|last| *place != last + 4) {
                run = taken
                    .contains(place)
                    .then_some(*place)
                    .into_iter()
                    .collect();
            } else if taken.contains(place) {
                run.push(*place);
            }
            last = Some(*place);
            let Some(distance) = half(image, *place) else {
                continue;
            };
            let own = place.wrapping_add(distance as u64);
            if run.is_empty() && !is_text(image, own) {
                self.unknown_tables = true;
            }
            if is_text(image, own) {
                match run.is_empty() {
                    true => self.add(own),
                    false => drop(self.perhaps.insert(own)),
                }
            }
            for base in &run {
                let target = base.wrapping_add(distance as u64);
                if is_text(image, target) {
                    self.add(target);
                }
            }
        }
    }

    /// Follows control through a function, from its start and all entries in it. `None` if
    /// what it reaches is no code, or instructions overlap.
    pub fn follow(&self, image: &Image, function: Range<u64>) -> Option<Flow> {
        let bytes = image.at(function.start)?;
        let bytes = bytes.get(..(function.end - function.start) as usize)?;
        let mut flow = Flow {
            ordinary_stack: true,
            ..Flow::default()
        };
        let mut open: Vec<u64> = vec![function.start];
        open.extend(self.certain.range(function.clone()));
        while let Some(address) = open.pop() {
            if !function.contains(&address) || flow.instructions.contains_key(&address) {
                continue;
            }
            let rest = &bytes[(address - function.start) as usize..];
            let one = Decoder::with_ip(64, rest, address, DecoderOptions::NONE).decode();
            if one.is_invalid() {
                return None;
            }
            if is_near_branch(&one) {
                open.push(one.near_branch_target());
                flow.targets.insert(one.near_branch_target());
            }
            if falls_through(&one) {
                open.push(one.next_ip());
            }
            flow.indirect |= one.flow_control() == FlowControl::IndirectBranch;
            let own = |address: u64| function.contains(&address);
            flow.takes_own |= addresses(&one).into_iter().flatten().any(own);
            flow.ordinary_stack &= keeps_stack(&one);
            flow.instructions.insert(address, one);
        }
        let mut end = 0;
        for (address, one) in &flow.instructions {
            if *address < end {
                return None;
            }
            end = one.next_ip();
        }
        Some(flow)
    }
}

/// Hands over all instructions, decoded from each symbol in the segment on.
pub fn decode_all(image: &Image, segment: u64, mut each: impl FnMut(&Instruction)) {
    let Some(bytes) = image.at(segment) else {
        return;
    };
    let end = segment + bytes.len() as u64;
    let mut starts: BTreeSet<u64> = image
        .symbols
        .iter()
        .filter(|symbol| symbol.function)
        .map(|symbol| symbol.address)
        .filter(|address| (segment..end).contains(address))
        .collect();
    starts.extend([segment, end]);
    let starts: Vec<u64> = starts.into_iter().collect();
    for pair in starts.windows(2) {
        let part = &bytes[(pair[0] - segment) as usize..(pair[1] - segment) as usize];
        for one in Decoder::with_ip(64, part, pair[0], DecoderOptions::NONE).iter() {
            each(&one);
        }
    }
}

pub fn is_text(image: &Image, address: u64) -> bool {
    image.segments.iter().any(|segment| {
        segment.executable
            && (segment.address..segment.address + segment.memory_size).contains(&address)
    })
}

fn half(image: &Image, place: u64) -> Option<i32> {
    Some(i32::from_le_bytes(*image.at(place)?.first_chunk()?))
}

fn word(image: &Image, place: u64) -> Option<u64> {
    Some(u64::from_le_bytes(*image.at(place)?.first_chunk()?))
}

/// Numbers in an instruction that can be addresses, but for what it branches to.
fn addresses(one: &Instruction) -> [Option<u64>; 2] {
    let has = |wanted: fn(OpKind) -> bool| (0..one.op_count()).find(|at| wanted(one.op_kind(*at)));
    let constant = has(|kind| {
        matches!(
            kind,
            OpKind::Immediate32 | OpKind::Immediate32to64 | OpKind::Immediate64
        )
    });
    [
        constant.map(|operand| one.immediate(operand)),
        has(|kind| kind == OpKind::Memory).map(|_| one.memory_displacement64()),
    ]
}

pub fn is_near_branch(one: &Instruction) -> bool {
    one.op_count() > 0 && one.op0_kind() == OpKind::NearBranch64
}

pub fn falls_through(one: &Instruction) -> bool {
    !matches!(
        one.flow_control(),
        FlowControl::Return
            | FlowControl::UnconditionalBranch
            | FlowControl::IndirectBranch
            | FlowControl::Exception
    ) && !matches!(one.mnemonic(), Mnemonic::Hlt | Mnemonic::Int3)
}

/// Is the stack pointer still one behind this, as compilers move it? Hand-written code may use it
/// as one more register.
fn keeps_stack(one: &Instruction) -> bool {
    use iced_x86::Register::{None, R10, RBP, RSP};
    if one.op_count() == 0 || one.op0_kind() != OpKind::Register || one.op0_register() != RSP {
        return !matches!(
            one.code(),
            Code::Xchg_rm64_r64 | Code::Xchg_r64_RAX if one.op1_register() == RSP
        );
    }
    match one.mnemonic() {
        Mnemonic::Cmp | Mnemonic::Test | Mnemonic::Push => true,
        Mnemonic::Add | Mnemonic::Sub | Mnemonic::And => true,
        Mnemonic::Lea => matches!(one.memory_base(), RSP | RBP | R10) && one.memory_index() == None,
        Mnemonic::Mov => matches!(one.op1_register(), RBP | R10),
        _ => false,
    }
}
