//! One function: its blocks, and what holds at the start of each.

use super::state::{ARGUMENTS, State, Value};
use super::{Flow, Function, Landmarks, Source, Summary};
use iced_x86::{
    Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, OpKind, Register,
};
use std::collections::{BTreeMap, BTreeSet};

/// What was seen on the way through a function.
pub(super) enum Event {
    /// An argument, by its register, is freed.
    Frees(u8),
    /// Memory of the image's own allocation is returned.
    Allocates,
    Crosses(Flow),
}

/// A decoded function.
pub(super) struct Code {
    instructions: Vec<Instruction>,
    /// By index: where a call or a jump out of the function leads.
    leaves: BTreeMap<usize, u64>,
    /// Indices of the first instructions of blocks.
    blocks: BTreeSet<usize>,
    /// By index of a branch: that of its target.
    branches: BTreeMap<usize, usize>,
    /// It has a jump whose targets are not known.
    unknown: bool,
}

impl Code {
    pub(super) fn decode(function: &Function<'_>, slot: &dyn Fn(u64) -> Option<u64>) -> Code {
        let mut decoder = Decoder::with_ip(64, function.code, function.start, DecoderOptions::NONE);
        let instructions: Vec<Instruction> = decoder.iter().collect();
        let mut code = Code {
            leaves: BTreeMap::new(),
            blocks: BTreeSet::from([0]),
            branches: BTreeMap::new(),
            unknown: instructions.iter().any(Instruction::is_invalid),
            instructions: Vec::new(),
        };
        for (index, instruction) in instructions.iter().enumerate() {
            let through = || match instruction.is_ip_rel_memory_operand() {
                true => slot(instruction.ip_rel_memory_address()),
                false => None,
            };
            match instruction.flow_control() {
                FlowControl::Call => {
                    if is_near(instruction) {
                        code.leaves.insert(index, instruction.near_branch_target());
                    }
                }
                FlowControl::IndirectCall => {
                    code.leaves.extend(through().map(|target| (index, target)));
                }
                FlowControl::IndirectBranch => match through() {
                    Some(target) => {
                        code.leaves.insert(index, target);
                        code.blocks.insert(index + 1);
                    }
                    None => code.unknown = true,
                },
                FlowControl::UnconditionalBranch | FlowControl::ConditionalBranch => {
                    let target = instruction.near_branch_target();
                    let inside = function.start..function.start + function.code.len() as u64;
                    match instructions.binary_search_by_key(&target, Instruction::ip) {
                        Ok(inside) => {
                            code.branches.insert(index, inside);
                            code.blocks.insert(inside);
                        }
                        // Into the middle of an instruction.
                        Err(_) if inside.contains(&target) => code.unknown = true,
                        Err(_) => {
                            code.leaves.insert(index, target);
                        }
                    }
                    code.blocks.insert(index + 1);
                }
                FlowControl::Next | FlowControl::Interrupt => {}
                FlowControl::Return | FlowControl::Exception => {
                    code.blocks.insert(index + 1);
                }
                FlowControl::XbeginXabortXend => code.unknown = true,
            }
        }
        code.instructions = instructions;
        code
    }

    /// Where its calls and jumps lead.
    pub(super) fn targets(&self) -> impl Iterator<Item = u64> {
        self.leaves.values().copied()
    }

    /// What holds definitely, and so happens if the place is reached.
    pub(super) fn run(
        &self,
        landmarks: &Landmarks,
        summaries: &BTreeMap<u64, Summary>,
    ) -> Vec<Event> {
        let mut events = Vec::new();
        if self.unknown {
            return events;
        }
        let mut factory = InstructionInfoFactory::new();
        let mut starts: BTreeMap<usize, State> = BTreeMap::from([(0, State::at_start())]);
        let mut queue = BTreeSet::from([0]);
        let mut rest = self.blocks.iter().copied();
        loop {
            while let Some(block) = queue.pop_first() {
                let mut state = starts[&block].clone();
                let mut reach = |to: usize, state: &State| {
                    let changed = match starts.get_mut(&to) {
                        Some(known) => known.join(state),
                        None => starts.insert(to, state.clone()).is_none(),
                    };
                    if changed {
                        queue.insert(to);
                    }
                };
                let mut walk = Walk {
                    code: self,
                    landmarks,
                    summaries,
                    factory: &mut factory,
                    events: None,
                };
                walk.block(block, &mut state, &mut reach);
            }
            // What only the unwinder reaches starts with nothing known, and may
            // join the rest.
            match rest.find(|block| *block < self.instructions.len() && !starts.contains_key(block))
            {
                Some(block) => {
                    starts.insert(block, State::unknown());
                    queue.insert(block);
                }
                None => break,
            }
        }
        for (block, state) in &starts {
            let mut walk = Walk {
                code: self,
                landmarks,
                summaries,
                factory: &mut factory,
                events: Some(&mut events),
            };
            walk.block(*block, &mut state.clone(), &mut |_, _| ());
        }
        events
    }
}

