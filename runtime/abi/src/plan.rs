//! The plan: what the tool resolved and the monitor obeys, as plain old data.
//!
//! It is loaded at [`crate::layout::PLAN_BASE`] and starts with a [`Header`].
//! A [`Slice`] is an offset from there and a count of elements. Everything is
//! little-endian and aligned to 8 bytes.

use crate::defences::Defences;

/// Says that this is a plan: "CUBICLE" and a zero byte.
pub const MAGIC: u64 = u64::from_le_bytes(*b"CUBICLE\0");
/// Changes with every change of these structures.
pub const VERSION: u32 = 6;

/// `isolation = "pku"`: refuse to start without protection keys.
pub const ISOLATION_PKU: u32 = 0;
/// `isolation = "any"`: page tables where there are no keys.
pub const ISOLATION_ANY: u32 = 1;
/// A benchmark build: no isolation at all, a stand-in where WRPKRU would be.
pub const ISOLATION_STAND_IN: u32 = 2;
/// An audit build: nothing is protected, what would be a violation is recorded
/// and then happens. Always page tables, because those can close text, too.
pub const ISOLATION_AUDIT: u32 = 3;

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
    /// `PLAN_` flags.
    pub flags: u32,
    /// [`KeyedWindow`]s. Their numbers, slots and arenas follow those of the
    /// cubicles.
    pub windows: Slice,
    /// Which build this is, for recordings of an audit; 0 in all others.
    pub build: u64,
    /// Bytes of the whole plan.
    pub size: u64,
    /// The defences that are left out: none but in programs of the tests.
    pub without: Defences,
    pub entries: Entries,
}

/// Where the monitor is entered, and where it changes rights itself. Nothing at run time
/// needs these; whoever verifies a binary wants to know them from it alone.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entries {
    /// What gates and stubs jump to.
    pub switch_pages: u64,
    pub system_call: u64,
    pub gate_enter: u64,
    pub gate_leave: u64,
    /// What executes WRPKRU: the handler of every signal, the first raise, and
    /// the monitor's calls with a cubicle's rights.
    pub signal: u64,
    pub raise_first: u64,
    pub call_as: u64,
}

/// Debuggers and core dumps may see the process.
pub const PLAN_DUMPS: u32 = 1;
/// What each cubicle took is written to where reports go, at the end.
pub const PLAN_MEASURED: u32 = 2;

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
    /// The main cubicle's: the function that makes a thread which parks as the
    /// `main` of the others does; 0 in those.
    pub spare: u64,
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
    /// [`FilePlace`]s that path calls are narrowed to, with [`CUBICLE_NARROWED`].
    pub files: Slice,
    /// How often a minute it may be restarted; 0: its faults end the process.
    pub restarts: u32,
    pub reserved: u32,
}

/// It may use every descriptor, not only 0, 1 and 2.
pub const CUBICLE_ANY_DESCRIPTOR: u64 = 1;
/// Its constants are readable by it alone.
pub const CUBICLE_PRIVATE_CONSTANTS: u64 = 2;

/// Its path calls reach only what [`Cubicle::files`] lists.
pub const CUBICLE_NARROWED: u64 = 4;
/// Each kind of call that it is denied is reported once.
pub const CUBICLE_DENIED_LOG: u64 = 8;
/// The first call that it is denied ends the process.
pub const CUBICLE_DENIED_KILL: u64 = 16;

/// A file or folder, and what is in it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FilePlace {
    /// Bytes of its path. A relative one counts from the working directory in which
    /// the program starts.
    pub path: Slice,
    /// `FILES_` flags.
    pub flags: u32,
    pub reserved: u32,
}

/// It may be changed; all of them may be read.
pub const FILES_WRITE: u32 = 1;

/// As many places as one cubicle may list.
pub const MOST_FILE_PLACES: usize = 32;

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
    /// The function; 0 for callbacks, whose function is chosen by slot.
    pub target: u64,
    /// [`Lend`]s. Empty for gates that never ask the monitor.
    pub lends: Slice,
    /// Words of stack arguments.
    pub stack_words: u32,
    /// The number of its callback plus one; 0 for the gate of a function.
    pub callback: u32,
    /// [`Probe`]s. Empty except in audit builds.
    pub probes: Slice,
    /// What the caller gets in rax, and in its errno unless that is 0, if the
    /// callee is restarted meanwhile.
    pub fault_value: u64,
    pub fault_errno: u32,
    /// One of the `GATE_` kinds.
    pub kind: u32,
    pub registers: Registers,
    /// `GATE_` flags.
    pub flags: u16,
    /// With [`GATE_ERRNO`]: where errno stands from the thread pointer.
    pub errno_callee: i32,
    pub errno_caller: i32,
}

/// Two switches and no proof.
pub const GATE_FAST: u32 = 0;
/// Four switches, through both sides' rights.
pub const GATE_UNION: u32 = 1;
/// Two switches: the caller may write the callee's memory.
pub const GATE_CALLER_SEES: u32 = 2;
/// Two switches: the callee may write the caller's memory.
pub const GATE_CALLEE_SEES: u32 = 3;
/// Four switches, through the monitor, which lends.
pub const GATE_LENDING: u32 = 4;

/// FS is switched whatever it holds.
pub const GATE_FS: u16 = 1;
/// The x87 registers are cleared for the callee, too, in a fast gate.
pub const GATE_X87: u16 = 2;
/// Vector, mask and x87 registers that carry nothing are cleared.
pub const GATE_SCRUBS: u16 = 4;
/// The callee learns in al how many vector registers carry arguments.
pub const GATE_VARIADIC: u16 = 8;
/// The callee's errno is copied to the caller's libc.
pub const GATE_ERRNO: u16 = 16;

