//! Records of what went wrong, and the end of the process.

use super::*;
use crate::machine::rights::mechanism;
use crate::machine::signals::{SIGBUS, SIGSEGV, SignalContext, SignalInformation, rights_of};
use crate::machine::thread::{self, FIRST};
use crate::mappings::Kind;
use crate::process;
use crate::process::callbacks::Refused;
use crate::process::chain::{Pending, pending_calls};
use crate::restart::{self, Accident, contain};
use crate::windows::touch::Against;
use cubicle_abi::frame::Frame;
use cubicle_abi::layout::{ARENA_FRAMES, gate_at};
use cubicle_abi::plan::{Gate, MECHANISM_PAGETABLE, MECHANISM_PKU};
use cubicle_abi::rights::{KEY_MONITOR, KEY_PUBLIC, Rights};

type Line = Text<8192>;

/// `si_code` of a fault that protection keys made.
const SEGV_PKUERR: i32 = 4;

/// As many calls as a report lists.
const LONGEST_CHAIN: usize = 32;

/// A record in the making.
struct Record {
    line: Line,
}

impl Record {
    fn new(kind: &str) -> Record {
        let mut record = Record { line: Line::new() };
        let _ = write!(
            record.line,
            "{{\"cubicle_violation\":1,\"kind\":\"{kind}\",\"mechanism\":\"{}\"",
            match mechanism() {
                MECHANISM_PKU => "pku",
                MECHANISM_PAGETABLE => "pagetable",
                _ => "stand-in",
            }
        );
        record
    }

    fn name(&mut self, key: &str, cubicle: Option<usize>) {
        let _ = write!(self.line, ",\"{key}\":");
        match (cubicle, process::plan()) {
            (Some(index), Some(plan)) => {
                let _ = self.line.write_str("\"");
                self.line.json(plan.name(index));
                let _ = self.line.write_str("\"");
            }
            _ => {
                let _ = self.line.write_str("null");
            }
        }
    }

    fn text(&mut self, key: &str, text: &str) {
        let _ = write!(self.line, ",\"{key}\":\"");
        self.line.json(text.as_bytes());
        let _ = self.line.write_str("\"");
    }

    fn address(&mut self, key: &str, address: u64) {
        let _ = write!(self.line, ",\"{key}\":\"{address:#x}\"");
    }

    fn number(&mut self, key: &str, number: i64) {
        let _ = write!(self.line, ",\"{key}\":{number}");
    }

    /// Sends it; the process goes on.
    fn send(mut self) {
        let _ = self.line.write_str("}\n");
        report(self.line.bytes());
    }

    /// The process ends now.
    fn end(self) {
        self.send();
        crate::audit::dump::write();
    }

    /// The calls that are pending, outermost first.
    fn chain(&mut self, current: Option<usize>) {
        let mut calls = [Pending::NONE; LONGEST_CHAIN];
        let count = pending_calls(current, &mut calls);
        let _ = self.line.write_str(",\"chain\":[");
        let Some(plan) = process::plan() else {
            return;
        };
        for (place, Pending { gate, site, .. }) in calls[..count].iter().rev().enumerate() {
            let gate = &plan.gates()[*gate];
            let _ = write!(
                self.line,
                "{}{{\"from\":\"",
                if place == 0 { "" } else { "," }
            );
            self.line.json(plan.name(gate.from as usize));
            let _ = self.line.write_str("\",\"to\":\"");
            self.line.json(plan.name(gate.to as usize));
            let _ = self.line.write_str("\",\"function\":\"");
            self.line.json(plan.bytes(gate.name));
            let _ = write!(self.line, "\",\"site\":\"{site:#x}\"}}");
        }
        let _ = self.line.write_str("]");
    }
}

