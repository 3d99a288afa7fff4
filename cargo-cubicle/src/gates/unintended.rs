//! Instructions that nobody wrote: bytes inside a displacement or an immediate
//! that change PKRU or a base when control jumps to them. Whoever builds a
//! library chooses where its functions lie, and with that the displacement of
//! the gate's call.

use iced_x86::{Decoder, DecoderOptions, Mnemonic};
use std::collections::BTreeSet;

/// Offset of the first forbidden pattern (MONITOR.md, "Forbidden bytes") in
/// `code` that is not one of its own WRPKRU or WRFSBASE instructions.
pub fn find(code: &[u8]) -> Option<usize> {
    let intended: BTreeSet<usize> = Decoder::new(64, code, DecoderOptions::NONE)
        .into_iter()
        .filter(|instruction| {
            matches!(
                instruction.mnemonic(),
                Mnemonic::Wrpkru | Mnemonic::Wrfsbase
            )
        })
        // Prefixes come first, the pattern is the last three bytes.
        .map(|instruction| instruction.next_ip() as usize - 3)
        .collect();
    (0..code.len()).find(|at| is_forbidden(&code[*at..]) && !intended.contains(at))
}

/// The same for text of the runtime's, in which no system call may be made either: the
/// monitor steps through it with an open selector when a signal has come.
pub fn find_in_gate(code: &[u8]) -> Option<usize> {
    find(code).or_else(|| {
        code.windows(2)
            .position(|pair| matches!(pair, [0x0f, 0x05] | [0x0f, 0x34] | [0xcd, 0x80]))
    })
}

/// Offsets of all forbidden patterns in `code`, intended or not.
pub fn all(code: &[u8]) -> impl Iterator<Item = usize> {
    (0..code.len()).filter(|at| is_forbidden(&code[*at..]))
}

/// Bytes of the pattern that `bytes` start with; 0 if it is none.
pub fn length(bytes: &[u8]) -> u64 {
    match (is_forbidden(bytes), bytes.first()) {
        (false, _) => 0,
        (true, Some(0xd5)) => 4,
        (true, _) => 3,
    }
}

/// Do `bytes` start with one of the patterns?
fn is_forbidden(bytes: &[u8]) -> bool {
    let (opcode, operand) = match bytes {
        [0x0f, opcode, operand, ..] => (*opcode, *operand),
        // REX2, map 1: one byte in place of 0F.
        [0xd5, 0x80..=0xff, opcode, operand, ..] => (*opcode, *operand),
        _ => return false,
    };
    let (memory, digit) = (operand < 0xc0, operand >> 3 & 7);
    match opcode {
        0x01 => operand == 0xef,                                           // WRPKRU
        0xae => memory && digit == 5 || !memory && matches!(digit, 2 | 3), // XRSTOR, WR·SBASE
        0xc7 => memory && digit == 3,                                      // XRSTORS
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use cubicle_abi::frame::{gathered, spread, ticket, ticket_gate};
    use cubicle_abi::layout::MAXIMUM_GATES;

    #[test]
    fn no_number_of_a_gate_is_an_instruction() {
        // `0f 05` was the one of gate 322 in its third phase.
        for number in 0..MAXIMUM_GATES as usize {
            assert_eq!(gathered(spread(number as u64)), number as u64);
            for phase in 0..=3 {
                let ticket = ticket(number, phase);
                assert_eq!(ticket_gate(ticket), Some((number, phase)));
                assert!(i32::try_from(ticket).is_ok());
                // Whatever comes behind it.
                for byte in (ticket as u32).to_le_bytes() {
                    assert!(![0x0f, 0xd5, 0xcd].contains(&byte), "{number} {phase}");
                }
            }
        }
    }
}
