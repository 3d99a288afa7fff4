//! Variants: the same program, partitioned more coarsely. Cubicles of a group become
//! one, called as the first of them, with everything that they are and may do
//! together. What stood between them is gone, and nothing else changes.

use std::collections::BTreeMap;
use std::fmt::Debug;

use super::check;
use super::located::Located;
use super::policy::{Cubicle, Files, Policy, Sight, Variant};
use super::read::{Doubts, quoted};
use super::size::GIB;
use crate::diagnostics::{Finding, Findings, Level};
use crate::similar::similar;

/// The most that `memory` and `stack` can be: what the parts have together may be more.
const MOST_MEMORY: u64 = 48 * GIB;
const MOST_STACK: u64 = GIB;

/// Groups of system calls that open nothing by a path, so that `files` says nothing of them.
const WITHOUT_PATHS: [&str; 5] = ["@base", "@stdio", "@thread", "@time", "@signal"];

/// Judges every variant, whichever is built: a manifest is good as a whole or not at all.
pub(super) fn check(policy: &Policy, findings: &mut Findings) {
    for variant in policy.variants.values() {
        let before = findings.len();
        let merged = merged(policy, variant, findings);
        if findings.len() > before {
            continue;
        }
        // What is only doubtful has been said of the cubicles themselves.
        let rules = check::check(&merged, &Doubts::default());
        for finding in rules
            .into_iter()
            .filter(|finding| finding.level == Level::Deny)
        {
            let note = format!("in variant {}", quoted(&variant.name));
            findings.push(finding.at(policy.place(&variant.name.span, note)));
        }
    }
}

/// The policy of the variant with this name.
pub(super) fn choose(policy: &Policy, name: &str) -> Result<Policy, Finding> {
    if let Some(variant) = policy.variants.get(name) {
        // It has been judged.
        return Ok(merged(policy, variant, &mut Findings::new()));
    }
    let finding = Finding::error(format!(
        "`{}` has no variant called {}",
        policy.file,
        quoted(name)
    ));
    let names = || policy.variants.keys().map(String::as_str);
    Err(match similar(name, names()) {
        Some(near) => finding.help(format!("there is one called {}", quoted(near))),
        None if policy.variants.is_empty() => {
            finding.help("a table `[variant.NAME]` with `merge` makes one")
        }
        None => {
            let names: Vec<_> = names().map(quoted).collect();
            finding.help(format!("the variants are {}", names.join(", ")))
        }
    })
}

/// The policy with the variant's groups as one cubicle each. Findings say which of them
/// cannot be one.
fn merged(policy: &Policy, variant: &Variant, findings: &mut Findings) -> Policy {
    let mut merged = policy.clone();
    merged.variants.clear();
    let mut heirs = BTreeMap::new();
    for group in &variant.merge {
        let Some((first, others)) = group.split_first() else {
            continue;
        };
        let Some(mut whole) = merged.cubicles.remove(&first.value) else {
            continue;
        };
        for other in others {
            heirs.insert(other.value.clone(), first.value.clone());
            if let Some(part) = merged.cubicles.remove(&other.value) {
                let contradictions = Contradictions {
                    policy,
                    variant,
                    whole: whole.name.clone(),
                    part: part.name.clone(),
                    findings,
                };
                absorb(&mut whole, part, contradictions);
            }
        }
        merged.cubicles.insert(first.value.clone(), whole);
    }
    rename(&mut merged, &heirs);
    merged
}

/// What two cubicles say that cannot both hold of one.
struct Contradictions<'a> {
    policy: &'a Policy,
    variant: &'a Variant,
    whole: Located<String>,
    part: Located<String>,
    findings: &'a mut Findings,
}

impl Contradictions<'_> {
    /// Reports a setting that differs. A default stands at its cubicle's name.
    fn equal<T: PartialEq + Debug>(&mut self, key: &str, whole: &Located<T>, part: &Located<T>) {
        if whole.value != part.value {
            self.report(&format!("they differ in {}", quoted(key)), whole, part);
        }
    }

    fn report<T, U>(&mut self, why: &str, whole: &Located<T>, part: &Located<U>) {
        let label = |name: &str| format!("of {}", quoted(name));
        self.findings.push(
            Finding::error(format!(
                "variant {} cannot merge {} and {}: {why}",
                quoted(&self.variant.name),
                quoted(&self.whole),
                quoted(&self.part)
            ))
            .at(self.policy.place(&part.span, label(&self.part)))
            .at(self.policy.place(&whole.span, label(&self.whole)))
            .help("what is left out has its default; say the same in both, or leave one of them out of the group"),
        );
    }
}

