//! Calls that must end in a trap, each in a child process of its own.

use super::probe;
use super::world::World;
use std::arch::asm;
use std::sync::atomic::{AtomicPtr, Ordering};

/// How a child ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// The call came back.
    Returned,
    /// A signal, at this instruction.
    Signal(i32, u64),
}

/// Signal and instruction, in memory that parent and child share.
static REPORT: AtomicPtr<[u64; 2]> = AtomicPtr::new(std::ptr::null_mut());

const ALTERNATE: usize = 64 << 10;

/// Goes to `address` with the registers of `BEFORE`, in a child.
pub fn run(_world: &World, address: u64) -> End {
    // SAFETY: the child executes assembly, the hook of the test and the handler
    // below, none of which needs anything another thread may hold.
    unsafe {
        let report = shared();
        REPORT.store(report, Ordering::Relaxed);
        probe::GATE = address;
        let child = libc::fork();
        assert!(child >= 0, "fork");
        if child == 0 {
            catch(handler);
            probe::gate_test_invoke();
            libc::_exit(0);
        }
        let mut status = 0;
        assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
        assert!(libc::WIFEXITED(status), "status {status:#x}");
        let [signal, instruction] = *report;
        libc::munmap(report.cast(), 4096);
        match signal {
            0 => End::Returned,
            _ => End::Signal(signal as i32, instruction),
        }
    }
}

pub unsafe fn shared() -> *mut [u64; 2] {
    // SAFETY: a new mapping.
    let at = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            4096,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    assert_ne!(at, libc::MAP_FAILED);
    at.cast()
}

type Handler = extern "C" fn(i32, *const libc::siginfo_t, *mut libc::ucontext_t);

/// Sends every fault of this process to `handler`, on a stack of its own.
pub unsafe fn catch(handler: Handler) {
    // SAFETY: plain system calls; the stack is never freed.
    unsafe {
        let stack = libc::stack_t {
            ss_sp: libc::mmap(
                std::ptr::null_mut(),
                ALTERNATE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            ),
            ss_flags: 0,
            ss_size: ALTERNATE,
        };
        libc::sigaltstack(&raw const stack, std::ptr::null_mut());
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        for signal in [
            libc::SIGILL,
            libc::SIGSEGV,
            libc::SIGBUS,
            libc::SIGFPE,
            libc::SIGTRAP,
        ] {
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }
}

/// FS may be anybody's here, so nothing in it uses thread-locals.
extern "C" fn handler(signal: i32, _: *const libc::siginfo_t, context: *mut libc::ucontext_t) {
    // SAFETY: the kernel passes a context; the report was mapped before.
    unsafe {
        let report = REPORT.load(Ordering::Relaxed);
        let instruction = (*context).uc_mcontext.gregs[libc::REG_RIP as usize];
        report.write([signal as u64, instruction as u64]);
        asm!("syscall", in("rax") libc::SYS_exit_group, in("rdi") 0, options(noreturn));
    }
}
