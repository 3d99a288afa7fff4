//! Compresses a file with zstd, whose context has worker threads, from one thread, and with one call
//! from three others. After each time the first one has the library follow a pointer to nowhere. Plainly
//! it does not, and nothing fails. Every result is the one that came out at first, or a failure.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use zstd_sys::{
    ZSTD_CCtx_setParameter, ZSTD_cParameter, ZSTD_compress, ZSTD_compress2, ZSTD_compressBound,
    ZSTD_createCCtx, ZSTD_sizeof_CCtx,
};

const ROUNDS: usize = 50;
/// What each function returns if the library fails, as the manifest says.
const FAILED: usize = usize::MAX;

/// By a context with two workers of its own, which is not freed. `None`: the library has failed.
fn with_workers(data: &[u8]) -> Option<Vec<u8>> {
    // SAFETY: every length is that of the buffer beside it.
    unsafe {
        let context = ZSTD_createCCtx();
        if context.is_null() {
            return None;
        }
        if ZSTD_CCtx_setParameter(context, ZSTD_cParameter::ZSTD_c_nbWorkers, 2) == FAILED {
            return None;
        }
        let mut packed = vec![0u8; room(data)?];
        let size = ZSTD_compress2(
            context,
            packed.as_mut_ptr().cast(),
            packed.len(),
            data.as_ptr().cast(),
            data.len(),
        );
        finish(packed, size)
    }
}

fn in_one_call(data: &[u8]) -> Option<Vec<u8>> {
    let mut packed = vec![0u8; room(data)?];
    // SAFETY: every length is that of the buffer beside it.
    let size = unsafe {
        ZSTD_compress(
            packed.as_mut_ptr().cast(),
            packed.len(),
            data.as_ptr().cast(),
            data.len(),
            1,
        )
    };
    finish(packed, size)
}

fn room(data: &[u8]) -> Option<usize> {
    // SAFETY: a number for a number.
    let room = unsafe { ZSTD_compressBound(data.len()) };
    (room != 0).then_some(room)
}

fn finish(mut packed: Vec<u8>, size: usize) -> Option<Vec<u8>> {
    (size != FAILED).then(|| {
        packed.truncate(size);
        packed
    })
}

/// Until the library does not fail.
fn again(once: impl Fn() -> Option<Vec<u8>>) -> Vec<u8> {
    loop {
        match once() {
            Some(packed) => return packed,
            None => thread::yield_now(),
        }
    }
}

fn main() {
    let path = std::env::args().nth(1).expect("a file");
    let data = std::fs::read(path).expect("a readable file");
    let small = &data[..data.len().min(100_000)];
    let (expected, expected_small) = (again(|| with_workers(&data)), again(|| in_one_call(small)));
    let (over, right) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    assert!(again(|| in_one_call(small)) == expected_small);
                    right.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for _ in 0..ROUNDS {
            assert!(again(|| with_workers(&data)) == expected);
            #[cfg(cubicle)]
            // SAFETY: none: the library reads at an address where nothing is.
            unsafe {
                assert_eq!(ZSTD_sizeof_CCtx(8 as *const _), FAILED);
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(right.load(Ordering::Relaxed) > 0);
    #[cfg(not(cubicle))]
    let _ = ZSTD_sizeof_CCtx;
    println!("{ROUNDS} times {} bytes packed to {}, and small ones beside", data.len(), expected.len());
}
