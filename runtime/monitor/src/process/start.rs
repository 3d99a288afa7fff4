//! From the kernel's entry to the main cubicle's first instruction.

use super::initial_stack::{self, KernelStack};
use super::run::{FAILED, frame_address, run};
use super::{ARENA_BASE, EXTENDED_PKRU_OFFSET, arena, callbacks, cubicles, platform};
use crate::machine::assembly::{cubicle_raise_first, cubicle_signal_return};
use crate::machine::kernel::{
    self, MAP_ANONYMOUS, MAP_FIXED_NOREPLACE, MAP_NORESERVE, MAP_PRIVATE, PROT_EXEC, PROT_READ,
    PROT_WRITE, number,
};
use crate::machine::rights::{set_mechanism, tag};
use crate::machine::thread::{self, FIRST, ThreadMemory};
use crate::machine::{dumps, rights, signals};
use crate::mappings::{Kind, Mapping};
use crate::measured;
use crate::plan::Plan;
use crate::system_calls::paths::{held, listed, names_paths};
use crate::threads::frames;
use crate::violation::refuse_start;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use cubicle_abi::frame::{Context, FRAME_SIZE};
use cubicle_abi::layout::{ARENA_MAPPINGS, ARENA_SIZE, PAGE, STUB_BASE, page_up};
use cubicle_abi::plan::{CUBICLE_NARROWED, ISOLATION_AUDIT, MECHANISM_PKU, PLAN_DUMPS, Text};
use cubicle_abi::rights::{KEY_PUBLIC, cubicle_key};

/// The stack of the program's own main thread, as much as Linux gives by
/// default (`ulimit -s`), bytes.
const MAIN_STACK: u64 = 8 << 20;
/// The least a libc needs to start on, bytes.
const SMALLEST_STACK: u64 = 256 << 10;

/// The process begins here, on the kernel's stack.
///
/// # Safety
/// Called once, by `_start`, with the stack pointer the kernel gave.
pub unsafe extern "C" fn start(stack: *const u64) -> ! {
    // SAFETY: as the caller's; the plan is part of every composed binary.
    let (kernel, plan) = unsafe { (KernelStack::new(stack), Plan::of_process()) };
    let Some(plan) = plan else {
        refuse_start("this file has no plan, or one of another version of the tool");
    };
    crate::violation::report_to(kernel.variable(crate::violation::REPORT_VARIABLE));
    if plan.header().flags & PLAN_DUMPS != 0 {
        dumps::admit();
    }
    let mechanism = platform::choose(kernel, plan.header().isolation);
    set_mechanism(mechanism);
    let audit = plan.header().isolation == ISOLATION_AUDIT;
    crate::violation::announce(mechanism, audit);
    if audit {
        or_refuse(crate::audit::start(), "taking memory for the audit");
    }
    EXTENDED_PKRU_OFFSET.store(platform::pkru_offset(), Ordering::Relaxed);
    if mechanism == MECHANISM_PKU {
        allocate_keys(super::region_count());
    }
    map_texts(plan, mechanism);
    or_refuse(callbacks::map(plan), "mapping the tables of callbacks");
    start_thread();
    if mechanism == MECHANISM_PKU {
        // SAFETY: keys are allocated, and this is the first raise.
        unsafe { cubicle_raise_first() };
    }
    or_refuse(
        tag(
            FIRST.block() as u64,
            FIRST.block() as u64 + PAGE,
            PROT_READ | PROT_WRITE,
            KEY_PUBLIC,
        ),
        "tagging the thread block",
    );
    let vdso = mechanism != MECHANISM_PKU || platform::share_vdso();
    STACK.store(stack as u64, Ordering::Relaxed);
    VDSO.store(vdso, Ordering::Relaxed);
    reserve_arenas();
    for index in 0..plan.cubicles().len() {
        share(plan, index);
        prepare(plan, index);
    }
    for index in plan.cubicles().len()..super::region_count() {
        prepare_window(plan, index);
    }
    or_refuse(
        signals::arm(&FIRST).and_then(|()| signals::install()),
        "installing signal handlers",
    );
    prepare_paths(plan);
    or_refuse(
        dispatch_system_calls(&FIRST),
        "Syscall User Dispatch (Linux 5.11 or newer, CONFIG_GENERIC_ENTRY)",
    );
    super::walls::build(plan, mechanism);
    let main = plan.header().main as usize;
    // SAFETY: this thread's state.
    unsafe { (*FIRST.state()).creator = Some(main) };
    for index in (0..plan.cubicles().len()).filter(|index| *index != main) {
        measured::starting(plan, index, || start_image(kernel, plan, index, vdso));
    }
    if plan.cubicles()[main].spare != 0 {
        cubicles()[main].parked_main.expect();
    }
    start_image(kernel, plan, main, vdso);
    crate::violation::fatal("the main cubicle came back without an exit")
}

