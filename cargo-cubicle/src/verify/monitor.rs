//! The monitor's own ways to other rights. The rest of it is believed: it is compiled
//! code, which no template describes.

use std::collections::BTreeSet;

use cubicle_abi::layout::{MONITOR_BASE, MONITOR_END};
use cubicle_abi::plan::Entries;
use cubicle_abi::thread_block::ThreadBlock;
use iced_x86::Mnemonic::*;
use iced_x86::Register::{
    self, EAX, ECX, EDX, ESI, R8, R9, R10, R12, R12D, RAX, RBP, RBX, RCX, RDI, RDX, RIP, RSI, RSP,
};
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{LittleEndian, Object, elf};
use std::mem::offset_of;

use super::cursor::{Cursor, Label, Matched, Mismatch};
use super::file::File;
use super::report::{Finding, Report, Rule};
use super::step::write::{at, gs, imm, reg};
use super::step::{Memory, Operand};

/// Bytes that are enough for the longest of them.
const MOST: usize = 512;

/// The places that the plan names, with what must stand there.
type Entry = (&'static str, u64, fn(&mut Cursor<'_>) -> Matched);

fn with_switches(entries: &Entries) -> [Entry; 3] {
    [
        ("the handler of signals", entries.signal, signal),
        ("the first raise", entries.raise_first, raise_first),
        ("a call with a cubicle's rights", entries.call_as, call_as),
    ]
}

/// Addresses of WRPKRU in the monitor that belong there.
pub fn intended(file: &File<'_>) -> BTreeSet<u64> {
    let mut all = BTreeSet::new();
    for (_, address, template) in with_switches(&file.plan.header.entries) {
        let mut code = Cursor::new(code_at(file, address), address);
        // Where it differs, `check` says so; what was in order before is.
        let _ = template(&mut code);
        all.extend(code.intended);
    }
    all
}

fn code_at<'a>(file: &File<'a>, address: u64) -> &'a [u8] {
    match file.segment_at(address) {
        Some(segment) if file.is_code_of_monitor(address) => {
            let rest = segment.bytes.get((address - segment.address) as usize..);
            let rest = rest.unwrap_or_default();
            &rest[..rest.len().min(MOST)]
        }
        _ => &[],
    }
}

/// Each entry that the plan names is what it must be.
pub fn check(file: &File<'_>, report: &mut Report) {
    let entries = &file.plan.header.entries;
    for (name, address, template) in with_switches(entries) {
        let mut code = Cursor::new(code_at(file, address), address);
        if let Err(Mismatch {
            address,
            step,
            message,
        }) = template(&mut code)
        {
            let message = format!("{step}: {message}");
            let finding = Finding::new(Rule::Monitor, address, name, message);
            report.find(finding.showing(code.bytes_at(address)));
        }
        report.places += 1;
        report.instructions += code.count;
        report.switches += code.switches;
    }
    for (name, address) in [
        ("where page tables are switched", entries.switch_pages),
        ("where system calls arrive", entries.system_call),
        ("where lends begin", entries.gate_enter),
        ("where lends end", entries.gate_leave),
        ("where the program starts", file.entry),
    ] {
        if !file.is_code_of_monitor(address) {
            let message = "this is not code of the monitor";
            report.find(Finding::new(Rule::Monitor, address, name, message));
        }
    }
}

/// Is the file's monitor, all that is loaded of it, byte for byte this image, entered where that
/// is entered?
pub fn is_same(file: &File<'_>, image: &[u8], entries: &Entries) -> bool {
    let Ok(image) = ElfFile64::<LittleEndian>::parse(image) else {
        return false;
    };
    let mut own: Vec<(u64, u64, bool, bool, &[u8])> = Vec::new();
    for header in image.elf_program_headers() {
        let flags = header.p_flags(LittleEndian);
        if header.p_type(LittleEndian) == elf::PT_LOAD {
            own.push((
                header.p_vaddr(LittleEndian),
                header.p_memsz(LittleEndian),
                flags.contains(elf::PF_W),
                flags.contains(elf::PF_X),
                header.data(LittleEndian, image.data()).unwrap_or_default(),
            ));
        }
    }
    own.sort_unstable();
    let found = file
        .segments
        .iter()
        .filter(|one| (MONITOR_BASE..MONITOR_END).contains(&one.address))
        .map(|one| {
            (
                one.address,
                one.memory_size,
                one.writable,
                one.executable,
                one.bytes,
            )
        });
    found.eq(own) && file.entry == image.entry() && file.plan.header.entries == *entries
}

