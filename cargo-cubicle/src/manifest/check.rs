//! What can be judged from the manifest alone, across its tables.

use std::collections::{BTreeMap, BTreeSet};

use super::located::Located;
use super::policy::{Cubicle, MAX_KEYED, Policy, Sight};
use super::read::{Doubts, quoted};
use super::words::{Access, OnFault};
use crate::diagnostics::{Code, Finding, Findings};
use crate::similar::similar;

/// Judges a policy that was read without regard to how its parts fit together.
pub(super) fn check(policy: &Policy, doubts: &Doubts) -> Findings {
    let mut findings = Findings::new();
    one_main(policy, doubts, &mut findings);
    for cubicle in policy.cubicles.values() {
        if !doubts.cubicles.contains(&cubicle.name.value) {
            something_in_it(policy, cubicle, &mut findings);
        }
        shared_is_only_code(policy, cubicle, &mut findings);
        names(policy, cubicle, &mut findings);
        restartable(policy, cubicle, &mut findings);
    }
    mutual_sight(policy, &mut findings);
    windows(policy, &mut findings);
    merges(policy, &mut findings);
    claims(policy, &mut findings);
    keys(policy, &mut findings);
    findings
}

/// Cubicles in the order of the manifest.
fn in_text_order(policy: &Policy) -> Vec<&Cubicle> {
    let mut cubicles: Vec<_> = policy.cubicles.values().collect();
    cubicles.sort_by_key(|cubicle| cubicle.name.span.start);
    cubicles
}

fn one_main(policy: &Policy, doubts: &Doubts, findings: &mut Findings) {
    let cubicles = in_text_order(policy);
    let mains: Vec<_> = cubicles
        .iter()
        .filter(|cubicle| cubicle.is_main())
        .filter_map(|cubicle| Some((cubicle, cubicle.main.as_ref()?)))
        .collect();
    match mains.as_slice() {
        [_] => {}
        [] if doubts.cubicle_tables || !doubts.cubicles.is_empty() => {}
        [] => {
            let finding = Finding::error("no cubicle is the main one");
            let finding = match cubicles.first() {
                Some(first) => finding.at(policy.place(&first.name.span, "")),
                None => finding.at(policy.place(&(0..0), "")),
            };
            findings.push(finding.help(
                "exactly one cubicle has `main = true`: it gets the binary's `main` and everything \
                 nobody claims",
            ));
        }
        [(first, first_main), others @ ..] => {
            for (other, main) in others {
                findings.push(
                    Finding::error(format!(
                        "both {} and {} are the main cubicle",
                        quoted(&first.name),
                        quoted(&other.name)
                    ))
                    .at(policy.place(&main.span, "again here"))
                    .at(policy.place(&first_main.span, "first here")),
                );
            }
        }
    }
}

fn something_in_it(policy: &Policy, cubicle: &Cubicle, findings: &mut Findings) {
    let empty = !cubicle.is_main()
        && cubicle.crates.is_empty()
        && cubicle.c.is_empty()
        && cubicle.objects.is_empty()
        && cubicle.libs.is_empty();
    if empty {
        findings.push(
            Finding::error(format!("nothing is in cubicle {}", quoted(&cubicle.name)))
                .at(policy.place(&cubicle.name.span, ""))
                .help("say what belongs to it with `crates`, `c`, `objects` or `libs`"),
        );
    }
}

/// A shared cubicle has no border, so nothing can be said about one.
fn shared_is_only_code(policy: &Policy, cubicle: &Cubicle, findings: &mut Findings) {
    let Some(kind) = cubicle.kind.as_ref() else {
        return;
    };
    // A value that was left out has the span of the cubicle's name.
    let name = &cubicle.name.span;
    let first = |list: &[Located<String>]| list.first().map(|item| item.span.clone());
    let written = |span: &std::ops::Range<usize>| (span != name).then(|| span.clone());
    let exported = cubicle.exports.as_ref().and_then(|list| list.first());
    let senseless = [
        ("main", cubicle.main.as_ref().map(|main| main.span.clone())),
        ("interfaces", first(&cubicle.interfaces)),
        ("callers", first(&cubicle.callers)),
        ("exports", exported.map(|pattern| pattern.span.clone())),
        (
            "sees",
            cubicle
                .sees
                .values()
                .next()
                .map(|sight| sight.cubicle.span.clone()),
        ),
        ("memory", written(&cubicle.memory.span)),
        ("stack", written(&cubicle.stack.span)),
        ("gate", written(&cubicle.gate.span)),
        ("scrub-vectors", written(&cubicle.scrub_vectors.span)),
        ("syscalls", first(&cubicle.syscalls)),
        ("denied", written(&cubicle.denied.span)),
        (
            "files",
            cubicle.files.as_ref().map(|files| files.span.clone()),
        ),
        ("rodata", written(&cubicle.rodata.span)),
        ("on-fault", written(&cubicle.on_fault.span)),
        ("restarts", written(&cubicle.restarts.span)),
        (
            "function",
            cubicle
                .functions
                .values()
                .next()
                .map(|function| function.name.span.clone()),
        ),
    ];
    for (key, span) in senseless {
        if let Some(span) = span {
            findings.push(
                Finding::error(format!("a shared cubicle has no `{key}`"))
                    .at(policy.place(&span, ""))
                    .at(policy.place(&kind.span, "it is shared"))
                    .help("its code runs with the rights of each image that refers to it"),
            );
        }
    }
}

