//! What a kernel thread has at its GS base: one page with the public key, which
//! every cubicle reads and only the monitor writes.

use crate::layout::MAXIMUM_CUBICLES;

/// Selector value: `syscall` goes to the kernel.
pub const SELECTOR_ALLOW: u8 = 0;
/// Selector value: `syscall` raises SIGSYS (Syscall User Dispatch).
pub const SELECTOR_BLOCK: u8 = 1;

/// The thread block. Displacements stay below one page, because nothing is
/// mapped there if the GS base is ever zero (rule 6).
#[repr(C, align(4096))]
pub struct ThreadBlock {
    /// Read by the kernel at every system call.
    pub selector: u8,
    pub reserved: [u8; 3],
    /// The rights in force, for the mechanisms that have no PKRU.
    pub rights: u32,
    /// This block's own address.
    pub address: u64,
    /// Where the next entry to the monitor finds its stack (key 0).
    pub monitor_stack: u64,
    /// The monitor's private state of this thread (key 0).
    pub state: u64,
    /// The header of this thread's signal stack (key 0).
    pub signal_header: u64,
    /// A place for the stack pointer while page tables are switched.
    pub switch_stack: u64,
    /// Where the resume stub jumps.
    pub resume_target: u64,
    pub reserved2: u64,
    /// For each cubicle: its frame and FS base on this thread; a zero frame
    /// says that this thread has not entered it yet.
    pub virtual_threads: [VirtualThread; MAXIMUM_CUBICLES],
    /// An empty string, for calls on descriptors that want a path, too.
    pub nothing: u8,
    pub reserved3: [u8; 7],
    /// What the monitor passes in calls that it makes with a cubicle's rights. Every
    /// cubicle can read it; secrets do not belong here.
    pub scratch: [u8; SCRATCH],
}

/// Size of [`ThreadBlock::scratch`], bytes.
pub const SCRATCH: usize = 256;

/// This thread's presence in one cubicle.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct VirtualThread {
    /// Address of the [`crate::frame::Frame`], or zero.
    pub frame: u64,
    /// FS base: the cubicle's own thread pointer.
    pub fs: u64,
}

/// Displacement of the frame pointer of cubicle `index` from GS.
pub const fn frame_at(index: usize) -> usize {
    core::mem::offset_of!(ThreadBlock, virtual_threads)
        + index * size_of::<VirtualThread>()
        + core::mem::offset_of!(VirtualThread, frame)
}

/// Displacement of the FS base of cubicle `index` from GS.
pub const fn fs_at(index: usize) -> usize {
    core::mem::offset_of!(ThreadBlock, virtual_threads)
        + index * size_of::<VirtualThread>()
        + core::mem::offset_of!(VirtualThread, fs)
}

const _: () = assert!(size_of::<ThreadBlock>() == 4096);
