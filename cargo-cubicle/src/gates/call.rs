//! The gate itself.
//!
//! What stands on the caller's stack while a call is pending (`Saved` of the
//! ABI crate), `A.stack` pointing to its lowest word:
//!
//! ```text
//!   … stack arguments
//!   return address     the call site
//!   rbp rbx r12 r13 r14 r15
//!   x87 control word : MXCSR
//!   older A.awaiting
//!   older A.stack      ◄── A.stack
//! ```
//!
//! And on the callee's, from wherever the callee last left: stack arguments,
//! the return address into the gate, then the function's own frame.

mod callback;
mod floating_point;
mod stack_arguments;
mod tails;

use super::spec::{GateKind, GateSpec, GateTarget, MonitorEntries};
use super::switch::{self, Mechanism};
use super::{GateError, clear, unintended};
use cubicle_abi::defences::Defence;
use cubicle_abi::frame::{Frame, spread, ticket};
use cubicle_abi::layout;
use cubicle_abi::layout::{GATE_STRIDE, GATE_TAIL, gate, gate_tail};
use cubicle_abi::rights::Rights;
use cubicle_abi::thread_block::{ThreadBlock, frame_at, fs_at};
use iced_x86::code_asm::*;
use iced_x86::{BlockEncoderOptions, IcedError};
use std::mem::offset_of;

/// As many NOPs as may stand before a gate, to change its displacements.
const MAXIMUM_PADDING: usize = 256;

/// Emits the gate for one mechanism: the bytes that belong at its address.
///
/// # Errors
/// If it does not fit its stride, or contains forbidden bytes wherever it lies.
pub fn emit(
    spec: &GateSpec,
    mechanism: Mechanism,
    monitor: &MonitorEntries,
) -> Result<Vec<u8>, GateError> {
    // Padding changes the lower bytes of a distance; what begins in the upper ones goes with the distance.
    for reach in [Reach::Distance, Reach::Address] {
        for padding in 0..=MAXIMUM_PADDING {
            let code = emit_behind(padding, reach, spec, mechanism, monitor)?;
            if unintended::find_in_gate(&code).is_none() {
                return Ok(code);
            }
        }
    }
    Err(GateError::Unintended {
        function: spec.function.clone(),
    })
}

/// How a gate says where its function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// `call rel32`.
    Distance,
    /// `mov r11d, imm32; call r11`.
    Address,
}

fn emit_behind(
    padding: usize,
    reach: Reach,
    spec: &GateSpec,
    mechanism: Mechanism,
    monitor: &MonitorEntries,
) -> Result<Vec<u8>, GateError> {
    let mut emitter = Emitter::new(reach, spec, mechanism, monitor)?;
    for _ in 0..padding {
        emitter.a.nop()?;
    }
    emitter.gate()?;
    let base = gate(spec.index);
    let options = BlockEncoderOptions::RETURN_NEW_INSTRUCTION_OFFSETS;
    let assembled = emitter.a.assemble_options(base, options)?;
    let tail = assembled.label_ip(&emitter.returned)?;
    let mut code = assembled.inner.code_buffer;
    let room = match spec.fault.is_some() {
        true => GATE_STRIDE - GATE_TAIL,
        false => GATE_STRIDE,
    };
    if code.len() as u64 > room {
        return Err(GateError::Size {
            function: spec.function.clone(),
            size: code.len(),
            stride: room as usize,
        });
    }
    if spec.fault.is_some() {
        code.resize(room as usize, 0xcc);
        let mut a = CodeAssembler::new(64)?;
        a.jmp(tail)?;
        code.extend(a.assemble(gate_tail(spec.index))?);
        if code.len() as u64 != GATE_STRIDE {
            // A short jump: the rest is never reached.
            code.resize(GATE_STRIDE as usize, 0xcc);
        }
    }
    Ok(code)
}

