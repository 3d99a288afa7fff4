//! Staged memory: what the monitor has read of one side, before the other side
//! gets it. It lasts for the preparation of one call, or for taking it back.

use super::pending::SCRATCH_SIZE;

/// The scratch memory of this thread, filled from the start.
pub struct Scratch<'a> {
    bytes: &'a mut [u8; SCRATCH_SIZE],
    used: usize,
}

impl<'a> Scratch<'a> {
    pub fn new(bytes: &'a mut [u8; SCRATCH_SIZE]) -> Scratch<'a> {
        Scratch { bytes, used: 0 }
    }

    /// Room for `size` bytes, if there is that much: where it begins.
    pub fn take(&mut self, size: u64) -> Option<u32> {
        let start = self.used;
        let end = (start as u64).checked_add(size)?;
        if end > SCRATCH_SIZE as u64 {
            return None;
        }
        self.used = (end as usize).next_multiple_of(8).min(SCRATCH_SIZE);
        Some(start as u32)
    }

    /// The address of a place, for copies.
    pub fn address(&self, start: u32) -> u64 {
        self.bytes.as_ptr() as u64 + u64::from(start)
    }

    pub fn clear(&mut self, start: u32, size: u64) {
        let start = start as usize;
        self.bytes[start..start + size as usize].fill(0);
    }

    /// Up to eight bytes as a number.
    pub fn number(&self, start: u32, offset: u64, size: usize) -> u64 {
        let at = start as usize + offset as usize;
        let mut bytes = [0; 8];
        bytes[..size].copy_from_slice(&self.bytes[at..at + size]);
        u64::from_le_bytes(bytes)
    }

    pub fn set(&mut self, start: u32, offset: u64, size: usize, value: u64) {
        let at = start as usize + offset as usize;
        self.bytes[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
    }
}
