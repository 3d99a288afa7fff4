//! Every instruction of a gate as an attacker's target. A child steps through
//! what follows, one instruction at a time, and gives each page the protection
//! that the rights in force give it: what protection keys do, slowly.
//!
//! The gate is the one for keys. Its WRPKRU and RDPKRU are replaced by
//! instructions that do not exist, and their fault does what they would.

use super::probe;
use super::world::{self, CALLEE, CALLER, World};
use cargo_cubicle::gates::{GateSpec, Mechanism, clear};
use cubicle_abi::frame::{Saved, ticket};
use cubicle_abi::layout;
use cubicle_abi::rights::{Rights, cubicle_key};
use iced_x86::Mnemonic;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What is going on while the attacker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Situation {
    /// Nobody waits for anything.
    Idle,
    /// The caller waits for this gate; the callee waits for the attacker.
    Pending,
    /// The caller called the attacker through another gate.
    Elsewhere,
}

/// Who jumps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attacker {
    /// A cubicle that sees neither side.
    Third,
    /// The caller, with every phase in its own frame in turn.
    Caller,
    /// The callee, likewise with its token.
    Callee,
}

impl Attacker {
    fn rights(self, spec: &GateSpec) -> Rights {
        match self {
            Attacker::Third => world::strange_rights(),
            Attacker::Caller => spec.rights_from,
            Attacker::Callee => spec.rights_to,
        }
    }
}

/// What the attacker gained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gain {
    /// The function ran with its own rights.
    Entered,
    /// Code behind the gate ran with rights that were not the attacker's.
    Escaped,
    /// The monitor believed a call or a return.
    Monitor,
    /// Instructions without end.
    Endless,
}

#[derive(Clone, Copy)]
pub struct Found {
    pub gain: Gain,
    pub offset: u64,
    pub registers: u64,
}

impl std::fmt::Debug for Found {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Found {
            gain,
            offset,
            registers,
        } = self;
        write!(to, "{gain:?} from {offset:#x} with registers {registers}")
    }
}

/// What the child tells its parent.
#[repr(C)]
struct Report {
    runs: u64,
    count: u64,
    found: [(u64, u64, u64); 64],
}

/// Gate and phase another pending call has.
const OTHER_GATE: usize = 5;
const MAXIMUM_STEPS: u64 = 2000;
const TF: u64 = 0x100;
/// The code of a SIGTRAP that INT3 raised.
const SI_KERNEL: i32 = 0x80;
/// UD2 and a byte that says what stood here.
const WRPKRU: [u8; 3] = [0x0f, 0x0b, 0x90];
const RDPKRU: [u8; 3] = [0x0f, 0x0b, 0x91];
/// Choices of registers.
const CHOICES: u64 = 9;
/// The first of them that is about frames.
const FRAMES: u64 = 4;
const RET: u8 = 0xc3;
const PUSHFQ: u8 = 0x9c;

/// The rights by which pages are protected now.
static IN_FORCE: AtomicU64 = AtomicU64::new(0);
/// The attacker's rights.
static OWN: AtomicU64 = AtomicU64::new(0);
static LAST: AtomicU64 = AtomicU64::new(0);
static STEPS: AtomicU64 = AtomicU64::new(0);
static OUTCOME: AtomicU64 = AtomicU64::new(0);
static mut PLACES: Places = Places {
    rights: std::ptr::null_mut(),
    ranges: [(0, 0, 0); 5],
};

/// Where the memory of each side is: key, first address, bytes.
struct Places {
    rights: *mut u32,
    ranges: [(u32, u64, u64); 5],
}

/// Jumps everywhere; answers with what that gained, and how often it tried.
pub fn explore(
    world: &mut World,
    spec: &GateSpec,
    attacker: Attacker,
    situation: Situation,
) -> (Vec<Found>, u64) {
    let (address, trap) = world.place(spec, Mechanism::Pku);
    // SAFETY: `place` wrote the gate there.
    let code =
        unsafe { std::slice::from_raw_parts(address as *const u8, (trap - address) as usize) };
    let mut targets = Vec::new();
    for instruction in &mut iced_x86::Decoder::with_ip(64, code, address, 0) {
        let replaced = match instruction.mnemonic() {
            Mnemonic::Wrpkru => Some(WRPKRU),
            Mnemonic::Rdpkru => Some(RDPKRU),
            _ => None,
        };
        targets.push((instruction.ip(), replaced));
    }
    for (place, replaced) in &targets {
        if let Some(bytes) = replaced {
            world::write(*place, bytes);
        }
    }
    // SAFETY: the child runs the loop below and never returns from here.
    unsafe {
        let report: *mut Report = super::trap::shared().cast();
        let child = libc::fork();
        assert!(child >= 0, "fork");
        if child == 0 {
            attack(world, spec, attacker, situation, &targets, &mut *report);
            libc::_exit(0);
        }
        let mut status = 0;
        assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
        assert_eq!(status, 0, "the child that attacks");
        let report = &*report;
        let found = report.found[..report.count as usize]
            .iter()
            .map(|(gain, place, registers)| Found {
                gain: [Gain::Entered, Gain::Escaped, Gain::Monitor, Gain::Endless]
                    [*gain as usize - 1],
                offset: place - address,
                registers: *registers,
            })
            .collect();
        (found, report.runs)
    }
}

