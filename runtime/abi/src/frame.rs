//! What one thread has in one cubicle's own memory: a page with that cubicle's
//! key, at the start of its arena. Only that cubicle, whoever sees it
//! read-write, and the monitor can write it.

/// The frame. GATES.md of the design calls its fields by these names.
#[repr(C, align(64))]
pub struct Frame {
    /// Where the next entry into this cubicle starts its stack.
    pub stack: u64,
    /// The gate this cubicle waits for, and the phase: see [`ticket`]. 0: none.
    pub awaiting: u64,
    /// Proof of a checked switch into or out of this cubicle.
    pub token: u64,
    /// The phase of an entry into the monitor: 0, [`CALLING`], [`ANSWERED`].
    pub calling: u64,
    /// Registers that an entry into the monitor must not lose and has no
    /// stack for: rax, rdx, rcx (the return address), rsp.
    pub saved: [u64; 4],
    /// How many calls into this cubicle this thread is in, one in the other. Kept by
    /// the gates into cubicles that can be restarted, by no others.
    pub inside: u64,
    pub reserved: [u64; 7],
    /// What the resume stub loads.
    pub resume: Context,
}

/// A place where a cubicle can be made to run: what its resume stub loads. The
/// instruction and FS base travel in the thread block.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Context {
    pub rax: u64,
    pub rbx: u64,
    pub rcx: u64,
    pub rdx: u64,
    pub rsi: u64,
    pub rdi: u64,
    pub rbp: u64,
    pub r8: u64,
    pub r9: u64,
    pub r10: u64,
    pub r11: u64,
    pub r12: u64,
    pub r13: u64,
    pub r14: u64,
    pub r15: u64,
    pub flags: u64,
    pub stack: u64,
    pub instruction: u64,
    pub fs: u64,
}

impl Context {
    /// All registers zero, interrupts on: as a program starts.
    pub const START: Context = Context {
        rax: 0,
        rbx: 0,
        rcx: 0,
        rdx: 0,
        rsi: 0,
        rdi: 0,
        rbp: 0,
        r8: 0,
        r9: 0,
        r10: 0,
        r11: 0,
        r12: 0,
        r13: 0,
        r14: 0,
        r15: 0,
        flags: 0x202,
        stack: 0,
        instruction: 0,
        fs: 0,
    };
}

/// In `token`: the monitor lets this cubicle run on.
pub const RESUME: u64 = 3;

/// The cubicle asks for the monitor.
pub const CALLING: u64 = 1;
/// The monitor has answered.
pub const ANSWERED: u64 = 2;

/// First thing asked of the monitor about frames: their page.
pub const FRAME_SIZE: u64 = 4096;

/// A number below 2^27 as gates hold it in their immediates: seven bits in each byte, above a
/// bit that is clear. Every instruction that no text of the runtime may contain by accident
/// begins with a byte in which that bit is set (0F, D5, CD), so whatever the number is,
/// none begins in it. It fits a sign-extended immediate.
pub const fn spread(number: u64) -> u64 {
    let mut word = 0;
    let mut place = 0;
    while place < 4 {
        word |= (number >> (7 * place) & 0x7f) << (8 * place + 1);
        place += 1;
    }
    word
}

/// The number that [`spread`] was given.
pub const fn gathered(spread: u64) -> u64 {
    let mut number = 0;
    let mut place = 0;
    while place < 4 {
        number |= (spread >> (8 * place + 1) & 0x7f) << (7 * place);
        place += 1;
    }
    number
}

/// What stands in `awaiting` and `token` for gate `index` in `phase` (1 to 3).
/// It fits the sign-extended 32-bit immediate of a store, and is neither 0 nor [`RESUME`].
pub const fn ticket(index: usize, phase: u64) -> u64 {
    spread((index as u64 + 1) << 2 | phase)
}

/// What stands in `awaiting` while a gate of this cubicle asks for the thread's first entry
/// into another one: nobody may answer what it waited for before, which lies where `stack`
/// points (the first two words of [`Saved`]). It is no ticket.
pub const ATTACHING: u64 = spread(1);

/// The gate and phase of a ticket; `None` for 0 and [`ATTACHING`].
pub const fn ticket_gate(ticket: u64) -> Option<(usize, u64)> {
    let number = gathered(ticket);
    if number < 4 {
        None
    } else {
        Some(((number >> 2) as usize - 1, number & 3))
    }
}

/// What a gate leaves on its caller's stack, from `Frame::stack` upwards.
/// The caller's stack arguments follow it.
#[repr(C)]
pub struct Saved {
    pub older_stack: u64,
    pub older_awaiting: u64,
    /// MXCSR in the low half, the x87 control word in the high one.
    pub floating: u64,
    pub r15: u64,
    pub r14: u64,
    pub r13: u64,
    pub r12: u64,
    pub rbx: u64,
    pub rbp: u64,
    pub return_address: u64,
}
