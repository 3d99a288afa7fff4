//! What stands for a function on the side that calls it back: one stub for each
//! slot of a callback. It says which slot it is, and goes to the callback's gate.
//!
//! ```text
//!   mov eax, slot
//!   jmp gate
//! ```

use super::{GateError, unintended};
use cubicle_abi::layout::{CALLBACK_SLOTS, CALLBACK_STRIDE, callback_stub, gate};
use iced_x86::code_asm::*;

/// The stubs of all callbacks, for `CALLBACK_BASE`. `gates` has for each callback
/// the number of its gate.
///
/// # Errors
/// If a stub contains forbidden bytes, wherever it lies in its place.
pub fn emit(gates: &[usize]) -> Result<Vec<u8>, GateError> {
    let mut text = Vec::with_capacity(gates.len() * CALLBACK_SLOTS * CALLBACK_STRIDE as usize);
    for (number, gate) in gates.iter().enumerate() {
        for slot in 0..CALLBACK_SLOTS {
            let code = emit_stub(number, slot, *gate)?;
            let end = text.len() + CALLBACK_STRIDE as usize;
            text.extend(code);
            text.resize(end, 0xcc);
        }
    }
    // Nor may the end of one and the start of the next make one.
    let found = unintended::find_in_gate(&text);
    match found {
        Some(_) => Err(unintended_stub()),
        None => Ok(text),
    }
}

/// One stub, with as many NOPs before its jump as keep its displacement
/// innocent.
fn emit_stub(number: usize, slot: usize, index: usize) -> Result<Vec<u8>, GateError> {
    for padding in 0.. {
        let mut a = CodeAssembler::new(64)?;
        a.mov(eax, slot as u32)?;
        for _ in 0..padding {
            a.nop()?;
        }
        a.jmp(gate(index))?;
        let code = a.assemble(callback_stub(number, slot))?;
        if code.len() > CALLBACK_STRIDE as usize {
            break;
        }
        if unintended::find_in_gate(&code).is_none() {
            return Ok(code);
        }
    }
    Err(unintended_stub())
}

fn unintended_stub() -> GateError {
    GateError::Unintended {
        function: "a callback".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cubicle_abi::layout::{CALLBACK_BASE, MAXIMUM_CALLBACKS, MAXIMUM_GATES};
    use iced_x86::Decoder;
    use iced_x86::Mnemonic::{Jmp, Mov};
    use iced_x86::Register::EAX;

    #[test]
    fn a_stub_says_its_slot_and_goes_to_its_gate() {
        let text = emit(&[7, 3]).unwrap();
        assert_eq!(text.len(), 2 * 256 * 16);
        for (number, index) in [(0, 7), (1, 3)] {
            for slot in [0, 1, 255] {
                let address = callback_stub(number, slot);
                let start = (address - CALLBACK_BASE) as usize;
                let mut code = Decoder::with_ip(64, &text[start..], address, 0);
                let (load, jump) = (code.decode(), code.decode());
                assert_eq!((load.mnemonic(), load.op0_register()), (Mov, EAX));
                assert_eq!(load.immediate32(), slot as u32);
                assert_eq!(jump.mnemonic(), Jmp);
                assert_eq!(jump.near_branch_target(), gate(index));
            }
        }
    }

    /// All over the range of stubs, with gates all over theirs.
    #[test]
    fn no_stub_contains_what_changes_rights() {
        for number in (0..MAXIMUM_CALLBACKS).step_by(31) {
            let gate = number * (MAXIMUM_GATES as usize - 1) / (MAXIMUM_CALLBACKS - 1);
            for slot in 0..CALLBACK_SLOTS {
                let stub = emit_stub(number, slot, gate).unwrap();
                assert_eq!(unintended::find_in_gate(&stub), None);
            }
        }
    }
}
