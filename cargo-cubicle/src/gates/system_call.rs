//! Entries to the monitor and back: for each cubicle a system-call gate and a
//! resume stub, and for each patched `syscall` a stub.
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
//!
//! A resume stub is entered by the monitor alone, to let a cubicle run on from
//! the registers in its frame. The token there is the proof; whoever jumps to
//! the stub finds none. It has two entries: the first clears what others left in
//! vector and floating-point registers; the second follows a fault that the
//! monitor has mended, and finds there what the cubicle itself had, because the
//! kernel put it back.

use super::spec::MonitorEntries;
use super::switch::{self, Mechanism};
use super::{GateError, HOSTILE_FLAGS, MXCSR_DEFAULT, clear, unintended};
use cubicle_abi::frame::{ANSWERED, CALLING, Context, Frame, RESUME};
use cubicle_abi::layout::{
    ENTRY_SIZE, ENTRY_STRIDE, RESUME_AGAIN, SITE_STRIDE, resume_stub, site, system_call_gate,
};
use cubicle_abi::rights::Rights;
use cubicle_abi::thread_block::{SELECTOR_ALLOW, SELECTOR_BLOCK, ThreadBlock, frame_at, fs_at};
use iced_x86::code_asm::*;
use std::mem::offset_of;

/// A patched site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    pub cubicle: usize,
    pub form: SiteForm,
    /// Where the program goes on.
    pub resume: u64,
}

/// What stood at the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiteForm {
    /// `mov eax, number; syscall`. The program goes on behind the `syscall`.
    Number(u32),
    /// `xor eax, eax; syscall; cmp rax, -4096`. The program goes on behind the
    /// comparison. Takes two places.
    Read,
}

impl SiteForm {
    /// How many places its stub takes.
    pub fn places(self) -> usize {
        match self {
            SiteForm::Number(_) => 1,
            SiteForm::Read => 2,
        }
    }
}

/// All system-call gates and resume stubs, for `ENTRY_BASE`. `rights` has one
/// entry for each cubicle.
///
/// # Errors
/// If one does not fit its place.
pub fn emit(
    rights: &[Rights],
    mechanism: Mechanism,
    monitor: &MonitorEntries,
) -> Result<Vec<u8>, GateError> {
    let mut text = vec![0xcc; ENTRY_SIZE as usize];
    for (cubicle, own) in rights.iter().enumerate() {
        let start = cubicle * ENTRY_STRIDE as usize;
        let code = emit_gate(cubicle, *own, mechanism, monitor)?;
        text[start..start + code.len()].copy_from_slice(&code);
        let start = start + ENTRY_STRIDE as usize / 2;
        let code = emit_resume(cubicle, *own, mechanism, monitor)?;
        text[start..start + code.len()].copy_from_slice(&code);
    }
    Ok(text)
}

/// The system-call gate of one cubicle.
///
/// # Errors
/// If it does not fit its place.
pub fn emit_gate(
    cubicle: usize,
    rights: Rights,
    mechanism: Mechanism,
    monitor: &MonitorEntries,
) -> Result<Vec<u8>, GateError> {
    let mut a = CodeAssembler::new(64)?;
    gate(&mut a, cubicle, rights, mechanism, monitor)?;
    fitting(a.assemble(system_call_gate(cubicle))?, "a system-call gate")
}

/// The resume stub of one cubicle.
///
/// # Errors
/// If it does not fit its place.
pub fn emit_resume(
    cubicle: usize,
    rights: Rights,
    mechanism: Mechanism,
    monitor: &MonitorEntries,
) -> Result<Vec<u8>, GateError> {
    let address = resume_stub(cubicle);
    let mut a = CodeAssembler::new(64)?;
    clean(&mut a)?;
    let mut code = a.assemble(address)?;
    let what = "a resume stub";
    if code.len() > RESUME_AGAIN as usize {
        return Err(GateError::Size {
            function: what.into(),
            size: code.len(),
            stride: RESUME_AGAIN as usize,
        });
    }
    // The second entry is where the layout says.
    const NOP: u8 = 0x90;
    code.resize(RESUME_AGAIN as usize, NOP);
    let mut a = CodeAssembler::new(64)?;
    resume(&mut a, cubicle, rights, mechanism, monitor)?;
    code.extend(a.assemble(address + RESUME_AGAIN)?);
    fitting(code, what)
}

fn fitting(code: Vec<u8>, what: &str) -> Result<Vec<u8>, GateError> {
    if unintended::find_in_gate(&code).is_some() {
        return Err(GateError::Unintended {
            function: what.into(),
        });
    }
    let stride = ENTRY_STRIDE as usize / 2;
    if code.len() > stride {
        return Err(GateError::Size {
            function: what.into(),
            size: code.len(),
            stride,
        });
    }
    Ok(code)
}

/// The first entry: whoever ran before on this thread leaves nothing behind.
fn clean(a: &mut CodeAssembler) -> Result<(), iced_x86::IcedError> {
    a.call(clear::address(0))?;
    for _ in 0..8 {
        a.fldz()?;
    }
    a.fninit()?;
    a.push(MXCSR_DEFAULT as i32)?;
    a.ldmxcsr(dword_ptr(rsp))?;
    a.add(rsp, 8)
}

