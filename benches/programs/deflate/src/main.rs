//! Compresses a buffer of 64 KiB again and again and prints what one time
//! takes, in nanoseconds: the median.

use std::time::Instant;

const LENGTH: usize = 64 << 10;
const ROUNDS: usize = 101;
const LEVEL: i32 = 6;

fn main() {
    let source = text();
    // SAFETY: no pointers are involved.
    let bound = unsafe { libz_sys::compressBound(LENGTH as u64) };
    let mut packed = vec![0u8; bound as usize];
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let mut length = bound;
        let start = Instant::now();
        // SAFETY: both buffers are as long as zlib is told, and do not overlap.
        let status = unsafe {
            libz_sys::compress2(
                packed.as_mut_ptr(),
                &mut length,
                source.as_ptr(),
                source.len() as u64,
                LEVEL,
            )
        };
        times.push(start.elapsed());
        assert_eq!(status, libz_sys::Z_OK, "compress2 failed");
    }
    times.sort_unstable();
    println!("compress2 {}", times[ROUNDS / 2].as_nanos());
}

/// Words in a random order, always the same one: about as repetitive as prose.
fn text() -> Vec<u8> {
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
    let mut text = Vec::with_capacity(LENGTH + 16);
    while text.len() < LENGTH {
        // The product favours the first words, as languages do.
        let index = (next() % 2000) * (next() % 2000) / 2000;
        text.extend_from_slice(&words[index as usize]);
        text.push(b' ');
    }
    text.truncate(LENGTH);
    text
}