/// A field of the monitor's own memory: where it is only the monitor knows, but it is
/// the same one each time.
#[derive(Default)]
struct Field(Option<i64>);

impl Field {
    /// The displacement in the next instruction, at first; then that same one.
    fn of(&mut self, code: &Cursor<'_>, base: Register) -> Operand {
        let found = code.memory().filter(|memory| memory.base == base);
        let displacement = *self
            .0
            .get_or_insert_with(|| found.map_or(-1, |memory| memory.displacement));
        Operand::Memory(Memory {
            segment: Register::None,
            base,
            index: Register::None,
            scale: 1,
            displacement,
            size: 8,
        })
    }
}

/// Raises to all rights, whoever jumps here or not, and traps if that failed.
fn raise(code: &mut Cursor<'_>) -> Matched {
    for register in [EAX, ECX, EDX] {
        code.is(Xor, &[reg(register), reg(register)])?;
    }
    code.is(Wrpkru, &[])
}

fn raised(code: &mut Cursor<'_>) -> Matched {
    code.is(Test, &[reg(EAX), reg(EAX)])?;
    code.jump(Jne, Label::Trap)?;
    code.is(Rdgsbase, &[reg(ECX)])
}

/// With what rights the kernel gave it, which write key 0, the handler leaves a proof at
/// the bottom of its stack. With all rights it requires and clears that, by way of the thread
/// block, and requires that the thread block is the stack's own.
fn signal(code: &mut Cursor<'_>) -> Matched {
    let header = offset_of!(ThreadBlock, signal_header);
    let selector = offset_of!(ThreadBlock, selector);
    let [
        mut block,
        mut signal,
        mut information,
        mut context,
        mut stack,
        mut proof,
        mut previous,
    ] = <[Field; 7]>::default();
    code.step("before the raise");
    code.is(Mov, &[reg(RAX), reg(RSP)])?;
    let mask = code
        .immediate()
        .filter(|mask| (*mask as i64).unsigned_abs().is_power_of_two());
    code.is(And, &[reg(RAX), imm(mask.unwrap_or(0) as i64)])?;
    code.is(Rdgsbase, &[reg(RCX)])?;
    let place = block.of(code, RAX);
    code.is(Cmp, &[reg(RCX), place])?;
    code.jump(Jne, Label::Trap)?;
    for (field, register) in [
        (&mut signal, RDI),
        (&mut information, RSI),
        (&mut context, RDX),
        (&mut stack, RSP),
    ] {
        let place = field.of(code, RAX);
        code.is(Mov, &[place, reg(register)])?;
    }
    let place = proof.of(code, RAX);
    code.is(Mov, &[place, imm(1)])?;
    raise(code)?;
    code.step("behind the raise");
    raised(code)?;
    code.is(Mov, &[reg(RAX), gs(header, 8)])?;
    let place = proof.of(code, RAX);
    code.is(Cmp, &[place, imm(1)])?;
    code.jump(Jne, Label::Trap)?;
    code.is(Mov, &[place, imm(0)])?;
    code.is(Rdgsbase, &[reg(RCX)])?;
    let place = block.of(code, RAX);
    code.is(Cmp, &[reg(RCX), place])?;
    code.jump(Jne, Label::Trap)?;
    let place = stack.of(code, RAX);
    code.is(Mov, &[reg(RSP), place])?;
    code.is(Movzx, &[reg(ECX), gs(selector, 1)])?;
    let place = previous.of(code, RAX);
    code.is(Mov, &[place, reg(RCX)])?;
    let mut fields: Vec<_> = [
        &block,
        &signal,
        &information,
        &context,
        &stack,
        &proof,
        &previous,
    ]
    .into_iter()
    .map(|field| field.0)
    .collect();
    fields.sort_unstable();
    fields.dedup();
    match fields.len() {
        7 => Ok(()),
        _ => code.mismatch("two fields of the signal stack are one"),
    }
}