unsafe fn attack(
    world: &mut World,
    spec: &GateSpec,
    attacker: Attacker,
    situation: Situation,
    targets: &[(u64, Option<[u8; 3]>)],
    report: &mut Report,
) {
    let inner = |bytes: std::ops::Range<u64>| {
        let start = layout::page_up(bytes.start);
        (start, layout::page_down(bytes.end) - start)
    };
    let frame = |cubicle: usize| (world.block.virtual_threads[cubicle].frame, 4096);
    let stack = |number: usize| {
        inner(world.stack_end(number) - world::STACK as u64..world.stack_end(number))
    };
    let ranges = [
        (cubicle_key(CALLER), frame(CALLER)),
        (cubicle_key(CALLEE), frame(CALLEE)),
        (cubicle_key(CALLEE), stack(1)),
        (0, stack(2)),
        (cubicle_key(CALLER), stack(3)),
    ];
    // SAFETY: this process has one thread, and these are its own statics.
    unsafe {
        PLACES = Places {
            rights: &raw mut world.block.rights,
            ranges: ranges.map(|(key, (start, bytes))| (key, start, bytes)),
        };
        super::trap::catch(step);
        let dirty = probe::State::dirty(1);
        let fake = Box::leak(Box::new([0u64; 64]));
        // What they clear is no matter here, and takes most of the steps.
        for kept in 0..9 {
            world::write(clear::address(kept), &[RET]);
        }
        for (target, replaced) in targets {
            // Chosen rights matter only where they would be taken.
            let first = if *replaced == Some(WRPKRU) { 0 } else { FRAMES };
            for registers in first..CHOICES {
                open_all();
                prepare(world, spec, situation);
                let forged = ticket(spec.index, registers % 3 + 1);
                match attacker {
                    Attacker::Third => {}
                    Attacker::Caller => world.frames[CALLER].awaiting = forged,
                    Attacker::Callee => world.frames[CALLEE].token = forged,
                }
                probe::BEFORE = dirty.clone();
                probe::BEFORE.flags = 0x202 | TF;
                choose(&mut probe::BEFORE, spec, world, fake, registers);
                world.block.rights = attacker.rights(spec).0;
                OWN.store(world.block.rights.into(), Relaxed);
                IN_FORCE.store(0, Relaxed);
                LAST.store(0, Relaxed);
                STEPS.store(0, Relaxed);
                OUTCOME.store(0, Relaxed);
                probe::GATE = *target;
                probe::gate_test_invoke();
                report.runs += 1;
                let outcome = OUTCOME.load(Relaxed);
                if outcome != 0 && report.count < 64 {
                    report.found[report.count as usize] = (outcome, *target, registers);
                    report.count += 1;
                }
            }
        }
    }
}

/// The frames as they are when the attacker runs.
fn prepare(world: &mut World, spec: &GateSpec, situation: Situation) {
    let saved = world.stack_end(3) - 16384;
    let stack = world.stack_end(1) - 4096;
    let call = if spec.phases() == 1 { 1 } else { 2 };
    let caller = &mut world.frames[CALLER];
    caller.token = 0;
    caller.stack = saved;
    caller.awaiting = match situation {
        Situation::Idle => 0,
        Situation::Pending => ticket(spec.index, call),
        Situation::Elsewhere => ticket(OTHER_GATE, 2),
    };
    let callee = &mut world.frames[CALLEE];
    callee.token = 0;
    callee.stack = stack;
    callee.awaiting = match situation {
        Situation::Pending => ticket(OTHER_GATE, 2),
        _ => 0,
    };
    // SAFETY: inside the caller's stack.
    unsafe {
        let mut kept: Saved = std::mem::zeroed();
        kept.floating = 0x037f_0000_1f80;
        kept.return_address = world.address_outside();
        (saved as *mut Saved).write(kept);
    }
}

/// What a gate has to do with phases, for the pending call.
pub trait Phases {
    fn phases(&self) -> u32;
}

impl Phases for GateSpec {
    fn phases(&self) -> u32 {
        use cargo_cubicle::gates::GateKind::{CallerSees, Fast};
        match self.kind {
            Fast | CallerSees => 1,
            _ => 3,
        }
    }
}

