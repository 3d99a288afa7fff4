//! Compresses and restores bytes of all kinds, in pieces of different sizes, as
//! zlib, gzip and raw streams, and says what came out.

use std::io::{Read, Write};

use flate2::read::{DeflateDecoder, DeflateEncoder, GzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

fn main() {
    for (name, input) in inputs() {
        let zlib = zlib(&input);
        let gzip = gzip(&input);
        let raw = raw(&input);
        println!("{name}: {} bytes: {zlib} {gzip} {raw}", input.len());
    }
    println!("again: {}", again());
    println!("damaged: {}", damaged());
}

/// Nothing, little, much that repeats, and what looks like noise.
fn inputs() -> Vec<(&'static str, Vec<u8>)> {
    let mut seed = 1u32;
    let noise = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    });
    vec![
        ("nothing", Vec::new()),
        ("little", b"a".to_vec()),
        ("words", b"so much depends upon ".repeat(700)),
        ("noise", noise.take(20_011).collect()),
    ]
}

fn zlib(input: &[u8]) -> usize {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    for piece in input.chunks(1_000) {
        encoder.write_all(piece).unwrap();
    }
    let packed = encoder.finish().unwrap();
    let mut unpacked = Vec::new();
    ZlibDecoder::new(&packed[..])
        .read_to_end(&mut unpacked)
        .unwrap();
    assert!(unpacked == input);
    packed.len()
}

fn gzip(input: &[u8]) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(input).unwrap();
    let packed = encoder.finish().unwrap();
    let mut unpacked = Vec::new();
    GzDecoder::new(&packed[..])
        .read_to_end(&mut unpacked)
        .unwrap();
    assert!(unpacked == input);
    packed.len()
}

fn raw(input: &[u8]) -> usize {
    let mut packed = Vec::new();
    DeflateEncoder::new(input, Compression::best())
        .read_to_end(&mut packed)
        .unwrap();
    let mut unpacked = Vec::new();
    DeflateDecoder::new(&packed[..])
        .read_to_end(&mut unpacked)
        .unwrap();
    assert!(unpacked == input);
    packed.len()
}

/// One stream for several inputs, one after the other.
fn again() -> u64 {
    let mut compress = Compress::new(Compression::default(), true);
    let mut decompress = Decompress::new(true);
    let mut total = 0;
    for (_, input) in inputs() {
        let mut packed = Vec::with_capacity(input.len() + 100);
        compress
            .compress_vec(&input, &mut packed, FlushCompress::Finish)
            .unwrap();
        let mut unpacked = Vec::with_capacity(input.len() + 1);
        decompress
            .decompress_vec(&packed, &mut unpacked, FlushDecompress::Finish)
            .unwrap();
        assert!(unpacked == input);
        total += compress.total_out();
        compress.reset();
        decompress.reset(true);
    }
    total
}

/// What zlib says about bytes it has never written.
fn damaged() -> String {
    let mut unpacked = Vec::with_capacity(100);
    Decompress::new(true)
        .decompress_vec(b"never written", &mut unpacked, FlushDecompress::Finish)
        .unwrap_err()
        .to_string()
}
