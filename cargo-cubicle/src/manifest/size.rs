//! Sizes such as `256M`.

/// Bytes of a page on x86-64 (Intel SDM volume 3, 4.5).
pub const PAGE: u64 = 4 << 10;
/// One mebibyte in bytes.
pub const MIB: u64 = 1 << 20;
/// One gibibyte in bytes.
pub const GIB: u64 = 1 << 30;

/// A size with its unit: digits, then `K`, `M` or `G` (powers of 1024).
/// Returns bytes, or `None` if it is no such thing or more than 64 bits.
pub fn parse(text: &str) -> Option<u64> {
    let unit = match text.bytes().last()? {
        b'K' => 1 << 10,
        b'M' => MIB,
        b'G' => GIB,
        _ => return None,
    };
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// A size in the largest unit that divides it.
pub fn show(bytes: u64) -> String {
    for (unit, letter) in [(GIB, "G"), (MIB, "M"), (1 << 10, "K")] {
        if bytes > 0 && bytes.is_multiple_of(unit) {
            return format!("{}{letter}", bytes / unit);
        }
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(parse("256M"), Some(256 << 20));
        assert_eq!(parse("1G"), Some(1 << 30));
        assert_eq!(parse("0K"), Some(0));
        for text in [
            "",
            "M",
            "256",
            "256MB",
            "1.5G",
            "-1K",
            "+1K",
            "99999999999G",
            "ä",
            "1 M",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(show(256 << 20), "256M");
        assert_eq!(show(3 << 10), "3K");
        assert_eq!(show(5), "5 bytes");
    }
}
