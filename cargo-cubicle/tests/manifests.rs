//! Every file in `tests/manifests`. To add a case, add a file there.
//!
//! `good/NAME.toml` must be accepted; `good/NAME.expected`, if there is
//! something to say, holds its warnings and what is not supported yet.
//! `bad/NAME.toml` must be rejected with the report in `bad/NAME.expected`.
//! Interface files that they name are in `manifests`; those of the repository's
//! own folder of that name must be good, and be in the tool.
//! `UPDATE_EXPECT=1` rewrites the expected reports; review reads them.

use std::path::PathBuf;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_cubicle::{diagnostics, manifest};

fn repository() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package lies in the repository")
        .to_owned()
}

fn updating() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1")
}

/// Compares with a committed file, or rewrites it. An empty text has no file.
/// Returns what is wrong.
fn compare(path: &Utf8Path, actual: &str) -> Option<String> {
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    if expected == actual {
        return None;
    }
    if !updating() {
        return Some(format!(
            "{path} is not what was expected\n--- expected\n{expected}--- actual\n{actual}"
        ));
    }
    let written = if actual.is_empty() {
        std::fs::remove_file(path)
    } else {
        std::fs::write(path, actual)
    };
    written.err().map(|error| format!("{path}: {error}"))
}

/// The `.toml` files of a folder with their texts, sorted.
fn cases(folder: &str) -> Vec<(Utf8PathBuf, String)> {
    let folder = repository().join("tests/manifests").join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder of cases is there")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no cases in {folder}");
    paths
        .into_iter()
        .map(|path| {
            let path = Utf8PathBuf::from_path_buf(path).expect("a UTF-8 name");
            let text = std::fs::read_to_string(&path).expect("a readable case");
            (path, text)
        })
        .collect()
}

fn file_name(path: &Utf8Path) -> &Utf8Path {
    path.file_name().expect("a case has a name").into()
}

/// The cases are parsed under their names alone, so that no path of this machine
/// is in a report. Every test that comes here agrees on the folder; all other
/// paths are absolute.
fn stand_beside_the_interface_files() {
    let folder = repository().join("tests/manifests");
    std::env::set_current_dir(folder).expect("the folder of cases is there");
}

