use camino::Utf8Path;

use super::*;
use crate::diagnostics::Level;
use crate::manifest::{self, SYSCALL_GROUPS};

/// Resolves what a manifest grants its only cubicle.
fn of(syscalls: &str) -> (Grants, Findings) {
    let text = format!("schema = 1\n[cubicle.app]\nmain = true\nsyscalls = {syscalls}\n");
    let policy = manifest::parse(Utf8Path::new("Cubicle.toml"), &text).expect("a good manifest");
    let (grants, findings) = resolve(&policy, &policy.cubicles["app"].syscalls);
    // Every finding points at one of the strings.
    for finding in &findings {
        let Some(crate::diagnostics::Place::Span { span, .. }) = finding.places.first() else {
            panic!("a finding without a place: {finding:?}");
        };
        assert!(text[span.clone()].starts_with('"'), "{finding:?}");
    }
    (grants, findings)
}

fn grants(syscalls: &str) -> Grants {
    let (grants, findings) = of(syscalls);
    assert_eq!(findings, Findings::new());
    grants
}

/// The one finding, and that nothing is granted.
fn refused(syscalls: &str) -> Finding {
    let (grants, findings) = of(syscalls);
    assert_eq!(grants, Grants::default(), "{syscalls}");
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.into_iter().next().expect("one")
}

#[test]
fn names_and_groups_become_numbers() {
    let single = grants(r#"["getpid", "read"]"#);
    assert_eq!(single.numbers, BTreeSet::from([0, 39]));
    assert_eq!(single.names().collect::<Vec<_>>(), ["read", "getpid"]);
    assert!(!single.any_descriptor);
    assert_eq!(single.flags(), 0);

    let base = grants(r#"["@base"]"#);
    assert!(base.numbers.is_superset(&BTreeSet::from([39, 228, 318])));
    assert!(!base.numbers.contains(&0));

    let files = grants(r#"["@file"]"#);
    assert!(
        files
            .numbers
            .is_superset(&BTreeSet::from([0, 1, 2, 257, 262]))
    );
    assert_eq!(files.flags(), CUBICLE_ANY_DESCRIPTOR);
    assert!(files.numbers.is_superset(&grants(r#"["@stdio"]"#).numbers));
}

#[test]
fn bits_are_those_the_monitor_reads() {
    let granted = grants(r#"["@base", "@stdio", "@file", "@net"]"#);
    let bits = granted.bits();
    for number in 0..u64::from(NUMBERS) {
        assert_eq!(
            cubicle_monitor::system_calls::sets::is_granted(&bits, number),
            granted.numbers.contains(&(number as u32)),
            "{number}"
        );
    }
    assert_eq!(Grants::default().bits(), [0; 8]);
}

#[test]
fn the_refused_calls_are_the_monitors() {
    let named: BTreeSet<u64> = REFUSED.iter().map(|call| call.id() as u64).collect();
    assert_eq!(named.len(), REFUSED.len(), "one is listed twice");
    let monitors: BTreeSet<u64> = (0..u64::from(NUMBERS))
        .filter(|number| {
            cubicle_monitor::system_calls::sets::is_granted(
                &cubicle_monitor::system_calls::sets::REFUSED,
                *number,
            )
        })
        .collect();
    assert_eq!(named, monitors);
}

#[test]
fn no_group_grants_what_cannot_be_granted() {
    for group in &GROUPS {
        for call in group.all_calls() {
            assert_eq!(bar(call), None, "{} grants {call}", group.name);
            assert!((call.id() as u32) < NUMBERS);
        }
    }
}

#[test]
fn groups_are_those_of_the_manifest() {
    let names = GROUPS.map(|group| group.name);
    assert_eq!(names, SYSCALL_GROUPS);
    for group in &GROUPS {
        assert!(group.summary.ends_with('.'), "{}", group.name);
        for name in group.includes {
            let included = super::group(name).expect("an included group");
            assert!(included.includes.is_empty(), "all_calls follows one level");
        }
        let own: BTreeSet<i32> = group.calls.iter().map(|call| call.id()).collect();
        assert_eq!(own.len(), group.calls.len(), "{} repeats one", group.name);
        let empty = own.is_empty() && group.includes.is_empty();
        assert_eq!(empty, group.support != Support::Enforced, "{}", group.name);
    }
}

#[test]
fn a_call_has_one_reason_not_to_be_granted() {
    for call in VIRTUAL {
        assert!(!REFUSED.contains(&call), "{call}");
    }
    for (calls, _) in UNGUARDED {
        for call in calls {
            assert!(!REFUSED.contains(call) && !VIRTUAL.contains(call), "{call}");
        }
    }
}

#[test]
fn unknown_names_have_a_suggestion() {
    let finding = refused(r#"["gettpid"]"#);
    assert_eq!(
        finding.message,
        "`gettpid` is no system call of Linux on x86-64"
    );
    assert_eq!(finding.level, Level::Deny);
    assert_eq!(finding.helps, ["there is one called `getpid`"]);
    assert_eq!(
        refused(r#"["fstatat"]"#).helps,
        ["the kernel calls it `newfstatat`"]
    );
    assert!(refused(r#"["qqqqqqqqqq"]"#).helps[0].contains("such as `getpid`"));
}

#[test]
fn what_libc_calls_otherwise_exists_in_the_kernel() {
    for (of_libc, call) in OF_LIBC {
        assert!(Sysno::from_str(of_libc).is_err(), "{of_libc}");
        assert!(Sysno::from_str(call).is_ok(), "{call}");
    }
}

#[test]
fn refused_and_unguarded_calls_are_errors() {
    let finding = refused(r#"["pkey_mprotect"]"#);
    assert_eq!(
        finding.message,
        "`pkey_mprotect` is refused whatever the manifest says"
    );
    assert_eq!(finding.level, Level::Deny);
    let finding = refused(r#"["mincore"]"#);
    assert_eq!(finding.level, Level::Deny);
    assert!(finding.helps[0].contains("its address"), "{finding:?}");
}

#[test]
fn calls_that_the_monitor_answers_need_no_grant() {
    let finding = refused(r#"["mmap"]"#);
    assert_eq!(finding.level, Level::Warn);
    assert_eq!(finding.message, "`mmap` needs no grant");
}

#[test]
fn groups_of_later_versions() {
    assert_eq!(grants(r#"["@thread"]"#), Grants::default());
}

#[test]
fn one_mistake_does_not_hide_another() {
    let (grants, findings) = of(r#"["ptrace", "getpid", "nonsense"]"#);
    assert_eq!(findings.len(), 2);
    assert_eq!(grants.numbers, BTreeSet::from([39]));
}
