//! A gate's instructions, with what they mean beside them. What a comment says is
//! worked out from the instruction and the plan; where nothing is known, there is none.

use cargo_cubicle::gates::listing::formatter;
use cargo_cubicle::verify::{Gate, Plan, Text};
use cubicle_abi::calls::ATTACH;
use cubicle_abi::frame::{Frame, ticket_gate};
use cubicle_abi::layout::{
    self, CLEAR_SIZE, GATE_BASE, GATE_STRIDE, MONITOR_BASE, MONITOR_END, STUB_BASE, entry_at,
};
use cubicle_abi::plan::MECHANISM_PKU;
use cubicle_abi::rights::Rights;
use cubicle_abi::thread_block::{ThreadBlock, frame_at, fs_at};
use iced_x86::{
    Decoder, DecoderOptions, FlowControl, Formatter, Instruction, Mnemonic, OpKind, Register,
};
use std::mem::offset_of;

/// The listing of the gate to `function` with protection keys.
pub fn listing(plan: &Plan<'_>, function: &str) -> String {
    let mut gates = plan.gates.iter().flatten();
    let gate = gates.find(|gate| gate.name == function).unwrap();
    let is_gates = |text: &&Text| text.address == GATE_BASE && text.mechanism == MECHANISM_PKU;
    let text = plan.texts.iter().find(is_gates).unwrap();
    let address = layout::gate(gate.number);
    let code = &text.bytes[(address - GATE_BASE) as usize..][..GATE_STRIDE as usize];
    let mut reader = Reader {
        plan,
        gate,
        frame: None,
    };
    let mut formatter = formatter();
    let mut text = String::new();
    let decoder = Decoder::with_ip(64, code, address, DecoderOptions::NONE);
    for instruction in decoder {
        if instruction.mnemonic() == Mnemonic::Int3 {
            continue;
        }
        let mut words = String::new();
        formatter.format(&instruction, &mut words);
        // Addresses inside of the gate are shown as the numbers at the left are.
        let branches = instruction.flow_control() != FlowControl::Next;
        let inside = instruction.near_branch64().wrapping_sub(address) < GATE_STRIDE;
        if branches && inside {
            let mnemonic = words.split(' ').next().unwrap_or_default();
            words = format!("{mnemonic} {:x}", instruction.near_branch64() - address);
        } else if branches && instruction.near_branch64() == gate.target {
            words = format!("call {}::{function}", reader.name(1));
        }
        let line = format!("{:4x}  {words}", instruction.ip() - address);
        match reader.meaning(&instruction) {
            Some(meaning) => text.push_str(&format!("{line:46}; {meaning}\n")),
            None => text.push_str(&format!("{line}\n")),
        }
    }
    text
}

struct Reader<'a> {
    plan: &'a Plan<'a>,
    gate: &'a Gate,
    /// Whose frame's address is in rax: of which side.
    frame: Option<usize>,
}

