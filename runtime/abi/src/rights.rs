//! Rights as the PKRU register holds them: two bits for each of 16 keys, bit
//! 2k "access disabled" and bit 2k+1 "write disabled" (Intel SDM volume 3,
//! "Protection Keys"). All mechanisms use these constants, also the one that
//! has no such register.

/// The monitor's key, the kernel's default for every page nobody tagged.
pub const KEY_MONITOR: u32 = 0;
/// The key of what every cubicle may read: text, constants, gates, thread blocks.
pub const KEY_PUBLIC: u32 = 1;
/// The key of cubicle 0.
pub const KEY_FIRST_CUBICLE: u32 = 2;
/// How many keys a processor has.
pub const KEYS: u32 = 16;

/// A value of PKRU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Rights(pub u32);

impl Rights {
    /// The monitor's: every key open.
    pub const ALL: Rights = Rights(0);
    /// Every key closed.
    pub const NONE: Rights = Rights(0x5555_5555);

    /// These rights and reading of `key`.
    #[must_use]
    pub const fn reading(self, key: u32) -> Rights {
        Rights(self.0 & !(3 << (2 * key)) | 2 << (2 * key))
    }

    /// These rights and reading and writing of `key`.
    #[must_use]
    pub const fn writing(self, key: u32) -> Rights {
        Rights(self.0 & !(3 << (2 * key)))
    }

    /// What either of two grants.
    #[must_use]
    pub const fn union(self, other: Rights) -> Rights {
        // A write-disabled bit says nothing where access is disabled, so it is
        // made to say so before the two are joined.
        Rights(self.plain() & other.plain()).normal()
    }

    /// May memory with `key` be read?
    pub const fn reads(self, key: u32) -> bool {
        self.0 >> (2 * key) & 1 == 0
    }

    /// May memory with `key` be written?
    pub const fn writes(self, key: u32) -> bool {
        self.0 >> (2 * key) & 3 == 0
    }

    const fn plain(self) -> u32 {
        self.0 | (self.0 & 0x5555_5555) << 1
    }

    const fn normal(self) -> Rights {
        Rights(self.0 & !((self.0 & 0x5555_5555) << 1))
    }
}

/// The key of cubicle `index`.
pub const fn cubicle_key(index: usize) -> u32 {
    KEY_FIRST_CUBICLE + index as u32
}

/// What a cubicle may touch that sees no other: its own key and what is public.
pub const fn cubicle_rights(index: usize) -> Rights {
    Rights::NONE.reading(KEY_PUBLIC).writing(cubicle_key(index))
}
