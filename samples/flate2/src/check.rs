//! Every kind of stream that flate2 has, each against the others.
//!
//! The report says what the compressed bytes were, so that two builds of this
//! program can be compared by their output.

use std::io::{self, BufReader, Read, Write};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use flate2::{bufread, read, write};

use crate::text::{fnv1a, text};

/// The length of the text in bytes: many times the buffers that flate2 has
/// between itself and zlib.
const LENGTH: usize = 1_100_000;

/// Compresses and restores a text in all ways and reports.
///
/// # Errors
/// If a stream fails, or a text comes back changed.
pub fn check(mut report: impl Write) -> io::Result<()> {
    let text = text(LENGTH);
    let original = &text[..];
    let buffered = || BufReader::with_capacity(10_000, original);
    let level = Compression::default();

    // Each format once by each kind of encoder, with another kind of decoder.
    let mut line = |what: &str, packed: &[u8], restored: &[u8]| {
        same(original, restored)?;
        let checksum = fnv1a(packed);
        writeln!(
            report,
            "{what:<22}{:>8} bytes  {checksum:016x}",
            packed.len()
        )
    };

    let packed = all(read::GzEncoder::new(original, level))?;
    let restored = through(write::GzDecoder::new(Vec::new()), &packed, |w| w.finish())?;
    line("gzip, read", &packed, &restored)?;
    let packed = through(write::ZlibEncoder::new(Vec::new(), level), original, |w| {
        w.finish()
    })?;
    let restored = all(bufread::ZlibDecoder::new(&packed[..]))?;
    line("zlib, write", &packed, &restored)?;
    let packed = all(bufread::DeflateEncoder::new(buffered(), level))?;
    let restored = all(read::DeflateDecoder::new(&packed[..]))?;
    line("deflate, bufread", &packed, &restored)?;

    // One stream that is reset and used again, with another level.
    let mut encoder = write::DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(b"this does not get far")?;
    encoder.reset(Vec::new())?;
    encoder.write_all(original)?;
    let packed = encoder.finish()?;
    let restored = all(bufread::DeflateDecoder::new(&packed[..]))?;
    line("deflate, again", &packed, &restored)?;

    // The interface below the streams, with a dictionary and changing levels.
    let packed = with_dictionary(original)?;
    let restored = knowing_the_dictionary(&packed)?;
    line("zlib, dictionary", &packed, &restored)?;

    // Two streams at the same time.
    let (mut best, mut stored) = (Vec::new(), Vec::new());
    let mut first = read::ZlibEncoder::new(original, Compression::best());
    let mut second = read::ZlibEncoder::new(original, Compression::none());
    loop {
        let one = (&mut first).take(4000).read_to_end(&mut best)?;
        let other = (&mut second).take(4000).read_to_end(&mut stored)?;
        if (one, other) == (0, 0) {
            break;
        }
    }
    let restored = all(read::ZlibDecoder::new(&best[..]))?;
    line("zlib, best", &best, &restored)?;
    let restored = all(read::ZlibDecoder::new(&stored[..]))?;
    line("zlib, stored", &stored, &restored)?;

    // What is said about damage stands in zlib's own memory.
    best[2] |= 6;
    let mut stream = Decompress::new(true);
    let result = stream.decompress_vec(&best, &mut Vec::with_capacity(100), FlushDecompress::None);
    match result.as_ref().err().and_then(|error| error.message()) {
        Some(message) => writeln!(report, "damaged: {message}")?,
        None => return Err(io::Error::other("zlib did not name the damage")),
    }
    Ok(())
}

/// What compressing finds at its beginning without having seen it.
const DICTIONARY: &[u8] = b"cubicle gate window key lend arena frame monitor caller callee";

fn with_dictionary(original: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = Compress::new(Compression::default(), true);
    stream.set_dictionary(DICTIONARY)?;
    let mut packed = Vec::with_capacity(original.len());
    let (first, second) = original.split_at(original.len() / 2);
    stream.compress_vec(first, &mut packed, FlushCompress::Sync)?;
    stream.set_level(Compression::best())?;
    let end = stream.compress_vec(second, &mut packed, FlushCompress::Finish)?;
    if end != Status::StreamEnd || stream.total_out() != packed.len() as u64 {
        return Err(io::Error::other("the stream did not end where it should"));
    }
    Ok(packed)
}

fn knowing_the_dictionary(packed: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = Decompress::new(true);
    let mut restored = Vec::with_capacity(LENGTH);
    let asked = stream.decompress_vec(packed, &mut restored, FlushDecompress::None);
    let needed = asked.err().and_then(|error| error.needs_dictionary());
    if needed != Some(stream.set_dictionary(DICTIONARY)?) {
        return Err(io::Error::other("zlib asked for another dictionary"));
    }
    let read = stream.total_in() as usize;
    stream.decompress_vec(&packed[read..], &mut restored, FlushDecompress::Finish)?;
    Ok(restored)
}

fn all(mut stream: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes in pieces of all sizes.
fn through<W: Write>(
    mut stream: W,
    mut bytes: &[u8],
    finish: impl FnOnce(W) -> io::Result<Vec<u8>>,
) -> io::Result<Vec<u8>> {
    let mut length = 1;
    while !bytes.is_empty() {
        let (piece, rest) = bytes.split_at(length.min(bytes.len()));
        stream.write_all(piece)?;
        bytes = rest;
        length = length * 7 % 65_537;
    }
    finish(stream)
}

fn same(original: &[u8], restored: &[u8]) -> io::Result<()> {
    if original == restored {
        return Ok(());
    }
    Err(io::Error::other(
        "the restored bytes differ from the original",
    ))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_report_is_what_expected_txt_says() {
        let mut report = Vec::new();
        super::check(&mut report).unwrap();
        let report = String::from_utf8(report).unwrap();
        assert_eq!(report, include_str!("../expected.txt"));
    }
}
