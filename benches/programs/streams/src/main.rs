//! Compresses and restores buffers of 64 KiB and 1 MiB through flate2's streams
//! and prints what one time takes, in nanoseconds: the median.

use std::io::{Read, Write};
use std::time::Instant;

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

/// Bytes, and how many times.
const SIZES: [(usize, usize); 2] = [(64 << 10, 51), (1 << 20, 11)];
const LEVEL: u32 = 6;

fn main() {
    for (length, rounds) in SIZES {
        let source = text(length);
        let packed = compress(&source);
        assert_eq!(restore(&packed), source, "what was packed is restored");
        let (mut packing, mut restoring) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            packing.push(time(|| compress(&source)));
            restoring.push(time(|| restore(&packed)));
        }
        println!("compress {length} {}", median(packing));
        println!("restore {length} {}", median(restoring));
    }
}

fn compress(source: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(LEVEL));
    encoder.write_all(source).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

fn restore(packed: &[u8]) -> Vec<u8> {
    let mut restored = Vec::new();
    ZlibDecoder::new(packed)
        .read_to_end(&mut restored)
        .expect("it was just packed");
    restored
}

fn time(work: impl FnOnce() -> Vec<u8>) -> u128 {
    let start = Instant::now();
    let result = work();
    let time = start.elapsed().as_nanos();
    assert!(!result.is_empty());
    time
}

fn median(mut times: Vec<u128>) -> u128 {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Words in a random order, always the same one: about as repetitive as prose.
fn text(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let words: Vec<Vec<u8>> = (0..2000)
        .map(|_| {
            let length = 2 + next() % 9;
            (0..length).map(|_| b'a' + (next() % 26) as u8).collect()
        })
        .collect();
    let mut text = Vec::with_capacity(length + 16);
    while text.len() < length {
        // The product favours the first words, as languages do.
        let index = (next() % 2000) * (next() % 2000) / 2000;
        text.extend_from_slice(&words[index as usize]);
        text.push(b' ');
    }
    text.truncate(length);
    text
}
