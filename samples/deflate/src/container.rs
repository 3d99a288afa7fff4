//! The file format: blocks compressed one by one, so that any size of file
//! passes through buffers of a fixed size.
//!
//! ```text
//! "CUBD" 1 0 0 0                                          8 bytes
//! raw length, packed length (u32 little-endian), packed   for each block
//! 0, 0                                                    the end
//! ```

use std::io::{ErrorKind, Read, Write};

use crate::error::Error;
use crate::zlib;

const MAGIC: [u8; 8] = *b"CUBD\x01\0\0\0";

/// The block size in bytes when none is given.
pub const DEFAULT_BLOCK: usize = 1 << 20;

/// The largest block in bytes that is written, and believed when reading.
pub const LARGEST_BLOCK: usize = 64 << 20;

/// What went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The number of blocks.
    pub blocks: u64,
    /// Bytes of the original.
    pub raw: u64,
    /// Bytes of the compressed file, header and framing included.
    pub packed: u64,
}

/// Compresses everything `input` has into `output`, `block` bytes at a time.
///
/// # Errors
/// Those of reading and writing, and of [`zlib::compress`].
pub fn compress(
    mut input: impl Read,
    mut output: impl Write,
    block: usize,
    level: i32,
) -> Result<Summary, Error> {
    output.write_all(&MAGIC)?;
    let mut summary = Summary {
        packed: MAGIC.len() as u64,
        ..Summary::default()
    };
    let mut raw = vec![0; block];
    let mut packed = Vec::new();
    loop {
        let length = fill(&mut input, &mut raw)?;
        if length == 0 {
            break;
        }
        zlib::compress(&raw[..length], level, &mut packed)?;
        write_lengths(&mut output, length, packed.len())?;
        output.write_all(&packed)?;
        summary.blocks += 1;
        summary.raw += length as u64;
        summary.packed += 8 + packed.len() as u64;
    }
    write_lengths(&mut output, 0, 0)?;
    summary.packed += 8;
    output.flush()?;
    Ok(summary)
}

/// Restores what [`compress`] wrote.
///
/// # Errors
/// [`Error::Format`] if `input` is something else or ends early, and those of
/// reading, writing and [`zlib::restore`].
pub fn restore(mut input: impl Read, mut output: impl Write) -> Result<Summary, Error> {
    let mut magic = [0; MAGIC.len()];
    read_exactly(&mut input, &mut magic)?;
    if magic != MAGIC {
        return Err(Error::Format("it does not begin with CUBD and version 1"));
    }
    let mut summary = Summary {
        packed: MAGIC.len() as u64,
        ..Summary::default()
    };
    let mut raw = Vec::new();
    let mut packed = Vec::new();
    loop {
        let raw_length = read_length(&mut input)?;
        let packed_length = read_length(&mut input)?;
        summary.packed += 8 + packed_length as u64;
        match (raw_length, packed_length) {
            (0, 0) => break,
            (0, _) | (_, 0) => return Err(Error::Format("a block is empty on one side only")),
            _ => {}
        }
        // The lengths decide how much memory is taken, so they are not believed blindly.
        if raw_length > LARGEST_BLOCK || packed_length > zlib::bound(raw_length) {
            return Err(Error::Format("a block is longer than any that is written"));
        }
        packed.resize(packed_length, 0);
        read_exactly(&mut input, &mut packed)?;
        zlib::restore(&packed, raw_length, &mut raw)?;
        output.write_all(&raw)?;
        summary.blocks += 1;
        summary.raw += raw_length as u64;
    }
    if fill(&mut input, &mut [0])? != 0 {
        return Err(Error::Format("something follows the end"));
    }
    output.flush()?;
    Ok(summary)
}

/// Reads until `buffer` is full or the input ends; returns the bytes read.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> Result<usize, Error> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(filled)
}

fn read_exactly(input: &mut impl Read, buffer: &mut [u8]) -> Result<(), Error> {
    match fill(input, buffer)? {
        length if length == buffer.len() => Ok(()),
        _ => Err(Error::Format("it ends in the middle")),
    }
}

fn read_length(input: &mut impl Read) -> Result<usize, Error> {
    let mut bytes = [0; 4];
    read_exactly(input, &mut bytes)?;
    Ok(u32::from_le_bytes(bytes) as usize)
}

fn write_lengths(output: &mut impl Write, raw: usize, packed: usize) -> Result<(), Error> {
    // Both fit: a block has at most LARGEST_BLOCK bytes, and packing adds little.
    output.write_all(&(raw as u32).to_le_bytes())?;
    output.write_all(&(packed as u32).to_le_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(length: usize) -> Vec<u8> {
        b"the same procedure as last year? "
            .iter()
            .copied()
            .cycle()
            .take(length)
            .collect()
    }

    #[test]
    fn every_length_around_a_block_comes_back() {
        for length in [0, 1, 99, 100, 101, 200, 1000] {
            let original = text(length);
            let mut packed = Vec::new();
            let written = compress(&original[..], &mut packed, 100, 6).unwrap();
            assert_eq!(written.packed, packed.len() as u64);
            assert_eq!(written.blocks, length.div_ceil(100) as u64);
            let mut restored = Vec::new();
            assert_eq!(restore(&packed[..], &mut restored).unwrap(), written);
            assert_eq!(restored, original);
        }
    }

    #[test]
    fn a_shortened_or_lengthened_file_is_refused() {
        let mut packed = Vec::new();
        compress(&text(1000)[..], &mut packed, 100, 6).unwrap();
        for length in 0..packed.len() {
            assert!(
                restore(&packed[..length], Vec::new()).is_err(),
                "first {length} bytes"
            );
        }
        packed.push(0);
        assert!(matches!(
            restore(&packed[..], Vec::new()),
            Err(Error::Format(_))
        ));
    }

    #[test]
    fn damaged_data_are_zlibs_error() {
        let mut packed = Vec::new();
        compress(&text(1000)[..], &mut packed, 1000, 6).unwrap();
        let last = packed.len() - 9;
        packed[last] ^= 1;
        assert!(matches!(
            restore(&packed[..], Vec::new()),
            Err(Error::Zlib {
                function: "uncompress",
                status: libz_sys::Z_DATA_ERROR
            })
        ));
    }

    #[test]
    fn a_giant_length_takes_no_memory() {
        let mut packed = MAGIC.to_vec();
        packed.extend([0xff; 8]);
        assert!(matches!(
            restore(&packed[..], Vec::new()),
            Err(Error::Format(_))
        ));
    }

    #[test]
    fn a_level_zlib_does_not_know_is_zlibs_error() {
        assert!(matches!(
            compress(&b"x"[..], Vec::new(), 10, 99),
            Err(Error::Zlib {
                function: "compress2",
                status: libz_sys::Z_STREAM_ERROR
            })
        ));
    }
}