/// What path calls need before the first cubicle makes one.
fn prepare_paths(plan: Plan) {
    if !plan.cubicles().iter().any(names_paths) {
        return;
    }
    let narrowed = |cubicle: &cubicle_abi::plan::Cubicle| cubicle.flags & CUBICLE_NARROWED != 0;
    match held::prepare() {
        Ok(true) => or_refuse(listed::find_all(plan), "finding what `files` lists"),
        Ok(false) if plan.cubicles().iter().any(narrowed) => {
            refuse_start("`files` needs procfs at /proc");
        }
        Ok(false) => {}
        Err(error) if error == -kernel::error::EMFILE => {
            refuse_start("calls with paths need more descriptors (`ulimit -n`, at least 128)");
        }
        Err(error) => {
            crate::violation::refuse_start_because("taking descriptors for path calls", error);
        }
    }
}

/// Ends the process with a line that says what the kernel did not do.
fn or_refuse(result: Result<(), i64>, what: &str) {
    if let Err(error) = result {
        crate::violation::refuse_start_because(what, error);
    }
}

/// The gates and stubs of this mechanism and processor.
pub fn texts_of(plan: Plan, mechanism: u32) -> impl Iterator<Item = &'static Text> {
    let level = platform::vector_level();
    plan.texts().iter().filter(move |text| {
        // The routines that clear registers depend on the processor only.
        text.mechanism
            == if text.address == STUB_BASE {
                level
            } else {
                mechanism
            }
    })
}

/// Copies the gates and stubs into place. Anonymous memory: nobody changes it
/// through the file (rule 22).
fn map_texts(plan: Plan, mechanism: u32) {
    for text in texts_of(plan, mechanism) {
        let bytes = plan.bytes(text.bytes);
        let size = page_up(bytes.len() as u64);
        // SAFETY: the layout keeps this range free; NOREPLACE makes sure.
        let mapped = unsafe {
            kernel::call(
                number::MMAP,
                [
                    text.address,
                    size,
                    u64::from(PROT_READ | PROT_WRITE),
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
                    u64::MAX,
                    0,
                ],
            )
        };
        if mapped != text.address as i64 {
            crate::violation::refuse_start_because("mapping the gates", mapped);
        }
        // SAFETY: just mapped, `size` bytes.
        unsafe {
            core::ptr::copy_nonoverlapping(bytes.as_ptr(), text.address as *mut u8, bytes.len());
        }
        or_refuse(
            tag(
                text.address,
                text.address + size,
                PROT_READ | PROT_EXEC,
                // Readable: unwinders look at the code they return to.
                KEY_PUBLIC,
            ),
            "protecting the gates",
        );
    }
}

/// Keys come in order from 1; anything else would not fit the plan's constants.
fn allocate_keys(regions: usize) {
    for expected in 1..=regions as i64 + 1 {
        // SAFETY: no memory is involved.
        let key = unsafe { kernel::call(number::PKEY_ALLOC, [0; 6]) };
        if key != expected {
            crate::violation::refuse_start_because("allocating protection keys", key);
        }
    }
}