/// Gives a cubicle what another one is and may do.
fn absorb(whole: &mut Cubicle, part: Cubicle, mut contradictions: Contradictions) {
    contradictions.equal("gate", &whole.gate, &part.gate);
    contradictions.equal("scrub-vectors", &whole.scrub_vectors, &part.scrub_vectors);
    contradictions.equal("denied", &whole.denied, &part.denied);
    contradictions.equal("rodata", &whole.rodata, &part.rodata);
    contradictions.equal("on-fault", &whole.on_fault, &part.on_fault);
    contradictions.equal("restarts", &whole.restarts, &part.restarts);
    if whole.is_shared() != part.is_shared() {
        contradictions.report("only one of them is shared", &whole.name, &part.name);
    }
    files(whole, &part, &mut contradictions);

    if part.is_main() {
        whole.main = part.main;
    }
    whole.crates.extend(part.crates);
    whole.c.extend(part.c);
    whole.objects.extend(part.objects);
    whole.libs.extend(part.libs);
    add(&mut whole.interfaces, part.interfaces);
    add(&mut whole.callers, part.callers);
    add(&mut whole.syscalls, part.syscalls);
    // Where one exports whatever others refer to, so do both.
    whole.exports = match (whole.exports.take(), part.exports) {
        (Some(mut exports), Some(more)) => {
            exports.extend(more);
            Some(exports)
        }
        _ => None,
    };
    for (name, sight) in part.sees {
        widen(&mut whole.sees, name, sight);
    }
    // What each could use, both can together, on one stack.
    whole.memory.value = (whole.memory.value + part.memory.value).min(MOST_MEMORY);
    whole.stack.value = (whole.stack.value + part.stack.value).min(MOST_STACK);
    whole.handles.extend(part.handles);
    for (symbol, function) in part.functions {
        match whole.functions.get(&symbol) {
            // One interface file for both says the same of both.
            Some(known) if known.name.span != function.name.span => contradictions.report(
                &format!("both describe {}", quoted(&symbol)),
                &known.name,
                &function.name,
            ),
            _ => drop(whole.functions.insert(symbol, function)),
        }
    }
}

/// Files reach as far as both do together: a cubicle without the key opens everything or,
/// without a call for it, nothing.
fn files(whole: &mut Cubicle, part: &Cubicle, contradictions: &mut Contradictions) {
    let opens_all = |cubicle: &Cubicle| {
        let calls = &cubicle.syscalls;
        let opens = |call: &Located<String>| !WITHOUT_PATHS.contains(&call.value.as_str());
        cubicle.files.is_none() && calls.iter().any(opens)
    };
    let place = |cubicle: &Cubicle| match &cubicle.files {
        Some(files) => Located::new((), files.span.clone()),
        None => Located::new((), cubicle.name.span.clone()),
    };
    let narrowed = whole.files.is_some() || part.files.is_some();
    if narrowed && (opens_all(whole) || opens_all(part)) {
        let why = "only one of them has `files`, and the other may make calls with paths";
        contradictions.report(why, &place(whole), &place(part));
        return;
    }
    let Some(more) = &part.files else {
        return;
    };
    let nothing = || Files {
        span: more.span.clone(),
        read: Vec::new(),
        write: Vec::new(),
    };
    let files = whole.files.get_or_insert_with(nothing);
    add(&mut files.read, more.read.iter().cloned());
    add(&mut files.write, more.write.iter().cloned());
}

/// Adds to a list what is not in it.
fn add(list: &mut Vec<Located<String>>, more: impl IntoIterator<Item = Located<String>>) {
    for item in more {
        if list.iter().all(|known| known.value != item.value) {
            list.push(item);
        }
    }
}

/// Of two accesses to the same memory the wider one holds.
fn widen(sights: &mut BTreeMap<String, Sight>, name: String, sight: Sight) {
    match sights.get_mut(&name) {
        Some(known) if known.access.value >= sight.access.value => {}
        _ => drop(sights.insert(name, sight)),
    }
}

/// Puts, wherever a cubicle is named that is gone, the one that it is part of, and takes away
/// what one now says about itself.
fn rename(policy: &mut Policy, heirs: &BTreeMap<String, String>) {
    let heir = |name: &str| heirs.get(name).map_or(name, String::as_str).to_owned();
    let renamed = |name: &Located<String>| name.clone().map(|name| heir(&name));
    let sights_of = |sights: &BTreeMap<String, Sight>, own: &str| {
        let mut all = BTreeMap::new();
        for (name, sight) in sights {
            let (name, mut sight) = (heir(name), sight.clone());
            sight.cubicle.value.clone_from(&name);
            if name != own {
                widen(&mut all, name, sight);
            }
        }
        all
    };
    for (own, cubicle) in &mut policy.cubicles {
        let callers = std::mem::take(&mut cubicle.callers);
        let others = callers.iter().map(renamed);
        add(
            &mut cubicle.callers,
            others.filter(|name| name.value != *own),
        );
        cubicle.sees = sights_of(&cubicle.sees, own);
    }
    for window in policy.windows.values_mut() {
        window.owner = renamed(&window.owner);
        window.guests = sights_of(&window.guests, &window.owner.value);
    }
    // Memory that one cubicle has for itself needs no window.
    policy.windows.retain(|_, window| !window.guests.is_empty());
}
