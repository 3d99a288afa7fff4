//! Routines that clear the vector registers beyond the first `n`, so that
//! nothing a cubicle computed is left for the next one.
//!
//! Which registers there are depends on the processor: the plan carries one
//! set of routines for each level and the monitor copies the one that fits.

use super::{GateError, unintended};
use cubicle_abi::layout::STUB_BASE;
use iced_x86::code_asm::*;

/// Distance between two routines in bytes.
const STRIDE: u64 = 256;
/// Routines: none to eight registers are kept.
const ROUTINES: usize = 9;
/// Bytes that all routines of one level take.
pub const SIZE: u64 = 4096;

/// What the processor has, and the kernel saves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VectorLevel {
    Sse = 0,
    Avx = 1,
    /// AVX-512F, whose mask registers have 16 bits.
    Avx512 = 2,
    /// AVX-512BW as well: mask registers have 64 bits and can be tested.
    Avx512Wide = 3,
}

impl VectorLevel {
    /// From least to most.
    pub const ALL: [VectorLevel; 4] = [
        VectorLevel::Sse,
        VectorLevel::Avx,
        VectorLevel::Avx512,
        VectorLevel::Avx512Wide,
    ];
}

/// The routine that keeps xmm0 up to `kept` registers.
pub fn address(kept: usize) -> u64 {
    STUB_BASE + STRIDE * kept as u64
}

/// All routines for one level, `SIZE` bytes for `STUB_BASE`.
///
/// # Errors
/// Only if the assembler refuses an instruction.
pub fn emit(level: VectorLevel) -> Result<Vec<u8>, GateError> {
    let mut text = vec![0xcc; SIZE as usize];
    for kept in 0..ROUTINES {
        let mut a = CodeAssembler::new(64)?;
        routine(&mut a, level, kept)?;
        let code = a.assemble(address(kept))?;
        let start = kept * STRIDE as usize;
        assert!(code.len() <= STRIDE as usize, "a routine fits its stride");
        assert_eq!(unintended::find_in_gate(&code), None);
        text[start..start + code.len()].copy_from_slice(&code);
    }
    Ok(text)
}

fn routine(
    a: &mut CodeAssembler,
    level: VectorLevel,
    kept: usize,
) -> Result<(), iced_x86::IcedError> {
    let low = [
        xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12, xmm13,
        xmm14, xmm15,
    ];
    if level != VectorLevel::Sse {
        // What is kept is at most 16 bytes wide: the arguments are declared.
        // Zeroing all others one by one is free when registers are renamed,
        // and half as long as VZEROALL (measured: 1.6 ns, 2.8).
        a.vzeroupper()?;
    }
    for register in &low[kept..] {
        a.xorps(*register, *register)?;
    }
    if level >= VectorLevel::Avx512 {
        for register in [
            zmm16, zmm17, zmm18, zmm19, zmm20, zmm21, zmm22, zmm23, zmm24, zmm25, zmm26, zmm27,
            zmm28, zmm29, zmm30, zmm31,
        ] {
            a.vpxord(register, register, register)?;
        }
        let masks = [k0, k1, k2, k3, k4, k5, k6, k7];
        let mut used = a.create_label();
        if level == VectorLevel::Avx512Wide {
            // One execution port does all mask instructions, and one can test
            // two registers but clear only one. Mostly all are zero.
            for pair in masks.chunks_exact(2) {
                a.kortestq(pair[0], pair[1])?;
                a.jne(used)?;
            }
            a.ret()?;
        }
        a.set_label(&mut used)?;
        for register in masks {
            a.kxorw(register, register, register)?;
        }
    }
    a.ret()
}
