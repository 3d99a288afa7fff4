//! The texts in the plan: gates and stubs as data, for each mechanism.

use std::collections::BTreeSet;

use cubicle_abi::layout::{
    CALLBACK_BASE, CALLBACK_SLOTS, CALLBACK_STRIDE, CALLBACK_TABLE_BASE, CLEAR_SIZE, ENTRY_BASE,
    ENTRY_SIZE, GATE_BASE, GATE_STRIDE, SITE_BASE, SITE_STRIDE, STUB_BASE,
};
use cubicle_abi::plan::{
    ISOLATION_AUDIT, ISOLATION_STAND_IN, MECHANISM_PAGETABLE, MECHANISM_PKU, MECHANISM_STAND_IN,
};

use super::file::File;
use super::plan::Text;
use super::report::{Finding, Report, Rule};
use super::{forbidden, places, stubs};

/// Decodes all of them. Answers for each text the addresses of forbidden bytes that belong
/// there.
pub fn check(file: &File<'_>, report: &mut Report) -> Vec<BTreeSet<u64>> {
    expect_all(file, report);
    check_targets(file, report);
    file.plan
        .texts
        .iter()
        .map(|text| check_text(file, text, report))
        .collect()
}

fn check_text(file: &File<'_>, text: &Text<'_>, report: &mut Report) -> BTreeSet<u64> {
    let mut intended = BTreeSet::new();
    for place in places::of(file, text) {
        let start = place.offset - text.offset;
        let decoded = places::decode(file, &place, &text.bytes[start..start + place.size]);
        report.places += usize::from(place.kind != places::PlaceKind::Unused);
        report.instructions += decoded.instructions;
        report.switches += decoded.switches;
        intended.extend(decoded.intended);
        if let Some(finding) = decoded.finding {
            report.find(finding);
        }
    }
    report.scanned += text.bytes.len() as u64;
    let findings = forbidden::in_text(text.bytes, text.address, "gates and stubs", &intended);
    for finding in findings {
        report.find(finding);
    }
    intended
}

/// What gates call is code of the callee, and, where symbols are left, the function that the
/// plan names.
fn check_targets(file: &File<'_>, report: &mut Report) {
    let gates = file.plan.gates.iter().flatten();
    for gate in gates.filter(|gate| gate.callback.is_none()) {
        let cubicle = &file.plan.cubicles[gate.to].name;
        // Of a function that the image chooses when it starts, or that has versions, a jump is
        // called that the tool has added.
        let jump = format!("{cubicle}::cubicle.chosen.{}", gate.name);
        let name = format!("{cubicle}::{}", gate.name);
        let names = file.target_names.get(&gate.target);
        let is_named = names
            .is_some_and(|names| names.contains(&name.as_str()) || names.contains(&jump.as_str()));
        let message = if !file.is_code_of(gate.to, gate.target) {
            "what it calls is not code of the cubicle that it calls"
        } else if !file.functions.is_empty() && !is_named {
            "the function that it calls does not begin where it calls it"
        } else {
            continue;
        };
        let place = format!("the gate to `{name}`");
        report.find(Finding::new(Rule::Gate, gate.target, place, message));
    }
}

/// Each text that the program needs is there once, and no other.
fn expect_all(file: &File<'_>, report: &mut Report) {
    let plan = &file.plan;
    let mechanisms: &[u32] = match plan.header.isolation {
        ISOLATION_STAND_IN => &[MECHANISM_STAND_IN],
        ISOLATION_AUDIT => &[MECHANISM_PAGETABLE],
        _ => &[MECHANISM_PKU, MECHANISM_PAGETABLE],
    };
    let used = plan.gates.iter().rposition(Option::is_some);
    let gates = used.map_or(0, |last| (last as u64 + 1) * GATE_STRIDE);
    let stubs_size = plan.callbacks.len() as u64 * CALLBACK_SLOTS as u64 * CALLBACK_STRIDE;
    let mut expected = BTreeSet::new();
    for level in 0..stubs::LEVELS {
        expected.insert((STUB_BASE, level, CLEAR_SIZE));
    }
    for mechanism in mechanisms {
        expected.insert((ENTRY_BASE, *mechanism, ENTRY_SIZE));
        if gates > 0 {
            expected.insert((GATE_BASE, *mechanism, gates));
        }
        if stubs_size > 0 {
            expected.insert((CALLBACK_BASE, *mechanism, stubs_size));
        }
    }
    let mut found = BTreeSet::new();
    let mut sites = BTreeSet::new();
    for text in &plan.texts {
        let size = text.bytes.len() as u64;
        let one = (text.address, text.mechanism, size);
        let is_sites = text.address == SITE_BASE
            && size.is_multiple_of(SITE_STRIDE)
            && size <= CALLBACK_TABLE_BASE - SITE_BASE
            && mechanisms.contains(&text.mechanism);
        if is_sites {
            sites.insert(size);
        }
        if !found.insert((text.address, text.mechanism)) {
            plan_finding(
                report,
                text.address,
                "there is a second text for this address",
            );
        } else if !is_sites && !expected.remove(&one) {
            let message = format!("a text of {size} bytes that belongs to nothing");
            plan_finding(report, text.address, &message);
        }
    }
    for (address, mechanism, size) in expected {
        let message = format!("no text of {size} bytes for this address and mechanism {mechanism}");
        plan_finding(report, address, &message);
    }
    if sites.len() > 1 {
        plan_finding(report, SITE_BASE, "the versions have different sites");
    }
}

fn plan_finding(report: &mut Report, address: u64, message: &str) {
    report.find(Finding::new(Rule::Plan, address, "the plan", message));
}
