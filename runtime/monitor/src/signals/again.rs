//! Calls that are made again. One that a signal came before must not be forgotten, and one
//! that it interrupted is started again if its handler says SA_RESTART. As with the kernel,
//! the cubicle finds itself where it makes the call, as if it had not: there the handler
//! runs, and there an unwinder knows where it is.

use super::place::is_site;
use crate::machine::assembly::NOT_MADE;
use crate::machine::signals::{SignalContext, rights_of};
use crate::process::system_call_gate;

/// If this is where such a call was answered, goes back to before it.
pub fn rewind(context: &mut SignalContext) {
    if context.rax != NOT_MADE as u64 {
        return;
    }
    let Some(call) = super::own().again.filter(|call| {
        call.instruction == context.rip
            && crate::process::cubicle_with(rights_of(context)) == Some(call.cubicle)
    }) else {
        return;
    };
    super::own().again = None;
    if is_site(call.instruction) {
        context.rip = site_of(call.instruction);
    } else if follows_system_call(call.instruction) {
        context.rax = call.number;
        context.rip = call.instruction - 2;
    } else {
        context.rax = call.number;
        context.rcx = call.instruction;
        context.rip = system_call_gate(call.cubicle);
    }
}

/// Reads text of the runtime's or of an image.
fn text<const N: usize>(at: u64) -> [u8; N] {
    // SAFETY: the cubicle was about to execute what is around here, and text is readable
    // for all.
    unsafe { *(at as *const [u8; N]) }
}

/// Does a `syscall` stand before it, patched or not?
fn follows_system_call(instruction: u64) -> bool {
    !instruction.is_multiple_of(cubicle_abi::layout::PAGE)
        && text::<2>(instruction.wrapping_sub(2)) == [0x0f, 0x05]
}

/// The place of the ten bytes `xor eax, eax; syscall; cmp rax, -4096` for which a stub
/// does the last: `cmp rax, -4096; jmp behind`.
fn site_of(instruction: u64) -> u64 {
    const COMPARISON: u64 = 6;
    const JUMP: u64 = 5;
    const SITE: u64 = 10;
    let distance = i32::from_le_bytes(text::<4>(instruction + COMPARISON + 1));
    let behind = (instruction + COMPARISON + JUMP).wrapping_add_signed(distance.into());
    behind - SITE
}