/// What starts anew must be called by somebody who goes on, and may not have what
/// others use without calling it.
fn restartable(policy: &Policy, cubicle: &Cubicle, findings: &mut Findings) {
    let on_fault = &cubicle.on_fault;
    if on_fault.value != OnFault::Restart {
        if cubicle.restarts.span != cubicle.name.span {
            findings.push(
                Finding::error(format!("{} is never restarted", quoted(&cubicle.name)))
                    .at(policy.place(&cubicle.restarts.span, ""))
                    .help("`restarts` goes together with `on-fault = \"restart\"`"),
            );
        }
        return;
    }
    let refuse = |message: String, help: &str| {
        Finding::error(message)
            .at(policy.place(&on_fault.span, ""))
            .help(help)
    };
    if cubicle.is_main() {
        findings.push(refuse(
            format!(
                "{} is the main cubicle, which nobody can restart",
                quoted(&cubicle.name)
            ),
            "a fault of the main cubicle ends the program, as it would plainly",
        ));
    }
    let mut windows = policy.windows.values();
    if let Some(window) = windows.find(|window| window.owner.value == *cubicle.name) {
        let message = format!(
            "{} cannot be restarted: it owns the keyed window {}",
            quoted(&cubicle.name),
            quoted(&window.name)
        );
        findings.push(
            refuse(
                message,
                "let one of the guests own it, whose memory stays when this one starts anew",
            )
            .at(policy.place(&window.owner.span, "its owner")),
        );
    }
}

/// Reports a name that is no cubicle, or is one without borders.
fn known(policy: &Policy, name: &Located<String>, findings: &mut Findings) -> bool {
    match policy.cubicles.get(&name.value) {
        Some(cubicle) => {
            if let Some(kind) = &cubicle.kind {
                findings.push(
                    Finding::error(format!("{} is shared: it is no cubicle", quoted(name)))
                        .at(policy.place(&name.span, ""))
                        .at(policy.place(&kind.span, "it is shared")),
                );
            }
            cubicle.kind.is_none()
        }
        None => {
            let finding = Finding::error(format!("no cubicle is called {}", quoted(name)))
                .at(policy.place(&name.span, ""));
            let near = similar(name, policy.cubicles.keys().map(String::as_str));
            findings.push(match near {
                Some(near) => finding.help(format!("there is one called {}", quoted(near))),
                None => finding,
            });
            false
        }
    }
}

fn names(policy: &Policy, cubicle: &Cubicle, findings: &mut Findings) {
    let own = &cubicle.name.value;
    for caller in &cubicle.callers {
        if caller.value == *own {
            findings.push(
                Finding::error(format!("{} is among its own callers", quoted(own)))
                    .at(policy.place(&caller.span, ""))
                    .help("calls inside a cubicle need no permission"),
            );
        } else {
            known(policy, caller, findings);
        }
    }
    for Sight { cubicle: seen, .. } in cubicle.sees.values() {
        if seen.value == *own {
            findings.push(
                Finding::error(format!("{} sees itself", quoted(own)))
                    .at(policy.place(&seen.span, ""))
                    .help("a cubicle may always touch its own memory"),
            );
        } else {
            known(policy, seen, findings);
        }
    }
}

/// Two cubicles that may write each other's memory have the same rights, and no
/// gate could tell one from the other.
fn mutual_sight(policy: &Policy, findings: &mut Findings) {
    let writes = |seer: &Cubicle, seen: &Cubicle| {
        seer.sees
            .get(&seen.name.value)
            .filter(|sight| sight.access.value == Access::ReadWrite)
            .map(|sight| sight.cubicle.span.clone())
    };
    let cubicles = in_text_order(policy);
    for (index, left) in cubicles.iter().enumerate() {
        for right in &cubicles[index + 1..] {
            if let (Some(there), Some(back)) = (writes(left, right), writes(right, left)) {
                findings.push(
                    Finding::error(format!(
                        "{} and {} see each other: nothing would keep them apart",
                        quoted(&left.name),
                        quoted(&right.name)
                    ))
                    .at(policy.place(&back, "and back here"))
                    .at(policy.place(&there, "one sees the other here"))
                    .help("make them one cubicle, or take one of the two away"),
                );
            }
        }
    }
}

