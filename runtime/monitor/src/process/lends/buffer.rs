//! Where large lends are copied to: pieces of the callee's arena, which one thread
//! has until it ends there. Calls nest, so what is in use is a number of bytes from
//! the first piece on, and what does not fit the rest of a piece goes to the next.
//!
//! ```text
//!   piece 0        piece 1                   piece 2
//!   [aaaa bb   ]   [cccccccc               ] [dddddddddd …
//!                             used ──────────────────────► counts all of them
//! ```

/// As many pieces as a buffer may have: each is at least twice as large as the one
/// before, unless the callee's memory limit says no.
pub const MOST_PIECES: usize = 32;

/// The smallest piece, bytes.
const SMALLEST_PIECE: u64 = 64 << 10;

/// Part of an arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub start: u64,
    pub size: u64,
}

/// The buffer of one thread in one cubicle.
pub struct Buffer {
    pieces: [Piece; MOST_PIECES],
    count: usize,
    /// Bytes in use, what was left over at the ends of pieces included.
    pub used: u64,
}

impl Buffer {
    /// All zeroes.
    pub const EMPTY: Buffer = Buffer {
        pieces: [Piece { start: 0, size: 0 }; MOST_PIECES],
        count: 0,
        used: 0,
    };

    pub fn pieces(&self) -> &[Piece] {
        &self.pieces[..self.count]
    }

    /// A place of `size` bytes in one of the pieces, behind all that is in use.
    pub fn take(&mut self, size: u64) -> Option<u64> {
        let mut before = 0;
        for piece in &self.pieces[..self.count] {
            let offset = self.used.max(before) - before;
            if offset.checked_add(size)? <= piece.size {
                self.used = before + offset + size;
                return Some(piece.start + offset);
            }
            before += piece.size;
        }
        None
    }

    /// How large the next piece should be, to hold `size` bytes; `None`: there are as
    /// many pieces as there may be.
    pub fn next_size(&self, size: u64) -> Option<u64> {
        if self.count == MOST_PIECES {
            return None;
        }
        let last = self.pieces().last().map_or(0, |piece| piece.size);
        let wanted = size.max(last.saturating_mul(2)).max(SMALLEST_PIECE);
        wanted.checked_next_power_of_two()
    }

    pub fn add(&mut self, piece: Piece) {
        self.pieces[self.count] = piece;
        self.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_nest_over_several_pieces() {
        let mut buffer = Buffer::EMPTY;
        assert_eq!(buffer.take(1), None);
        assert_eq!(buffer.next_size(1), Some(64 << 10));
        buffer.add(Piece {
            start: 0x10_0000,
            size: 64 << 10,
        });
        assert_eq!(buffer.take(40 << 10), Some(0x10_0000));
        let outer = buffer.used;
        assert_eq!(buffer.take(40 << 10), None);
        assert_eq!(buffer.next_size(40 << 10), Some(128 << 10));
        buffer.add(Piece {
            start: 0x50_0000,
            size: 128 << 10,
        });
        assert_eq!(buffer.take(40 << 10), Some(0x50_0000));
        assert_eq!(buffer.take(40 << 10), Some(0x50_0000 + (40 << 10)));
        buffer.used = outer;
        // What fits the rest of the first piece goes there.
        assert_eq!(buffer.take(24 << 10), Some(0x10_0000 + (40 << 10)));
        assert_eq!(buffer.take(1), Some(0x50_0000));
    }

    #[test]
    fn pieces_run_out() {
        let mut buffer = Buffer::EMPTY;
        for number in 0..MOST_PIECES as u64 {
            assert!(buffer.next_size(1).is_some());
            buffer.add(Piece {
                start: number << 20,
                size: 1 << 16,
            });
        }
        assert_eq!(buffer.next_size(1), None);
    }
}