/// How many registers carry arguments and results.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    /// Integer arguments, 0 to 6.
    pub integers: u8,
    /// Vector arguments, 0 to 8.
    pub vectors: u8,
    /// Integer results, 0 to 2.
    pub result_integers: u8,
    /// Vector results, 0 to 2.
    pub result_vectors: u8,
    pub reserved: u16,
}

/// Where an argument travels: 0 to 5 are the integer registers in the order of
/// the calling convention, 6 and up are words on the stack.
pub type ArgumentPlace = u32;

/// Where a pointer or a number stands.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// One of the `PLACE_` constants.
    pub kind: u32,
    /// An [`ArgumentPlace`], or the index of an earlier lend of this gate.
    pub index: u32,
    /// Bytes from the start of what that lend covers, or of one of its
    /// elements.
    pub offset: u64,
}

/// In an argument.
pub const PLACE_ARGUMENT: u32 = 0;
/// In memory that another lend of the gate covers. It is an earlier one in the
/// gate's list, and has [`LEND_STAGED`].
pub const PLACE_FIELD: u32 = 1;
/// In rax, after the call.
pub const PLACE_RESULT: u32 = 2;

/// A pointer that crosses, and what happens to it. What it refers to comes
/// before it in the gate's list; what lies inside the elements of an array is
/// handled together with the array, so all it refers to outside of the array
/// comes before that.
///
/// ```text
///   arg.strm = { lend = "inout" }                    lend 0: argument 0, staged
///   arg."strm.next_in" = { lend = "in",              lend 1: field 0 of lend 0,
///                          bytes = "strm.avail_in" }         extent: field 8 of lend 0
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lend {
    /// The pointer.
    pub pointer: Place,
    /// How many bytes are lent.
    pub extent: Extent,
    /// How many of them the callee wrote, read afterwards.
    pub used: Extent,
    /// If what is lent is an array whose elements have fields that are lent or
    /// counted with: bytes from one element to the next. Otherwise 0.
    pub stride: u64,
    /// What it means depends on `flags`.
    pub value: u64,
    /// `LEND_` flags.
    pub flags: u32,
    pub reserved: u32,
}

/// The callee reads it.
pub const LEND_IN: u32 = 1;
/// The callee writes it.
pub const LEND_OUT: u32 = 2;
/// It is the place of a result in memory: the callee returns its address.
pub const LEND_RESULT: u32 = 4;
/// Other lends or extents read fields of it: it goes through the monitor's own
/// memory, so that all of them see the same bytes. With neither [`LEND_IN`] nor
/// [`LEND_OUT`] it is only read so, and the pointer crosses as it is.
pub const LEND_STAGED: u32 = 8;
/// It stays at one address in the callee, until the gate with the number
/// `value` was called with it (`u32::MAX`: no such gate is alive).
pub const LEND_KEEP: u32 = 16;
/// Nothing is lent: the callee sees `value` instead, and the caller's contents
/// stay. In an object that is kept from an earlier call on, the callee sees what
/// it has put there itself. A constant `extent` says how many bytes it takes in
/// a field.
pub const LEND_VALUE: u32 = 32;
/// A function: it crosses as the address of a slot of the callback gate with the
/// number `value`. With [`LEND_IN`] when the call enters, with [`LEND_OUT`] when
/// it returns; a field that both sides may set has a lend for each.
pub const LEND_CALLBACK: u32 = 64;
/// Nothing is lent: afterwards, a pointer that leads into what was lent in this
/// call, or is kept, is translated to the caller's address.
pub const LEND_POINTER: u32 = 128;
/// With [`LEND_POINTER`]: it must lead into what the lend with index `value`
/// covers, or be null.
pub const LEND_WITHIN: u32 = 256;
/// A returned pointer into the callee's memory: the caller gets a copy, valid
/// until this thread's next call through the same gate.
pub const LEND_RETURNED: u32 = 512;
/// If it is large and has whole pages, it may be in a window for the call
/// instead of being copied.
pub const LEND_WINDOW: u32 = 1024;

/// A number of bytes: a constant, or a product of operands and a scale.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
/// The product of the operands and `scale`. A negative operand makes it 0.
pub const EXTENT_PRODUCT: u32 = 2;
/// Up to and with the terminating zero byte.
pub const EXTENT_STRING: u32 = 3;
/// As [`EXTENT_PRODUCT`], but with a negative operand [`EXTENT_STRING`].
pub const EXTENT_PRODUCT_OR_STRING: u32 = 4;
/// For `used`, of a range to which a field leads: as far as the callee moved
/// the pointer in that field.
pub const EXTENT_ADVANCE: u32 = 5;

/// A number that one side passes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operand {
    pub place: Place,
    /// 1, 2, 4 or 8 bytes.
    pub size: u8,
    /// 1 if it is signed.
    pub signed: u8,
    pub reserved: [u8; 6],
}

/// Something that an audit looks at in each call: an argument, the result, or
/// a field of what a pointer leads to.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    /// Bytes of what the manifest calls it: `strm.next_in`, `*destLen`, `result`.
    pub path: Slice,
    /// Where it stands; the index of a field's place is that of an earlier
    /// probe of the same gate, a pointer.
    pub place: Place,
    /// `PROBE_` flags.
    pub flags: u32,
    /// Bytes of the value: 1 to 8.
    pub size: u32,
}

/// As many probes as a gate may have.
pub const MOST_PROBES: usize = 64;

/// It is a pointer.
pub const PROBE_POINTER: u32 = 1;
/// It points to characters, which may be a string.
pub const PROBE_STRING: u32 = 2;
