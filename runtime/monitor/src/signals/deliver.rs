//! A signal reaches a cubicle's own code.

use super::actions::{self, Action, SA_NODEFER, SA_ONSTACK, SA_RESETHAND, SA_RESTORER};
use super::frame::{self, CONTEXT, INFORMATION, Places, RED_ZONE};
use super::masks::{self, bit};
use super::{INTERNAL, Information, handed, others, send, signal_of};
use crate::defences::off;
use crate::machine::resume::start_over;
use crate::machine::signals::{SIGSEGV, SignalContext, SignalInformation, rights_of};
use crate::memory_calls;
use crate::process;
use crate::process::virtual_threads::is_canonical;
use crate::restart::{self, Accident};
use core::sync::atomic::Ordering;
use cubicle_abi::defences::Defence;

/// The direction flag: handlers start without it.
const DF: u64 = 1 << 10;

/// Does something in the frame and the memory of `cubicle`, which was interrupted. If it has
/// failed on another thread, this one goes on where its call is answered.
pub fn holding(context: &mut SignalContext, cubicle: usize, work: impl FnOnce(&mut SignalContext)) {
    if restart::hold(cubicle) {
        work(context);
        restart::release(cubicle);
    } else {
        let accident = Accident {
            cubicle,
            is_first: false,
            returned: false,
        };
        restart::fault::go_on_without(accident, context);
    }
}

/// The thread is in code of `cubicle`, and a signal may be on its way to it.
pub fn arrive(context: &mut SignalContext, cubicle: usize) {
    holding(context, cubicle, |context| judge(context, cubicle));
}

fn judge(context: &mut SignalContext, cubicle: usize) {
    let signals = super::own();
    signals.due = 0;
    let Some(mut information) = signals.recorded.take() else {
        return resume(context, cubicle);
    };
    handed::complete(&mut information, send::own_number());
    let signal = signal_of(&information);
    let waiting = signals.waiting.take();
    let target = target(signal, cubicle);
    // As the kernel was told: what it would not keep must not be given back to it.
    let blocked = masks::wanted() & bit(signal) != 0;
    // A call that waited with another mask is over, and so is its mask.
    let restore = || {
        if let Some((cubicle, mask)) = waiting {
            super::own().masks[cubicle] = mask;
        }
    };
    match target {
        Some((owner, action)) if owner == cubicle && !blocked => {
            let mask = match waiting {
                Some((waiting, mask)) if waiting == cubicle => mask,
                _ => super::own().masks[cubicle],
            };
            if !run(context, cubicle, &action, &information, mask) {
                crate::violation::crashed(
                    cubicle,
                    context.rip,
                    SIGSEGV,
                    "there is no stack of its own for the handler of a signal",
                );
            }
        }
        Some((owner, action)) if owner != cubicle && !blocked => {
            restore();
            if !others::is_enterable(owner) && send::elsewhere(owner, &information) {
                return resume(context, cubicle);
            }
            if !others::interrupt(context, cubicle, (owner, action), &information) {
                // Not now: whatever the cubicle does next, it is tried again.
                super::own().recorded = Some(information);
                resume(context, cubicle);
            }
        }
        None if masks::FAULTS & bit(signal) != 0 => crate::violation::end_by(signal),
        None if INTERNAL.contains(&signal) => resume(context, cubicle),
        // The kernel does what is the default, or keeps what is blocked now.
        _ => {
            restore();
            send::again(&information);
            resume(context, cubicle);
        }
    }
}

/// Whose handler a signal goes to that came from elsewhere, when it finds `cubicle`.
fn target(signal: u64, cubicle: usize) -> Option<(usize, Action)> {
    if let Some(index) = INTERNAL.iter().position(|internal| *internal == signal) {
        let bits = &super::own().internal[index];
        let sent = bits.load(Ordering::Relaxed);
        let owner = match sent >> cubicle & 1 {
            1 => cubicle,
            _ if sent == 0 => return None,
            _ => sent.trailing_zeros() as usize,
        };
        if bits.fetch_and(!(1 << owner), Ordering::Relaxed) & !(1 << owner) != 0 {
            send::internal(signal);
        }
        return Some((owner, actions::own_handler(owner, signal)?));
    }
    if masks::FAULTS & bit(signal) != 0 {
        let main = process::plan().map_or(cubicle, |plan| plan.header().main as usize);
        return [cubicle, main]
            .into_iter()
            .find_map(|owner| Some((owner, actions::own_handler(owner, signal)?)));
    }
    actions::handler(signal)
}

/// The cubicle goes on where it is.
fn resume(context: &mut SignalContext, cubicle: usize) {
    if !start_over(cubicle, context) {
        stranger(context);
    }
    context.mask = masks::wanted();
}

/// A cubicle whose frame says what only the runtime writes there.
pub fn stranger(context: &SignalContext) -> ! {
    let mut information = [0; 16];
    information[0] = SIGSEGV;
    crate::violation::refuse(
        context,
        SignalInformation::of(&information),
        "a signal that found a forged frame",
    )
}

