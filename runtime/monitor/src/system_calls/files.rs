//! Which files a cubicle may have open.

/// May a cubicle open this kind of file (`st_mode` and `st_rdev` as newfstatat
/// gives them)? Of devices, only those that touch nobody's memory (rule 20):
/// null, zero, full, random, urandom, and terminals.
pub fn is_harmless_file(mode: u32, device: u64) -> bool {
    const KIND: u32 = 0o170_000;
    const CHARACTER: u32 = 0o020_000;
    const BLOCK: u32 = 0o060_000;
    // The kernel's encoding: the low 8 bits of the minor, 12 of the major.
    let (major, minor) = (
        device >> 8 & 0xfff | device >> 32 & !0xfff,
        device & 0xff | device >> 12 & !0xff,
    );
    match mode & KIND {
        BLOCK => false,
        CHARACTER => match major {
            1 => matches!(minor, 3 | 5 | 7 | 8 | 9),
            4 | 5 | 136..=143 => true,
            _ => false,
        },
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_devices_without_memory_are_opened() {
        let device = |major: u64, minor: u64| major << 8 | minor;
        assert!(is_harmless_file(0o100_644, 0));
        assert!(is_harmless_file(0o020_666, device(1, 3)));
        assert!(is_harmless_file(0o020_620, device(136, 5)));
        // /dev/mem, /dev/kvm (misc), a disk.
        assert!(!is_harmless_file(0o020_640, device(1, 1)));
        assert!(!is_harmless_file(0o020_660, device(10, 232)));
        assert!(!is_harmless_file(0o060_660, device(8, 0)));
    }
}
