//! A gate's instructions, with what they mean beside them. What a comment says is
//! worked out from the instruction and the plan; where nothing is known, there is none.

use cubicle_abi::calls::ATTACH;
use cubicle_abi::frame::{Frame, ticket_gate};
use cubicle_abi::layout::{
    CLEAR_SIZE, GATE_BASE, GATE_STRIDE, MONITOR_BASE, MONITOR_END, STUB_BASE, entry_at,
};
use cubicle_abi::rights::Rights;
use cubicle_abi::thread_block::{ThreadBlock, frame_at, fs_at};
use iced_x86::{
    Decoder, DecoderOptions, FlowControl, Formatter, Instruction, IntelFormatter, Mnemonic, OpKind,
    Register,
};
use std::mem::offset_of;

use crate::plan::Plan;

/// The listing of the gate to `function`.
pub fn listing(plan: &Plan, function: &str) -> String {
    let (number, gate) = plan.gate(function);
    let address = GATE_BASE + number as u64 * GATE_STRIDE;
    let name = |index: u32| plan.name(plan.cubicles()[index as usize].name);
    let mut reader = Reader {
        plan,
        number,
        function,
        target: gate.target,
        sides: [gate.from, gate.to],
        names: [name(gate.from), name(gate.to)],
        frame: None,
    };
    let mut formatter = IntelFormatter::new();
    let options = formatter.options_mut();
    options.set_space_after_operand_separator(true);
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    options.set_branch_leading_zeros(false);
    let mut text = String::new();
    let decoder = Decoder::with_ip(64, plan.text(number), address, DecoderOptions::NONE);
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
            words = format!("call {}::{function}", reader.names[1]);
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
    plan: &'a Plan,
    number: usize,
    function: &'a str,
    target: u64,
    sides: [u32; 2],
    names: [String; 2],
    /// Whose frame's address is in rax.
    frame: Option<usize>,
}

impl Reader<'_> {
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
        for (side, index) in self.sides.iter().enumerate() {
            if at == frame_at(*index as usize) {
                return Some((format!("frame of {}", self.names[side]), Some(side)));
            }
            if at == fs_at(*index as usize) {
                return Some((format!("FS base of {}", self.names[side]), None));
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
        let place = format!("{}.{field}", self.names[side]);
        let last = instruction.op_count() - 1;
        let immediate = instruction.try_immediate(last).ok();
        match immediate.and_then(ticket_gate) {
            Some((number, phase)) if number == self.number => {
                Some(format!("{place}: this gate, phase {phase}"))
            }
            _ => Some(place),
        }
    }

    fn rights(&self, instruction: &Instruction) -> Option<String> {
        let rights = Rights(instruction.try_immediate(1).ok()? as u32);
        let of = |side: usize| Rights(self.plan.cubicles()[self.sides[side] as usize].rights);
        let [from, to] = &self.names;
        let whose = match rights {
            _ if rights == of(0) => from.clone(),
            _ if rights == of(1) => to.clone(),
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
        if address == self.target {
            return Some(format!("{} runs", self.function));
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