/// A fault of a cubicle's own making, if it has a handler for it and does not block it.
/// `false`: it is a crash.
pub fn own_fault(context: &mut SignalContext, information: &SignalInformation) -> bool {
    let signal = information.signal as u64;
    let Some(cubicle) = process::cubicle_with(rights_of(context)) else {
        return false;
    };
    let Some(action) = actions::own_handler(cubicle, signal) else {
        return false;
    };
    let mask = super::own().masks[cubicle];
    let Some(code) = crate::violation::own_fault(context, information) else {
        return false;
    };
    let mut whole = *information.whole();
    whole[1] = whole[1] & !0xffff_ffff | u64::from(code as u32);
    if mask & bit(signal) != 0 {
        return false;
    }
    let mut runs = true;
    holding(context, cubicle, |context| {
        runs = run(context, cubicle, &action, &whole, mask);
    });
    runs
}

/// Lets the handler run in the cubicle that was interrupted. `mask` is what it has when
/// the handler returns.
fn run(
    context: &mut SignalContext,
    cubicle: usize,
    action: &Action,
    information: &Information,
    mask: u64,
) -> bool {
    let alternate = super::own().alternate[cubicle];
    let top = (action.flags & SA_ONSTACK != 0)
        .then(|| alternate.top(context.rsp))
        .flatten()
        .unwrap_or(context.rsp.wrapping_sub(RED_ZONE));
    let size = extended_size(context);
    let Some(places) = frame::below(top, size) else {
        return false;
    };
    let mut shown = *context;
    shown.link = 0;
    shown.stack = alternate.words(context.rsp);
    shown.extended = places.extended;
    shown.mask = mask;
    // SAFETY: the kernel wrote the extended state, and says how large it is.
    let extended =
        unsafe { core::slice::from_raw_parts(context.extended as *const u8, size as usize) };
    if !write(cubicle, &places, action, &shown, information)
        || !put(cubicle, places.extended, extended)
    {
        return false;
    }
    start(cubicle, action, signal_of(information));
    [context.rdi, context.rsi, context.rdx] =
        [signal_of(information), places.information, places.context];
    context.rax = 0;
    context.rsp = places.stack;
    context.rip = action.handler;
    context.rflags &= !DF;
    empty_extended(context);
    if !start_over(cubicle, context) {
        stranger(context);
    }
    context.mask = masks::wanted();
    true
}

/// Writes all of a handler's frame but the extended state.
pub fn write(
    cubicle: usize,
    places: &Places,
    action: &Action,
    context: &SignalContext,
    information: &Information,
) -> bool {
    if !is_canonical(action.handler) {
        return false;
    }
    let restorer = match action.flags & SA_RESTORER {
        0 => 0,
        _ => action.restorer,
    };
    let mut bytes = [0; 8 + CONTEXT + INFORMATION];
    bytes[..8].copy_from_slice(&restorer.to_le_bytes());
    bytes[8..8 + CONTEXT].copy_from_slice(context.bytes());
    for (place, word) in bytes[8 + CONTEXT..].chunks_exact_mut(8).zip(information) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    put(cubicle, places.stack, &bytes)
}

/// Writes to the cubicle's own memory.
fn put(cubicle: usize, at: u64, bytes: &[u8]) -> bool {
    memory_calls::write(cubicle, at, bytes)
        || off(Defence::SignalStacks)
            && memory_calls::copy(at, bytes.as_ptr() as u64, bytes.len() as u64) == 0
}

/// What changes when a handler starts.
pub fn start(cubicle: usize, action: &Action, signal: u64) {
    let signals = super::own();
    signals.masks[cubicle] |= action.mask & !masks::UNBLOCKABLE;
    if action.flags & SA_NODEFER == 0 {
        signals.masks[cubicle] |= bit(signal);
    }
    if action.flags & SA_ONSTACK != 0 {
        signals.alternate[cubicle].disarm();
    }
    if action.flags & SA_RESETHAND != 0 {
        actions::reset(cubicle, signal);
    }
}

/// Reads a word of the extended state in the kernel's frame.
///
/// # Safety
/// The kernel wrote the context, on this key-0 stack.
pub unsafe fn extended_word<T: Copy>(context: &SignalContext, offset: usize) -> T {
    // SAFETY: as the caller's; all offsets lie in the part that is always there.
    unsafe { ((context.extended + offset as u64) as *const T).read_unaligned() }
}

/// Bytes of the extended state in the kernel's frame.
pub fn extended_size(context: &SignalContext) -> u64 {
    const LEGACY: u64 = 512;
    // SAFETY: the kernel's own frame.
    let (magic, size) = unsafe {
        (
            extended_word::<u32>(context, frame::SOFTWARE),
            extended_word::<u32>(context, frame::EXTENDED_SIZE),
        )
    };
    match magic {
        frame::MAGIC => (size as u64).min(super::kept::EXTENDED as u64),
        _ => LEGACY,
    }
}

/// Vector, mask and x87 registers as a program starts with them.
pub fn empty_extended(context: &mut SignalContext) {
    // SAFETY: the kernel's own frame, which it reads when the handler returns.
    unsafe {
        if extended_word::<u32>(context, frame::SOFTWARE) == frame::MAGIC {
            let features = extended_word::<u64>(context, frame::FEATURES);
            *((context.extended + frame::PRESENT as u64) as *mut u64) = frame::present(0, features);
        }
        *((context.extended + frame::MXCSR as u64) as *mut u32) = frame::MXCSR_DEFAULT;
    }
}
