//! gzip files, written and read through buffers of a fixed size.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use flate2::{Compression, GzBuilder};

/// Compresses a file. The gzip header gets the file's name.
///
/// # Errors
/// Those of reading and writing the two files.
pub fn pack(from: &Path, to: &Path) -> io::Result<()> {
    let mut input = BufReader::new(File::open(from)?);
    let mut header = GzBuilder::new();
    if let Some(name) = from.file_name() {
        header = header.filename(name.as_encoded_bytes());
    }
    let output = BufWriter::new(File::create(to)?);
    let mut encoder = header.write(output, Compression::default());
    let raw = io::copy(&mut input, &mut encoder)?;
    let mut output = encoder.finish()?;
    output.flush()?;
    let packed = output.get_ref().metadata()?.len();
    println!("packed {raw} bytes into {packed}");
    Ok(())
}

/// Restores a file, and says what the gzip header calls it.
///
/// # Errors
/// Those of reading and writing the two files; damaged ones are refused.
pub fn unpack(from: &Path, to: &Path) -> io::Result<()> {
    let mut decoder = MultiGzDecoder::new(BufReader::new(File::open(from)?));
    let mut output = BufWriter::new(File::create(to)?);
    let raw = io::copy(&mut decoder, &mut output)?;
    output.flush()?;
    let name = decoder.header().and_then(|header| header.filename());
    let name = String::from_utf8_lossy(name.unwrap_or(b"without a name"));
    println!("restored {raw} bytes: {}", name.escape_debug());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_back_and_a_damaged_one_is_refused() {
        let folder = std::env::temp_dir().join(format!("streams-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let [original, packed, restored] =
            ["original", "packed", "restored"].map(|name| folder.join(name));
        std::fs::write(&original, crate::text::text(300_000)).unwrap();
        pack(&original, &packed).unwrap();
        unpack(&packed, &restored).unwrap();
        let bytes = std::fs::read(&original).unwrap();
        assert_eq!(std::fs::read(&restored).unwrap(), bytes);

        let mut damaged = std::fs::read(&packed).unwrap();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0x40;
        std::fs::write(&packed, damaged).unwrap();
        assert!(unpack(&packed, &restored).is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
