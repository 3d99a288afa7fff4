//! The stack an image starts on, as the kernel would have built it (System V
//! ABI, 3.4.1), from what the kernel gave this process.
//!
//! ```text
//!   top     strings: arguments, environment, platform; 16 random bytes
//!           auxiliary vector, pairs, ending with AT_NULL
//!           0
//!           environment pointers
//!           0
//!           argument pointers
//!   sp ──►  number of arguments
//! ```

use crate::machine::kernel::{self, number};
use cubicle_abi::plan::Cubicle;

const AT_NULL: u64 = 0;
const AT_PHDR: u64 = 3;
const AT_PHNUM: u64 = 5;
const AT_BASE: u64 = 7;
const AT_ENTRY: u64 = 9;
const AT_PLATFORM: u64 = 15;
const AT_BASE_PLATFORM: u64 = 24;
const AT_RANDOM: u64 = 25;
const AT_RSEQ_FEATURE_SIZE: u64 = 27;
const AT_RSEQ_ALIGN: u64 = 28;
const AT_EXECFN: u64 = 31;
const AT_SYSINFO: u64 = 32;
const AT_SYSINFO_EHDR: u64 = 33;

/// What the kernel put on the process's own stack.
#[derive(Clone, Copy)]
pub struct KernelStack {
    start: *const u64,
}

impl KernelStack {
    /// # Safety
    /// `start` must be the stack pointer the process began with.
    pub unsafe fn new(start: *const u64) -> KernelStack {
        KernelStack { start }
    }

    fn word(self, index: usize) -> u64 {
        // SAFETY: all readers stop at the terminators the kernel wrote.
        unsafe { *self.start.add(index) }
    }

    fn argument_count(self) -> usize {
        self.word(0) as usize
    }

    fn environment(self) -> usize {
        self.argument_count() + 2
    }

    fn environment_count(self) -> usize {
        let first = self.environment();
        (0..).find(|n| self.word(first + n) == 0).unwrap_or(0)
    }

    fn auxiliary(self) -> usize {
        self.environment() + self.environment_count() + 1
    }

    /// The value of an entry of the auxiliary vector.
    pub fn value(self, wanted: u64) -> Option<u64> {
        self.entries().find(|entry| entry.0 == wanted).map(|e| e.1)
    }

    fn entries(self) -> impl Iterator<Item = (u64, u64)> {
        let first = self.auxiliary();
        (0..)
            .map(move |n| (self.word(first + 2 * n), self.word(first + 2 * n + 1)))
            .take_while(|entry| entry.0 != AT_NULL)
    }

    /// The value of an environment variable.
    pub fn variable(self, name: &[u8]) -> Option<&'static [u8]> {
        let first = self.environment();
        (0..self.environment_count()).find_map(|n| {
            let text = bytes_at(self.word(first + n));
            let rest = text.strip_prefix(name)?;
            rest.strip_prefix(b"=")
        })
    }
}

/// A string of the kernel's, without its zero byte.
fn bytes_at(address: u64) -> &'static [u8] {
    // SAFETY: the kernel's strings end with a zero byte and are never unmapped.
    unsafe { core::ffi::CStr::from_ptr(address as *const core::ffi::c_char) }.to_bytes()
}

/// Writes downwards from the top of a stack that is the monitor's to write.
struct Writer {
    at: u64,
}

impl Writer {
    fn bytes(&mut self, bytes: &[u8], ending: bool) -> u64 {
        self.at -= bytes.len() as u64 + u64::from(ending);
        // SAFETY: `needed` made sure that the stack holds it.
        unsafe {
            let to = self.at as *mut u8;
            core::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
            if ending {
                *to.add(bytes.len()) = 0;
            }
        }
        self.at
    }

    fn word(&mut self, at: &mut u64, value: u64) {
        // SAFETY: as above.
        unsafe { *(*at as *mut u64) = value };
        *at += 8;
    }
}

/// Bytes that the initial stack takes at most.
pub fn needed(kernel: KernelStack) -> u64 {
    let words = kernel.auxiliary() as u64 + 2 * kernel.entries().count() as u64 + 16;
    let mut bytes = words * 8 + 1024;
    for index in 1..=kernel.argument_count() {
        bytes += bytes_at(kernel.word(index)).len() as u64 + 1;
    }
    let first = kernel.environment();
    for n in 0..kernel.environment_count() {
        bytes += bytes_at(kernel.word(first + n)).len() as u64 + 1;
    }
    bytes
}

/// Builds it below `top` for `cubicle`; answers with the stack pointer.
/// `vdso` says whether cubicles can read the vDSO.
pub fn build(kernel: KernelStack, top: u64, cubicle: &Cubicle, vdso: bool) -> u64 {
    let mut writer = Writer { at: top };
    let mut random = [0u8; 16];
    // SAFETY: 16 bytes of the monitor's own.
    unsafe {
        kernel::call(
            number::GETRANDOM,
            [random.as_mut_ptr() as u64, 16, 0, 0, 0, 0],
        )
    };
    let random = writer.bytes(&random, false);
    let arguments = kernel.argument_count();
    let variables = kernel.environment_count();
    let words = 1 + arguments + 1 + variables + 1 + 2 * (kernel.entries().count() + 2);
    // The strings go first, from the top; the pointers to them are written as
    // their addresses become known, into a block whose size is known already.
    let strings = needed(kernel) - words as u64 * 8;
    let start = (writer.at - strings - words as u64 * 8) & !15;
    let mut at = start;
    writer.word(&mut at, arguments as u64);
    for index in 1..=arguments {
        let address = writer.bytes(bytes_at(kernel.word(index)), true);
        writer.word(&mut at, address);
    }
    writer.word(&mut at, 0);
    let first = kernel.environment();
    for n in 0..variables {
        let text = bytes_at(kernel.word(first + n));
        // Between the tool and the monitor only.
        if !text.starts_with(crate::violation::REPORT_VARIABLE) {
            let address = writer.bytes(text, true);
            writer.word(&mut at, address);
        }
    }
    writer.word(&mut at, 0);
    for (kind, value) in kernel.entries() {
        let value = match kind {
            AT_PHDR => cubicle.program_headers,
            AT_PHNUM => cubicle.program_header_count,
            AT_ENTRY => cubicle.entry,
            AT_BASE => 0,
            AT_RANDOM => random,
            AT_PLATFORM | AT_BASE_PLATFORM | AT_EXECFN => writer.bytes(bytes_at(value), true),
            AT_SYSINFO_EHDR if vdso => value,
            // rseq would have the kernel write into one cubicle's memory while
            // another one runs.
            AT_SYSINFO_EHDR | AT_SYSINFO | AT_RSEQ_FEATURE_SIZE | AT_RSEQ_ALIGN => continue,
            _ => value,
        };
        writer.word(&mut at, kind);
        writer.word(&mut at, value);
    }
    writer.word(&mut at, AT_NULL);
    writer.word(&mut at, 0);
    start
}
