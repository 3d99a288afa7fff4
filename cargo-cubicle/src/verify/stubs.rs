//! What the smaller pieces of text must be: register clearing, patched sites of
//! system calls, and what stands for functions that cross.

use cubicle_abi::layout::{entry_at, gate, site, system_call_gate};
use iced_x86::Mnemonic::*;
use iced_x86::Register::{
    self, EAX, ECX, K0, K1, K2, K3, K4, K5, K6, K7, RAX, RCX, XMM0, XMM1, XMM2, XMM3, XMM4, XMM5,
    XMM6, XMM7, XMM8, XMM9, XMM10, XMM11, XMM12, XMM13, XMM14, XMM15, ZMM16, ZMM17, ZMM18, ZMM19,
    ZMM20, ZMM21, ZMM22, ZMM23, ZMM24, ZMM25, ZMM26, ZMM27, ZMM28, ZMM29, ZMM30, ZMM31,
};

use super::cursor::{Cursor, Label, Matched};
use super::file::File;
use super::step::Operand;
use super::step::write::{imm, reg, to};

/// Levels of vector registers, as the plan numbers them: SSE, AVX, AVX-512F, and
/// AVX-512BW as well.
pub const LEVELS: u32 = 4;
/// Routines of a level: none to eight registers are kept.
pub const ROUTINES: usize = 9;

const LOW: [Register; 16] = [
    XMM0, XMM1, XMM2, XMM3, XMM4, XMM5, XMM6, XMM7, XMM8, XMM9, XMM10, XMM11, XMM12, XMM13, XMM14,
    XMM15,
];
const HIGH: [Register; 16] = [
    ZMM16, ZMM17, ZMM18, ZMM19, ZMM20, ZMM21, ZMM22, ZMM23, ZMM24, ZMM25, ZMM26, ZMM27, ZMM28,
    ZMM29, ZMM30, ZMM31,
];
const MASKS: [Register; 8] = [K0, K1, K2, K3, K4, K5, K6, K7];

/// Leaves the first `kept` vector registers, 16 bytes of each, and nothing else.
pub fn clear(code: &mut Cursor<'_>, level: u32, kept: usize) -> Matched {
    code.step("clearing registers");
    if level > 0 {
        code.is(Vzeroupper, &[])?;
    }
    for register in &LOW[kept..] {
        code.is(Xorps, &[reg(*register), reg(*register)])?;
    }
    if level >= 2 {
        for register in HIGH {
            code.is(Vpxord, &[reg(register), reg(register), reg(register)])?;
        }
        if level == 3 {
            // They are mostly zero, and testing is quicker than clearing.
            let used = code.near();
            for pair in MASKS.chunks_exact(2) {
                code.is(Kortestq, &[reg(pair[0]), reg(pair[1])])?;
                code.jump(Jne, used)?;
            }
            code.is(Ret, &[])?;
            code.define(used)?;
        }
        for register in MASKS {
            code.is(Kxorw, &[reg(register), reg(register), reg(register)])?;
        }
    }
    code.is(Ret, &[])?;
    code.end()
}

/// What a stub of a slot must be.
pub fn callback(code: &mut Cursor<'_>, slot: usize, to_gate: usize) -> Matched {
    code.step("the stub of a callback");
    code.is(Mov, &[reg(EAX), imm(slot as i64)])?;
    code.nops(16);
    code.is(Jmp, &[to(gate(to_gate))])?;
    code.end()
}

/// The stub of a patched site begins with what `syscall` leaves in rcx: where the
/// program goes on. Only one form has that as a constant.
pub fn site_places(code: &[u8]) -> usize {
    const MOV_ECX: u8 = 0xb9;
    if code.first() == Some(&MOV_ECX) { 1 } else { 2 }
}

/// What the stub of a site must be: it goes to the system-call gate of the cubicle in
/// whose image the site lies, which jumps here, and back to behind the site.
pub fn patched(code: &mut Cursor<'_>, file: &File<'_>, number: usize) -> Matched {
    code.step("the stub of a system call");
    let (before, cubicle, resume);
    if site_places(code.bytes_at(code.here())) == 1 {
        resume = constant(code, ECX)?;
        let call = constant(code, EAX)?;
        cubicle = to_system_call_gate(code)?;
        code.end()?;
        // Unwinders know that site by its bytes, so it is left as it is.
        const RT_SIGRETURN: u64 = 15;
        if call == RT_SIGRETURN {
            return code.mismatch("the return from a handler is no site to patch");
        }
        before = 7;
        if file.at(resume.wrapping_sub(2), 2) != Some(&[0x0f, 0x05]) {
            return code.mismatch("the program does not go on behind a system call");
        }
    } else {
        code.address_of(RCX, Label::Again)?;
        code.is(Xor, &[reg(EAX), reg(EAX)])?;
        cubicle = to_system_call_gate(code)?;
        code.define(Label::Again)?;
        code.is(Cmp, &[reg(RAX), imm(-4096)])?;
        resume = jump(code)?;
        code.end()?;
        before = 10;
    }
    if !file.is_code_of(cubicle, resume) {
        return code.mismatch("it goes on outside of the cubicle's code");
    }
    let from = resume.wrapping_sub(before);
    let jump = file.at(from, 5).and_then(|bytes| match bytes {
        [0xe9, distance @ ..] => Some(i32::from_le_bytes(distance.try_into().ok()?)),
        _ => None,
    });
    let reached = jump.map(|distance| from.wrapping_add(5).wrapping_add_signed(distance.into()));
    match reached == Some(site(number)) && file.is_code_of(cubicle, from) {
        true => Ok(()),
        false => code.mismatch("the site that it belongs to does not jump to it"),
    }
}

fn constant(code: &mut Cursor<'_>, register: Register) -> Result<u64, super::cursor::Mismatch> {
    let (_, step) = code.next()?;
    match (step.mnemonic, &step.operands.list[..step.operands.count]) {
        (Mov, [Operand::Register(found), Operand::Immediate(value)]) if *found == register => {
            Ok(*value)
        }
        _ => code.mismatch(format!(
            "a constant for {register:?} must stand before, not `{step}`"
        )),
    }
}

fn jump(code: &mut Cursor<'_>) -> Result<u64, super::cursor::Mismatch> {
    let (_, step) = code.next()?;
    match (step.mnemonic, &step.operands.list[..step.operands.count]) {
        (Jmp, [Operand::To(target)]) => Ok(*target),
        _ => code.mismatch(format!("a jump must stand before, not `{step}`")),
    }
}

fn to_system_call_gate(code: &mut Cursor<'_>) -> Result<usize, super::cursor::Mismatch> {
    let target = jump(code)?;
    match entry_at(target).filter(|cubicle| system_call_gate(*cubicle) == target) {
        Some(cubicle) => Ok(cubicle),
        None => code.mismatch(format!(
            "{target:#x} is not the start of a system-call gate"
        )),
    }
}

/// The cubicle to whose system-call gate the stub of a site goes, if it goes to one.
pub fn site_owner(code: &[u8], address: u64) -> Option<usize> {
    let mut cursor = Cursor::new(code, address);
    for _ in 0..3 {
        let (_, step) = cursor.next().ok()?;
        if let (Jmp, Operand::To(target)) = (step.mnemonic, step.operands.list[0]) {
            return entry_at(target).filter(|cubicle| system_call_gate(*cubicle) == target);
        }
    }
    None
}
