//! Signals, as the kernel delivers them. Every handler is the monitor's: dispatched
//! system calls (SIGSYS) and faults arrive here from the start, others as soon as a cubicle
//! has a handler for them. What they mean to cubicles is in `signals/`.

use super::kernel::{self, number};
use crate::signals::Information;
use cubicle_abi::frame::Context;
use cubicle_abi::signal_stack::SignalHeader;

pub const SIGILL: u64 = 4;
pub const SIGTRAP: u64 = 5;
pub const SIGBUS: u64 = 7;
pub const SIGFPE: u64 = 8;
pub const SIGSEGV: u64 = 11;
pub const SIGSYS: u64 = 31;

/// The signals that instructions raise.
pub const FAULTS: [u64; 6] = [SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS];

/// `ucontext_t` as the kernel lays it out on x86-64, up to the extended state.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SignalContext {
    pub flags: u64,
    pub link: u64,
    pub stack: [u64; 3],
    pub r8: u64,
    pub r9: u64,
    pub r10: u64,
    pub r11: u64,
    pub r12: u64,
    pub r13: u64,
    pub r14: u64,
    pub r15: u64,
    pub rdi: u64,
    pub rsi: u64,
    pub rbp: u64,
    pub rbx: u64,
    pub rdx: u64,
    pub rax: u64,
    pub rcx: u64,
    pub rsp: u64,
    pub rip: u64,
    pub rflags: u64,
    /// cs, gs, fs, ss: 16 bits each.
    pub selectors: u64,
    pub error: u64,
    pub trap: u64,
    pub old_mask: u64,
    pub cr2: u64,
    pub extended: u64,
    pub reserved: [u64; 8],
    /// The thread's mask, which the return from the handler restores.
    pub mask: u64,
}

const _: () = assert!(size_of::<SignalContext>() == crate::signals::frame::CONTEXT);

/// What a program may have set in its flags: the arithmetic ones, direction,
/// NT, AC and ID. Not the trap flag.
const KEPT_FLAGS: u64 = 0x24_4cd5;

impl SignalContext {
    /// Nothing but what the kernel requires.
    pub const EMPTY: SignalContext = SignalContext {
        flags: 0,
        link: 0,
        stack: [0; 3],
        r8: 0,
        r9: 0,
        r10: 0,
        r11: 0,
        r12: 0,
        r13: 0,
        r14: 0,
        r15: 0,
        rdi: 0,
        rsi: 0,
        rbp: 0,
        rbx: 0,
        rdx: 0,
        rax: 0,
        rcx: 0,
        rsp: 0,
        rip: 0,
        rflags: FLAGS,
        selectors: SELECTORS,
        error: 0,
        trap: 0,
        old_mask: 0,
        cr2: 0,
        extended: 0,
        reserved: [0; 8],
        mask: 0,
    };

    /// The general registers and flags: what the resume stub loads. It takes FS from the
    /// thread block.
    pub fn registers(&self) -> Context {
        Context {
            rax: self.rax,
            rbx: self.rbx,
            rcx: self.rcx,
            rdx: self.rdx,
            rsi: self.rsi,
            rdi: self.rdi,
            rbp: self.rbp,
            r8: self.r8,
            r9: self.r9,
            r10: self.r10,
            r11: self.r11,
            r12: self.r12,
            r13: self.r13,
            r14: self.r14,
            r15: self.r15,
            flags: self.rflags & KEPT_FLAGS | FLAGS,
            stack: self.rsp,
            instruction: self.rip,
            fs: 0,
        }
    }

    pub fn set_registers(&mut self, context: &Context) {
        self.rax = context.rax;
        self.rbx = context.rbx;
        self.rcx = context.rcx;
        self.rdx = context.rdx;
        self.rsi = context.rsi;
        self.rdi = context.rdi;
        self.rbp = context.rbp;
        self.r8 = context.r8;
        self.r9 = context.r9;
        self.r10 = context.r10;
        self.r11 = context.r11;
        self.r12 = context.r12;
        self.r13 = context.r13;
        self.r14 = context.r14;
        self.r15 = context.r15;
        self.rflags = context.flags;
        self.rsp = context.stack;
        self.rip = context.instruction;
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: words without padding between them.
        unsafe { core::slice::from_raw_parts((&raw const *self).cast(), size_of::<Self>()) }
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and any bytes are words.
        unsafe { core::slice::from_raw_parts_mut((&raw mut *self).cast(), size_of::<Self>()) }
    }
}

