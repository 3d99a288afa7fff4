//! What a call returns whose callee is restarted meanwhile.

use std::ops::Range;

use super::gates::{Call, CallSites};
use crate::diagnostics::{Finding, Findings};
use crate::gates::Fault;
use crate::graph::signature::{Type, TypeKind};
use crate::manifest;
use syscalls::Errno;

/// Decides it for one gate. A function of a restartable cubicle whose callers would
/// not know what they get is a finding. Callbacks return zero, because nobody says
/// what one that is gone would have meant.
pub fn resolve(call: &Call<'_>, references: CallSites<'_>, findings: &mut Findings) -> Fault {
    let callee = &call.cubicles[call.to];
    if callee.restarts == 0 || call.is_callback || call.audit {
        return Fault::default();
    }
    let Some(declared) = call.fault else {
        if call.signature.result.is_some() {
            findings.push(undeclared(call, references));
        }
        return Fault::default();
    };
    if let Some(problem) = unfit(call.signature.result.as_ref(), declared) {
        let at = &declared.returns.span;
        findings.push(
            Finding::error(format!("`{}` cannot return this", call.name))
                .at(call.policy.place(at, problem)),
        );
    }
    Fault {
        value: declared.returns.value as u64,
        errno: errno(call, declared, findings),
    }
}

/// Why a function does not return such a value.
fn unfit(result: Option<&Type>, declared: &manifest::Fault) -> Option<&'static str> {
    let value = declared.returns.value;
    match result.map(|result| &result.kind) {
        None => Some("it returns nothing; without `fault` its callers simply go on"),
        Some(TypeKind::Integer { bytes, signed, .. }) => {
            fits(value, *bytes, *signed).then_some(()).map_or_else(
                || Some("it does not fit in the integer that the function returns"),
                |()| None,
            )
        }
        Some(TypeKind::Pointer(_)) if !(0..1 << 16).contains(&value) && value != -1 => {
            Some("a pointer would lead somewhere: say \"null\"")
        }
        Some(TypeKind::Pointer(_)) => None,
        Some(_) if value != 0 => Some("what is neither number nor pointer is all zeroes: say 0"),
        Some(_) => None,
    }
}

fn fits(value: i64, bytes: u8, signed: bool) -> bool {
    let bits = u32::from(bytes) * 8;
    if bits >= 64 {
        return true;
    }
    let range: Range<i64> = match signed {
        true => -(1 << (bits - 1))..1 << (bits - 1),
        false => 0..1 << bits,
    };
    range.contains(&value)
}

fn undeclared(call: &Call<'_>, references: CallSites<'_>) -> Finding {
    let callee = &call.cubicles[call.to].name;
    let mut finding = Finding::error(format!(
        "nothing says what `{}` returns if cubicle `{callee}` is restarted",
        call.name
    ));
    finding.places.extend(references());
    let on_fault = &call.policy.cubicles[callee].on_fault.span;
    finding
        .at(call.policy.place(on_fault, "it is restarted on a fault"))
        .help(format!(
            "add to `[cubicle.{callee}.function.{}]`: fault = {{ returns = … }}, with a value that its callers take for an error",
            call.name
        ))
}

/// The number behind a name of errno.h.
fn errno(call: &Call<'_>, declared: &manifest::Fault, findings: &mut Findings) -> u32 {
    /// The largest errno there can be (Linux, include/linux/err.h).
    const MAXIMUM: i32 = 4095;
    let Some(name) = &declared.errno else {
        return 0;
    };
    let known = |number: &i32| Errno::new(*number).name() == Some(name.value.as_str());
    match (1..=MAXIMUM).find(known) {
        Some(number) => number as u32,
        None => {
            findings.push(
                Finding::error(format!("there is no errno value `{}`", name.value))
                    .at(call.policy.place(&name.span, "")),
            );
            0
        }
    }
}
