//! The `syscall` instructions of an image, and which call each makes where that is a constant right before it.

use iced_x86::{
    Decoder, DecoderOptions, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register,
};

use crate::images::Image;

/// One instruction.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    pub place: u64,
    /// What eax holds; `None`: nobody can say.
    pub number: Option<u32>,
}

/// A function with such instructions.
#[derive(Debug)]
pub struct Function {
    pub address: u64,
    /// All names that it has.
    pub names: Vec<String>,
    pub calls: Vec<Call>,
}

/// All of an image, ordered by address.
#[derive(Debug)]
pub struct CallsOfKernel(pub Vec<Function>);

impl CallsOfKernel {
    pub fn of(image: &Image) -> CallsOfKernel {
        let mut symbols: Vec<_> = image
            .symbols
            .iter()
            .filter(|symbol| symbol.function && symbol.size > 0)
            .collect();
        symbols.sort_by_key(|symbol| symbol.address);
        let mut functions: Vec<Function> = Vec::new();
        for same in symbols.chunk_by(|one, other| one.address == other.address) {
            let (address, size) = (same[0].address, same[0].size as usize);
            let Some(bytes) = image.at(address) else {
                continue;
            };
            let bytes = &bytes[..bytes.len().min(size)];
            // Most functions do not hold these bytes; decoding is for those that do.
            if !bytes.windows(2).any(|pair| pair == [0x0f, 0x05]) {
                continue;
            }
            let calls = calls(address, bytes);
            if !calls.is_empty() {
                functions.push(Function {
                    address,
                    names: same.iter().map(|symbol| symbol.name.clone()).collect(),
                    calls,
                });
            }
        }
        CallsOfKernel(functions)
    }
}

fn calls(address: u64, bytes: &[u8]) -> Vec<Call> {
    let mut factory = InstructionInfoFactory::new();
    let mut calls = Vec::new();
    let mut number = None;
    for one in Decoder::with_ip(64, bytes, address, DecoderOptions::NONE).iter() {
        let eax = one.op0_kind() == OpKind::Register && one.op0_register() == Register::EAX;
        match one.mnemonic() {
            Mnemonic::Syscall => {
                calls.push(Call {
                    place: one.ip(),
                    number,
                });
                number = None;
            }
            Mnemonic::Mov if eax && one.op1_kind() == OpKind::Immediate32 => {
                number = Some(one.immediate32());
            }
            Mnemonic::Xor if eax && one.op1_register() == Register::EAX => number = Some(0),
            _ => {
                let used = factory.info(&one).used_registers();
                let written = used.iter().any(|used| {
                    used.register().full_register() == Register::RAX
                        && !matches!(used.access(), OpAccess::Read | OpAccess::CondRead)
                });
                if written {
                    number = None;
                }
            }
        }
    }
    calls
}