struct Emitter<'a> {
    a: CodeAssembler,
    reach: Reach,
    spec: &'a GateSpec,
    mechanism: Mechanism,
    monitor: &'a MonitorEntries,
    start: CodeLabel,
    trap: CodeLabel,
    /// Where a caller goes that has not the declared caller's rights.
    stranger: CodeLabel,
    attach: CodeLabel,
    /// The caller's rights are back: what is left is to see that it is its call.
    returned: CodeLabel,
}

fn field(base: AsmRegister64, offset: usize) -> AsmMemoryOperand {
    qword_ptr(base + offset as i32)
}

fn gs(displacement: usize) -> AsmMemoryOperand {
    qword_ptr(displacement as u64).gs()
}

const STACK: usize = offset_of!(Frame, stack);
const AWAITING: usize = offset_of!(Frame, awaiting);
const TOKEN: usize = offset_of!(Frame, token);
const INSIDE: usize = offset_of!(Frame, inside);

impl<'a> Emitter<'a> {
    fn new(
        reach: Reach,
        spec: &'a GateSpec,
        mechanism: Mechanism,
        monitor: &'a MonitorEntries,
    ) -> Result<Self, IcedError> {
        let mut a = CodeAssembler::new(64)?;
        let (start, trap, stranger, attach, returned) = (
            a.create_label(),
            a.create_label(),
            a.create_label(),
            a.create_label(),
            a.create_label(),
        );
        Ok(Emitter {
            a,
            reach,
            spec,
            mechanism,
            monitor,
            start,
            trap,
            stranger,
            attach,
            returned,
        })
    }

    fn gate(&mut self) -> Result<(), IcedError> {
        self.carry_slot()?;
        let mut start = self.start;
        self.a.set_label(&mut start)?;
        self.save_caller()?;
        self.enter()?;
        self.call_function()?;
        self.leave()?;
        self.restore_caller()?;
        self.tails()
    }

    fn ticket(&self, phase: u64) -> i32 {
        ticket(self.spec.index, phase) as i32
    }

    fn switch_to(&mut self, rights: Rights) -> Result<(), IcedError> {
        switch::switch(
            &mut self.a,
            self.mechanism,
            self.monitor.switch_pages,
            rights,
            self.trap,
        )
    }

    fn frame_of(&mut self, cubicle: usize) -> Result<(), IcedError> {
        self.a.mov(rax, gs(frame_at(cubicle)))
    }

    /// Requires `frame.field == value` of the frame that rax points to.
    fn require(&mut self, offset: usize, value: i32) -> Result<(), IcedError> {
        if self.is_without(Defence::GateProofs) {
            return Ok(());
        }
        self.a.cmp(field(rax, offset), value)?;
        self.a.jne(self.trap)
    }

    fn is_without(&self, defence: Defence) -> bool {
        self.monitor.without.has(defence)
    }

    fn set(&mut self, offset: usize, value: i32) -> Result<(), IcedError> {
        self.a.mov(field(rax, offset), value)
    }

    /// Enter 1: still the caller. r10 and r11 hold the third and fourth
    /// argument from here on, because a switch needs rdx and rcx.
    fn save_caller(&mut self) -> Result<(), IcedError> {
        let spec = self.spec;
        // Rule 8: a missing frame is noticed before the first switch.
        self.a.cmp(gs(frame_at(spec.to)), 0)?;
        self.a.je(self.attach)?;
        self.a.mov(r10, rdx)?;
        self.a.mov(r11, rcx)?;
        switch::read(&mut self.a, self.mechanism)?;
        self.a.cmp(eax, spec.rights_from.0)?;
        self.a.jne(self.stranger)?;
        for register in [rbp, rbx, r12, r13, r14, r15] {
            self.a.push(register)?;
        }
        self.a.sub(rsp, 8)?;
        self.a.stmxcsr(dword_ptr(rsp))?;
        self.a.fnstcw(word_ptr(rsp + 4))?;
        self.frame_of(spec.from)?;
        self.a.push(field(rax, AWAITING))?;
        self.a.push(field(rax, STACK))?;
        self.a.mov(field(rax, STACK), rsp)?;
        let first = self.ticket(1);
        self.set(AWAITING, first)?;
        self.keep_slot()?;
        if spec.kind != GateKind::Lending {
            self.load_stack_arguments()?;
        }
        Ok(())
    }