/// `siginfo_t`, the parts that faults and dispatches use.
#[repr(C)]
pub struct SignalInformation {
    pub signal: i32,
    pub error: i32,
    pub code: i32,
    pub padding: i32,
    /// The faulting address, or the address behind the `syscall`.
    pub address: u64,
    /// SIGSYS: number (low) and architecture (high).
    pub call: u64,
    /// SIGSEGV with SEGV_PKUERR: the key, at offset 32.
    pub key: u32,
}

const _: () = assert!(core::mem::offset_of!(SignalInformation, key) == 32);

impl SignalInformation {
    /// All that the kernel says.
    pub fn whole(&self) -> &Information {
        // SAFETY: `siginfo_t` takes 128 bytes, wherever one comes from.
        unsafe { &*(&raw const *self).cast() }
    }

    pub fn of(whole: &Information) -> &SignalInformation {
        // SAFETY: it is larger, and any words are one.
        unsafe { &*(&raw const *whole).cast() }
    }
}

/// cs 0x33 and ss 0x2b: 64-bit user code and its stack (rule 2).
const SELECTORS: u64 = 0x2b << 48 | 0x33;
/// Interrupts on and the bit that is always one.
const FLAGS: u64 = 0x202;
/// A signal stack is always used from the top.
pub const SS_AUTODISARM: u64 = 1 << 31;
/// `si_code` of a dispatch.
const SYS_USER_DISPATCH: i32 = 2;
/// `si_code` of a SIGTRAP that the trap flag raised.
const TRAP_TRACE: i32 = 2;
/// AUDIT_ARCH_X86_64.
const ARCHITECTURE: u64 = 0xc000_003e;

/// Gives this thread its signal stack: always used from the top, because nothing is
/// live on it (rule 11).
#[cfg(monitor_image)]
pub fn arm(thread: &super::thread::ThreadMemory) -> Result<(), i64> {
    let (base, size) = thread.signal_stack();
    let stack = [base, SS_AUTODISARM, size];
    // SAFETY: the stack is this thread's own memory.
    let result =
        unsafe { kernel::call(number::SIGALTSTACK, [stack.as_ptr() as u64, 0, 0, 0, 0, 0]) };
    if result < 0 { Err(result) } else { Ok(()) }
}

/// Installs the handlers of what instructions raise, for all threads.
#[cfg(monitor_image)]
pub fn install() -> Result<(), i64> {
    if crate::signals::place::has_system_call() {
        crate::violation::refuse_start("the monitor's own entries contain a system call");
    }
    for signal in FAULTS {
        let result = install_handler(signal, 0);
        if result < 0 {
            return Err(result);
        }
    }
    let result = crate::signals::rouse::install();
    if result < 0 {
        return Err(result);
    }
    crate::signals::masks::inherit();
    Ok(())
}

/// Makes the monitor's the handler of `signal`. Answers as the kernel does.
#[cfg(monitor_image)]
pub fn install_handler(signal: u64, flags: u64) -> i64 {
    use super::assembly::*;
    use cubicle_abi::plan::MECHANISM_PKU;
    const SA_SIGINFO: u64 = 4;
    const SA_ONSTACK: u64 = 0x0800_0000;
    const SA_RESTORER: u64 = 0x0400_0000;
    let entry = if super::rights::mechanism() == MECHANISM_PKU {
        cubicle_signal_entry_keys as *const () as u64
    } else {
        cubicle_signal_entry_plain as *const () as u64
    };
    // Everything is blocked meanwhile: a fault of the handler itself ends
    // the process instead of entering it again.
    let action = [
        entry,
        SA_SIGINFO | SA_ONSTACK | SA_RESTORER | flags,
        cubicle_signal_return as *const () as u64,
        u64::MAX,
    ];
    // SAFETY: the handler is the entry that expects exactly this.
    unsafe {
        kernel::call(
            number::RT_SIGACTION,
            [signal, action.as_ptr() as u64, 0, 8, 0, 0],
        )
    }
}

