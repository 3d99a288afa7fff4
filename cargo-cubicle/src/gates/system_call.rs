//! Entries to the monitor: one system-call gate for each cubicle, and one stub
//! for each patched `syscall`.
//!
//! A system-call gate is reached by a jump: from a stub, from the SIGSYS
//! handler (which sends an interrupted `syscall` here), or from a gate that
//! needs a virtual thread. It must not touch the caller's stack, where a leaf
//! function keeps its red zone.
//!
//! ```text
//! in:  rax  number            out: rax  result
//!      rcx  return address         rcx  return address, r11 zero
//!      rdi rsi rdx r10 r8 r9       all others as they were
//!
//! monitor's stack while the monitor runs:
//!      return address of the caller (Registers::instruction)
//!      r9 r8 r10 rdx rsi rdi
//!      number               ◄── argument of the monitor
//! ```

use super::clear;
use super::spec::MonitorEntries;
use super::switch::{self, Mechanism};
use super::GateError;
use cubicle_abi::frame::{ANSWERED, CALLING, Frame};
use cubicle_abi::layout::{MAXIMUM_CUBICLES, STUB_BASE, STUB_END};
use cubicle_abi::rights::Rights;
use cubicle_abi::thread_block::{SELECTOR_ALLOW, SELECTOR_BLOCK, ThreadBlock, frame_at};
use iced_x86::code_asm::*;
use std::mem::offset_of;

/// Distance between two system-call gates in bytes.
const STRIDE: u64 = 512;
const BASE: u64 = STUB_BASE + clear::SIZE;
/// Bytes that all system-call gates take, rounded to pages.
pub const SIZE: u64 = (STRIDE * MAXIMUM_CUBICLES as u64).next_multiple_of(4096);

/// Distance between two stubs of patched sites in bytes.
const SITE_STRIDE: u64 = 16;
/// Where the stubs of patched sites start.
pub const SITE_BASE: u64 = BASE + SIZE;
/// As many patched sites as there is room for.
pub const MAXIMUM_SITES: usize = ((STUB_END - SITE_BASE) / SITE_STRIDE) as usize;

/// The system-call gate of `cubicle`.
pub fn address(cubicle: usize) -> u64 {
    BASE + STRIDE * cubicle as u64
}

/// First address of all of them.
pub const fn base() -> u64 {
    BASE
}

/// The stub of patched site `index`.
pub fn site_address(index: usize) -> u64 {
    SITE_BASE + SITE_STRIDE * index as u64
}

/// A patched site: what it called, where it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    pub cubicle: usize,
    /// System-call number.
    pub number: u32,
    /// The address behind its `syscall`.
    pub resume: u64,
}

/// All system-call gates, `SIZE` bytes for [`base`]. `rights` has one entry for
/// each cubicle.
///
/// # Errors
/// If one does not fit its stride.
pub fn emit(
    rights: &[Rights],
    mechanism: Mechanism,
    monitor: &MonitorEntries,
) -> Result<Vec<u8>, GateError> {
    let mut text = vec![0xcc; SIZE as usize];
    for (cubicle, own) in rights.iter().enumerate() {
        let code = emit_one(cubicle, *own, mechanism, monitor)?;
        let start = cubicle * STRIDE as usize;
        text[start..start + code.len()].copy_from_slice(&code);
    }
    Ok(text)
}

/// One system-call gate, as [`emit`] places it.
///
/// # Errors
/// If it does not fit its stride.
pub fn emit_one(
    cubicle: usize,
    rights: Rights,
    mechanism: Mechanism,
    monitor: &MonitorEntries,
) -> Result<Vec<u8>, GateError> {
    let mut a = CodeAssembler::new(64)?;
    gate(&mut a, cubicle, rights, mechanism, monitor)?;
    let code = a.assemble(address(cubicle))?;
    if code.len() > STRIDE as usize {
        return Err(GateError::Size {
            function: "the system-call gate".into(),
            size: code.len(),
            stride: STRIDE as usize,
        });
    }
    Ok(code)
}

