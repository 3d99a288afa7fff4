//! What this machine has, and what the plan demands of it.

use super::initial_stack::KernelStack;
use crate::machine::kernel::{self, number};
use crate::violation::refuse_start;
use core::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use cubicle_abi::plan::{
    ISOLATION_AUDIT, ISOLATION_PKU, ISOLATION_STAND_IN, MECHANISM_PAGETABLE, MECHANISM_PKU,
    MECHANISM_STAND_IN,
};

const AT_HWCAP2: u64 = 26;
/// The kernel lets programs use RDFSBASE and its kin (HWCAP2_FSGSBASE).
const HWCAP2_FSGSBASE: u64 = 1 << 1;

/// The mechanism for this process. Does not return if there is none.
pub fn choose(kernel: KernelStack, isolation: u32) -> u32 {
    if kernel.value(AT_HWCAP2).unwrap_or(0) & HWCAP2_FSGSBASE == 0 {
        refuse_start(
            "this kernel or processor has no FSGSBASE instructions; Linux 5.9 or newer on a processor since 2013 (Intel) or 2017 (AMD) has",
        );
    }
    if isolation == ISOLATION_STAND_IN {
        return MECHANISM_STAND_IN;
    }
    if isolation == ISOLATION_AUDIT {
        return MECHANISM_PAGETABLE;
    }
    if has_extended_registers() {
        refuse_start(
            "this processor's APX registers are switched on, and gates do not know how to clear them; boot with `clearcpuid=apx`",
        );
    }
    let keys = has_keys();
    if keys && kernel_version() >= (6, 12) {
        return MECHANISM_PKU;
    }
    if isolation == ISOLATION_PKU {
        refuse_start(if keys {
            "protection keys need Linux 6.12 or newer, where signal frames can be written to memory that cubicles cannot reach; `isolation = \"any\"` in Cubicle.toml permits page tables instead"
        } else {
            "this machine has no memory protection keys; `isolation = \"any\"` in Cubicle.toml permits page tables instead, and `cargo cubicle run --vm` emulates a machine with keys"
        });
    }
    MECHANISM_PAGETABLE
}

/// Intel APX: sixteen more general registers, bit 19 of XCR0.
fn has_extended_registers() -> bool {
    const APX: u64 = 1 << 19;
    enabled_state() & APX != 0
}

/// XCR0: the register state that the kernel has switched on; 0 without XSAVE.
fn enabled_state() -> u64 {
    const OSXSAVE: u32 = 1 << 27;
    if __cpuid(1).ecx & OSXSAVE == 0 {
        return 0;
    }
    // SAFETY: OSXSAVE says that XGETBV exists.
    unsafe { xgetbv() }
}

/// OSPKE: the processor has protection keys and the kernel has switched them
/// on (Intel SDM, CPUID leaf 7, ECX bit 4).
fn has_keys() -> bool {
    __cpuid(0).eax >= 7 && __cpuid_count(7, 0).ecx & 1 << 4 != 0
}

/// Offset of PKRU in a standard-format XSAVE area, bytes.
pub fn pkru_offset() -> u64 {
    __cpuid_count(0xd, 9).ebx.into()
}

/// Which vector registers there are to clear: 0 SSE, 1 AVX, 2 AVX-512F, 3 also
/// AVX-512BW.
pub fn vector_level() -> u32 {
    // XCR0: SSE and AVX state; opmask, upper halves and upper registers.
    const AVX: u64 = 0x6;
    const AVX512: u64 = 0xe6;
    const AVX512BW: u32 = 1 << 30;
    match enabled_state() {
        state if state & AVX512 == AVX512 => {
            if __cpuid_count(7, 0).ebx & AVX512BW == 0 {
                2
            } else {
                3
            }
        }
        state if state & AVX == AVX => 1,
        _ => 0,
    }
}

/// # Safety
/// The kernel must have enabled XSAVE.
#[target_feature(enable = "xsave")]
unsafe fn xgetbv() -> u64 {
    // SAFETY: the caller's.
    unsafe { _xgetbv(0) }
}

