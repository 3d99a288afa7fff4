//! A script for gdb, which lies beside the images of the cubicles: it loads their
//! symbols, and follows calls through gates.

use std::fmt::Write;
use std::mem::offset_of;
use std::ops::Range;

use cubicle_abi::frame::{Frame, Saved};
use cubicle_abi::layout::{ENTRY_BASE, ENTRY_STRIDE, GATE_BASE, GATE_STRIDE};
use cubicle_abi::signal_stack::{SIGNAL_STACK, SignalHeader};
use cubicle_abi::thread_block::{ThreadBlock, VirtualThread};

use super::Monitor;
use crate::plan::Plan;

/// The script's name.
pub const SCRIPT: &str = "gdb.py";

/// What the script loads for gates and monitor.
pub const BORDERS_OBJECT: &str = "borders.o";

/// An object with one function as large as all gates and one as large as the monitor's text, each in a
/// section of its own.
///
/// # Errors
/// If it cannot be written.
pub fn borders_object(plan: &Plan, monitor: &Monitor) -> Result<Vec<u8>, object::write::Error> {
    use object::write::{Object, StandardSection, Symbol, SymbolSection};
    use object::{
        Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
    };
    let mut borders = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let text = monitor_text(monitor);
    let sections = [
        (
            borders.section_id(StandardSection::Text),
            plan.gates.len() as u64 * GATE_STRIDE,
        ),
        (
            borders.add_section(Vec::new(), b".text.monitor".to_vec(), SectionKind::Text),
            text.end - text.start,
        ),
    ];
    for (section, size) in sections {
        borders.append_section_data(section, &vec![0; size as usize], 1);
        borders.add_symbol(Symbol {
            name: b"__morestack".to_vec(),
            value: 0,
            size,
            kind: SymbolKind::Text,
            // Two of them, so neither is for others.
            scope: SymbolScope::Compilation,
            weak: false,
            section: SymbolSection::Section(section),
            flags: SymbolFlags::None,
        });
    }
    borders.write()
}

/// Addresses of the monitor's text.
fn monitor_text(monitor: &Monitor) -> Range<u64> {
    let text = monitor.segments.iter().find(|segment| segment.executable);
    text.map_or(0..0, |text| text.address..text.address + text.memory_size)
}

/// The script for one program.
pub fn script(plan: &Plan, monitor: &Monitor) -> String {
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
        ("FRAME_CALLER_STACK", offset_of!(Frame, saved) + 3 * 8),
        ("MONITOR_BEGIN", monitor_text(monitor).start as usize),
        ("MONITOR_END", monitor_text(monitor).end as usize),
        ("MONITOR_STACK", offset_of!(ThreadBlock, monitor_stack)),
        ("ENTRY_BASE", ENTRY_BASE as usize),
        ("ENTRY_STRIDE", ENTRY_STRIDE as usize),
        ("SIGNAL_HEADER", offset_of!(ThreadBlock, signal_header)),
        ("SIGNAL_CONTEXT", offset_of!(SignalHeader, context)),
        ("SIGNAL_STACK", SIGNAL_STACK),
    ] {
        let _ = writeln!(text, "{name} = {value:#x}");
    }
    let _ = writeln!(text, "BORDERS_OBJECT = {}", quoted(BORDERS_OBJECT));
    let _ = writeln!(text, "# What a gate has saved on its caller's stack.");
    table(
        &mut text,
        "SAVED",
        &[
            ("rip", offset_of!(Saved, return_address)),
            ("rbp", offset_of!(Saved, rbp)),
            ("rbx", offset_of!(Saved, rbx)),
            ("r12", offset_of!(Saved, r12)),
            ("r13", offset_of!(Saved, r13)),
            ("r14", offset_of!(Saved, r14)),
            ("r15", offset_of!(Saved, r15)),
        ],
    );
    // As the gate and `cubicle_system_call` push them.
    let _ = writeln!(
        text,
        "# Below the top of the monitor's stack during a system call: the way back into the gate, and the caller's."
    );
    let _ = writeln!(text, "ENTERED = {}", 9 * 8);
    table(
        &mut text,
        "ENTRY_SAVED",
        &[
            ("rip", 8),
            ("rbx", 10 * 8),
            ("rbp", 11 * 8),
            ("r12", 12 * 8),
            ("r13", 13 * 8),
            ("r14", 14 * 8),
            ("r15", 15 * 8),
        ],
    );
    // uc_mcontext of ucontext_t on x86-64 (asm/sigcontext.h) begins at 40 with r8.
    let _ = writeln!(text, "# In what the kernel saves for a signal.");
    table(
        &mut text,
        "CONTEXT",
        &[
            ("r12", 72),
            ("r13", 80),
            ("r14", 88),
            ("r15", 96),
            ("rbp", 120),
            ("rbx", 128),
            ("rsp", 160),
            ("rip", 168),
        ],
    );
    text.push('\n');
    text.push_str(include_str!("gdb.py"));
    text
}

/// Names and numbers, as Python writes a dictionary.
fn table(text: &mut String, name: &str, entries: &[(&str, usize)]) {
    let entries: Vec<String> = entries
        .iter()
        .map(|(key, value)| format!("\"{key}\": {value}"))
        .collect();
    let _ = writeln!(text, "{name} = {{{}}}", entries.join(", "));
}

/// A string as Python and JSON both write it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
