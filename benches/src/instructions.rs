//! How many instructions a gate executes, from the code that the tool emits.

use anyhow::Context;
use cargo_cubicle::compose::Monitor;
use cargo_cubicle::gates::clear::{self, VectorLevel};
use cargo_cubicle::gates::{
    GateKind, GateResult, GateShape, GateSpec, GateTarget, Mechanism, call,
};
use cubicle_abi::layout::{GATE_BASE, STUB_BASE};
use cubicle_abi::rights::{cubicle_key, cubicle_rights};
use iced_x86::{Decoder, DecoderOptions, FlowControl};

/// Instructions from a gate's first to its `ret`, in a call that goes well and
/// with protection keys: `switches` of them WRPKRU. The function itself and
/// what the monitor does are not counted, the clearing of registers is.
pub struct Count {
    pub instructions: usize,
    pub switches: usize,
}

/// The gate of a function that takes one integer and returns one.
pub fn count(kind: GateKind, switch_fs: bool, scrub_vectors: bool) -> anyhow::Result<Count> {
    let monitor = Monitor::embedded()?;
    let (mut from, mut to) = (cubicle_rights(0), cubicle_rights(1));
    match kind {
        GateKind::CallerSees => from = from.writing(cubicle_key(1)),
        GateKind::CalleeSees => to = to.writing(cubicle_key(0)),
        GateKind::Fast | GateKind::Union | GateKind::Lending => {}
    }
    let spec = GateSpec {
        function: "function".into(),
        index: 0,
        from: 0,
        to: 1,
        rights_from: from,
        rights_to: to,
        target: GateTarget::Function(0x1000_0000),
        kind,
        shape: GateShape {
            integers: 1,
            vectors: 0,
            stack_words: 0,
            variadic: false,
            result: GateResult {
                integers: 1,
                vectors: 0,
            },
        },
        switch_fs,
        callee_uses_x87: false,
        scrub_vectors,
        errno: None,
        fault: None,
    };
    let clearing = executed(&clear::emit(VectorLevel::Avx512Wide)?, STUB_BASE)?.0;
    let (own, switches, calls) = {
        let code = call::emit(&spec, Mechanism::Pku, &monitor.entries)?;
        executed(&code, GATE_BASE)?
    };
    Ok(Count {
        instructions: own + calls * clearing,
        switches,
    })
}

/// Instructions up to the first `ret`, and how many of them are WRPKRU and
/// calls of the clearing routines. A conditional branch forward either leaves
/// the gate for good or skips a repair; both happen rarely.
fn executed(code: &[u8], address: u64) -> anyhow::Result<(usize, usize, usize)> {
    let mut decoder = Decoder::with_ip(64, code, address, DecoderOptions::NONE);
    let (mut all, mut switches, mut clearings) = (0, 0, 0);
    while decoder.can_decode() {
        let instruction = decoder.decode();
        all += 1;
        if instruction.mnemonic() == iced_x86::Mnemonic::Wrpkru {
            switches += 1;
        }
        let clears = (STUB_BASE..GATE_BASE).contains(&instruction.near_branch_target());
        if instruction.flow_control() == FlowControl::Call && clears {
            clearings += 1;
        }
        if instruction.flow_control() == FlowControl::Return {
            return Ok((all, switches, clearings));
        }
    }
    None.context("a gate without a return")
}
