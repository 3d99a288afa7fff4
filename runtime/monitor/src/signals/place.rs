//! Where a signal found a thread.

use crate::machine::assembly as text;
use crate::machine::assembly::NOT_MADE;
use crate::machine::rights::mechanism;
use crate::machine::signals::{SignalContext, rights_of};
use crate::machine::thread;
use crate::violation::is_runtime_text;
use cubicle_abi::layout::{
    CALLBACK_TABLE_BASE, GATE_BASE, GATE_END, MONITOR_BASE, MONITOR_END, SITE_BASE, STUB_BASE,
    STUB_END,
};
use cubicle_abi::plan::MECHANISM_PKU;
use cubicle_abi::rights::Rights;

/// What runs there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Cubicle(usize),
    /// Text whose own checks must be executed, whatever the registers say: a gate, a
    /// stub, or where the monitor is entered and left.
    Stepped,
    Monitor,
    /// Where nobody comes by itself.
    Nowhere,
}

/// The places of a global symbol range.
type Range = (u64, u64);

fn entries() -> [Range; 4] {
    let place = |symbol: *const [u8; 0]| symbol as u64;
    [
        (
            text::cubicle_system_call as *const () as u64,
            place(&raw const text::cubicle_system_call_end),
        ),
        (
            text::cubicle_gate_enter as *const () as u64,
            place(&raw const text::cubicle_gate_end),
        ),
        (
            text::cubicle_switch_pages as *const () as u64,
            place(&raw const text::cubicle_switch_end),
        ),
        (
            text::cubicle_enter as *const () as u64,
            place(&raw const text::cubicle_enter_end),
        ),
    ]
}

fn contains((start, end): Range, address: u64) -> bool {
    (start..end).contains(&address)
}

/// Is this text that is stepped through? While one instruction of it runs, the
/// selector is open: there is no `syscall` in it, at any offset.
pub fn is_stepped(address: u64) -> bool {
    contains((GATE_BASE, GATE_END), address)
        || contains((STUB_BASE, STUB_END), address)
        || entries().iter().any(|range| contains(*range, address))
}

/// Is this in the stub of a patched system-call site?
pub fn is_site(address: u64) -> bool {
    contains((SITE_BASE, CALLBACK_TABLE_BASE), address)
}

/// The monitor's part of that text. The tool looks at the rest.
pub fn has_system_call() -> bool {
    entries().iter().any(|(start, end)| {
        // SAFETY: the monitor's own text.
        let bytes =
            unsafe { core::slice::from_raw_parts(*start as *const u8, (end - start) as usize) };
        bytes
            .windows(2)
            .any(|pair| matches!(pair, [0x0f, 0x05] | [0x0f, 0x34] | [0xcd, 0x80]))
    })
}

/// The two calls that can wait, from where they look for a signal to behind the
/// `syscall`.
fn waiting_calls() -> [Range; 2] {
    [
        (
            &raw const text::cubicle_call_keys_begin as u64,
            &raw const text::cubicle_call_keys_end as u64,
        ),
        (
            &raw const text::cubicle_call_plain_begin as u64,
            &raw const text::cubicle_call_plain_end as u64,
        ),
    ]
}

/// A signal has been recorded, and the monitor was about to wait, or the kernel would
/// start its call again: it goes on as if it had not made it.
pub fn leave_call(context: &mut SignalContext) {
    if let Some((_, end)) = waiting_calls()
        .into_iter()
        .find(|range| contains(*range, context.rip))
    {
        context.rax = NOT_MADE as u64;
        context.rip = end;
    }
}

/// Where the interrupted thread was. Nothing is believed but where it was, the
/// rights in the kernel's frame, and key-0 memory.
pub fn of(context: &SignalContext) -> Place {
    const CODE_64: u64 = 0x33;
    if context.selectors & 0xffff != CODE_64 {
        return Place::Nowhere;
    }
    let address = context.rip;
    if is_stepped(address) {
        return Place::Stepped;
    }
    let rights = rights_of(context);
    if contains((MONITOR_BASE, MONITOR_END), address) {
        // Only the monitor has all rights for longer than it takes to find out. With
        // others it waits for the kernel, and says so where nobody else can.
        // SAFETY: this thread's state.
        let calls = unsafe { (*thread::state()).call_proof } != 0;
        let lowered = (
            &raw const text::cubicle_call_keys_begin as u64,
            &raw const text::cubicle_call_keys_raised as u64,
        );
        let own = mechanism() != MECHANISM_PKU
            || rights == Rights::ALL
            || calls && contains(lowered, address);
        return if own { Place::Monitor } else { Place::Nowhere };
    }
    if is_runtime_text(address) {
        return Place::Nowhere;
    }
    match crate::process::cubicle_with(rights) {
        Some(cubicle) => Place::Cubicle(cubicle),
        None => Place::Nowhere,
    }
}