/// Handles a signal. The assembly has proven that the kernel sent it here.
#[cfg(monitor_image)]
pub extern "C" fn handle(header: &SignalHeader) {
    use crate::signals::{deliver, step};
    // SAFETY: the kernel wrote both into its frame on this key-0 stack, and
    // the header that names them is key-0 memory too.
    let (context, information) = unsafe {
        (
            &mut *(header.context as *mut SignalContext),
            &*(header.information as *const SignalInformation),
        )
    };
    // Instructions raise with a positive code, which nobody else can give; neither
    // can the process itself, because the monitor refuses it.
    let raised = FAULTS.contains(&header.signal) && information.code > 0;
    match header.signal {
        _ if !raised => step::record(context, information),
        SIGSYS => dispatched(context, information),
        SIGSEGV | SIGBUS if monitor_copies(context) => {
            context.rip = &raw const super::assembly::cubicle_copy_fault as u64;
            // SAFETY: this thread's block; the selector goes back to what the
            // monitor had.
            unsafe { (*super::thread::block()).selector = header.selector as u8 };
        }
        SIGSEGV if is_mended(context, information) => {}
        SIGTRAP if information.code == TRAP_TRACE && step::stepped(context, information) => {}
        _ if crate::audit::on() && crate::audit::faults::handle(context, information) => {
            // The return from the handler is not dispatched in an audit.
            // SAFETY: as above.
            unsafe { (*super::thread::block()).selector = header.selector as u8 };
        }
        _ if crate::restart::fault::is_consequence(context, information) => {}
        _ if deliver::own_fault(context, information) => {}
        _ => crate::violation::fault(context, information),
    }
    step::go_on(context);
}

/// A touch that windows permit, once the page has changed hands, starts over.
#[cfg(monitor_image)]
fn is_mended(context: &mut SignalContext, information: &SignalInformation) -> bool {
    use super::kernel::{PROT_READ, PROT_WRITE};
    use crate::windows::touch::{Touch, touch};
    const SEGV_ACCERR: i32 = 2;
    const SEGV_PKUERR: i32 = 4;
    // Bits of the page fault's error code (Intel SDM volume 3, 4.7).
    const WRITE: u64 = 1 << 1;
    const FETCH: u64 = 1 << 4;
    let Some(cubicle) = crate::process::cubicle_with(rights_of(context)) else {
        return false;
    };
    if !matches!(information.code, SEGV_ACCERR | SEGV_PKUERR)
        || context.error & FETCH != 0
        || context.selectors & 0xffff != 0x33
        || !may_touch(cubicle, context.rip)
    {
        return false;
    }
    let needed = if context.error & WRITE != 0 {
        PROT_WRITE
    } else {
        PROT_READ
    };
    match touch(cubicle, information.address, needed) {
        Touch::Refused => false,
        // Another thread was faster. Without keys nothing says that a window was in the
        // way, so not for ever.
        Touch::Unchanged
            if information.code != SEGV_PKUERR && !may_try_again(information.address) =>
        {
            false
        }
        Touch::Unchanged | Touch::Changed => super::resume::start_over(cubicle, context),
    }
}

/// Has this thread not found the same page unchanged over and over again?
#[cfg(monitor_image)]
fn may_try_again(address: u64) -> bool {
    const ATTEMPTS: u32 = 1000;
    // SAFETY: this thread's state.
    let unchanged = unsafe { &mut (*super::thread::state()).unchanged };
    *unchanged = match *unchanged {
        (before, count) if before == address => (address, count + 1),
        _ => (address, 0),
    };
    unchanged.1 < ATTEMPTS
}

/// Does code of the cubicle's run at `instruction`? In its own gates, too: they
/// use its stack and its errno with its rights alone, which may share a page with
/// something that is in a window. Nowhere else of the runtime's text.
#[cfg(monitor_image)]
fn may_touch(cubicle: usize, instruction: u64) -> bool {
    let gate = cubicle_abi::layout::gate_at(instruction)
        .zip(crate::process::plan())
        .and_then(|(gate, plan)| plan.gates().get(gate));
    match gate {
        Some(gate) => gate.from as usize == cubicle || gate.to as usize == cubicle,
        None => !crate::violation::is_runtime_text(instruction),
    }
}

/// Makes the handler return to `stub`, text of the runtime's, with all rights.
/// Every field that the kernel restores rights or mode from is written fresh
/// (rule 2); the stub loads the general registers by itself.
#[cfg(monitor_image)]
pub fn return_to(context: &mut SignalContext, stub: u64) {
    keep_rights(context);
    if super::rights::mechanism() == cubicle_abi::plan::MECHANISM_PKU {
        let offset = crate::process::extended_pkru_offset();
        // SAFETY: PKRU in the XSAVE area, which the kernel wrote on this key-0
        // stack.
        unsafe { *((context.extended + offset) as *mut u32) = 0 };
    }
    context.rip = stub;
    context.rflags = FLAGS;
    context.selectors = SELECTORS;
}

