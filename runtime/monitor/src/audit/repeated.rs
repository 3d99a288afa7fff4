//! String instructions with a repeat prefix: one of them may touch megabytes, a
//! step at a time, so they are performed in one go.

/// What such an instruction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated {
    /// It copies from rsi; otherwise it stores rax.
    pub copies: bool,
    /// Bytes at a time: 1, 4 or 8.
    pub unit: u64,
    /// Bytes of the instruction.
    pub length: u64,
}

/// `rep movs` or `rep stos` at the start of `code`.
pub fn decode(code: &[u8]) -> Option<Repeated> {
    let (0xf3, rest) = code.split_first().map(|(first, rest)| (*first, rest))? else {
        return None;
    };
    let wide = rest.first().is_some_and(|byte| byte & 0xf8 == 0x48);
    let opcode = *rest.get(usize::from(wide))?;
    let unit = match (opcode & 1, wide) {
        (0, _) => 1,
        (_, true) => 8,
        (_, false) => 4,
    };
    let copies = match opcode {
        0xa4 | 0xa5 => true,
        0xaa | 0xab => false,
        _ => return None,
    };
    Some(Repeated {
        copies,
        unit,
        length: 2 + u64::from(wide),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn string_instructions_are_told_apart() {
        let found = |code: &[u8]| decode(code).map(|r| (r.copies, r.unit, r.length));
        assert_eq!(found(&[0xf3, 0xa4]), Some((true, 1, 2)));
        assert_eq!(found(&[0xf3, 0x48, 0xa5, 0]), Some((true, 8, 3)));
        assert_eq!(found(&[0xf3, 0xab]), Some((false, 4, 2)));
        assert_eq!(found(&[0xf3, 0x48, 0xab]), Some((false, 8, 3)));
        for other in [&[0xf3, 0xa6][..], &[0xa4], &[0xf3], &[0xf3, 0x48], &[]] {
            assert_eq!(found(other), None, "{other:x?}");
        }
    }
}