/// Major and minor of the running kernel.
fn kernel_version() -> (u32, u32) {
    // struct new_utsname: six fields of 65 bytes; the third is the release.
    let mut names = [0u8; 390];
    // SAFETY: the buffer is as large as the kernel's structure.
    unsafe { kernel::call(number::UNAME, [names.as_mut_ptr() as u64, 0, 0, 0, 0, 0]) };
    let mut parts = names[130..195]
        .split(|byte| !byte.is_ascii_digit())
        .map(|digits| {
            digits.iter().fold(0u32, |n, digit| {
                n.saturating_mul(10) + u32::from(digit - b'0')
            })
        });
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

/// Makes the vDSO and its data readable for cubicles, so that clocks need no
/// system call. Answers whether it worked.
pub fn share_vdso() -> bool {
    // The names end the lines of the kernel's own list; it is read once, before
    // any cubicle runs.
    let mut text = [0u8; 16384];
    let length = read_file(c"/proc/self/maps", &mut text);
    let mut shared = 0;
    for line in text[..length].split(|byte| *byte == b'\n') {
        let protection = if line.ends_with(b"[vdso]") {
            kernel::PROT_READ | kernel::PROT_EXEC
        } else if line.ends_with(b"[vvar]") || line.ends_with(b"[vvar_vclock]") {
            kernel::PROT_READ
        } else {
            continue;
        };
        let mut numbers = line.split(|byte| *byte == b'-' || *byte == b' ');
        let (Some(start), Some(end)) = (
            numbers.next().and_then(hexadecimal),
            numbers.next().and_then(hexadecimal),
        ) else {
            return false;
        };
        if protection & kernel::PROT_EXEC != 0 && has_forbidden_bytes(start, end) {
            // Keys do not stop anybody from executing it.
            // SAFETY: the monitor never calls into the vDSO, and no cubicle runs yet.
            unsafe { kernel::call(number::MUNMAP, [start, end - start, 0, 0, 0, 0]) };
            return false;
        }
        if crate::machine::rights::tag(start, end, protection, cubicle_abi::rights::KEY_PUBLIC)
            .is_err()
        {
            return false;
        }
        shared += 1;
    }
    shared >= 2
}

/// WRPKRU, XRSTOR and writes of segment bases, at any offset.
fn has_forbidden_bytes(start: u64, end: u64) -> bool {
    // SAFETY: the kernel lists the vDSO as mapped and readable.
    let text = unsafe { core::slice::from_raw_parts(start as *const u8, (end - start) as usize) };
    text.windows(3).any(|bytes| match bytes {
        [0x0f, 0x01, 0xef] => true,
        [0x0f, 0xae, third] => {
            third >> 3 & 7 == 5 && third >> 6 != 3 || (0xd0..0xe0).contains(third)
        }
        [0x0f, 0xc7, third] => third >> 3 & 7 == 3 && third >> 6 != 3,
        _ => false,
    })
}

fn hexadecimal(digits: &[u8]) -> Option<u64> {
    u64::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()
}

fn read_file(path: &core::ffi::CStr, into: &mut [u8]) -> usize {
    const O_CLOEXEC: u64 = 0x8_0000;
    // SAFETY: the path is a constant, the buffer the caller's.
    unsafe {
        let file = kernel::call(number::OPEN, [path.as_ptr() as u64, O_CLOEXEC, 0, 0, 0, 0]);
        if file < 0 {
            return 0;
        }
        let mut length = 0;
        while length < into.len() {
            let read = kernel::call(
                number::READ,
                [
                    file as u64,
                    into[length..].as_mut_ptr() as u64,
                    (into.len() - length) as u64,
                    0,
                    0,
                    0,
                ],
            );
            if read <= 0 {
                break;
            }
            length += read as usize;
        }
        kernel::call(number::CLOSE, [file as u64, 0, 0, 0, 0, 0]);
        length
    }
}