/// Fills the first thread's block and points GS to it.
fn start_thread() {
    const ARCH_SET_GS: u64 = 0x1001;
    let block = FIRST.block();
    // SAFETY: nothing else runs yet; all of it is this thread's static memory.
    unsafe {
        FIRST.prepare();
        let id = kernel::call(number::GETTID, [0; 6]);
        (*FIRST.state()).id = id as u64;
        crate::threads::pool::enter_first(id as u32);
        or_refuse(
            match kernel::call(number::ARCH_PRCTL, [ARCH_SET_GS, block as u64, 0, 0, 0, 0]) {
                0 => Ok(()),
                error => Err(error),
            },
            "setting the GS base",
        );
        let guard = FIRST.signal_guard();
        kernel::call(number::MPROTECT, [guard, PAGE, 0, 0, 0, 0]);
    }
}

/// One reservation for all arenas, at a random place that is aligned to them.
fn reserve_arenas() {
    let count = super::region_count() as u64;
    let size = (count + 1) * ARENA_SIZE;
    // SAFETY: a fresh mapping; what lies around the aligned part goes back.
    unsafe {
        let at = kernel::call(
            number::MMAP,
            [
                0,
                size,
                0,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                u64::MAX,
                0,
            ],
        );
        if at < 0 {
            crate::violation::refuse_start_because(
                "reserving address space for the cubicles (`ulimit -v` must be unlimited)",
                at,
            );
        }
        let at = at as u64;
        let base = at.next_multiple_of(ARENA_SIZE);
        if base > at {
            kernel::call(number::MUNMAP, [at, base - at, 0, 0, 0, 0]);
        }
        let end = base + count * ARENA_SIZE;
        if at + size > end {
            kernel::call(number::MUNMAP, [end, at + size - end, 0, 0, 0, 0]);
        }
        dumps::leave_out(base, end);
        ARENA_BASE.store(base, Ordering::Relaxed);
    }
}

/// Tags text and constants of cubicle `index`, which all can read.
fn share(plan: Plan, index: usize) {
    let segments = plan.segments(&plan.cubicles()[index]).iter();
    for segment in segments.filter(|segment| segment.key == KEY_PUBLIC) {
        or_refuse(
            tag(segment.start, segment.end, segment.protection, segment.key),
            "tagging an image",
        );
    }
}

/// Tags the image of cubicle `index` and gives it a frame.
pub fn prepare(plan: Plan, index: usize) {
    let cubicle = &plan.cubicles()[index];
    let mut mappings = cubicles()[index].mappings.lock();
    mappings.set_limit(cubicle.memory);
    for segment in plan.segments(cubicle) {
        // What is nobody's to write has been tagged once and for all.
        if segment.key == cubicle.key {
            or_refuse(
                tag(segment.start, segment.end, segment.protection, segment.key),
                "tagging an image",
            );
            let _ = mappings.insert(Mapping {
                start: segment.start,
                end: segment.end,
                protection: segment.protection,
                kind: Kind::Data,
            });
        }
    }
    let frame = frame_address(index, 0);
    map(&mut mappings, index, frame, FRAME_SIZE, Kind::Frame);
    if crate::audit::on() {
        crate::audit::pages::text(index, false);
    }
}

/// Tags the variables that live in a keyed window.
fn prepare_window(plan: Plan, index: usize) {
    let Some(window) = plan.window(index) else {
        return;
    };
    let mut mappings = cubicles()[index].mappings.lock();
    mappings.set_limit(window.memory);
    for segment in plan.segments_in(window) {
        or_refuse(
            tag(segment.start, segment.end, segment.protection, segment.key),
            "tagging a window",
        );
        let _ = mappings.insert(Mapping {
            start: segment.start,
            end: segment.end,
            protection: segment.protection,
            kind: Kind::Data,
        });
    }
}

