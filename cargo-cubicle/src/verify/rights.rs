//! Keys follow from numbers, and rights open what the layout allows. What one cubicle
//! may see of another is for its manifest to say; here it is only reported.

use cubicle_abi::rights::{KEY_MONITOR, KEY_PUBLIC, Rights, cubicle_key};

use super::file::File;
use super::report::{Finding, Report, Rule};

/// There are 16 (Intel SDM volume 3, "Protection Keys").
pub(super) const KEYS: u32 = 16;

pub fn check(file: &File<'_>, report: &mut Report) {
    let plan = &file.plan;
    let names: Vec<String> = (0..plan.cubicles.len() + plan.windows.len())
        .map(|number| plan.name(number))
        .collect();
    let keys = plan.cubicles.iter().map(|one| one.key);
    let keys = keys.chain(plan.windows.iter().map(|one| one.key));
    for (number, key) in keys.enumerate() {
        if key != cubicle_key(number) {
            let message = format!(
                "it has key {key}; by its number it is {}",
                cubicle_key(number)
            );
            report.find(Finding::new(
                Rule::Rights,
                0,
                names[number].clone(),
                message,
            ));
        }
    }
    for (number, cubicle) in plan.cubicles.iter().enumerate() {
        let rights = cubicle.rights;
        let mut find = |message: String| {
            let message = format!("PKRU {:#010x}: {message}", rights.0);
            report.find(Finding::new(
                Rule::Rights,
                0,
                names[number].clone(),
                message,
            ));
        };
        if rights.reads(KEY_MONITOR) || rights.writes(KEY_MONITOR) {
            find("it opens key 0, the monitor's".to_owned());
        }
        if rights.writes(KEY_PUBLIC) {
            find("it can write key 1, which all trust".to_owned());
        }
        if !rights.reads(KEY_PUBLIC) {
            find("it cannot read key 1, where its own text is".to_owned());
        }
        if !rights.writes(cubicle_key(number)) {
            find("it cannot write its own memory".to_owned());
        }
        for key in cubicle_key(names.len())..KEYS {
            if rights.reads(key) {
                find(format!("it opens key {key}, which is nobody's"));
            }
        }
        // The union of rights with themselves is their normal form.
        if rights.union(rights) != rights {
            find(
                "it closes writing where it closes access, so that equal rights look different"
                    .to_owned(),
            );
        }
        for (window, one) in plan.windows.iter().enumerate() {
            if one.owner == number && !rights.writes(cubicle_key(plan.cubicles.len() + window)) {
                find(format!(
                    "it owns {} and cannot write it",
                    plan.name(plan.cubicles.len() + window)
                ));
            }
        }
        for (other, name) in plan.cubicles[..number].iter().zip(&names) {
            if same(other.rights, rights) {
                find(format!("{name} has the same, and so they are one"));
            }
        }
        let seen = |access: fn(Rights, u32) -> bool| -> Vec<&str> {
            (0..names.len())
                .filter(|other| *other != number && access(rights, cubicle_key(*other)))
                .map(|other| names[other].as_str())
                .collect()
        };
        let writes = seen(|rights, key| rights.writes(key));
        let reads = seen(|rights, key| rights.reads(key) && !rights.writes(key));
        for (what, whose) in [("writes", writes), ("reads", reads)] {
            if !whose.is_empty() {
                report.notes.push(format!(
                    "{} {what} memory of {}",
                    names[number],
                    whose.join(", ")
                ));
            }
        }
    }
}

/// Do they open the same, however they say it?
fn same(one: Rights, other: Rights) -> bool {
    one.union(one) == other.union(other)
}