    /// Enter 2 and 3: what is required and left depends on who may write whose
    /// frame (GATES.md has the table).
    fn enter(&mut self) -> Result<(), IcedError> {
        let spec = self.spec;
        let (first, second) = (self.ticket(1), self.ticket(2));
        match spec.kind {
            GateKind::Fast => self.switch_to(spec.rights_to)?,
            GateKind::Union | GateKind::Lending => {
                self.switch_to(self.middle())?;
                self.frame_of(spec.from)?;
                self.require(AWAITING, first)?;
                self.set(AWAITING, second)?;
                if spec.kind == GateKind::Lending {
                    self.ask_monitor_to_lend()?;
                }
                self.frame_of(spec.to)?;
                self.set(TOKEN, first)?;
                self.switch_to(spec.rights_to)?;
                self.frame_of(spec.to)?;
                self.require(TOKEN, first)?;
                self.set(TOKEN, 0)?;
            }
            GateKind::CallerSees => {
                self.frame_of(spec.to)?;
                self.set(TOKEN, first)?;
                self.switch_to(spec.rights_to)?;
                self.frame_of(spec.to)?;
                self.require(TOKEN, first)?;
                self.set(TOKEN, 0)?;
            }
            GateKind::CalleeSees => {
                self.switch_to(spec.rights_to)?;
                self.frame_of(spec.from)?;
                self.require(AWAITING, first)?;
                self.set(AWAITING, second)?;
            }
        }
        // The others have just checked the callee's frame, which rax points to.
        if matches!(spec.kind, GateKind::Fast | GateKind::CalleeSees) {
            self.frame_of(spec.to)?;
        }
        if spec.fault.is_some() {
            // Before its stack is looked at: a callee that is about to be restarted
            // has a frame that cannot be written.
            self.a.inc(field(rax, INSIDE))?;
        }
        if spec.kind == GateKind::Lending {
            return self.a.mov(rsp, rbx);
        }
        self.a.mov(rsp, field(rax, STACK))?;
        self.a.and(rsp, -16)
    }

    /// The rights between the two sides of a gate with four switches. Lending
    /// is the monitor's; under page tables its memory is never closed, and both
    /// sides must be open for what the gate itself does.
    fn middle(&self) -> Rights {
        match (self.spec.kind, self.mechanism) {
            (GateKind::Lending, Mechanism::Pku | Mechanism::StandIn) => Rights::ALL,
            _ => self.spec.rights_from.union(self.spec.rights_to),
        }
    }

    /// With all rights, on the monitor's stack: the arguments become lends, and
    /// the monitor answers with the callee's stack pointer, which rbx keeps.
    fn ask_monitor_to_lend(&mut self) -> Result<(), IcedError> {
        self.a
            .mov(rsp, gs(offset_of!(ThreadBlock, monitor_stack)))?;
        // The monitor must not run with the caller's AC or TF either.
        self.check_flags()?;
        let a = &mut self.a;
        for register in [r9, r8, r11, r10, rsi, rdi] {
            a.push(register)?;
        }
        a.mov(rdi, rsp)?;
        a.mov(esi, spread(self.spec.index as u64) as u32)?;
        a.call(self.monitor.gate_enter)?;
        a.mov(rbx, rax)?;
        for register in [rdi, rsi, r10, r11, r8, r9] {
            a.pop(register)?;
        }
        Ok(())
    }