/// Makes part of the arena accessible.
fn map(mappings: &mut crate::mappings::Mappings, index: usize, start: u64, size: u64, kind: Kind) {
    let protection = PROT_READ | PROT_WRITE;
    let entered = mappings.insert(Mapping {
        start,
        end: start + size,
        protection,
        kind,
    });
    if entered.is_err() {
        refuse_start("a cubicle's memory limit is too small for its stack");
    }
    or_refuse(
        tag(start, start + size, protection, cubicle_key(index)),
        "tagging an arena",
    );
}

/// From here on every `syscall` of this thread outside the monitor is dispatched.
///
/// # Errors
/// The kernel's error number, negative.
pub fn dispatch_system_calls(memory: &ThreadMemory) -> Result<(), i64> {
    const PR_SET_SYSCALL_USER_DISPATCH: u64 = 59;
    const PR_SYS_DISPATCH_ON: u64 = 1;
    // In an audit, handlers return into cubicles, whose selector says *block*.
    const HANDLER_RETURN: u64 = 16;
    let free = match crate::audit::on() {
        true => (cubicle_signal_return as *const () as u64, HANDLER_RETURN),
        false => (0, 0),
    };
    // SAFETY: the selector is the first byte of the block, which is never
    // unmapped; it says *allow* at the moment.
    let result = unsafe {
        kernel::call(
            number::PRCTL,
            [
                PR_SET_SYSCALL_USER_DISPATCH,
                PR_SYS_DISPATCH_ON,
                free.0,
                free.1,
                memory.block() as u64,
                0,
            ],
        )
    };
    if result == 0 { Ok(()) } else { Err(result) }
}

/// Runs the image of a cubicle whose memory is new, as at the beginning.
pub fn start_again(index: usize) {
    let (Some(plan), stack) = (super::plan(), STACK.load(Ordering::Relaxed)) else {
        return;
    };
    // SAFETY: the stack pointer the process began with; what lies there has key 0 and
    // stays.
    let kernel = unsafe { KernelStack::new(stack as *const u64) };
    start_image(kernel, plan, index, VDSO.load(Ordering::Relaxed));
}

/// Where the process began, and whether cubicles may use the vDSO.
static STACK: AtomicU64 = AtomicU64::new(0);
static VDSO: AtomicBool = AtomicBool::new(false);

/// Runs the image's own `_start`, until it parks; the main one's never does.
fn start_image(kernel: KernelStack, plan: Plan, index: usize, vdso: bool) {
    let cubicle = &plan.cubicles()[index];
    let main = plan.header().main as usize == index;
    let least = initial_stack::needed(kernel) + SMALLEST_STACK;
    let size = page_up(if main {
        MAIN_STACK.max(least)
    } else {
        cubicle.stack.max(least)
    });
    let low = arena(index) + ARENA_MAPPINGS;
    {
        let mut mappings = cubicles()[index].mappings.lock();
        // The guard page below it is entered, too: nothing may be mapped there.
        let _ = mappings.insert(Mapping {
            start: low,
            end: low + PAGE,
            protection: 0,
            kind: Kind::Monitor,
        });
        map(&mut mappings, index, low + PAGE, size, Kind::Monitor);
    }
    rights::open(cubicle_abi::rights::Rights::NONE, super::rights(index));
    let stack = initial_stack::build(kernel, low + PAGE + size, cubicle, vdso);
    // SAFETY: this thread's block and state.
    let (block, state) = unsafe { (&mut *thread::block(), &mut *thread::state()) };
    let Some(frame) = frames::map(index, state.number) else {
        // Nobody waits for a `main` that does not come back.
        cubicles()[index].parked_main.forget();
        return;
    };
    block.virtual_threads[index].frame = frame;
    // Whoever is being started may call one that has to start first.
    let outer = core::mem::replace(&mut state.parked_main, (!main).then_some(index));
    let context = Context {
        stack,
        instruction: cubicle.entry,
        ..Context::START
    };
    let failed = run(index, &context) == FAILED;
    state.parked_main = outer;
    block.virtual_threads[index].frame = 0;
    // One that fails when it starts again has no `main` that anybody could wait for.
    if !failed {
        cubicles()[index].parked_main.put(state.parked[index]);
    }
}