impl Reader<'_> {
    /// The caller and the callee.
    fn sides(&self) -> [usize; 2] {
        [self.gate.from, self.gate.to]
    }

    fn name(&self, side: usize) -> &str {
        &self.plan.cubicles[self.sides()[side]].name
    }

    fn meaning(&mut self, instruction: &Instruction) -> Option<String> {
        let memory = instruction.memory_displacement64() as usize;
        let has_memory =
            (0..instruction.op_count()).any(|index| instruction.op_kind(index) == OpKind::Memory);
        if has_memory && instruction.segment_prefix() == Register::GS {
            let (what, frame) = self.of_thread_block(memory)?;
            if instruction.op0_register() == Register::RAX {
                self.frame = frame;
            }
            return Some(what);
        }
        let in_frame = has_memory && instruction.memory_base() == Register::RAX;
        if let Some(side) = self.frame.filter(|_| in_frame) {
            return self.of_frame(instruction, side, memory);
        }
        match instruction.mnemonic() {
            Mnemonic::Wrpkru => Some("from here on with these rights".to_owned()),
            Mnemonic::Rdgsbase => Some("does not exist in 32-bit mode".to_owned()),
            Mnemonic::Wrfsbase => Some("thread-locals".to_owned()),
            Mnemonic::Ldmxcsr | Mnemonic::Fldcw => Some("floating-point control".to_owned()),
            Mnemonic::Stmxcsr | Mnemonic::Fnstcw => {
                Some("floating-point control, saved".to_owned())
            }
            Mnemonic::Ud2 => Some("whoever gets here did not come by the front door".to_owned()),
            Mnemonic::Mov | Mnemonic::Cmp if instruction.op0_register() == Register::EAX => {
                self.frame = None;
                self.rights(instruction)
            }
            Mnemonic::Call | Mnemonic::Jmp => self.called(instruction.near_branch64()),
            _ => {
                if instruction.op0_register().full_register() == Register::RAX {
                    self.frame = None;
                }
                None
            }
        }
    }

    fn of_thread_block(&self, at: usize) -> Option<(String, Option<usize>)> {
        for (side, index) in self.sides().into_iter().enumerate() {
            if at == frame_at(index) {
                return Some((format!("frame of {}", self.name(side)), Some(side)));
            }
            if at == fs_at(index) {
                return Some((format!("FS base of {}", self.name(side)), None));
            }
        }
        let named = [
            (offset_of!(ThreadBlock, selector), "selector"),
            (offset_of!(ThreadBlock, rights), "rights"),
            (
                offset_of!(ThreadBlock, monitor_stack),
                "the monitor's stack",
            ),
            (offset_of!(ThreadBlock, scratch), "room for a moment"),
        ];
        let (_, name) = named.iter().find(|(offset, _)| *offset == at)?;
        Some(((*name).to_owned(), None))
    }

    fn of_frame(&self, instruction: &Instruction, side: usize, at: usize) -> Option<String> {
        let named = [
            (offset_of!(Frame, stack), "stack"),
            (offset_of!(Frame, awaiting), "awaiting"),
            (offset_of!(Frame, token), "token"),
            (offset_of!(Frame, inside), "inside"),
        ];
        let (_, field) = named.iter().find(|(offset, _)| *offset == at)?;
        let place = format!("{}.{field}", self.name(side));
        let last = instruction.op_count() - 1;
        let immediate = instruction.try_immediate(last).ok();
        match immediate.and_then(ticket_gate) {
            Some((number, phase)) if number == self.gate.number => {
                Some(format!("{place}: this gate, phase {phase}"))
            }
            _ => Some(place),
        }
    }

    fn rights(&self, instruction: &Instruction) -> Option<String> {
        let rights = Rights(instruction.try_immediate(1).ok()? as u32);
        let of = |side: usize| self.plan.cubicles[self.sides()[side]].rights;
        let [from, to] = [self.name(0), self.name(1)];
        let whose = match rights {
            _ if rights == of(0) => from.to_owned(),
            _ if rights == of(1) => to.to_owned(),
            _ if rights == of(0).union(of(1)) => format!("{from} and {to}"),
            Rights::ALL => "the monitor".to_owned(),
            _ if rights.0 == ATTACH as u32 => {
                return Some("asks for a thread of this one in that cubicle".to_owned());
            }
            _ => return None,
        };
        Some(format!("rights of {whose}"))
    }

    fn called(&self, address: u64) -> Option<String> {
        if address == self.gate.target {
            return Some(format!("{} runs", self.gate.name));
        }
        if (STUB_BASE..STUB_BASE + CLEAR_SIZE).contains(&address) {
            return Some("clears registers that carry nothing".to_owned());
        }
        if entry_at(address).is_some() {
            return Some("to the monitor".to_owned());
        }
        (MONITOR_BASE..MONITOR_END)
            .contains(&address)
            .then(|| "the monitor".to_owned())
    }
}
