//! Damage, as bad disks, careless tools and attackers do it. A fixed generator, so that every
//! run tries the same inputs.

/// xorshift64.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

/// Numbers at which sizes, offsets and counts break.
const NUMBERS: [u64; 12] = [
    0,
    1,
    0x7f,
    0xff,
    0x7fff_ffff,
    0xffff_fffe,
    0xffff_ffff,
    0x1_0000_0000,
    1 << 60,
    i64::MAX as u64,
    u64::MAX - 1,
    u64::MAX,
];

/// Pieces of manifests and declarations.
const WORDS: [&[u8]; 20] = [
    b"[",
    b"]",
    b"{",
    b"}",
    b"(",
    b")",
    b"=",
    b".",
    b"*",
    b"...",
    b"\"",
    b"'''",
    b"\r\n",
    b"\0",
    b"#",
    b"18446744073709551616",
    b"-1",
    b"1e999",
    "€\u{feff}".as_bytes(),
    b"\xff",
];

/// Damages `bytes` once to five times. `other` is another seed.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..=random.below(5) {
        once(bytes, other, random);
    }
}

fn once(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    // Headers are at the start of files, and tables of them often at the end.
    let length = bytes.len();
    let at = match random.below(4) {
        0 => random.below(length.min(64) + 1),
        1 => length - random.below(length / 4 + 1),
        _ => random.below(length + 1),
    };
    let end = (at + random.below(20)).min(length);
    match random.below(9) {
        0 | 1 => {
            // A field of one, two, four or eight bytes, where such fields are.
            let size = 1 << random.below(4);
            let number = match random.below(4) {
                0 => (length + random.below(3)).wrapping_sub(1) as u64,
                _ => NUMBERS[random.below(NUMBERS.len())],
            };
            let start = at / size * size;
            if let Some(field) = bytes.get_mut(start..start + size) {
                field.copy_from_slice(&number.to_le_bytes()[..size]);
            }
        }
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        3 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.below(256) as u8;
            }
        }
        4 => drop(bytes.drain(at..end)),
        5 => {
            let word = WORDS[random.below(WORDS.len())];
            drop(bytes.splice(at..at, word.iter().copied()));
        }
        6 => {
            let copy = bytes[at..end].to_vec();
            let to = random.below(length + 1);
            drop(bytes.splice(to..to, copy));
        }
        7 => {
            let from = random.below(other.len() + 1);
            let until = (from + random.below(60)).min(other.len());
            drop(bytes.splice(at..end, other[from..until].iter().copied()));
        }
        _ => {
            if random.below(4) == 0 {
                bytes.truncate(at);
            }
        }
    }
}