    /// As the callee: a clean machine, then the function.
    fn call_function(&mut self) -> Result<(), IcedError> {
        let spec = self.spec;
        self.check_flags()?;
        self.default_floating_point()?;
        if spec.switch_fs {
            self.a.mov(rax, gs(fs_at(spec.to)))?;
            self.a.wrfsbase(rax)?;
        }
        if spec.kind != GateKind::Lending {
            self.store_stack_arguments()?;
        }
        if self.scrubs() {
            self.a.call(clear::address(spec.shape.vectors))?;
        }
        let arguments = [rdi, rsi, rdx, rcx, r8, r9];
        for (number, register) in arguments.into_iter().enumerate() {
            match (number < spec.shape.integers, register) {
                (true, r) if r == rdx => self.a.mov(rdx, r10)?,
                (true, r) if r == rcx => self.a.mov(rcx, r11)?,
                (true, _) => {}
                (false, r) => self.zero(r)?,
            }
        }
        for register in [r10, r11, rbp, r13, r14] {
            self.zero(register)?;
        }
        if !self.holds_slot() {
            self.zero(r15)?;
        }
        self.remember_callee()?;
        match spec.target {
            GateTarget::Function(address) => {
                self.count_vectors()?;
                match self.reach {
                    Reach::Distance => self.a.call(address),
                    Reach::Address => {
                        self.a.mov(r11d, address as u32)?;
                        self.a.call(r11)
                    }
                }
            }
            GateTarget::Callback(number) => {
                self.a.mov(eax, r15d)?;
                self.load_slot(number)?;
                self.zero(r15)?;
                self.count_vectors()?;
                self.a.call(r11)
            }
        }
    }

    /// A variadic function learns in al how many vector registers are in use.
    fn count_vectors(&mut self) -> Result<(), IcedError> {
        match self.spec.shape.variadic {
            true => self.a.mov(eax, self.spec.shape.vectors as u32),
            false => self.zero(rax),
        }
    }

    /// What the callee waits for itself, further out, in registers that it must
    /// preserve. They say nothing that is not its own already.
    fn remember_callee(&mut self) -> Result<(), IcedError> {
        self.frame_of(self.spec.to)?;
        self.a.mov(rbx, field(rax, AWAITING))?;
        self.a.mov(r12, field(rax, STACK))?;
        if self.spec.fault.is_some() {
            self.a.mov(r13, field(rax, INSIDE))?;
        }
        Ok(())
    }

    /// A `longjmp` of the callee over a call of its own leaves that call
    /// pending; nobody may answer it once the callee has returned.
    fn restore_callee(&mut self) -> Result<(), IcedError> {
        self.frame_of(self.spec.to)?;
        self.a.mov(field(rax, AWAITING), rbx)?;
        self.a.mov(field(rax, STACK), r12)?;
        if self.spec.fault.is_some() {
            self.a.dec(r13)?;
            self.a.mov(field(rax, INSIDE), r13)?;
        }
        Ok(())
    }

    /// Leave 1 to 3. r10 and r11 hold the result in rax and rdx; r9 the errno.
    fn leave(&mut self) -> Result<(), IcedError> {
        let spec = self.spec;
        let (first, second, third) = (self.ticket(1), self.ticket(2), self.ticket(3));
        self.a.mov(r10, rax)?;
        self.a.mov(r11, rdx)?;
        self.restore_callee()?;
        if let Some(errno) = spec.errno {
            self.a
                .mov(r9d, dword_ptr(i64::from(errno.callee) as u64).fs())?;
        }
        match spec.kind {
            GateKind::Fast => {
                self.switch_to(spec.rights_from)?;
            }
            GateKind::Union | GateKind::Lending => {
                self.frame_of(spec.to)?;
                self.set(TOKEN, second)?;
                self.switch_to(self.middle())?;
                self.frame_of(spec.to)?;
                self.require(TOKEN, second)?;
                self.set(TOKEN, 0)?;
                self.frame_of(spec.from)?;
                self.require(AWAITING, second)?;
                if spec.kind == GateKind::Lending {
                    self.ask_monitor_to_take_back()?;
                    self.frame_of(spec.from)?;
                }
                self.set(AWAITING, third)?;
                self.switch_to(spec.rights_from)?;
            }
            GateKind::CallerSees => {
                self.frame_of(spec.to)?;
                self.set(TOKEN, second)?;
                self.switch_to(spec.rights_from)?;
                self.frame_of(spec.to)?;
                self.require(TOKEN, second)?;
                self.set(TOKEN, 0)?;
            }
            GateKind::CalleeSees => {
                self.frame_of(spec.from)?;
                self.require(AWAITING, second)?;
                self.set(AWAITING, third)?;
                self.switch_to(spec.rights_from)?;
            }
        }
        self.a.set_label(&mut self.returned)?;
        self.frame_of(spec.from)?;
        self.require(
            AWAITING,
            match spec.kind {
                GateKind::Fast | GateKind::CallerSees => first,
                GateKind::Union | GateKind::Lending | GateKind::CalleeSees => third,
            },
        )
    }

