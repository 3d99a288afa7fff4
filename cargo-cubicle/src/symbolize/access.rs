//! How many bytes an instruction tried to move.

use iced_x86::{Decoder, DecoderOptions, InstructionInfoFactory, OpAccess};

use super::record::Access;

/// The longest instruction of x86 (Intel SDM, volume 2A, 2.3.11).
const LONGEST: usize = 15;

/// Bytes of memory that the instruction at the start of `code` reads or writes in
/// one go. `None` if it moves no or an unknown number of them, or if that cannot be
/// told, as with several operands that do not agree.
pub fn width(code: &[u8], access: Access) -> Option<usize> {
    let code = &code[..code.len().min(LONGEST)];
    let instruction = Decoder::new(64, code, DecoderOptions::NONE).decode();
    if instruction.is_invalid() {
        return None;
    }
    let mut factory = InstructionInfoFactory::new();
    let wanted = |kind| match access {
        Access::Read => {
            matches!(
                kind,
                OpAccess::Read | OpAccess::CondRead | OpAccess::ReadWrite | OpAccess::ReadCondWrite
            )
        }
        Access::Write => {
            matches!(
                kind,
                OpAccess::Write
                    | OpAccess::CondWrite
                    | OpAccess::ReadWrite
                    | OpAccess::ReadCondWrite
            )
        }
        Access::Execute => false,
    };
    let mut widths = factory
        .info(&instruction)
        .used_memory()
        .iter()
        .filter(|memory| wanted(memory.access()))
        .map(|memory| memory.memory_size().size());
    let width = widths.next().filter(|width| *width > 0)?;
    widths.all(|other| other == width).then_some(width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_width_of_what_is_moved() {
        let cases: [(&[u8], Access, Option<usize>); 7] = [
            (&[0x48, 0x89, 0x07], Access::Write, Some(8)), // mov %rax, (%rdi)
            (&[0x48, 0x89, 0x07], Access::Read, None),     // which reads nothing
            (&[0x88, 0x07], Access::Write, Some(1)),       // mov %al, (%rdi)
            (&[0x83, 0x07, 0x01], Access::Read, Some(4)),  // addl $1, (%rdi)
            (&[0xc5, 0xfe, 0x7f, 0x07], Access::Write, Some(32)), // vmovdqu %ymm0, (%rdi)
            (&[0x06], Access::Read, None),                 // no instruction
            (&[], Access::Read, None),
        ];
        for (code, access, width) in cases {
            assert_eq!(super::width(code, access), width, "{code:x?}");
        }
    }
}
