//! CUB010: a cubicle's own code refers to a function of its libc whose system call it is not granted.
//!
//! Which call that is says the function's own code in the finished image, not a table. What a function of libc asks
//! for in others that it calls is not followed.

use std::collections::BTreeMap;

use object::{Object, ObjectSymbol};
use syscalls::x86_64::Sysno;

use super::Subject;
use super::calls_of_kernel::Function;
use super::own::own;
use crate::diagnostics::{Code, Finding, Findings};
use crate::images::{Reference, Symbol, each_relocation};
use crate::plan::call_sites::CallSites;
use crate::plan::system_calls::{GROUPS, VIRTUAL};

/// Reports each such function once.
///
/// # Errors
/// If an object or the image cannot be read.
pub fn check(
    subject: &Subject<'_>,
    sites: &mut CallSites<'_>,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let refused: BTreeMap<u64, Vec<Sysno>> = subject
        .calls
        .0
        .iter()
        .map(|function| (function.address, refused(function, subject)))
        .filter(|(_, refused)| !refused.is_empty())
        .collect();
    let references = references(subject, &refused)?;
    for ((address, name), places) in references {
        let calls = &refused[&address];
        let names: Vec<&str> = calls.iter().map(|call| call.name()).collect();
        let cubicle = subject.cubicle();
        let policy = subject.inputs.policy;
        let declared = &policy.cubicles[&cubicle.name];
        let mut finding = Finding::of_rule(
            Code::CUB010,
            format!(
                "`{}` uses `{name}`, but is not granted `{}`",
                cubicle.name,
                names.join("`, `")
            ),
        );
        for line in sites.of(subject.number, &places) {
            finding = finding.at(line);
        }
        let group = GROUPS.iter().find(|group| {
            let holds = |call: &Sysno| group.all_calls().any(|other| other == *call);
            calls.iter().all(holds)
        });
        let group = group.map_or(String::new(), |group| {
            format!(", or the group `{}`", group.name)
        });
        findings.push(
            finding
                .at(policy.place(&declared.name.span, "what it is granted"))
                .help(format!(
                    "the call will be refused; if it is meant, add `{}` to `syscalls`{group}",
                    names.join("`, `")
                )),
        );
    }
    Ok(())
}

/// What the function asks the kernel for, if none of it will be answered.
fn refused(function: &Function, subject: &Subject<'_>) -> Vec<Sysno> {
    let mut all = Vec::new();
    for call in &function.calls {
        let number = call.number.and_then(|number| Sysno::new(number as usize));
        let Some(number) = number else {
            return Vec::new();
        };
        let granted = &subject.cubicle().grants.numbers;
        if VIRTUAL.contains(&number) || granted.contains(&(number.id() as u32)) {
            return Vec::new();
        }
        if !all.contains(&number) {
            all.push(number);
        }
    }
    all
}

/// Where the cubicle's own code and tables refer to these functions, by address and name.
fn references(
    subject: &Subject<'_>,
    functions: &BTreeMap<u64, Vec<Sysno>>,
) -> anyhow::Result<BTreeMap<(u64, String), Vec<Reference>>> {
    let mut found: BTreeMap<(u64, String), Vec<Reference>> = BTreeMap::new();
    if functions.is_empty() {
        return Ok(found);
    }
    let image = subject.image();
    let mut symbols: Vec<&Symbol> = image
        .symbols
        .iter()
        .filter(|symbol| symbol.size > 0 && !symbol.thread_local)
        .collect();
    symbols.sort_by_key(|symbol| symbol.address);
    let mut all = Vec::new();
    let file = object::File::parse(&*image.bytes)?;
    each_relocation(&file, |reference, symbol| {
        let Ok(symbol) = file.symbol_by_index(symbol) else {
            return;
        };
        let Some(name) = symbol
            .name()
            .ok()
            .filter(|_| functions.contains_key(&symbol.address()))
        else {
            return;
        };
        let place = reference.place;
        let before = symbols.partition_point(|symbol| symbol.address <= place);
        let holder = symbols[..before].last();
        if let Some(holder) = holder.filter(|holder| place - holder.address < holder.size) {
            let key = (symbol.address(), name.to_owned());
            all.push((holder.name.as_str(), key, reference));
        }
    });
    let own = own(
        subject.objects,
        &all.iter().map(|(holder, ..)| *holder).collect(),
    )?;
    for (_, key, reference) in all.into_iter().filter(|(holder, ..)| own.contains(holder)) {
        found.entry(key).or_default().push(reference);
    }
    Ok(found)
}
