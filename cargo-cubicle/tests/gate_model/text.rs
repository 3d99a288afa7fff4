//! The instructions of the model: decoded from the very bytes that the tool
//! emits, and from the monitor that it carries. What is not emitted is not here.

use cargo_cubicle::compose::Monitor;
use cargo_cubicle::gates::{Mechanism, call, callback_stubs, system_call};
use cargo_cubicle::images::Symbol;
use cubicle_abi::layout;
use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic};
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;

use super::mixer::Mixer;
use super::world::{Edge, SLOT};
use cubicle_abi::rights::Rights;

/// The monitor's assembly. Rust, which contains nothing that changes rights, is
/// what these call, and the model does itself (`monitor.rs`).
pub const ASSEMBLY: [&str; 12] = [
    "cubicle_signal_entry_keys",
    "cubicle_signal_return",
    "cubicle_raise_first",
    "cubicle_system_call",
    "cubicle_gate_enter",
    "cubicle_gate_leave",
    "cubicle_enter",
    "cubicle_back",
    "cubicle_leave",
    "cubicle_contain",
    "cubicle_resume",
    "cubicle_call_as_keys",
];

/// Executable text that everybody may jump into, with the piece each
/// instruction belongs to.
#[derive(Clone)]
pub struct Text {
    /// In order of their addresses, with the number of the piece.
    instructions: Vec<(Instruction, usize)>,
    /// The place of each in that list.
    places: HashMap<u64, usize, BuildHasherDefault<Mixer>>,
    code: BTreeMap<u64, Vec<u8>>,
    pieces: Vec<String>,
    addresses: BTreeMap<String, u64>,
}

impl Text {
    pub fn emit(rights: &[Rights], edges: &[Edge]) -> Text {
        let monitor = Monitor::embedded().expect("the monitor");
        let mut text = Text {
            instructions: Vec::new(),
            places: HashMap::default(),
            code: BTreeMap::new(),
            pieces: Vec::new(),
            addresses: BTreeMap::new(),
        };
        for edge in edges {
            let code = call::emit(&edge.spec, Mechanism::Pku, &monitor.entries).expect("a gate");
            text.add(
                format!("gate {}", edge.spec.index),
                layout::gate(edge.spec.index),
                &code,
            );
            if let Some(number) = edge.callback() {
                let stubs = callback_stubs::emit(&vec![edge.spec.index; number + 1]);
                let address = layout::callback_stub(number, SLOT);
                let start = (address - layout::CALLBACK_BASE) as usize;
                let bytes = &stubs.expect("stubs")[start..];
                // Two instructions; behind them comes padding.
                let end = bytes
                    .iter()
                    .position(|byte| *byte == 0xcc)
                    .expect("padding");
                text.add(format!("stub {number}"), address, &bytes[..end]);
            }
        }
        for (cubicle, own) in rights.iter().enumerate() {
            let gate = system_call::emit_gate(cubicle, *own, Mechanism::Pku, &monitor.entries);
            text.add(
                format!("system-call gate {cubicle}"),
                layout::system_call_gate(cubicle),
                &gate.expect("a system-call gate"),
            );
            let stub = system_call::emit_resume(cubicle, *own, Mechanism::Pku, &monitor.entries);
            text.add(
                format!("resume stub {cubicle}"),
                layout::resume_stub(cubicle),
                &stub.expect("a resume stub"),
            );
        }
        text.add_assembly(&monitor);
        text.instructions.sort_by_key(|(one, _)| one.ip());
        let places = text.instructions.iter().enumerate();
        text.places = places.map(|(place, (one, _))| (one.ip(), place)).collect();
        text
    }

    fn add(&mut self, name: String, address: u64, bytes: &[u8]) {
        self.addresses.insert(name.clone(), address);
        self.pieces.push(name);
        let piece = self.pieces.len() - 1;
        for instruction in Decoder::with_ip(64, bytes, address, DecoderOptions::NONE) {
            if instruction.mnemonic() == Mnemonic::Int3 {
                // Padding.
                continue;
            }
            assert_ne!(instruction.mnemonic(), Mnemonic::INVALID);
            let start = (instruction.ip() - address) as usize;
            let code = &bytes[start..start + instruction.len()];
            self.code.insert(instruction.ip(), code.to_vec());
            self.instructions.push((instruction, piece));
        }
    }

    /// From each symbol to the next one: assembly has no sizes. Some are only places
    /// inside of another.
    fn add_assembly(&mut self, monitor: &Monitor) {
        let is_start = |symbol: &&Symbol| !symbol.name.starts_with("cubicle_call_keys");
        let starts = monitor.symbols.iter().filter(is_start);
        let mut starts: Vec<u64> = starts.map(|one| one.address).collect();
        starts.sort_unstable();
        starts.dedup();
        for name in ASSEMBLY {
            let symbol = monitor.symbols.iter().find(|symbol| symbol.name == name);
            let start = symbol
                .unwrap_or_else(|| panic!("the monitor has no {name}"))
                .address;
            let next = starts.iter().find(|other| **other > start);
            let code = (monitor.segments.iter())
                .find(|one| {
                    one.executable && (one.address..one.address + one.file_size).contains(&start)
                })
                .expect("text");
            let end = next.copied().unwrap_or(code.address + code.file_size);
            let place = |address: u64| (address - code.address + code.file_offset) as usize;
            self.add(name.into(), start, &monitor.bytes[place(start)..place(end)]);
        }
    }

    pub fn at(&self, address: u64) -> Option<&Instruction> {
        let place = *self.places.get(&address)?;
        Some(&self.instructions[place].0)
    }

    /// The name of what an instruction belongs to.
    pub fn piece(&self, address: u64) -> &str {
        match self.places.get(&address) {
            Some(place) => &self.pieces[self.instructions[*place].1],
            None => "elsewhere",
        }
    }

    pub fn address(&self, name: &str) -> u64 {
        self.addresses[name]
    }

    /// The instruction with its place, for messages.
    pub fn describe(&self, address: u64) -> String {
        let piece = self.piece(address);
        let start = self.addresses.get(piece).copied().unwrap_or(0);
        match self.at(address) {
            Some(one) => format!("{piece}+{:#x} `{one}`", address - start),
            None => format!("{address:#x}"),
        }
    }

    /// Up to 32 bytes from an instruction on.
    pub fn bytes(&self, address: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut at = address;
        while let Some(code) = self.code.get(&at).filter(|_| bytes.len() < 32) {
            bytes.extend(code);
            at += code.len() as u64;
        }
        bytes
    }

    /// All instructions, from the last to the first.
    pub fn targets(&self) -> impl Iterator<Item = u64> {
        self.instructions.iter().rev().map(|(one, _)| one.ip())
    }

    pub fn all(&self) -> impl Iterator<Item = (&Instruction, &str)> {
        self.instructions
            .iter()
            .map(|(one, piece)| (one, &*self.pieces[*piece]))
    }

    /// As if somebody had forgotten to emit this instruction.
    pub fn forget(&mut self, address: u64) {
        let (instruction, _) = &mut self.instructions[self.places[&address]];
        let (ip, length) = (instruction.ip(), instruction.len());
        *instruction = Instruction::with(iced_x86::Code::Nopd);
        instruction.set_len(length);
        instruction.set_ip(ip);
    }
}
