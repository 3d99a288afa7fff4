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
