//! What a section holds, uncompressed if it is not.

use std::borrow::Cow;

use object::ObjectSection;

/// How much larger than its compressed form a section can be, times. Debug information
/// shrinks to a third or a tenth; the size is a number that anybody could have written there, and
/// so much memory is asked for at once.
const MOST: u64 = 4096;

/// Why a section cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ContentsError {
    #[error(transparent)]
    Object(#[from] object::Error),
    #[error("a section of {compressed} bytes is said to have been {size} before it was compressed")]
    Size { compressed: usize, size: u64 },
}

/// The bytes of a section.
///
/// # Errors
/// If they are damaged, or compressed beyond belief.
pub fn contents<'data>(
    section: &impl ObjectSection<'data>,
) -> Result<Cow<'data, [u8]>, ContentsError> {
    let data = section.compressed_data()?;
    if data.uncompressed_size / MOST > data.data.len() as u64 {
        return Err(ContentsError::Size {
            compressed: data.data.len(),
            size: data.uncompressed_size,
        });
    }
    Ok(data.decompress()?)
}