/// Whose memory is it, and what is there?
fn place_of(address: u64) -> (Option<usize>, &'static str, bool) {
    let of_thread = crate::threads::pool::contains(address) || address == FIRST.block() as u64;
    if is_runtime_text(address) || of_thread {
        return (None, "monitor", true);
    }
    let Some(index) = process::owner(address) else {
        return (None, "unmapped", false);
    };
    let Some(plan) = process::plan() else {
        return (Some(index), "unmapped", false);
    };
    if plan.window(index).is_some() {
        let mappings = process::cubicles()[index].mappings.try_lock();
        let kind = mappings.and_then(|mappings| Some(mappings.find(address)?.kind));
        return match kind {
            Some(Kind::Data) => (Some(index), "data", true),
            Some(_) => (Some(index), "heap", true),
            None => (Some(index), "unmapped", false),
        };
    }
    let Some(cubicle) = plan.cubicles().get(index) else {
        return (None, "unmapped", false);
    };
    let arena = process::arena(index);
    if address >= arena && address - arena < ARENA_FRAMES {
        return (Some(index), "frame", true);
    }
    for segment in plan.segments(cubicle) {
        if (segment.start..segment.end).contains(&address) {
            let place = match segment.key {
                KEY_PUBLIC if segment.protection & kernel::PROT_EXEC != 0 => "text",
                KEY_PUBLIC => "constants",
                _ => "data",
            };
            return (Some(index), place, true);
        }
    }
    let Some(mappings) = process::cubicles()[index].mappings.try_lock() else {
        return (Some(index), "unmapped", false);
    };
    match mappings.find(address) {
        Some(mapping) if mapping.kind == Kind::Heap => (Some(index), "heap", true),
        Some(mapping) => {
            // SAFETY: this thread's block and frames.
            let stack = unsafe {
                let place = (*thread::block()).virtual_threads[index];
                (place.frame != 0).then(|| (*(place.frame as *const Frame)).stack)
            };
            let is_stack = stack.is_some_and(|stack| (mapping.start..mapping.end).contains(&stack));
            let kind = if is_stack || matches!(mapping.kind, Kind::Monitor | Kind::Stack) {
                "stack"
            } else {
                "heap"
            };
            (Some(index), kind, true)
        }
        None => (Some(index), "unmapped", false),
    }
}

/// Whose memory an address is, and what lies there.
pub fn owner_and_place(address: u64) -> (Option<usize>, &'static str) {
    let (owner, place, _) = place_of(address);
    (owner, place)
}

/// A fault in a cubicle, a gate or the monitor: report and end. A crash of
/// a cubicle's own making ends the process as it would have ended plainly.
pub fn fault(context: &mut SignalContext, information: &SignalInformation) {
    // Whoever runs a cubicle's code or a gate holds nothing that another one waits for.
    match (MONITOR_BASE..MONITOR_END).contains(&context.rip) {
        true => crate::machine::rights::open_for_report(),
        false => crate::machine::rights::open(Rights::NONE, Rights::ALL),
    }
    let rights = rights_of(context);
    let cubicle = process::cubicle_with(rights);
    let signal = information.signal as u64;
    let memory = signal == SIGSEGV || signal == SIGBUS;
    let (owner, place, exists) = if memory {
        place_of(information.address)
    } else {
        (None, "unmapped", false)
    };
    // A page that is there and has key 0 is the monitor's, wherever it lies:
    // the kernel's first stack, for one.
    let closed = signal == SIGSEGV && information.code == SEGV_PKUERR;
    let (owner, place, exists) = match (owner, exists) {
        (None, false) if closed && information.key == KEY_MONITOR => (None, "monitor", true),
        _ => (owner, place, exists),
    };
    let in_gate = is_runtime_text(context.rip);
    let foreign = memory && exists && (owner.is_none() || owner != cubicle);
    let own = !in_gate && !foreign;
    let kind = if in_gate && !foreign {
        "gate"
    } else if own {
        "crash"
    } else {
        "access"
    };
    let mut record = Record::new(kind);
    record.name("cubicle", cubicle);
    if memory {
        // Bit 1 of the page fault's error code: a write; bit 4: a fetch.
        record.text(
            "access",
            match (context.error >> 1 & 1, context.error >> 4 & 1) {
                (_, 1) => "execute",
                (1, _) => "write",
                _ => "read",
            },
        );
        record.address("address", information.address);
        match owner {
            None if place == "monitor" => record.text("owner", "monitor"),
            _ => record.name("owner", owner),
        }
        record.text("place", place);
    }
    record.address("instruction", context.rip);
    record.number("signal", signal as i64);
    record.number("code", i64::from(information.code));
    if closed {
        record.number("key", i64::from(information.key));
    }
    if let Some(gate) = gate_at(context.rip)
        && let Some(plan) = process::plan()
        && let Some(gate) = plan.gates().get(gate)
        && gate.name.count > 0
    {
        let _ = record.line.write_str(",\"detail\":\"in the gate of ");
        record.line.json(plan.bytes(gate.name));
        let _ = record.line.write_str("\"");
    }
    if kind == "access"
        && let Some(cubicle) = cubicle
        && let Some(against) = crate::windows::touch::against(cubicle, information.address)
    {
        record.text(
            "detail",
            match against {
                Against::ReadOnly => "the window onto it is for reading only",
                Against::Closed => "the window onto it is not open to this cubicle",
            },
        );
    }
    record.chain(cubicle);
    if let Some(cubicle) = cubicle
        && !in_gate
        && contain::is_possible(cubicle)
        && contain::is_within_limit(cubicle)
    {
        record.text("outcome", "restart");
        record.send();
        let accident = Accident {
            cubicle,
            is_first: true,
            returned: false,
        };
        return restart::fault::go_on_without(accident, context);
    }
    record.end();
    if own && cubicle.is_some() {
        end_by(signal);
    }
    kernel::exit(STATUS_VIOLATION)
}

