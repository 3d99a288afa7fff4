//! The verifier: what the tool builds passes, every rule is broken on purpose and
//! noticed, and every bit of every gate and stub is flipped.

mod damaged;
mod flips;
mod good;
#[path = "../common/outside.rs"]
mod outside;
mod plants;

use std::fs;
use std::process::Command;

use cargo_cubicle::verify::{Rule, Unreadable, verify};
use good::Good;

/// The command, and its status.
fn command(words: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-cubicle"))
        .args(["cubicle", "verify"])
        .args(words)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn what_the_tool_builds_passes() {
    let good = Good::get();
    let report = verify(&good.bytes, None).unwrap();
    assert!(report.is_clean(), "{:#?}", report.findings);
    let kinds: Vec<&str> = report.gates.keys().copied().collect();
    let all = [
        "callback",
        "callee-sees",
        "caller-sees",
        "fast",
        "lending",
        "union",
    ];
    assert_eq!(
        kinds, all,
        "the program of this test has a gate of every kind"
    );
    assert!(report.scanned > 1 << 20 && report.followed > 100_000 && report.words > 10_000);

    let (status, said, errors) = command(&[good.path.as_str()]);
    assert_eq!((status, errors.as_str()), (0, ""), "{said}");
    assert!(said.contains("every rule holds"), "{said}");
    assert!(said.contains("this tool's, byte for byte"), "{said}");
}

/// Nothing rests on symbols; and strip(1) leaves a program that still runs.
#[test]
fn a_stripped_program_passes() {
    let good = Good::get();
    let stripped = good.path.with_extension("stripped");
    let status = Command::new("objcopy")
        .args(["--strip-all", good.path.as_str(), stripped.as_str()])
        .status();
    if status.is_err() {
        eprintln!("no objcopy here");
        return;
    }
    let (status, said, errors) = command(&[stripped.as_str()]);
    assert_eq!((status, errors.as_str()), (0, ""), "{said}");
    let output = Command::new(&stripped).output().unwrap();
    assert!(output.status.success());
    assert_eq!(
        output.stdout,
        Command::new(&good.path).output().unwrap().stdout
    );
}

#[test]
fn a_broken_program_and_no_program_have_statuses_of_their_own() {
    let good = Good::get();
    let broken = good.path.with_extension("broken");
    let mut edited = good.edit();
    edited.put(good.function("app::main"), &[0x0f, 0x01, 0xef]);
    fs::write(&broken, &edited.bytes).unwrap();
    let (status, said, _) = command(&[broken.as_str()]);
    assert_eq!(status, 1, "{said}");
    for word in [
        "[forbidden]",
        "`app`",
        "WRPKRU",
        "`app::main`",
        "bytes 0f 01 ef",
        "1 finding",
    ] {
        assert!(said.contains(word), "no {word} in {said}");
    }

    let empty = good.path.with_extension("empty");
    fs::write(&empty, b"").unwrap();
    for file in [
        "/bin/sh",
        empty.as_str(),
        "/",
        "/nonexistent",
        concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
    ] {
        let (status, _, errors) = command(&[file]);
        assert_eq!(status, 2, "{errors}");
        assert!(
            errors.contains(&format!("`{file}` cannot be verified")),
            "{errors}"
        );
    }
    // The worst of several counts.
    assert_eq!(command(&[good.path.as_str(), broken.as_str()]).0, 1);
    assert_eq!(
        command(&[broken.as_str(), "/bin/sh", good.path.as_str()]).0,
        2
    );
    assert_eq!(command(&[]).0, 2);
}

#[test]
fn another_version_and_no_plan_are_told_apart() {
    let good = Good::get();
    let mut edited = good.edit();
    edited.plan_u32(
        std::mem::offset_of!(cubicle_abi::plan::Header, version),
        |_| 7777,
    );
    let error = verify(&edited.bytes, None).unwrap_err();
    assert!(
        matches!(error, Unreadable::Version { found: 7777, .. }),
        "{error}"
    );
    let mut edited = good.edit();
    edited.plan_u32(0, |_| 0);
    assert!(matches!(
        verify(&edited.bytes, None),
        Err(Unreadable::NoPlan)
    ));
}

/// An address of another cubicle's function, as a constant of the program's own: the build
/// stops, and what was there stays.
#[test]
fn a_build_that_is_refused_leaves_the_old_program() {
    let project = good::Project::new("refused");
    project.build().unwrap();
    let before = fs::read(project.program()).unwrap();
    let report = verify(&before, None).unwrap();
    assert!(report.is_clean(), "{:#?}", report.findings);
    let target = Good::of(&project).function("both::both_none");
    let source = fs::read_to_string(project.root.join("app.c")).unwrap();
    let constant = format!("const volatile unsigned long sneaky = {target:#x};\n\nint main(void)");
    let used = source
        .replace("int main(void)", &constant)
        .replace("long sum = ", "long sum = sneaky + ");
    fs::write(project.root.join("app.c"), used).unwrap();
    let said = project.build().unwrap_err();
    for word in [
        "was not written",
        "[pointer]",
        "it is the address of `both_none` in `both`",
        "a defect of cargo-cubicle; please report it, unless its sources name that address on purpose",
    ] {
        assert!(said.contains(word), "no {word:?} in {said}");
    }
    assert_eq!(fs::read(project.program()).unwrap(), before);
}

#[test]
fn each_rule_is_broken_and_noticed() {
    plants::try_all(Good::get());
}

/// No rule is without a violation that was planted.
#[test]
fn every_rule_has_a_violation() {
    let all = [
        Rule::Plan,
        Rule::Protects,
        Rule::Segments,
        Rule::Rights,
        Rule::Forbidden,
        Rule::Gate,
        Rule::Stub,
        Rule::Monitor,
        Rule::Branch,
        Rule::Pointer,
    ];
    let planted = plants::rules(Good::get());
    for rule in all {
        assert!(planted.contains(&rule), "nothing breaks {rule}");
    }
}

#[test]
fn a_flipped_bit_is_noticed_in_one_place_of_every_kind() {
    flips::one_of_each_kind(Good::get());
}

/// A few minutes.
#[test]
#[ignore = "a few minutes: every bit of every gate, stub and entry"]
fn a_flipped_bit_is_noticed_everywhere() {
    flips::all(Good::get());
}

#[test]
fn damaged_files_are_refused_and_break_nothing() {
    damaged::damage(Good::get(), 60);
}

#[test]
#[ignore = "minutes: the same with a thousand files"]
fn a_thousand_damaged_files_break_nothing() {
    damaged::damage(Good::get(), 1000);
}
