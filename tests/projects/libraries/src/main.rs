//! Compresses a file with three libraries and restores it. Prints the sizes.

use bzip2_sys as _;
use std::ffi::{c_char, c_int, c_uint};

unsafe extern "C" {
    fn BZ2_bzBuffToBuffCompress(
        dest: *mut c_char,
        dest_len: *mut c_uint,
        source: *mut c_char,
        source_len: c_uint,
        block_size: c_int,
        verbosity: c_int,
        work_factor: c_int,
    ) -> c_int;
    fn BZ2_bzBuffToBuffDecompress(
        dest: *mut c_char,
        dest_len: *mut c_uint,
        source: *mut c_char,
        source_len: c_uint,
        small: c_int,
        verbosity: c_int,
    ) -> c_int;
}

fn main() {
    let path = std::env::args().nth(1).expect("a file");
    let data = std::fs::read(path).expect("a readable file");
    for (name, round_trip) in [
        ("zstd", zstd as fn(&[u8]) -> (usize, Vec<u8>)),
        ("lz4", lz4),
        ("bzip2", bzip2),
    ] {
        let (packed, restored) = round_trip(&data);
        assert!(restored == data, "{name} restores the file");
        println!("{name}: {} bytes packed to {packed}", data.len());
    }
}

fn zstd(data: &[u8]) -> (usize, Vec<u8>) {
    // SAFETY: every length is that of the buffer beside it.
    unsafe {
        let mut packed = vec![0u8; zstd_sys::ZSTD_compressBound(data.len())];
        let size = zstd_sys::ZSTD_compress(
            packed.as_mut_ptr().cast(),
            packed.len(),
            data.as_ptr().cast(),
            data.len(),
            3,
        );
        let mut restored = vec![0u8; data.len()];
        let length = zstd_sys::ZSTD_decompress(
            restored.as_mut_ptr().cast(),
            restored.len(),
            packed.as_ptr().cast(),
            size,
        );
        assert_eq!(length, data.len());
        (size, restored)
    }
}

fn lz4(data: &[u8]) -> (usize, Vec<u8>) {
    // SAFETY: every length is that of the buffer beside it.
    unsafe {
        let mut packed = vec![0u8; lz4_sys::LZ4_compressBound(data.len() as c_int) as usize];
        let size = lz4_sys::LZ4_compress_default(
            data.as_ptr().cast(),
            packed.as_mut_ptr().cast(),
            data.len() as c_int,
            packed.len() as c_int,
        );
        let mut restored = vec![0u8; data.len()];
        let length = lz4_sys::LZ4_decompress_safe(
            packed.as_ptr().cast(),
            restored.as_mut_ptr().cast(),
            size,
            restored.len() as c_int,
        );
        assert_eq!(length as usize, data.len());
        (size as usize, restored)
    }
}

fn bzip2(data: &[u8]) -> (usize, Vec<u8>) {
    // SAFETY: every length is that of the buffer beside it.
    unsafe {
        let mut packed = vec![0u8; data.len() + data.len() / 100 + 600];
        let mut size = packed.len() as c_uint;
        let status = BZ2_bzBuffToBuffCompress(
            packed.as_mut_ptr().cast(),
            &mut size,
            data.as_ptr().cast_mut().cast(),
            data.len() as c_uint,
            9,
            0,
            30,
        );
        assert_eq!(status, 0);
        let mut restored = vec![0u8; data.len()];
        let mut length = restored.len() as c_uint;
        let status = BZ2_bzBuffToBuffDecompress(
            restored.as_mut_ptr().cast(),
            &mut length,
            packed.as_mut_ptr().cast(),
            size,
            0,
            0,
        );
        assert_eq!((status, length as usize), (0, data.len()));
        (size as usize, restored)
    }
}