/// Did the monitor itself fault in the code that may?
#[cfg(monitor_image)]
fn monitor_copies(context: &SignalContext) -> bool {
    use super::assembly::{cubicle_copy_begin, cubicle_copy_end};
    let begin = &raw const cubicle_copy_begin as u64;
    let end = &raw const cubicle_copy_end as u64;
    // Without keys the rights say what gates opened, not who runs.
    let keys = super::rights::mechanism() == cubicle_abi::plan::MECHANISM_PKU;
    (begin..end).contains(&context.rip) && (!keys || rights_of(context).0 == 0)
}

/// The rights that were in force when the signal came.
#[cfg(monitor_image)]
pub fn rights_of(context: &SignalContext) -> cubicle_abi::rights::Rights {
    use cubicle_abi::rights::Rights;
    if super::rights::mechanism() != cubicle_abi::plan::MECHANISM_PKU {
        // SAFETY: this thread's block.
        return Rights(unsafe { (*super::thread::block()).rights });
    }
    let offset = crate::process::extended_pkru_offset();
    // SAFETY: the kernel wrote the XSAVE area. From 6.12 on, it puts PKRU
    // there by itself, but some versions leave bit 9 of `xstate_bv` clear,
    // because PKRU was 0 while they saved the rest: the bit says nothing.
    unsafe { Rights(*((context.extended + offset) as *const u32)) }
}

/// Makes sure that the frame's PKRU is what the kernel restores (rule 2): with
/// a clear bit in `xstate_bv` it would restore 0, all rights.
#[cfg(monitor_image)]
fn keep_rights(context: &mut SignalContext) {
    if super::rights::mechanism() == cubicle_abi::plan::MECHANISM_PKU {
        // SAFETY: `xstate_bv` is at 512 of the XSAVE area, which the kernel
        // wrote on this key-0 stack.
        unsafe { *((context.extended + 512) as *mut u64) |= 1 << 9 };
    }
}

/// Is the instruction before `address` a `syscall`, as it is where one was
/// dispatched? Its two bytes were just executed, so they are mapped, and text is
/// readable with all rights.
#[cfg(monitor_image)]
fn follows_syscall(address: u64) -> bool {
    // SAFETY: as above; a forged address that is not ends the process, because
    // every signal is blocked here.
    unsafe { *(address.wrapping_sub(2) as *const [u8; 2]) == [0x0f, 0x05] }
}

/// A `syscall` that the kernel did not perform goes on in the caller's
/// system-call gate, as if its site had been patched.
#[cfg(monitor_image)]
fn dispatched(context: &mut SignalContext, information: &SignalInformation) {
    let rights = rights_of(context);
    // Rule 12: a forged signal looks like a dispatch.
    let genuine = information.code == SYS_USER_DISPATCH
        && information.address == context.rip
        && information.call >> 32 == ARCHITECTURE
        && context.selectors & 0xffff == 0x33
        && follows_syscall(context.rip);
    let cubicle = crate::process::cubicle_with(rights);
    let (Some(cubicle), true, false) = (
        cubicle,
        genuine,
        crate::violation::is_runtime_text(context.rip),
    ) else {
        crate::violation::refuse(
            context,
            information,
            "a system call in a way that no program makes one",
        );
    };
    const RT_SIGRETURN: u64 = 15;
    match information.call as u32 as u64 {
        RT_SIGRETURN => crate::signals::sigreturn::end(context, cubicle),
        _ => go_on_in_gate(context, cubicle, context.rax),
    }
}

/// Makes the handler return to the cubicle's system-call gate, for `number`, as if the
/// call had been made where the context is.
#[cfg(monitor_image)]
pub fn go_on_in_gate(context: &mut SignalContext, cubicle: usize, number: u64) {
    keep_rights(context);
    context.rax = number;
    context.rcx = context.rip;
    context.rip = crate::process::system_call_gate(cubicle);
    context.rflags = FLAGS;
    context.selectors = SELECTORS;
    // The selector stays open until the gate has raised its rights: between
    // here and there runs only the gate's own text.
}
