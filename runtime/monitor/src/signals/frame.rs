//! What a handler finds on its stack, as the kernel lays it out on x86-64
//! (arch/x86/include/asm/sigframe.h):
//!
//! ```text
//!   extended state, 64-byte aligned
//!   …
//!   siginfo_t                128 bytes
//!   ucontext_t               304 bytes
//!   address of the restorer  ◄── stack pointer; 8 bytes below a multiple of 16
//! ```

/// Bytes of `ucontext_t` with the kernel's mask.
pub const CONTEXT: usize = 304;
/// Bytes of `siginfo_t`.
pub const INFORMATION: usize = 128;
/// `uc_flags` as the kernel sets it (arch/x86/include/uapi/asm/ucontext.h): with extended
/// state, and with a stack segment that is to be restored as it is.
pub const FLAGS: u64 = 0b111;
/// What lies below the stack pointer and may be in use (System V ABI, 3.2.2).
pub const RED_ZONE: u64 = 128;

/// Offsets in the extended state: MXCSR, the kernel's words about its size, the bits
/// that say what is in it, and the first component behind its header.
pub const MXCSR: usize = 24;
pub const SOFTWARE: usize = 464;
pub const EXTENDED_SIZE: usize = 468;
pub const FEATURES: usize = 472;
pub const STATE_SIZE: usize = 480;
pub const PRESENT: usize = 512;
pub const COMPONENTS: usize = 576;
/// FP_XSTATE_MAGIC1.
pub const MAGIC: u32 = 0x4650_5853;
/// x87, SSE, AVX and the three parts of AVX-512: what programs have, and what gates
/// know how to clear.
pub const KNOWN: u64 = 0xe7;
/// PKRU: never a program's to set.
pub const PKRU: u64 = 1 << 9;
/// What a program may set in MXCSR (Intel SDM volume 1, 10.2.3); other bits fault.
pub const MXCSR_BITS: u32 = 0xffff;
/// As a program starts with it.
pub const MXCSR_DEFAULT: u32 = 0x1f80;

/// The places of the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    pub extended: u64,
    pub information: u64,
    pub context: u64,
    /// The handler's stack pointer.
    pub stack: u64,
}

/// A frame below `top` with `extended` bytes of extended state. `None`: it would lie
/// below the lowest address.
pub fn below(top: u64, extended: u64) -> Option<Places> {
    let extended = top.checked_sub(extended)? & !63;
    let lowest = extended.checked_sub((8 + CONTEXT + INFORMATION) as u64)? & !15;
    let stack = lowest.checked_sub(8)?;
    Some(Places {
        extended,
        information: stack + 8 + CONTEXT as u64,
        context: stack + 8,
        stack,
    })
}

/// The bits that say what is in the extended state, of those a program wrote; `features`
/// is what the kernel keeps there on this machine.
pub fn present(written: u64, features: u64) -> u64 {
    (written & KNOWN | PKRU) & features
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers_start_as_behind_a_call() {
        for top in 0x10_0000..0x10_0080 {
            let places = below(top, 2700).unwrap();
            assert_eq!((places.stack + 8) % 16, 0);
            assert_eq!(places.extended % 64, 0);
            assert!(places.extended + 2700 <= top);
            assert!(places.information + INFORMATION as u64 <= places.extended);
        }
        assert_eq!(below(100, 2700), None);
        assert_eq!(below(2900, 2700), None);
    }

    #[test]
    fn rights_are_never_a_programs_to_set() {
        assert_eq!(present(u64::MAX, 0x2e7), 0x2e7);
        assert_eq!(present(0, 0x2e7), PKRU);
        assert_eq!(present(1 << 18 | 3, u64::MAX), 3 | PKRU);
        // A machine without keys would refuse the bit.
        assert_eq!(present(u64::MAX, 7), 7);
    }
}
