//! A script for gdb, which lies beside the images of the cubicles: it loads their
//! symbols, and follows calls through gates.

use std::fmt::Write;
use std::mem::offset_of;

use cubicle_abi::frame::{Frame, Saved};
use cubicle_abi::layout::{GATE_BASE, GATE_STRIDE};
use cubicle_abi::thread_block::{ThreadBlock, VirtualThread};

use crate::plan::Plan;

/// The script's name.
pub const SCRIPT: &str = "gdb.py";

/// What the script loads for the gates.
pub const GATES_OBJECT: &str = "gates.o";

/// An object with one function, as large as all gates.
///
/// # Errors
/// If it cannot be written.
pub fn gates_object(plan: &Plan) -> Result<Vec<u8>, object::write::Error> {
    use object::write::{Object, Symbol, SymbolSection};
    use object::{Architecture, BinaryFormat, Endianness, SymbolFlags, SymbolKind, SymbolScope};
    let mut gates = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let text = gates.section_id(object::write::StandardSection::Text);
    let size = plan.gates.len() as u64 * GATE_STRIDE;
    gates.append_section_data(text, &vec![0; size as usize], 1);
    gates.add_symbol(Symbol {
        name: b"__morestack".to_vec(),
        value: 0,
        size,
        kind: SymbolKind::Text,
        scope: SymbolScope::Linkage,
        weak: false,
        section: SymbolSection::Section(text),
        flags: SymbolFlags::None,
    });
    gates.write()
}

/// The script for one program.
pub fn script(plan: &Plan) -> String {
    let mut text = String::new();
    let names: Vec<String> = plan
        .cubicles
        .iter()
        .map(|cubicle| quoted(&cubicle.name))
        .collect();
    let _ = writeln!(text, "CUBICLES = [{}]", names.join(", "));
    let _ = writeln!(
        text,
        "# By number: who calls, who is called, which function."
    );
    let _ = writeln!(text, "GATES = [");
    for gate in &plan.gates {
        let _ = match gate {
            Some(gate) => writeln!(
                text,
                "    ({}, {}, {}),",
                gate.from,
                gate.to,
                quoted(&gate.symbol)
            ),
            None => writeln!(text, "    None,"),
        };
    }
    let _ = writeln!(text, "]");
    for (name, value) in [
        ("GATE_BASE", GATE_BASE as usize),
        ("GATE_STRIDE", GATE_STRIDE as usize),
        ("VIRTUAL_THREADS", offset_of!(ThreadBlock, virtual_threads)),
        ("VIRTUAL_THREAD_SIZE", size_of::<VirtualThread>()),
        ("FRAME_STACK", offset_of!(Frame, stack)),
    ] {
        let _ = writeln!(text, "{name} = {value:#x}");
    }
    let _ = writeln!(text, "GATES_OBJECT = {}", quoted(GATES_OBJECT));
    let _ = writeln!(text, "# What a gate has saved on its caller's stack.");
    let saved = [
        ("rip", offset_of!(Saved, return_address)),
        ("rbp", offset_of!(Saved, rbp)),
        ("rbx", offset_of!(Saved, rbx)),
        ("r12", offset_of!(Saved, r12)),
        ("r13", offset_of!(Saved, r13)),
        ("r14", offset_of!(Saved, r14)),
        ("r15", offset_of!(Saved, r15)),
    ];
    let saved = saved.map(|(name, offset)| format!("\"{name}\": {offset}"));
    let _ = writeln!(text, "SAVED = {{{}}}\n", saved.join(", "));
    text.push_str(include_str!("gdb.py"));
    text
}

/// A string as Python and JSON both write it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
