//! Links again until no forbidden bytes are left that nobody meant: with room for what moves,
//! then with padding between the inputs, which puts everything elsewhere.

use super::super::Image;
use super::{Why, places, remedy};

/// What a link adds to an image, bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Layout {
    /// Room for code that moves.
    pub island: u64,
    /// Before the first input and behind each.
    pub padding: u64,
}

/// Padding that is tried. Each differs from the others in another byte of a distance, and the last ones
/// move the borders of pages.
const PADDINGS: [u64; 4] = [0, 64, 0x140, 0x1040];
/// What one place may take on the island, bytes: six instructions and the longest detour of each.
const ROOM: u64 = 192;
/// An image with more places than this has them on purpose, or is data.
const MOST: usize = 1024;

/// The first of the linked images in which everything accidental can be remedied, or the one in which
/// the least is left. `first` was linked without anything.
pub fn settle(first: Image, link: impl Fn(Layout) -> Option<Image>) -> Image {
    let found = accidental(&first);
    if found == 0 || found > MOST {
        return first;
    }
    let mut best = (found, first);
    for padding in PADDINGS {
        // Elsewhere there may be more of them.
        let island = ROOM * (found as u64 + 4);
        let Some(image) = link(Layout { island, padding }) else {
            continue;
        };
        let left = accidental(&image);
        if left < best.0 {
            best = (left, image);
        }
        if best.0 == 0 {
            break;
        }
    }
    best.1
}

/// How many places would be left that nobody meant.
fn accidental(image: &Image) -> usize {
    // Most images have none, and a copy of one takes as much memory again.
    if places(image).1.is_empty() {
        return 0;
    }
    let left = remedy(&mut image.clone());
    left.values().filter(|why| **why != Why::Meant).count()
}
