//! Every file in `tests/manifests`. To add a case, add a file there.
//!
//! `good/NAME.toml` must be accepted; `good/NAME.expected`, if there is
//! something to say, holds its warnings and what is not supported yet.
//! `bad/NAME.toml` must be rejected with the report in `bad/NAME.expected`.
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

#[test]
fn good_manifests_are_accepted() {
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
fn the_committed_schema_is_fresh() {
    let path = repository().join("docs/Cubicle.schema.json");
    if let Some(failure) = compare(&path, &manifest::json_schema()) {
        panic!("{failure}\nrun this test with UPDATE_EXPECT=1 to rewrite it");
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
