//! What does not happen in a call that goes well.

use cubicle_abi::calls;
use cubicle_abi::frame::ATTACHING;
use cubicle_abi::layout::system_call_gate;
use iced_x86::IcedError;
use iced_x86::code_asm::*;

use crate::gates::clear;
use crate::gates::spec::{Fault, GateTarget};

use super::{AWAITING, Emitter, Reach, STACK, field};

impl Emitter<'_> {
    /// What does not happen in a call that goes well.
    pub(super) fn tails(&mut self) -> Result<(), IcedError> {
        let spec = self.spec;
        // Not the declared caller. The callee's own code may hold the gate's
        // address (a hoisted import that was passed on): it needs no gate.
        let mut stranger = self.stranger;
        self.a.set_label(&mut stranger)?;
        self.a.cmp(eax, spec.rights_to.0)?;
        self.a.jne(self.trap)?;
        self.a.mov(rdx, r10)?;
        self.a.mov(rcx, r11)?;
        // al was lost; for a variadic function any upper bound will do.
        match spec.target {
            GateTarget::Function(address) => {
                self.a.mov(eax, 8)?;
                match self.reach {
                    Reach::Distance => self.a.jmp(address)?,
                    Reach::Address => {
                        self.a.mov(r11d, address as u32)?;
                        self.a.jmp(r11)?;
                    }
                }
            }
            GateTarget::Callback(number) => {
                self.a.movd(eax, xmm15)?;
                self.load_slot(number)?;
                self.a.mov(eax, 8)?;
                self.a.jmp(r11)?;
            }
        }
        // This thread's first entry: the monitor makes its virtual thread, and
        // the call starts over. Vector registers survive a system call.
        let mut attach = self.attach;
        let mut again = self.a.create_label();
        self.a.set_label(&mut attach)?;
        self.a.push(rcx)?;
        self.a.push(rdi)?;
        // Code of the callee runs meanwhile: its control words stay with it.
        self.a.sub(rsp, 8)?;
        self.a.stmxcsr(dword_ptr(rsp))?;
        self.a.fnstcw(word_ptr(rsp + 4))?;
        // It may call back: not over the stack that is in use here, and not as
        // the return of an older call.
        self.frame_of(spec.from)?;
        self.a.push(field(rax, AWAITING))?;
        self.a.push(field(rax, STACK))?;
        self.a.mov(field(rax, STACK), rsp)?;
        self.set(AWAITING, ATTACHING as i32)?;
        self.a.mov(edi, spec.to as u32)?;
        self.a.mov(eax, calls::ATTACH as u32)?;
        self.a.lea(rcx, ptr(again))?;
        self.a.jmp(system_call_gate(spec.from))?;
        self.a.set_label(&mut again)?;
        match spec.fault {
            // The answer waits until the stack is as it was.
            Some(_) => self.a.mov(r11, rax)?,
            None => {
                self.a.test(rax, rax)?;
                self.a.jne(self.trap)?;
            }
        }
        self.frame_of(spec.from)?;
        self.a.pop(field(rax, STACK))?;
        self.a.pop(field(rax, AWAITING))?;
        self.a.ldmxcsr(dword_ptr(rsp))?;
        self.a.fnclex()?;
        self.a.fldcw(word_ptr(rsp + 4))?;
        self.a.add(rsp, 8)?;
        self.a.pop(rdi)?;
        self.a.pop(rcx)?;
        match spec.fault {
            Some(fault) => {
                self.a.test(r11, r11)?;
                self.a.je(self.start)?;
                self.fail(fault)?;
            }
            None => self.a.jmp(self.start)?,
        }
        let mut trap = self.trap;
        self.a.set_label(&mut trap)?;
        self.a.ud2()
    }

    /// The callee is about to be restarted and cannot be entered: as the caller, who
    /// has lost nothing yet.
    fn fail(&mut self, fault: Fault) -> Result<(), IcedError> {
        if let Some(errno) = self.spec.errno {
            self.a
                .mov(dword_ptr(i64::from(errno.caller) as u64).fs(), fault.errno)?;
        }
        self.a.call(clear::address(0))?;
        self.a.mov(rax, fault.value)?;
        for register in [rcx, rdx, rsi, rdi, r8, r9, r10, r11] {
            self.zero(register)?;
        }
        self.a.ret()
    }
}