fn gate(
    a: &mut CodeAssembler,
    cubicle: usize,
    rights: Rights,
    mechanism: Mechanism,
    monitor: &MonitorEntries,
) -> Result<(), iced_x86::IcedError> {
    let frame = |offset: usize| qword_ptr(r11 + offset as i32);
    let own_frame = || qword_ptr(frame_at(cubicle) as u64).gs();
    let selector = || byte_ptr(offset_of!(ThreadBlock, selector) as u64).gs();
    let calling = offset_of!(Frame, calling);
    let saved = |number: usize| offset_of!(Frame, saved) + 8 * number;
    let mut trap = a.create_label();

    // As the caller. Writing its frame is the proof of being it.
    a.mov(r11, own_frame())?;
    a.mov(frame(saved(0)), rax)?;
    a.mov(frame(saved(1)), rdx)?;
    a.mov(frame(saved(2)), rcx)?;
    a.mov(frame(saved(3)), rsp)?;
    a.mov(frame(calling), CALLING as i32)?;
    switch::switch(a, mechanism, monitor.switch_pages, Rights::ALL, trap)?;

    // With all rights. Only what the caller's frame says is believed.
    a.mov(r11, own_frame())?;
    a.cmp(frame(calling), CALLING as i32)?;
    a.jne(trap)?;
    a.mov(frame(calling), 0)?;
    a.mov(rsp, qword_ptr(offset_of!(ThreadBlock, monitor_stack) as u64).gs())?;
    a.push(frame(saved(2)))?;
    a.push(r9)?;
    a.push(r8)?;
    a.push(r10)?;
    a.push(frame(saved(1)))?;
    a.push(rsi)?;
    a.push(rdi)?;
    a.push(frame(saved(0)))?;
    a.cld()?;
    a.mov(rdi, rsp)?;
    a.mov(esi, cubicle as u32)?;
    a.mov(selector(), u32::from(SELECTOR_ALLOW))?;
    a.call(monitor.system_call)?;
    a.mov(selector(), u32::from(SELECTOR_BLOCK))?;
    a.mov(r11, own_frame())?;
    a.mov(frame(saved(0)), rax)?;
    a.mov(frame(calling), ANSWERED as i32)?;
    a.add(rsp, 8)?;
    a.pop(rdi)?;
    a.pop(rsi)?;
    a.add(rsp, 8)?;
    a.pop(r10)?;
    a.pop(r8)?;
    a.pop(r9)?;
    a.add(rsp, 8)?;
    switch::switch(a, mechanism, monitor.switch_pages, rights, trap)?;

    // As the caller again, if the monitor says so.
    a.mov(r11, own_frame())?;
    a.cmp(frame(calling), ANSWERED as i32)?;
    a.jne(trap)?;
    a.mov(frame(calling), 0)?;
    a.mov(rsp, frame(saved(3)))?;
    a.mov(rcx, frame(saved(2)))?;
    a.mov(rdx, frame(saved(1)))?;
    a.mov(rax, frame(saved(0)))?;
    a.xor(r11d, r11d)?;
    a.jmp(rcx)?;
    a.set_label(&mut trap)?;
    a.ud2()
}

/// The stubs of all patched sites, for [`SITE_BASE`].
///
/// # Errors
/// Only if the assembler refuses an instruction.
pub fn emit_sites(sites: &[Site]) -> Result<Vec<u8>, GateError> {
    let mut text = vec![0xcc; sites.len() * SITE_STRIDE as usize];
    for (index, site) in sites.iter().enumerate() {
        let mut a = CodeAssembler::new(64)?;
        a.mov(ecx, site.resume as u32)?;
        a.mov(eax, site.number)?;
        a.jmp(address(site.cubicle))?;
        let code = a.assemble(site_address(index))?;
        let start = index * SITE_STRIDE as usize;
        text[start..start + code.len()].copy_from_slice(&code);
    }
    Ok(text)
}