/// Is it a fault of a cubicle's own making: its own code, and not at a border? Then
/// the code that the kernel gives it in a plain program, where nothing else closes
/// memory than its protection.
pub fn own_fault(context: &SignalContext, information: &SignalInformation) -> Option<i32> {
    const SEGV_MAPERR: i32 = 1;
    const SEGV_ACCERR: i32 = 2;
    let cubicle = process::cubicle_with(rights_of(context))?;
    let signal = information.signal as u64;
    if context.selectors & 0xffff != 0x33 || is_runtime_text(context.rip) {
        return None;
    }
    if signal != SIGSEGV && signal != SIGBUS {
        return Some(information.code);
    }
    let (owner, _, exists) = place_of(information.address);
    let closed = information.code == SEGV_PKUERR && information.key == KEY_MONITOR;
    let own = match owner {
        Some(owner) => owner == cubicle || !exists,
        None => !(exists || signal == SIGSEGV && closed),
    };
    match (own, signal, information.code) {
        (false, ..) => None,
        (_, SIGSEGV, SEGV_MAPERR | SEGV_ACCERR | SEGV_PKUERR) => Some(match exists {
            true => SEGV_ACCERR,
            false => SEGV_MAPERR,
        }),
        (_, _, code) => Some(code),
    }
}

/// A cubicle ends the process by `signal`, because of what it did about signals.
pub fn crashed(cubicle: usize, instruction: u64, signal: u64, why: &str) -> ! {
    crate::machine::rights::open_for_report();
    let mut record = Record::new("crash");
    record.name("cubicle", Some(cubicle));
    record.address("instruction", instruction);
    record.number("signal", signal as i64);
    record.text("detail", why);
    record.chain(Some(cubicle));
    record.end();
    end_by(signal)
}

/// Ends the process by `signal`, as if nobody had handled it.
pub fn end_by(signal: u64) -> ! {
    use crate::machine::kernel::{call, number};
    let default = [0u64; 4];
    let everything = 0u64;
    const SIG_SETMASK: u64 = 2;
    // SAFETY: the disposition is the default, the mask empty, and the
    // signal goes to this very thread.
    unsafe {
        call(
            number::RT_SIGACTION,
            [signal, default.as_ptr() as u64, 0, 8, 0, 0],
        );
        let process = call(number::GETPID, [0; 6]) as u64;
        call(
            number::TGKILL,
            [process, (*thread::state()).id, signal, 0, 0, 0],
        );
        call(
            number::RT_SIGPROCMASK,
            [SIG_SETMASK, &raw const everything as u64, 0, 8, 0, 0],
        );
    }
    kernel::exit(STATUS_VIOLATION)
}

/// A signal or call in a way that only an attack makes one.
pub fn refuse(context: &SignalContext, information: &SignalInformation, why: &str) -> ! {
    crate::machine::rights::open_for_report();
    let cubicle = process::cubicle_with(rights_of(context));
    let mut record = Record::new("system-call");
    record.name("cubicle", cubicle);
    record.address("instruction", context.rip);
    record.number("signal", i64::from(information.signal));
    record.number("code", i64::from(information.code));
    record.text("detail", why);
    record.chain(cubicle);
    record.end();
    kernel::exit(STATUS_VIOLATION)
}

fn denied_record(denied: &Denied) -> Record {
    crate::machine::rights::open_for_report();
    let mut record = Record::new("system-call");
    record.name("cubicle", Some(denied.cubicle));
    record.number("call", denied.number as i64);
    let _ = record.line.write_str(",\"detail\":\"");
    record.line.json(denied.detail);
    let _ = record.line.write_str("\"");
    record.chain(Some(denied.cubicle));
    record
}