#[test]
fn good_manifests_are_accepted() {
    stand_beside_the_interface_files();
    let mut failures = Vec::new();
    for (path, text) in cases("good") {
        match manifest::parse(file_name(&path), &text) {
            Ok(policy) => {
                let unsupported = policy.unsupported();
                let findings = policy.warnings.iter().chain(&unsupported);
                let report = diagnostics::render(findings, &policy.sources(), false);
                failures.extend(compare(&path.with_extension("expected"), &report));
            }
            Err(rejected) => {
                failures.push(format!("{path} is rejected\n{}", rejected.render(false)));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn bad_manifests_are_explained() {
    stand_beside_the_interface_files();
    let mut failures = Vec::new();
    for (path, text) in cases("bad") {
        match manifest::parse(file_name(&path), &text) {
            Ok(_) => failures.push(format!("{path} is accepted")),
            Err(rejected) => {
                let report = rejected.render(false);
                failures.extend(compare(&path.with_extension("expected"), &report));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_expectation_belongs_to_a_case() {
    for folder in ["good", "bad"] {
        let path = repository().join("tests/manifests").join(folder);
        for entry in std::fs::read_dir(&path).expect("the folder of cases is there") {
            let file = entry.expect("a readable folder").path();
            if file
                .extension()
                .is_some_and(|extension| extension == "expected")
            {
                assert!(file.with_extension("toml").is_file(), "{}", file.display());
            }
        }
    }
}

#[test]
fn the_committed_schemas_are_fresh() {
    for (name, schema) in [
        ("Cubicle", manifest::json_schema()),
        ("Interface", manifest::interface_json_schema()),
    ] {
        let path = repository().join(format!("docs/{name}.schema.json"));
        if let Some(failure) = compare(&path, &schema) {
            panic!("{failure}\nrun this test with UPDATE_EXPECT=1 to rewrite it");
        }
    }
}

#[test]
fn the_tool_carries_every_interface_file_of_the_repository() {
    let folder = repository().join("manifests");
    let mut names: Vec<String> = folder
        .read_dir_utf8()
        .expect("the folder is there")
        .map(|entry| entry.expect("a readable folder").into_path())
        .filter(|path| path.extension() == Some("toml"))
        .filter_map(|path| path.file_stem().map(str::to_owned))
        .collect();
    names.sort();
    let embedded: Vec<&str> = manifest::EMBEDDED_INTERFACES
        .iter()
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(embedded, names);
}

#[test]
fn the_interface_files_of_the_tool_are_good_and_grant_nothing() {
    for (name, text) in manifest::EMBEDDED_INTERFACES {
        let functions = match manifest::parse_interface(name.into(), text) {
            Ok(interface) => interface.functions,
            Err(rejected) => panic!("{}", rejected.render(false)),
        };
        assert!(!functions.is_empty(), "{name} says nothing");
        for (symbol, function) in functions {
            let policy = function.gate.is_some()
                || function.fault.is_some()
                || function.may_unwind.is_some();
            assert!(!policy, "{name}: what `{symbol}` may is a program's to say");
        }
    }
}

/// A small generator of pseudo-random numbers (xorshift64), so that every run
/// tries the same inputs.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

/// Damages a text in one of the ways an editor, or an attacker, would.
fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let pieces: [&[u8]; 14] = [
        b"[",
        b"]",
        b"{",
        b"}",
        b"=",
        b".",
        b"\"",
        b"'''",
        b"\r\n",
        b"\0",
        b"#",
        b"1e999",
        "€\u{feff}".as_bytes(),
        b"0x",
    ];
    let at = random.below(bytes.len() + 1);
    let end = (at + random.below(20)).min(bytes.len());
    match random.below(5) {
        0 => drop(bytes.drain(at..end)),
        1 => drop(bytes.splice(at..at, pieces[random.below(pieces.len())].iter().copied())),
        2 => {
            let copy = bytes[at..end].to_vec();
            let to = random.below(bytes.len() + 1);
            drop(bytes.splice(to..to, copy));
        }
        3 => {
            let from = random.below(other.len() + 1);
            let until = (from + random.below(60)).min(other.len());
            drop(bytes.splice(at..end, other[from..until].iter().copied()));
        }
        _ => bytes.truncate(at),
    }
}

fn try_text(text: &str) {
    if let Err(rejected) = manifest::parse_interface("interface".into(), text) {
        assert!(rejected.findings.has_denied(), "no reason given:\n{text}");
        assert!(!rejected.render(true).is_empty());
    }
    let path = Utf8Path::new("Cubicle.toml");
    match manifest::parse(path, text) {
        Ok(policy) => {
            let unsupported = policy.unsupported();
            let findings = policy.warnings.iter().chain(&unsupported);
            diagnostics::render(findings, &policy.sources(), true);
            assert!(policy.main().is_some(), "accepted without a main:\n{text}");
        }
        Err(rejected) => {
            assert!(rejected.findings.has_denied(), "no reason given:\n{text}");
            assert!(!rejected.render(true).is_empty());
        }
    }
}

#[test]
fn no_damage_makes_the_reader_panic() {
    let texts: Vec<_> = cases("good").into_iter().chain(cases("bad")).collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..20 {
        for (_, text) in &texts {
            let mut bytes = text.clone().into_bytes();
            for _ in 0..=random.below(4) {
                let other = &texts[random.below(texts.len())].1;
                mutate(&mut bytes, other.as_bytes(), &mut random);
            }
            try_text(&String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn no_depth_or_length_exhausts_the_stack() {
    for text in [
        "a.".repeat(100_000) + "b = 1",
        format!("[{}b]", "a.".repeat(100_000)),
        format!("a = {}", "[".repeat(20_000)),
        format!("a = {}", "{a=".repeat(20_000)),
        format!("a = {}{}", "[".repeat(1000), "]".repeat(1000)),
        format!("cubicle.a.{}b = 1", "function.".repeat(50_000)),
        format!("a = \"{}\"", "x".repeat(500_000)),
        format!("{} = 1", "x".repeat(500_000)),
        "\u{feff}schema = 1".to_owned(),
        "[[cubicle]]\n".repeat(20_000),
    ] {
        try_text(&text);
    }
}