    fn ask_monitor_to_take_back(&mut self) -> Result<(), IcedError> {
        self.a
            .mov(rsp, gs(offset_of!(ThreadBlock, monitor_stack)))?;
        self.check_flags()?;
        let a = &mut self.a;
        a.push(r9)?;
        a.push(r9)?;
        a.push(r11)?;
        a.push(r10)?;
        a.mov(rdi, rsp)?;
        a.mov(esi, spread(self.spec.index as u64) as u32)?;
        a.call(self.monitor.gate_leave)?;
        a.pop(r10)?;
        a.pop(r11)?;
        a.pop(r9)?;
        a.pop(r9)
    }

    /// As the caller again; rax points to its frame, and its call is proven.
    fn restore_caller(&mut self) -> Result<(), IcedError> {
        let spec = self.spec;
        self.a.mov(rsp, field(rax, STACK))?;
        self.a.pop(field(rax, STACK))?;
        self.a.pop(field(rax, AWAITING))?;
        self.check_flags()?;
        self.restore_fs()?;
        if let Some(errno) = spec.errno {
            self.a
                .mov(dword_ptr(i64::from(errno.caller) as u64).fs(), r9d)?;
        }
        self.restore_floating_point()?;
        self.a.add(rsp, 8)?;
        for register in [r15, r14, r13, r12, rbx, rbp] {
            self.a.pop(register)?;
        }
        if self.scrubs() {
            self.a.call(clear::address(spec.shape.result.vectors))?;
        }
        match spec.shape.result.integers {
            0 => self.zero(rax)?,
            _ => self.a.mov(rax, r10)?,
        }
        match spec.shape.result.integers {
            2 => self.a.mov(rdx, r11)?,
            _ => self.zero(rdx)?,
        }
        for register in [rcx, rsi, rdi, r8, r9, r10, r11] {
            self.zero(register)?;
        }
        self.a.ret()
    }

    /// Rule 5: a callee can move FS even where the gate left it alone.
    fn restore_fs(&mut self) -> Result<(), IcedError> {
        let mut same = self.a.create_label();
        self.a.mov(rax, gs(fs_at(self.spec.from)))?;
        if !self.spec.switch_fs {
            self.a.rdfsbase(rcx)?;
            self.a.cmp(rcx, rax)?;
            self.a.je(same)?;
        }
        self.a.wrfsbase(rax)?;
        if !self.spec.switch_fs {
            self.a.set_label(&mut same)?;
            self.a.nop()?;
        }
        Ok(())
    }

    fn scrubs(&self) -> bool {
        self.spec.scrub_vectors && !self.is_without(Defence::Scrubbing)
    }

    fn zero(&mut self, register: AsmRegister64) -> Result<(), IcedError> {
        if self.is_without(Defence::Scrubbing) {
            return Ok(());
        }
        let low = low_half(register);
        self.a.xor(low, low)
    }
}

fn low_half(register: AsmRegister64) -> AsmRegister32 {
    let pairs = [
        (rax, eax),
        (rbx, ebx),
        (rcx, ecx),
        (rdx, edx),
        (rsi, esi),
        (rdi, edi),
        (rbp, ebp),
        (r8, r8d),
        (r9, r9d),
        (r10, r10d),
        (r11, r11d),
        (r12, r12d),
        (r13, r13d),
        (r14, r14d),
        (r15, r15d),
    ];
    pairs
        .into_iter()
        .find(|(wide, _)| *wide == register)
        .map(|(_, low)| low)
        .expect("a general register other than rsp")
}

const _: () = assert!(layout::MAXIMUM_GATES < 1 << 24, "tickets fit an immediate");
