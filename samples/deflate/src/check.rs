//! The self-check: compress, restore, compare, and say what the compressed
//! bytes were, so that two builds of this program can be compared by their output.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::container;
use crate::error::Error;

/// The length in bytes of the text that is compressed when no file is named:
/// a little more than one block of the default size.
const OWN_TEXT: usize = 1_100_000;

/// Compresses `file` (or a text of its own) in memory at `level`, restores it
/// and reports lengths and a checksum of the compressed bytes.
///
/// # Errors
/// [`Error::Different`] if the round trip changes anything, and those of reading
/// the file, of writing the report and of [`container`].
pub fn check(
    file: Option<&Path>,
    block: usize,
    level: i32,
    mut report: impl Write,
) -> Result<(), Error> {
    let original = match file {
        Some(path) => fs::read(path).map_err(|error| Error::File(path.to_owned(), error))?,
        None => own_text(OWN_TEXT),
    };
    let mut packed = Vec::new();
    let written = container::compress(&original[..], &mut packed, block, level)?;
    let mut restored = Vec::with_capacity(original.len());
    let read = container::restore(&packed[..], &mut restored)?;
    if read != written || restored != original {
        return Err(Error::Different);
    }
    writeln!(report, "blocks   {:>12}", written.blocks)?;
    writeln!(report, "raw      {:>12} bytes", written.raw)?;
    writeln!(report, "packed   {:>12} bytes", written.packed)?;
    writeln!(
        report,
        "checksum {:>16}",
        format!("{:016x}", fnv1a(&packed))
    )?;
    writeln!(report, "the restored bytes equal the original")?;
    Ok(())
}

/// A text of `length` bytes that is always the same and packs about as well as
/// prose does: words drawn by a xorshift generator.
fn own_text(length: usize) -> Vec<u8> {
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
fn fnv1a(bytes: &[u8]) -> u64 {
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

    #[test]
    fn the_report_is_what_expected_txt_says() {
        let mut report = Vec::new();
        check(
            None,
            container::DEFAULT_BLOCK,
            crate::zlib::DEFAULT_LEVEL,
            &mut report,
        )
        .unwrap();
        assert_eq!(
            String::from_utf8(report).unwrap(),
            include_str!("../expected.txt")
        );
    }
}