fn is_near(instruction: &Instruction) -> bool {
    matches!(
        instruction.op0_kind(),
        OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64
    )
}

/// One pass over a block.
struct Walk<'a> {
    code: &'a Code,
    landmarks: &'a Landmarks,
    summaries: &'a BTreeMap<u64, Summary>,
    factory: &'a mut InstructionInfoFactory,
    /// Where to write down what happens, once the states are final.
    events: Option<&'a mut Vec<Event>>,
}

impl Walk<'_> {
    /// From the first instruction of a block to its end; `reach` is told what
    /// holds at the blocks behind it.
    fn block(&mut self, block: usize, state: &mut State, reach: &mut dyn FnMut(usize, &State)) {
        for index in block..self.code.instructions.len() {
            if index != block && self.code.blocks.contains(&index) {
                return reach(index, state);
            }
            let instruction = self.code.instructions[index];
            let leaves = self.code.leaves.get(&index).copied();
            if let Some(inside) = self.code.branches.get(&index) {
                reach(*inside, state);
            }
            match instruction.flow_control() {
                FlowControl::Call | FlowControl::IndirectCall => {
                    self.call(leaves, instruction.ip(), state);
                }
                FlowControl::UnconditionalBranch | FlowControl::IndirectBranch => {
                    // A call whose return is this function's own.
                    if leaves.is_some() {
                        self.call(leaves, instruction.ip(), state);
                        self.returns(state);
                    }
                    return;
                }
                FlowControl::ConditionalBranch => {
                    if leaves.is_some() {
                        self.call(leaves, instruction.ip(), &mut state.clone());
                    }
                }
                FlowControl::Return => return self.returns(state),
                FlowControl::Exception => return,
                _ => state.step(&instruction, self.factory),
            }
        }
    }

    fn say(&mut self, event: Event) {
        if let Some(events) = &mut self.events {
            events.push(event);
        }
    }

    fn returns(&mut self, state: &State) {
        if state.register(Register::RAX) == Value::Fresh {
            self.say(Event::Allocates);
        }
    }

    fn call(&mut self, target: Option<u64>, place: u64, state: &mut State) {
        let gate = target.and_then(|target| Some((target, *self.landmarks.gates.get(&target)?)));
        if let Some((address, gate)) = gate {
            return self.call_gate(address, gate, place, state);
        }
        let summary = target
            .and_then(|target| self.summaries.get(&target))
            .copied()
            .unwrap_or_default();
        for (register, freed) in ARGUMENTS.into_iter().zip(summary.frees) {
            match state.register(register) {
                Value::Foreign(source) if freed => {
                    self.say(Event::Crosses(Flow::Freed { source, place }));
                }
                Value::Argument(number) if freed => self.say(Event::Frees(number)),
                _ => {}
            }
        }
        state.called();
        if summary.allocates {
            state.set(Register::RAX, Value::Fresh);
        }
    }

    fn call_gate(&mut self, address: u64, gate: super::Gate, place: u64, state: &mut State) {
        let mut filled = Vec::new();
        for (number, register) in (0u8..).zip(ARGUMENTS) {
            match state.register(register) {
                Value::Fresh => self.say(Event::Crosses(Flow::Given {
                    gate: address,
                    register: number,
                    place,
                })),
                Value::Stack(offset)
                    if gate.fills[usize::from(number)] || state.slot(offset) == Value::Zero =>
                {
                    filled.push((offset, Value::Foreign(Source::Filled(address, number))));
                }
                _ => {}
            }
        }
        match gate.callee_sees {
            true => state.called(),
            false => state.called_gate(),
        }
        for (offset, value) in filled {
            state.set_slot(offset, value);
        }
        state.set(Register::RAX, Value::Foreign(Source::Result(address)));
    }
}
