//! CUB009: a `syscall` instruction in a cubicle's own code.

use cubicle_abi::calls;

use super::Subject;
use super::own::own;
use crate::assign::ArchiveError;
use crate::diagnostics::{Code, Finding, Findings};
use crate::images::Reference;
use crate::plan::call_sites::CallSites;
use crate::plan::system_calls;

/// Reports each function that has one.
///
/// # Errors
/// If an object cannot be read.
pub fn check(
    subject: &Subject<'_>,
    sites: &mut CallSites<'_>,
    findings: &mut Findings,
) -> Result<(), ArchiveError> {
    let names = subject
        .calls
        .0
        .iter()
        .filter_map(|function| function.names.first());
    let own = own(subject.objects, &names.map(String::as_str).collect())?;
    for function in &subject.calls.0 {
        // `cubicle.h` asks the monitor in the same way.
        let asks_monitor = |number: u32| u64::from(number) >= calls::FIRST;
        let mut numbers = function.calls.iter().filter_map(|call| call.number);
        if numbers.any(asks_monitor) {
            continue;
        }
        let Some(name) = function.names.first() else {
            continue;
        };
        if !own.contains(name.as_str()) {
            continue;
        }
        let places: Vec<Reference> = function
            .calls
            .iter()
            .map(|call| Reference {
                place: call.place,
                text: true,
            })
            .collect();
        let asked = function.calls.iter().filter_map(|call| call.number);
        let mut asked: Vec<&str> = asked.filter_map(system_calls::name).collect();
        asked.dedup();
        let for_what = match asked.is_empty() {
            true => String::new(),
            false => format!(" for `{}`", asked.join("`, `")),
        };
        let cubicle = &subject.cubicle().name;
        let mut finding = Finding::of_rule(
            Code::CUB009,
            format!(
                "`{name}` of `{cubicle}` asks the kernel by itself{for_what}, not through its libc"
            ),
        );
        let lines = sites.of(subject.number, &places);
        if lines.is_empty() {
            let policy = subject.inputs.policy;
            let declared = &policy.cubicles[cubicle].name;
            finding = finding.at(policy.place(&declared.span, "this cubicle"));
        }
        for line in lines {
            finding = finding.at(line);
        }
        findings.push(finding.help(
            "the call is decided on like every other, but takes a signal each time, and reviewers do not find it: use libc's function, or `syscall(2)`",
        ));
    }
    Ok(())
}
