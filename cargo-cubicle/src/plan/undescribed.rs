//! Addresses that cross and of which nobody says what becomes of them.

use super::gates::{Call, CallSites};
use super::lends::{self, ResolvedLends, UnlentKind};
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
    let (mut data, mut code, mut inside) = (Vec::new(), Vec::new(), Vec::new());
    let handles = &call.policy.cubicles[call.interface].handles;
    for unlent in lends::unlent_pointers(call.signature, call.rules) {
        if lends::is_handle(call.signature, &unlent, handles) {
            continue;
        }
        match unlent.kind {
            UnlentKind::Function => code.push(unlent.label),
            UnlentKind::FunctionInside => inside.push(unlent.label),
            _ => data.push(unlent.label),
        }
    }
    // What lies in lent memory, and what is returned.
    code.extend(resolved.functions.iter().cloned());
    if !data.is_empty() && !callee_sees {
        let (noun, verb) = match data.len() {
            1 => ("argument", "points"),
            _ => ("arguments", "point"),
        };
        let message = format!(
            "{noun} {} of {} {verb} into the caller's memory without being lent",
            list(&data),
            title(call),
        );
        let help = "describe it, or say `lend = \"handle\"` if the callee only keeps and returns it, or reaches it through a window";
        report(
            Code::CUB004,
            call,
            message,
            &[help.to_owned()],
            references,
            findings,
        );
    }
    if !code.is_empty() {
        let verb = match code.len() {
            1 => "is the address of a function",
            _ => "are addresses of functions",
        };
        let message = format!(
            "{} of {} {verb}, and nothing says what the other side gets for it",
            list(&code),
            title(call),
        );
        let mut helps: Vec<String> = code.iter().take(SHOWN_LINES).map(|one| line(one)).collect();
        helps.push(
            "inside it, `arg` describes the pointers that the function is called with; instead of it, \
             `value = 0` passes NULL, and `lend = \"handle\"` promises that the other side never calls it"
                .to_owned(),
        );
        report(Code::CUB005, call, message, &helps, references, findings);
    }
    by_value(call, &inside, references, findings);
}

/// CUB005 for functions in structs that are passed or returned by value, into
/// which no path leads.
fn by_value(
    call: &Call<'_>,
    labels: &[String],
    references: CallSites<'_>,
    findings: &mut Findings,
) {
    for label in labels {
        let message = format!(
            "`{label}` of {} is a struct with addresses of functions, passed by value",
            title(call)
        );
        let helps = [
            "such a struct cannot be described: pass a pointer to it instead".to_owned(),
            format!(
                "if they never matter on the other side, `{} = {{ lend = \"handle\" }}` says so",
                key(label)
            ),
        ];
        report(Code::CUB005, call, message, &helps, references, findings);
    }
    let result = call.signature.result.as_ref();
    let holds = result.is_some_and(|type_| match &type_.kind {
        TypeKind::Aggregate(aggregate) => lends::holds_function(aggregate),
        _ => false,
    });
    if holds {
        let message = format!(
            "{} returns a struct with addresses of functions by value",
            title(call)
        );
        let help = "such a struct cannot be described: let it be filled through a pointer instead";
        let helps = [help.to_owned()];
        report(Code::CUB005, call, message, &helps, references, findings);
    }
}

/// As many lines to write as a finding shows.
const SHOWN_LINES: usize = 4;

/// The line to write.
fn line(label: &str) -> String {
    format!("`{} = {{ callback = true }}`", key(label))
}

/// Positions and paths are quoted as keys.
fn key(label: &str) -> String {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    match label {
        "result" => label.to_owned(),
        label if label.chars().all(is_word) => format!("arg.{label}"),
        label => format!("arg.\"{label}\""),
    }
}

fn title(call: &Call<'_>) -> String {
    format!("`{}` (cubicle `{}`)", call.name, call.interface)
}

fn list(labels: &[String]) -> String {
    let quoted: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
    quoted.join(", ")
}

fn report(
    code: Code,
    call: &Call<'_>,
    message: String,
    remedies: &[String],
    references: CallSites<'_>,
    findings: &mut Findings,
) {
    let callee = &call.policy.cubicles[call.interface];
    let place = match &call.described {
        Some(span) => call.policy.place(span, "described here"),
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
    let mut finding = Finding::of_rule(code, message).at(place);
    finding.places.extend(references());
    for (index, remedy) in remedies.iter().enumerate() {
        finding = finding.help(match index {
            0 => format!("{inside}: {remedy}"),
            _ => remedy.clone(),
        });
    }
    findings.push(finding);
}
