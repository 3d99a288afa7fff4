//! Places in a finished program's gates, for programs that jump there.

use camino::Utf8Path;
use cargo_cubicle::verify::{Cubicle, File};
use cubicle_abi::layout::{
    ENTRY_BASE, ENTRY_STRIDE, GATE_BASE, GATE_STRIDE, gate, resume_stub, system_call_gate,
};
use cubicle_abi::plan::{MECHANISM_PAGETABLE, MECHANISM_PKU};
use iced_x86::{Decoder, DecoderOptions, Mnemonic};

use crate::program::Mechanism;

/// Addresses in a piece of the runtime's text: in the gate of `what` (the first
/// one, if several cubicles call it), or for `@call NAME` and `@resume NAME` in
/// the system-call gate and resume stub of a cubicle. `wrpkru`: each switch of
/// rights and what stands behind it; `instruction`: all.
pub fn places(program: &Utf8Path, mechanism: Mechanism, kind: &str, what: &str) -> Vec<u64> {
    let bytes = std::fs::read(program).unwrap();
    let plan = File::read(&bytes).unwrap().plan;
    let missing = || panic!("{program}: there is no `{what}`");
    let cubicle = |name: &str| {
        let named = |cubicle: &Cubicle| cubicle.name == name;
        plan.cubicles.iter().position(named).unwrap_or_else(missing)
    };
    let (base, address, size) = if let Some(name) = what.strip_prefix("@call ") {
        (
            ENTRY_BASE,
            system_call_gate(cubicle(name)),
            ENTRY_STRIDE / 2,
        )
    } else if let Some(name) = what.strip_prefix("@resume ") {
        (ENTRY_BASE, resume_stub(cubicle(name)), ENTRY_STRIDE / 2)
    } else {
        let mut gates = plan.gates.iter().flatten();
        let named = gates.find(|gate| gate.name == what);
        let index = named.map_or_else(missing, |gate| gate.number);
        (GATE_BASE, gate(index), GATE_STRIDE)
    };
    let number = match mechanism {
        Mechanism::Pku => MECHANISM_PKU,
        Mechanism::PageTable | Mechanism::OldKernel => MECHANISM_PAGETABLE,
    };
    let text = plan
        .texts
        .iter()
        .find(|text| text.address == base && text.mechanism == number)
        .unwrap();
    let code = &text.bytes[(address - base) as usize..][..size as usize];
    let decoder = Decoder::with_ip(64, code, address, DecoderOptions::NONE);
    let found: Vec<u64> = decoder
        .into_iter()
        .take_while(|instruction| instruction.mnemonic() != Mnemonic::Int3)
        .flat_map(|instruction| match kind {
            "wrpkru" if instruction.mnemonic() == Mnemonic::Wrpkru => {
                vec![instruction.ip(), instruction.next_ip()]
            }
            "wrpkru" => Vec::new(),
            "instruction" => vec![instruction.ip()],
            _ => panic!("`each: {kind}`"),
        })
        .collect();
    assert!(!found.is_empty(), "{program}: no {kind} in `{what}`");
    found
}
