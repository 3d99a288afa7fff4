//! Something to compress, and a way to tell results apart.

/// A text of `length` bytes that is always the same and packs about as well as
/// prose does: words drawn by a xorshift generator.
pub fn text(length: usize) -> Vec<u8> {
    const WORDS: [&str; 16] = [
        "cubicle", "gate", "window", "key", "lend", "arena", "frame", "monitor", "caller",
        "callee", "the", "of", "and", "a", "opens", "closes",
    ];
    let mut text = Vec::with_capacity(length + 16);
    let mut state: u64 = 0x2545_f491_4f6c_dd1d;
    while text.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.extend_from_slice(WORDS[(state >> 60) as usize].as_bytes());
        text.push(if (state >> 40) & 15 == 0 { b'\n' } else { b' ' });
    }
    text.truncate(length);
    text
}

/// The 64-bit FNV-1a hash: enough to tell two outputs apart in one line.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv1a() {
        // Test vectors of the hash's authors.
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
