//! The plan: what the tool resolved and the monitor obeys, as plain old data.
//!
//! It is loaded at [`crate::layout::PLAN_BASE`] and starts with a [`Header`].
//! A [`Slice`] is an offset from there and a count of elements. Everything is
//! little-endian and aligned to 8 bytes.

/// Says that this is a plan: "CUBICLE" and a zero byte.
pub const MAGIC: u64 = u64::from_le_bytes(*b"CUBICLE\0");
/// Changes with every change of these structures.
pub const VERSION: u32 = 1;

/// `isolation = "pku"`: refuse to start without protection keys.
pub const ISOLATION_PKU: u32 = 0;
/// `isolation = "any"`: page tables where there are no keys.
pub const ISOLATION_ANY: u32 = 1;
/// A benchmark build: no isolation at all, a stand-in where WRPKRU would be.
pub const ISOLATION_STAND_IN: u32 = 2;

/// Offset from the plan's start, in bytes, and number of elements.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    pub offset: u32,
    pub count: u32,
}

/// The start of the plan.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Header {
    pub magic: u64,
    pub version: u32,
    pub isolation: u32,
    /// Bytes: the stem under which the images lie beside the binary.
    pub name: Slice,
    /// [`Cubicle`]s; their index is their number everywhere.
    pub cubicles: Slice,
    /// [`Gate`]s.
    pub gates: Slice,
    /// [`Text`]s: what the monitor copies into place, chosen by mechanism.
    pub texts: Slice,
    /// Index of the main cubicle.
    pub main: u32,
    pub reserved: u32,
    /// [`KeyedWindow`]s. Their numbers, slots and arenas follow those of the
    /// cubicles.
    pub windows: Slice,
}

/// A piece of executable text, for one mechanism.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// One of the `MECHANISM_` constants.
    pub mechanism: u32,
    pub reserved: u32,
    /// Where it goes, page aligned.
    pub address: u64,
    /// Its bytes.
    pub bytes: Slice,
}

/// Protection keys.
pub const MECHANISM_PKU: u32 = 0;
/// Page tables.
pub const MECHANISM_PAGETABLE: u32 = 1;
/// A stand-in for WRPKRU that protects nothing: benchmarks only.
pub const MECHANISM_STAND_IN: u32 = 2;

/// One cubicle.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Cubicle {
    /// Bytes of its name.
    pub name: Slice,
    /// Its PKRU.
    pub rights: u32,
    /// Its key.
    pub key: u32,
    /// Where its image starts to run.
    pub entry: u64,
    /// Address of its program headers, in its own image.
    pub program_headers: u64,
    pub program_header_count: u64,
    /// The address of its libc's `exit`.
    pub exit: u64,
    /// The most bytes of memory its arena may hold.
    pub memory: u64,
    /// The stack of a virtual thread, bytes.
    pub stack: u64,
    /// [`Segment`]s of its image.
    pub segments: Slice,
    /// Which system calls were granted: one bit for each number.
    pub granted: [u64; 8],
    /// `CUBICLE_` flags.
    pub flags: u64,
}

/// It may use every descriptor, not only 0, 1 and 2.
pub const CUBICLE_ANY_DESCRIPTOR: u64 = 1;
/// Its constants are readable by it alone.
pub const CUBICLE_PRIVATE_CONSTANTS: u64 = 2;

/// Memory with a key of its own, which several cubicles may touch.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct KeyedWindow {
    /// Bytes of its name, behind [`WINDOW_PREFIX`]: as reports call it.
    pub name: Slice,
    /// [`Segment`]s of the owner's image that are in it.
    pub segments: Slice,
    /// The cubicle that owns it.
    pub owner: u32,
    pub key: u32,
    /// The most bytes that may be allocated in it.
    pub memory: u64,
}

/// What tells windows from cubicles in reports, where both own memory.
pub const WINDOW_PREFIX: &str = "window ";

/// Part of an image: whole pages.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    pub start: u64,
    pub end: u64,
    /// PROT_READ, PROT_WRITE, PROT_EXEC as mmap(2) has them.
    pub protection: u32,
    /// The key it is tagged with.
    pub key: u32,
}

/// One gate.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    /// Bytes of the function's name.
    pub name: Slice,
    pub from: u32,
    pub to: u32,
    /// The function.
    pub target: u64,
    /// [`Lend`]s. Empty for gates that never ask the monitor.
    pub lends: Slice,
    /// Words of stack arguments.
    pub stack_words: u32,
    pub reserved: u32,
}

/// Where an argument travels: 0 to 5 are the integer registers in the order of
/// the calling convention, 6 and up are words on the stack.
pub type ArgumentPlace = u32;

/// An argument that is lent for the call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Lend {
    /// The pointer.
    pub pointer: ArgumentPlace,
    /// `LEND_` flags.
    pub direction: u32,
    /// How many bytes are lent.
    pub extent: Extent,
    /// How many of them the callee wrote, read afterwards.
    pub used: Extent,
}

/// The callee reads it.
pub const LEND_IN: u32 = 1;
/// The callee writes it.
pub const LEND_OUT: u32 = 2;
/// It is the place of a result in memory: the callee returns its address.
pub const LEND_RESULT: u32 = 4;

/// A number of bytes: a constant, or a product of operands and a scale.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Extent {
    /// One of the `EXTENT_` constants.
    pub kind: u32,
    /// How many of `operands` are used (products).
    pub count: u32,
    /// Bytes: the constant, or what the product is multiplied by.
    pub scale: u64,
    pub operands: [Operand; 2],
}

/// No extent: for `used`, all of it.
pub const EXTENT_NONE: u32 = 0;
/// `scale` bytes.
pub const EXTENT_CONSTANT: u32 = 1;
/// The product of the operands and `scale`.
pub const EXTENT_PRODUCT: u32 = 2;
/// Up to and with the terminating zero byte.
pub const EXTENT_STRING: u32 = 3;

/// A number the caller passes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Operand {
    pub place: ArgumentPlace,
    /// 1, 2, 4 or 8 bytes.
    pub size: u8,
    /// 1 if it is signed (a negative length lends nothing).
    pub signed: u8,
    /// 1 if `place` is a pointer to it.
    pub indirect: u8,
    pub reserved: u8,
}
