//! The C decoder behind a safe interface, as one would write it for any library.

use std::ptr::NonNull;

use flic_sys::{HEIGHT, WIDTH};

/// An animation being played.
pub struct Player {
    /// Points into the decoder's memory and is never followed here.
    flic: NonNull<flic_sys::Flic>,
    pixels: Box<[u8]>,
}

/// What came of asking for the next frame.
pub enum Step {
    /// There is a new frame.
    Frame,
    /// There are no more.
    End,
    /// The file is damaged.
    Damaged,
}

impl Player {
    /// Starts playing, or returns `None` if `file` is not an FLI animation.
    pub fn open(file: &[u8]) -> Option<Self> {
        // SAFETY: the slice is as long as it says, and the decoder copies it.
        let flic = NonNull::new(unsafe { flic_sys::flic_open(file.as_ptr(), file.len()) })?;
        Some(Player {
            flic,
            pixels: vec![0; WIDTH * HEIGHT].into_boxed_slice(),
        })
    }

    /// Decodes the next frame.
    pub fn next(&mut self) -> Step {
        // SAFETY: `flic` came from `flic_open`, the slice is as long as it says. That the
        // decoder keeps to it cannot be proven here, only enforced by a cubicle.
        let status = unsafe {
            flic_sys::flic_next(
                self.flic.as_ptr(),
                self.pixels.as_mut_ptr(),
                self.pixels.len(),
            )
        };
        match status {
            1 => Step::Frame,
            0 => Step::End,
            _ => Step::Damaged,
        }
    }

    /// The current frame, line by line.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        // SAFETY: `flic` came from `flic_open` and is not used again.
        unsafe { flic_sys::flic_close(self.flic.as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with one frame that has one chunk.
    fn file(kind: u16, body: &[u8]) -> Vec<u8> {
        let mut file = vec![0; 128];
        file[4..12].copy_from_slice(&[0x11, 0xaf, 1, 0, 64, 1, 200, 0]);
        file.extend((16 + 6 + body.len() as u32).to_le_bytes());
        file.extend([0xfa, 0xf1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        file.extend((6 + body.len() as u32).to_le_bytes());
        file.extend(kind.to_le_bytes());
        file.extend(body);
        file
    }

    #[test]
    fn changed_pixels_arrive_where_they_belong() {
        // Line 3, one line, one packet: skip 5, replace 2.
        let file = file(12, &[3, 0, 1, 0, 1, 5, 2, 77, 88]);
        let mut player = Player::open(&file).unwrap();
        assert!(matches!(player.next(), Step::Frame));
        assert_eq!(player.pixels()[3 * WIDTH + 4..][..4], [0, 77, 88, 0]);
        assert!(matches!(player.next(), Step::End));
    }

    #[test]
    fn other_files_are_refused() {
        assert!(Player::open(b"").is_none());
        assert!(Player::open(&[0; 500]).is_none());
    }

    #[test]
    fn a_shortened_file_is_damaged() {
        let file = file(12, &[3, 0, 1, 0, 1, 5, 2, 77, 88]);
        for length in 128..file.len() {
            let mut player = Player::open(&file[..length]).unwrap();
            assert!(
                matches!(player.next(), Step::Damaged),
                "first {length} bytes"
            );
        }
    }

    #[test]
    fn lines_that_do_not_exist_are_damage() {
        let file = file(12, &[200, 0, 1, 0, 0]);
        assert!(matches!(Player::open(&file).unwrap().next(), Step::Damaged));
    }
}
