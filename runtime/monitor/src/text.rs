//! Text without an allocator: what the monitor says goes through here.

use core::fmt::{self, Write};

/// A line of bounded length. What does not fit is cut, never an error: a
/// report that is cut is better than none.
pub struct Text<const CAPACITY: usize> {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl<const CAPACITY: usize> Default for Text<CAPACITY> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const CAPACITY: usize> Text<CAPACITY> {
    pub const fn new() -> Self {
        Text {
            bytes: [0; CAPACITY],
            length: 0,
        }
    }

    /// Starts a new text in the same place.
    pub fn clear(&mut self) {
        self.length = 0;
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Appends bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        let count = bytes.len().min(CAPACITY - self.length);
        self.bytes[self.length..][..count].copy_from_slice(&bytes[..count]);
        self.length += count;
    }

    /// Appends `text` as the inside of a JSON string.
    pub fn json(&mut self, text: &[u8]) {
        for &byte in text {
            let _ = match byte {
                b'"' => self.write_str("\\\""),
                b'\\' => self.write_str("\\\\"),
                0..0x20 | 0x7f.. => write!(self, "\\u{byte:04x}"),
                _ => self.write_char(byte as char),
            };
        }
    }
}

impl<const CAPACITY: usize> Write for Text<CAPACITY> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = CAPACITY - self.length;
        let taken = text.len().min(room);
        self.bytes[self.length..self.length + taken].copy_from_slice(&text.as_bytes()[..taken]);
        self.length += taken;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_where_it_does_not_fit() {
        let mut text = Text::<4>::new();
        text.write_str("abcdef").unwrap();
        assert_eq!(text.bytes(), b"abcd");
    }

    #[test]
    fn json_strings_are_escaped() {
        let mut text = Text::<64>::new();
        text.json(b"a\"\\\n\xff");
        assert_eq!(text.bytes(), b"a\\\"\\\\\\u000a\\u00ff");
    }
}