/// A call that a cubicle was denied; it goes on.
pub fn denied(denied: &Denied) {
    let mut record = denied_record(denied);
    record.text("outcome", "error");
    record.send();
    // What was opened for the report is closed again.
    let own = process::rights(denied.cubicle);
    crate::machine::rights::open(own, own);
}

/// A call that a cubicle was denied, which is the end.
pub fn denied_and_ended(denied: &Denied) -> ! {
    denied_record(denied).end();
    kernel::exit(STATUS_VIOLATION)
}

/// `abort` of a cubicle: the record says whose, then the process ends as
/// it would have ended plainly.
pub fn aborted(cubicle: usize) -> ! {
    const SIGABRT: u64 = 6;
    let main = process::plan().is_some_and(|plan| plan.header().main as usize == cubicle);
    if !main {
        crate::machine::rights::open_for_report();
        let mut record = Record::new("abort");
        record.name("cubicle", Some(cubicle));
        record.number("signal", SIGABRT as i64);
        record.chain(Some(cubicle));
        if contain::is_possible(cubicle) && contain::is_within_limit(cubicle) {
            record.text("outcome", "restart");
            record.send();
            contain::contain(Accident {
                cubicle,
                is_first: !restart::is_dying(cubicle),
                returned: false,
            })
        }
        record.end();
    }
    crate::audit::dump::write();
    end_by(SIGABRT)
}

/// A cubicle ended a thread that is another's, while a call into it is pending,
/// or from code that runs for the monitor: nobody could return.
pub fn thread_ended(cubicle: usize) -> ! {
    crate::machine::rights::open_for_report();
    let mut record = Record::new("system-call");
    record.name("cubicle", Some(cubicle));
    record.text("detail", "it ended a thread that is not its own");
    record.chain(Some(cubicle));
    record.end();
    kernel::exit(STATUS_VIOLATION)
}

/// A gate that could not lend what the manifest says.
pub fn lend_refused(gate: &Gate, number: u32, at: u64, bytes: u64, what: &str) -> ! {
    crate::machine::rights::open_for_report();
    let _ = number;
    let mut record = Record::new("lend");
    record.name("cubicle", Some(gate.from as usize));
    record.address("address", at);
    let (owner, place, _) = place_of(at);
    record.name("owner", owner);
    record.text("place", place);
    let mut detail = Text::<256>::new();
    let _ = match what {
        "read" | "write" => write!(
            detail,
            "the caller lends {bytes} bytes that it may not {what} itself"
        ),
        "stack" => write!(detail, "the callee's stack has no room for the arguments"),
        "hold" => write!(detail, "{bytes} bytes do not fit the callee's memory limit"),
        "nest further" => write!(detail, "too many pending calls lend"),
        "stage" => write!(
            detail,
            "{bytes} bytes with pointers and lengths in them are too many for one call"
        ),
        "reach" => write!(
            detail,
            "the caller lends less than the {bytes} bytes in which a described field lies"
        ),
        "return" => write!(detail, "the callee returned a pointer that leads elsewhere"),
        _ => write!(detail, "a call returned that is not pending"),
    };
    record.text(
        "detail",
        core::str::from_utf8(detail.bytes()).unwrap_or_default(),
    );
    record.chain(Some(gate.to as usize));
    record.end();
    kernel::exit(STATUS_VIOLATION)
}

/// A pointer that passes as a function in `call` and is none that its sender
/// may pass. Gate `callback` would have called it.
pub fn callback_refused(call: &Gate, callback: usize, pointer: u64, why: Refused) -> ! {
    crate::machine::rights::open_for_report();
    let Some(plan) = process::plan() else {
        fatal("a gate without a plan");
    };
    let callback = &plan.gates()[callback];
    let mut record = Record::new("callback");
    record.name("cubicle", Some(callback.to as usize));
    record.address("address", pointer);
    let (owner, place, _) = place_of(pointer);
    match owner {
        None if place == "monitor" => record.text("owner", "monitor"),
        _ => record.name("owner", owner),
    }
    record.text("place", place);
    let _ = record.line.write_str(",\"callback\":\"");
    record.line.json(plan.bytes(callback.name));
    let _ = record.line.write_str("\"");
    record.text("detail", why.reason());
    record.chain(Some(call.to as usize));
    record.end();
    kernel::exit(STATUS_VIOLATION)
}