/// The registers the attacker comes with.
fn choose(
    state: &mut probe::State,
    spec: &GateSpec,
    world: &World,
    fake: &mut [u64; 64],
    number: u64,
) {
    let frames = [
        world.block.virtual_threads[CALLER].frame,
        world.block.virtual_threads[CALLEE].frame,
    ];
    let both = spec.rights_from.union(spec.rights_to);
    let value = match number {
        0 => spec.rights_from.0.into(),
        1 => spec.rights_to.0.into(),
        2 => both.0.into(),
        3 => 0,
        4 => frames[0],
        5 => frames[1],
        // A frame of the attacker's own, which says what a gate wants to read.
        _ => {
            let phase = number - 5;
            let wanted = ticket(spec.index, phase);
            *fake = [wanted; 64];
            fake[0] = &raw const fake[32] as u64;
            fake.as_ptr() as u64
        }
    };
    state.general[probe::RAX] = value;
    state.general[probe::RBX] = fake.as_ptr() as u64 + 256;
    // Both places in which a slot travels name one that has a function.
    state.general[probe::R15] = world::SLOT as u64;
    let mut lanes = vec![0; 64];
    lanes[0] = world::SLOT as u8;
    state.place_vector(15, &lanes);
    if number < FRAMES {
        // As WRPKRU demands.
        state.general[probe::RCX] = 0;
        state.general[probe::RDX] = 0;
    } else {
        state.general[probe::RCX] = frames[0];
    }
}

unsafe fn open_all() {
    // SAFETY: memory of the world.
    unsafe { protect(Rights::ALL) };
}

unsafe fn protect(rights: Rights) {
    // SAFETY: as above.
    unsafe {
        for (key, start, bytes) in PLACES.ranges {
            let protection = match (rights.writes(key), rights.reads(key)) {
                (true, _) => libc::PROT_READ | libc::PROT_WRITE,
                (false, true) => libc::PROT_READ,
                _ => libc::PROT_NONE,
            };
            libc::mprotect(start as *mut libc::c_void, bytes as usize, protection);
        }
    }
}

/// Before each instruction, and at each fault.
extern "C" fn step(
    signal: i32,
    information: *const libc::siginfo_t,
    context: *mut libc::ucontext_t,
) {
    // SAFETY: the kernel passes a context; the rest was prepared by `attack`.
    unsafe {
        let registers = &mut (*context).uc_mcontext.gregs;
        let instruction = registers[libc::REG_RIP as usize] as u64;
        if signal == libc::SIGILL && has_keys(registers, instruction) {
            return;
        }
        // A breakpoint is a fault like any other: nothing stands there.
        if signal != libc::SIGTRAP || (*information).si_code == SI_KERNEL {
            return recover(registers);
        }
        let inside = (layout::STUB_BASE..layout::SLOT_BASE).contains(&instruction);
        if LAST.load(Relaxed) == 0 && !inside {
            return;
        }
        // The gate must not see that it is watched.
        let last = LAST.swap(instruction, Relaxed);
        if last != 0 && *(last as *const u8) == PUSHFQ {
            let pushed = registers[libc::REG_RSP as usize] as *mut u64;
            *pushed &= !TF;
        }
        let rights = Rights(*PLACES.rights);
        let outcome = if inside {
            match STEPS.fetch_add(1, Relaxed) {
                MAXIMUM_STEPS.. => Some(Gain::Endless),
                _ => None,
            }
        } else if u64::from(rights.0) == OWN.load(Relaxed) {
            // The attacker's own code, or anybody's run by it.
            return recover(registers);
        } else if instruction == probe::gate_test_record as *const () as u64 {
            Some(Gain::Entered)
        } else if world::is_monitor(instruction) {
            Some(Gain::Monitor)
        } else {
            Some(Gain::Escaped)
        };
        if let Some(gain) = outcome {
            OUTCOME.store(gain as u64 + 1, Relaxed);
            return recover(registers);
        }
        let value = u64::from(rights.0) | 1 << 32;
        if IN_FORCE.swap(value, Relaxed) != value {
            protect(rights);
        }
    }
}

/// Does what WRPKRU or RDPKRU would do, if one of them stood here.
unsafe fn has_keys(registers: &mut [libc::greg_t; 23], instruction: u64) -> bool {
    // SAFETY: an instruction was fetched there, and gates are followed by more.
    let bytes = unsafe { *(instruction as *const [u8; 3]) };
    let half = |number: libc::c_int| registers[number as usize] as u32;
    // Both fault if ecx, and WRPKRU if edx, is not zero.
    if half(libc::REG_RCX) != 0 {
        return false;
    }
    if bytes == WRPKRU && half(libc::REG_RDX) == 0 {
        let rights = half(libc::REG_RAX);
        // SAFETY: the world's thread block and memory.
        unsafe {
            *PLACES.rights = rights;
            protect(Rights(rights));
        }
        IN_FORCE.store(u64::from(rights) | 1 << 32, Relaxed);
    } else if bytes == RDPKRU {
        // SAFETY: as above.
        registers[libc::REG_RAX as usize] = unsafe { *PLACES.rights }.into();
        registers[libc::REG_RDX as usize] = 0;
    } else {
        return false;
    }
    registers[libc::REG_RIP as usize] += 3;
    LAST.store(instruction, Relaxed);
    true
}

/// On with the next attack.
unsafe fn recover(registers: &mut [libc::greg_t; 23]) {
    registers[libc::REG_RIP as usize] = probe::gate_test_recover as *const () as i64;
    registers[libc::REG_EFL as usize] = 0x202;
}
