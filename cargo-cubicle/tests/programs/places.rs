//! Places in a finished program's gates, for programs that jump there.

use camino::Utf8Path;
use cubicle_abi::layout::{GATE_BASE, GATE_STRIDE};
use cubicle_abi::plan::{Gate, Header, MECHANISM_PAGETABLE, MECHANISM_PKU, Slice, Text};
use iced_x86::{Decoder, DecoderOptions, Mnemonic};
use object::{Object, ObjectSection};

use crate::program::Mechanism;

/// The addresses in the gate of `function` (the first one, if several cubicles
/// call it): `wrpkru`, behind each switch of rights; `instruction`, all.
pub fn places(program: &Utf8Path, mechanism: Mechanism, kind: &str, function: &str) -> Vec<u64> {
    let bytes = std::fs::read(program).unwrap();
    let file = object::File::parse(bytes.as_slice()).unwrap();
    let section = file.section_by_name(".cubicle.plan").unwrap();
    let plan = section.data().unwrap();
    let header: &Header = &array(
        plan,
        Slice {
            offset: 0,
            count: 1,
        },
    )[0];
    let gates: &[Gate] = array(plan, header.gates);
    let texts: &[Text] = array(plan, header.texts);
    let name = |slice: Slice| &plan[slice.offset as usize..][..slice.count as usize];
    let index = gates
        .iter()
        .position(|gate| name(gate.name) == function.as_bytes())
        .unwrap_or_else(|| panic!("{program}: there is no gate of `{function}`"));
    let number = match mechanism {
        Mechanism::Pku => MECHANISM_PKU,
        Mechanism::PageTable => MECHANISM_PAGETABLE,
    };
    let text = texts
        .iter()
        .find(|text| text.address == GATE_BASE && text.mechanism == number)
        .unwrap();
    let start = index * GATE_STRIDE as usize;
    let code = &name(text.bytes)[start..][..GATE_STRIDE as usize];
    let address = GATE_BASE + start as u64;
    let decoder = Decoder::with_ip(64, code, address, DecoderOptions::NONE);
    let found: Vec<u64> = decoder
        .into_iter()
        .take_while(|instruction| instruction.mnemonic() != Mnemonic::Int3)
        .filter_map(|instruction| match kind {
            "wrpkru" => {
                (instruction.mnemonic() == Mnemonic::Wrpkru).then_some(instruction.next_ip())
            }
            "instruction" => Some(instruction.ip()),
            _ => panic!("`each: {kind}`"),
        })
        .collect();
    assert!(!found.is_empty(), "{program}: no {kind} in `{function}`");
    found
}

/// Elements of the plan, which the tool aligned.
fn array<T>(plan: &[u8], slice: Slice) -> &[T] {
    let bytes = &plan[slice.offset as usize..][..slice.count as usize * size_of::<T>()];
    // SAFETY: the plan's structures are integers only; alignment is checked.
    let (before, elements, _) = unsafe { bytes.align_to::<T>() };
    assert!(before.is_empty(), "the plan is not aligned in this buffer");
    elements
}
