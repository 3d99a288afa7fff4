//! What the monitor says when something is wrong: one line of JSON for a
//! violation, one line of words for everything else.

use crate::machine::kernel;
use crate::text::Text;
use core::fmt::Write;
use core::sync::atomic::{AtomicU64, Ordering};
use cubicle_abi::defences::Defences;
use cubicle_abi::layout::{
    GATE_BASE, GATE_END, MONITOR_BASE, MONITOR_END, PLAN_BASE, PLAN_END, STUB_BASE, STUB_END,
};
use cubicle_abi::{STATUS_REFUSED, STATUS_VIOLATION};

/// Where reports go: standard error, or the descriptor the tool prepared.
static REPORT_TO: AtomicU64 = AtomicU64::new(2);

/// The variable that names the descriptor for reports.
pub const REPORT_VARIABLE: &[u8] = b"CUBICLE_REPORT_FD";

/// Sends reports to the descriptor that `number` names, if it names one.
pub fn report_to(number: Option<&[u8]>) {
    let parsed = number
        .and_then(|digits| core::str::from_utf8(digits).ok())
        .and_then(|digits| digits.parse().ok());
    if let Some(descriptor) = parsed {
        REPORT_TO.store(descriptor, Ordering::Relaxed);
    }
}

/// A system call that a cubicle was denied.
#[cfg(monitor_image)]
pub struct Denied<'a> {
    pub cubicle: usize,
    pub number: u64,
    /// Why, or the place that its path leads to.
    pub detail: &'a [u8],
}

/// Writes to where reports go.
#[cfg(monitor_image)]
pub fn report(bytes: &[u8]) {
    kernel::write(REPORT_TO.load(Ordering::Relaxed), bytes);
}

/// Text that no cubicle's code is: the monitor's, stubs, gates.
pub fn is_runtime_text(address: u64) -> bool {
    (MONITOR_BASE..MONITOR_END).contains(&address)
        || (PLAN_BASE..PLAN_END).contains(&address)
        || (STUB_BASE..STUB_END).contains(&address)
        || (GATE_BASE..GATE_END).contains(&address)
}

/// Ends the process because the monitor itself cannot go on.
pub fn fatal(what: &str) -> ! {
    say(&["cubicle: ", what, "\n"]);
    #[cfg(monitor_image)]
    crate::audit::dump::write();
    kernel::exit(STATUS_VIOLATION)
}

/// Ends the process because a cubicle's memory is used up where no call can say so.
#[cfg(monitor_image)]
pub fn no_room(cubicle: &[u8], what: &str) -> ! {
    let name = core::str::from_utf8(cubicle).unwrap_or("?");
    say(&["cubicle: the `memory` of cubicle `", name, "` ", what, "\n"]);
    crate::audit::dump::write();
    kernel::exit(STATUS_VIOLATION)
}

/// Ends the process before any cubicle ran.
pub fn refuse_start(why: &str) -> ! {
    say(&["cubicle: refusing to start: ", why, "\n"]);
    kernel::exit(STATUS_REFUSED)
}

/// Ends the process before any cubicle ran, because of a kernel's answer.
pub fn refuse_start_because(what: &str, error: i64) -> ! {
    let mut text = Text::<256>::new();
    let _ = writeln!(
        text,
        "cubicle: refusing to start: {what} failed with error {}",
        -error
    );
    kernel::write(2, text.bytes());
    kernel::exit(STATUS_REFUSED)
}

/// Says at start what protects and what does not.
pub fn announce(mechanism: u32, audit: bool) {
    match mechanism {
        _ if audit => say(&["cubicle: AUDIT: nothing is protected, everything is recorded\n"]),
        cubicle_abi::plan::MECHANISM_PAGETABLE => say(&[
            "cubicle: no protection keys here: page tables stop stray accesses, not an attacker who runs code\n",
        ]),
        cubicle_abi::plan::MECHANISM_STAND_IN => {
            say(&["cubicle: BENCHMARK BUILD: a stand-in replaces WRPKRU, nothing is protected\n"])
        }
        _ => {}
    }
    let without = crate::defences::without();
    if without != Defences::NONE {
        let mut text = Text::<1024>::new();
        let _ = text.write_str("cubicle: TEST BUILD: nothing is protected, left out:");
        for defence in without.iter() {
            let _ = write!(text, " {}", defence.name());
        }
        let _ = text.write_str("\n");
        kernel::write(2, text.bytes());
    }
}

fn say(parts: &[&str]) {
    let mut text = Text::<512>::new();
    for part in parts {
        let _ = text.write_str(part);
    }
    kernel::write(2, text.bytes());
}

#[cfg(monitor_image)]
mod reporting;

#[cfg(monitor_image)]
pub use reporting::{
    aborted, callback_refused, crashed, denied, denied_and_ended, end_by, fault, lend_refused,
    own_fault, owner_and_place, refuse, thread_ended,
};