fn windows(policy: &Policy, findings: &mut Findings) {
    let mut placed: BTreeMap<&str, &Located<String>> = BTreeMap::new();
    let mut windows: Vec<_> = policy.windows.values().collect();
    windows.sort_by_key(|window| window.name.span.start);
    for window in windows {
        known(policy, &window.owner, findings);
        if let Some(cubicle) = policy.cubicles.get(&window.name.value) {
            findings.push(
                Finding::error(format!(
                    "{} is the name of a cubicle and of a window",
                    quoted(&window.name)
                ))
                .at(policy.place(&window.name.span, "the window"))
                .at(policy.place(&cubicle.name.span, "the cubicle"))
                .help("programs find both by their names: give one of them another"),
            );
        }
        for Sight { cubicle: guest, .. } in window.guests.values() {
            known(policy, guest, findings);
            if guest.value == window.owner.value {
                let what = format!("window {}", quoted(&window.name));
                findings.push(
                    Finding::error(format!("the owner of {what} is also a guest"))
                        .at(policy.place(&guest.span, ""))
                        .at(policy.place(&window.owner.span, "the owner"))
                        .help("the owner of a window may always touch it"),
                );
            }
        }
        for symbol in &window.symbols {
            if let Some(first) = placed.insert(&symbol.value, symbol) {
                findings.push(
                    Finding::error(format!("{} is placed in two windows", quoted(symbol)))
                        .at(policy.place(&symbol.span, "again here"))
                        .at(policy.place(&first.span, "first here")),
                );
            }
        }
    }
}

fn merges(policy: &Policy, findings: &mut Findings) {
    for variant in policy.variants.values() {
        let mut seen: BTreeMap<&str, &Located<String>> = BTreeMap::new();
        for name in variant.merge.iter().flatten() {
            if !known(policy, name, findings) {
                continue;
            }
            if let Some(first) = seen.insert(&name.value, name) {
                findings.push(
                    Finding::error(format!("{} is merged twice", quoted(name)))
                        .at(policy.place(&name.span, "again here"))
                        .at(policy.place(&first.span, "first here"))
                        .help("write the two groups as one"),
                );
            }
        }
    }
}

/// Two cubicles that claim the same thing by the same words. Patterns that reach
/// the same object by different words are found when they are resolved.
fn claims(policy: &Policy, findings: &mut Findings) {
    let mut first: BTreeMap<(&str, &str), (&Cubicle, &Located<String>)> = BTreeMap::new();
    for cubicle in in_text_order(policy) {
        let sources = cubicle.c.iter().flat_map(|c| &c.files);
        let lists: [(_, Vec<&Located<String>>); 4] = [
            ("crate", cubicle.crates.iter().collect()),
            ("objects", cubicle.objects.iter().collect()),
            ("library", cubicle.libs.iter().collect()),
            ("sources", sources.collect()),
        ];
        for (what, list) in lists {
            // Inside one list a repetition has been reported already.
            let once: BTreeSet<_> = list.iter().map(|item| &item.value).collect();
            debug_assert_eq!(once.len(), list.len());
            for item in list {
                let Some((owner, before)) = first.get(&(what, item.as_str())) else {
                    first.insert((what, &item.value), (cubicle, item));
                    continue;
                };
                findings.push(
                    Finding::of_rule(
                        Code::CUB012,
                        format!(
                            "both {} and {} claim the {what} {}",
                            quoted(&owner.name),
                            quoted(&cubicle.name),
                            quoted(item)
                        ),
                    )
                    .at(policy.place(&item.span, "again here"))
                    .at(policy.place(&before.span, "first here"))
                    .help("an object belongs to one cubicle"),
                );
            }
        }
    }
}

/// Every cubicle and every keyed window takes a protection key.
fn keys(policy: &Policy, findings: &mut Findings) {
    let mut keyed: Vec<_> = policy
        .cubicles
        .values()
        .filter(|cubicle| !cubicle.is_shared())
        .map(|cubicle| &cubicle.name.span)
        .collect();
    let cubicles = keyed.len();
    keyed.extend(policy.windows.values().map(|window| &window.name.span));
    keyed.sort_by_key(|span| span.start);
    if let Some(one_too_many) = keyed.get(MAX_KEYED) {
        findings.push(
            Finding::of_rule(
                Code::CUB015,
                format!(
                    "{cubicles} cubicles and {} keyed windows are more than the {MAX_KEYED} \
                     protection keys there are for them",
                    keyed.len() - cubicles
                ),
            )
            .at(policy.place(one_too_many, "the first one without a key"))
            .help("put components that trust each other into one cubicle"),
        );
    }
}