/// Once, at start: a byte of the monitor's own memory says that it has been.
fn raise_first(code: &mut Cursor<'_>) -> Matched {
    code.step("the raise");
    raise(code)?;
    raised(code)?;
    let once = code
        .memory()
        .filter(|memory| memory.base == RIP && memory.size == 1);
    let Some(once) = once.map(Operand::Memory) else {
        return code.mismatch("a byte of the monitor's must be tested here");
    };
    code.is(Cmp, &[once, imm(0)])?;
    code.jump(Jne, Label::Trap)?;
    code.is(Mov, &[once, imm(1)])?;
    code.is(Ret, &[])?;
    code.define(Label::Trap)?;
    code.is(Ud2, &[])
}

/// The monitor's stack pointer is left where only all rights can write, before the rights
/// are the cubicle's, and behind the raise it is required, taken from there and cleared.
fn call_as(code: &mut Cursor<'_>) -> Matched {
    let state = offset_of!(ThreadBlock, state);
    let [mut proof, mut due] = <[Field; 2]>::default();
    code.step("before the call");
    for register in [RBX, RBP, R12] {
        code.is(Push, &[reg(register)])?;
    }
    code.is(Mov, &[reg(R12D), reg(ESI)])?;
    for (register, number) in [
        (RBX, 0),
        (RSI, 2),
        (RBP, 3),
        (R10, 4),
        (R8, 5),
        (R9, 6),
        (RDI, 1),
    ] {
        code.is(Mov, &[reg(register), at(RDI, 8 * number, 8)])?;
    }
    code.is(Mov, &[reg(RAX), gs(state, 8)])?;
    let place = proof.of(code, RAX);
    code.is(Mov, &[place, reg(RSP)])?;
    let Operand::Memory(signal) = due.of(code, RAX) else {
        return code.mismatch("no field");
    };
    let signal = Operand::Memory(Memory { size: 4, ..signal });
    code.is(Cmp, &[signal, imm(0)])?;
    let not_made = Label::Stranger;
    code.jump(Jne, not_made)?;
    code.step("the call");
    code.is(Mov, &[reg(EAX), reg(R12D)])?;
    for register in [ECX, EDX] {
        code.is(Xor, &[reg(register), reg(register)])?;
    }
    code.is(Wrpkru, &[])?;
    // All rights would be no cubicle's.
    code.is(Test, &[reg(EAX), reg(EAX)])?;
    code.jump(Je, Label::Trap)?;
    code.is(Rdgsbase, &[reg(ECX)])?;
    code.is(Mov, &[reg(RDX), reg(RBP)])?;
    code.is(Mov, &[reg(RAX), reg(RBX)])?;
    code.is(Syscall, &[])?;
    code.define(Label::Again)?;
    code.is(Mov, &[reg(RBX), reg(RAX)])?;
    raise(code)?;
    code.step("behind the call");
    raised(code)?;
    code.is(Mov, &[reg(RCX), gs(state, 8)])?;
    let place = proof.of(code, RCX);
    code.is(Mov, &[reg(RSP), place])?;
    code.is(Test, &[reg(RSP), reg(RSP)])?;
    code.jump(Je, Label::Trap)?;
    code.is(Mov, &[place, imm(0)])?;
    code.is(Mov, &[reg(RAX), reg(RBX)])?;
    for register in [R12, RBP, RBX] {
        code.is(Pop, &[reg(register)])?;
    }
    code.is(Ret, &[])?;
    code.step("a call that a signal came before");
    code.define(not_made)?;
    let answer = code.immediate().unwrap_or(0);
    code.is(Mov, &[reg(RAX), imm(answer as i64)])?;
    code.jump(Jmp, Label::Again)?;
    code.define(Label::Trap)?;
    code.is(Ud2, &[])
}
