//! What one switch of rights costs by itself: WRPKRU, or its stand-in. Gates
//! are judged by what they cost beyond n of these.

use std::arch::asm;
use std::time::Instant;

use crate::machine::Machine;
use crate::sampling::median;

const TURNS: u32 = 20_000;
const ROUNDS: usize = 101;

/// Nanoseconds of one switch: the median of many rounds, each with a loop of
/// nothing else.
pub fn measure(machine: &Machine) -> f64 {
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        if machine.keys {
            key_switches();
        } else {
            stand_ins();
        }
        rounds.push(start.elapsed().as_nanos() as f64 / f64::from(TURNS));
    }
    median(&rounds)
}

/// As gates/switch.rs emits it, with a store to memory that is not GS's.
fn stand_ins() {
    let mut place = 0u32;
    // SAFETY: the registers are named as lost, the store is to `place`.
    unsafe {
        asm!(
            "2:",
            "mov eax, 0x55555519",
            "mov dword ptr [{place}], eax",
            "imul rax, rax",
            "imul rax, rax",
            "imul rax, rax",
            "imul rax, rax",
            "lfence",
            "dec {turns:e}",
            "jne 2b",
            place = in(reg) &mut place,
            turns = inout(reg) TURNS => _,
            out("rax") _,
        );
    }
}

/// Writes the rights that are in force again and again.
fn key_switches() {
    // SAFETY: PKRU keeps its value; called only where the machine has keys.
    unsafe {
        asm!(
            "xor ecx, ecx",
            "rdpkru",
            "mov {rights:e}, eax",
            "2:",
            "mov eax, {rights:e}",
            "xor ecx, ecx",
            "xor edx, edx",
            "wrpkru",
            "dec {turns:e}",
            "jne 2b",
            rights = out(reg) _,
            turns = inout(reg) TURNS => _,
            out("rax") _,
            out("rcx") _,
            out("rdx") _,
        );
    }
}