/// With all rights, the cubicle's frame filled by the monitor. The second entry
/// begins here.
fn resume(
    a: &mut CodeAssembler,
    cubicle: usize,
    rights: Rights,
    mechanism: Mechanism,
    monitor: &MonitorEntries,
) -> Result<(), iced_x86::IcedError> {
    let mut trap = a.create_label();
    let token = offset_of!(Frame, token) as i32;
    let context = offset_of!(Frame, resume) as i32;
    let saved = |offset: usize| qword_ptr(rax + context + offset as i32);
    let selector = byte_ptr(offset_of!(ThreadBlock, selector) as u64).gs();
    a.mov(selector, u32::from(SELECTOR_BLOCK))?;
    switch::switch(a, mechanism, monitor.switch_pages, rights, trap)?;
    a.mov(rax, qword_ptr(frame_at(cubicle) as u64).gs())?;
    a.cmp(qword_ptr(rax + token), RESUME as i32)?;
    a.jne(trap)?;
    a.mov(qword_ptr(rax + token), 0)?;
    a.mov(rcx, qword_ptr(fs_at(cubicle) as u64).gs())?;
    a.wrfsbase(rcx)?;
    for (register, offset) in [
        (rbx, offset_of!(Context, rbx)),
        (rdx, offset_of!(Context, rdx)),
        (rsi, offset_of!(Context, rsi)),
        (rdi, offset_of!(Context, rdi)),
        (rbp, offset_of!(Context, rbp)),
        (r8, offset_of!(Context, r8)),
        (r9, offset_of!(Context, r9)),
        (r10, offset_of!(Context, r10)),
        (r11, offset_of!(Context, r11)),
        (r12, offset_of!(Context, r12)),
        (r13, offset_of!(Context, r13)),
        (r14, offset_of!(Context, r14)),
        (r15, offset_of!(Context, r15)),
    ] {
        a.mov(register, saved(offset))?;
    }
    // The cubicle's stack has a red zone, so the flags come from the frame.
    a.lea(rsp, saved(offset_of!(Context, flags)))?;
    a.popfq()?;
    a.mov(rsp, saved(offset_of!(Context, stack)))?;
    a.mov(rcx, saved(offset_of!(Context, rcx)))?;
    a.mov(rax, saved(offset_of!(Context, rax)))?;
    a.jmp(qword_ptr(offset_of!(ThreadBlock, resume_target) as u64).gs())?;
    a.set_label(&mut trap)?;
    a.ud2()
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
    a.mov(
        rsp,
        qword_ptr(offset_of!(ThreadBlock, monitor_stack) as u64).gs(),
    )?;
    a.push(frame(saved(2)))?;
    a.push(r9)?;
    a.push(r8)?;
    a.push(r10)?;
    a.push(frame(saved(1)))?;
    a.push(rsi)?;
    a.push(rdi)?;
    a.push(frame(saved(0)))?;
    a.pushfq()?;
    a.test(dword_ptr(rsp), HOSTILE_FLAGS)?;
    a.jne(trap)?;
    a.add(rsp, 8)?;
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
    // The monitor may have run others meanwhile, or set a new thread pointer.
    let mut same = a.create_label();
    a.mov(rax, qword_ptr(fs_at(cubicle) as u64).gs())?;
    a.rdfsbase(rcx)?;
    a.cmp(rcx, rax)?;
    a.je(same)?;
    a.wrfsbase(rax)?;
    a.set_label(&mut same)?;
    a.mov(rsp, frame(saved(3)))?;
    a.mov(rcx, frame(saved(2)))?;
    a.mov(rdx, frame(saved(1)))?;
    a.mov(rax, frame(saved(0)))?;
    a.xor(r11d, r11d)?;
    a.jmp(rcx)?;
    a.set_label(&mut trap)?;
    a.ud2()
}

/// The stubs of all patched sites, for `SITE_BASE`. A site that takes two
/// places stands in `sites` twice.
///
/// # Errors
/// Only if the assembler refuses an instruction.
pub fn emit_sites(sites: &[Site]) -> Result<Vec<u8>, GateError> {
    let mut text = vec![0xcc; sites.len() * SITE_STRIDE as usize];
    let mut index = 0;
    while index < sites.len() {
        let code = emit_site(&sites[index], index)?;
        let start = index * SITE_STRIDE as usize;
        text[start..start + code.len()].copy_from_slice(&code);
        index += sites[index].form.places();
    }
    Ok(text)
}

/// The stub of one patched site, at place `index`.
///
/// # Errors
/// If its constants, which whoever linked the image chose, make an instruction
/// that nobody wrote.
pub fn emit_site(one: &Site, index: usize) -> Result<Vec<u8>, GateError> {
    let mut a = CodeAssembler::new(64)?;
    match one.form {
        SiteForm::Number(number) => {
            a.mov(ecx, one.resume as u32)?;
            a.mov(eax, number)?;
            a.jmp(system_call_gate(one.cubicle))?;
        }
        SiteForm::Read => {
            let mut behind = a.create_label();
            a.lea(rcx, ptr(behind))?;
            a.xor(eax, eax)?;
            a.jmp(system_call_gate(one.cubicle))?;
            a.set_label(&mut behind)?;
            a.cmp(rax, -4096)?;
            a.jmp(one.resume)?;
        }
    }
    let code = a.assemble(site(index))?;
    if unintended::find_in_gate(&code).is_some() {
        return Err(GateError::Unintended {
            function: "a system-call site".into(),
        });
    }
    Ok(code)
}
