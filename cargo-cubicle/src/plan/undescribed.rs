//! Addresses that cross and of which nobody says what becomes of them.

use super::gates::{Call, CallSites};
use super::lends::{self, ResolvedLends, Rules, UnlentKind, key};
use crate::diagnostics::{Code, Finding, Findings};
use crate::graph::signature::TypeKind;

/// CUB004 for pointers that nothing describes: the callee will fault when it
/// follows them, unless it sees the caller. CUB005 for function pointers: whoever
/// gets one would run the other side's code with its own rights, which sight
/// does not change.
pub fn find(
    call: &Call<'_>,
    resolved: &ResolvedLends,
    callee_sees: bool,
    references: CallSites<'_>,
    findings: &mut Findings,
) {
    let (mut data, mut code) = (Vec::new(), Vec::new());
    for unlent in lends::unlent_pointers(call.signature, call.function.map(Rules::from)) {
        match unlent.kind {
            UnlentKind::Function => code.push(unlent.label),
            _ => data.push(unlent.label),
        }
    }
    if !data.is_empty() && !callee_sees {
        let (noun, verb) = number(&data, ["points", "point"]);
        let message = format!(
            "{noun} {} of {} {verb} into the caller's memory without being lent",
            list(&data),
            title(call),
        );
        report(
            Code::CUB004,
            call,
            message,
            "describe it, or say `lend = \"handle\"` if the callee only keeps and returns it"
                .to_owned(),
            references,
            findings,
        );
    }
    if let [first, ..] = code.as_slice() {
        let (noun, verb) = number(&code, ["refers", "refer"]);
        let message = format!(
            "{noun} {} of {} {verb} to a function of the caller, and nothing says that it is called",
            list(&code),
            title(call),
        );
        report(
            Code::CUB005,
            call,
            message,
            callback(&format!("arg.{}", key(first))),
            references,
            findings,
        );
    }
    if let [first, ..] = resolved.functions.as_slice() {
        let verb = match resolved.functions.len() {
            1 => "is a function",
            _ => "are functions",
        };
        let message = format!(
            "in what {} is lent, {} {verb}, and nothing says that they are called",
            title(call),
            list(&resolved.functions),
        );
        let remedy = format!(
            "{}; if the other side shall find NULL, `arg.{} = {{ value = 0 }}`",
            callback(&format!("arg.{}", key(first))),
            key(first),
        );
        report(Code::CUB005, call, message, remedy, references, findings);
    }
    let described = call
        .function
        .is_some_and(|function| function.result.is_some());
    if returns_function(call) && !described {
        let message = format!(
            "{} returns a function of its own, and nothing says that it is called",
            title(call)
        );
        report(
            Code::CUB005,
            call,
            message,
            callback("result"),
            references,
            findings,
        );
    }
}

/// The line to write.
fn callback(key: &str) -> String {
    format!(
        "`{key} = {{ callback = true }}`, with `arg` in it for the pointers that it is called with; \
         if only NULL ever crosses, `{key} = {{ lend = \"handle\" }}`"
    )
}

fn returns_function(call: &Call<'_>) -> bool {
    let Some(result) = &call.signature.result else {
        return false;
    };
    match &result.kind {
        TypeKind::Pointer(pointer) => pointer.to.as_ref().is_some_and(|to| to.is_function),
        _ => false,
    }
}

fn title(call: &Call<'_>) -> String {
    format!("`{}` (cubicle `{}`)", call.name, call.interface)
}

fn number(labels: &[String], verbs: [&'static str; 2]) -> (&'static str, &'static str) {
    match labels.len() {
        1 => ("argument", verbs[0]),
        _ => ("arguments", verbs[1]),
    }
}

fn list(labels: &[String]) -> String {
    let quoted: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
    quoted.join(", ")
}

fn report(
    code: Code,
    call: &Call<'_>,
    message: String,
    remedy: String,
    references: CallSites<'_>,
    findings: &mut Findings,
) {
    let callee = &call.policy.cubicles[call.interface];
    let place = match call.function {
        Some(function) => call.policy.place(&function.name.span, "described here"),
        None => call
            .policy
            .place(&callee.name.span, "the cubicle it belongs to"),
    };
    let inside = match (call.is_callback, call.name.split_once('.')) {
        (true, Some((function, path))) => format!(
            "in the table of `{path}`, which belongs to `[cubicle.{}.function.{function}]`",
            call.interface
        ),
        _ => format!("in `[cubicle.{}.function.{}]`", call.interface, call.name),
    };
    let mut finding = Finding::of_rule(code, message);
    finding.places.extend(references());
    findings.push(finding.at(place).help(format!("{inside}: {remedy}")));
}
