//! The tables of docs/SECURITY.md name tests that exist, and leave none out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cubicle_abi::defences::Defence;

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What a row says.
struct Row {
    attack: String,
    tests: Vec<String>,
    without: Vec<String>,
    is_missing: bool,
    /// It says why there is nothing to go without.
    is_explained: bool,
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(project().join("docs/SECURITY.md")).unwrap();
    let mut rows = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line == "| attack | test | without |" {
            inside = true;
            continue;
        }
        inside &= line.starts_with('|');
        if !inside || line.starts_with("| ---") {
            continue;
        }
        // No cell contains a bar.
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [attack, test, without] = cells[..] else {
            panic!("three cells: {line}");
        };
        rows.push(Row {
            attack: attack.into(),
            tests: quoted(test),
            without: match without.starts_with('(') {
                true => Vec::new(),
                false => quoted(without),
            },
            is_explained: without.starts_with('('),
            is_missing: test == "*missing*",
        });
    }
    assert!(rows.len() > 40, "{} rows", rows.len());
    rows
}

/// What stands in backquotes.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(Into::into).collect()
}

/// The first lines of a test program.
fn program(name: &str) -> Option<String> {
    let folder = project().join("tests").join(name);
    ["app.c", "app.cpp"]
        .iter()
        .find_map(|file| fs::read_to_string(folder.join(file)).ok())
}

fn sources(folder: &Path, found: &mut String) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

/// What is wrong with the name of a test.
fn problem(test: &str) -> Option<String> {
    let (place, what) = test.split_once(": ").unwrap_or((test, ""));
    if place.starts_with("attacks/") || place.starts_with("programs/") {
        let Some(text) = program(place) else {
            return Some(format!("there is no program {place}"));
        };
        let is_run = |line: &str| {
            let run = line.strip_prefix("//@ run: ");
            run.is_some_and(|run| run.starts_with(what))
        };
        return (!what.is_empty() && !text.lines().any(is_run))
            .then(|| format!("{place} has no run `{what}`"));
    }
    if place.ends_with(".rs") {
        let text = fs::read_to_string(project().join(place)).unwrap_or_default();
        let is_there = text.contains(&format!("fn {what}()"));
        return (!is_there).then(|| format!("{place} has no test {what}"));
    }
    if place.contains('/') {
        let path = project().join("tests").join(place);
        return (!path.exists()).then(|| format!("there is no tests/{place}"));
    }
    // A test of the tool: a file and what belongs to it.
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut text = fs::read_to_string(tests.join(format!("{place}.rs"))).unwrap_or_default();
    sources(&tests.join(place), &mut text);
    (!text.contains(&format!("\nfn {what}()"))).then(|| format!("{place} has no test {what}"))
}

#[test]
fn every_test_that_is_named_exists() {
    for row in rows() {
        assert_ne!(row.tests.is_empty(), !row.is_missing, "{}", row.attack);
        for test in &row.tests {
            assert_eq!(problem(test), None, "{}", row.attack);
        }
    }
}

#[test]
fn what_is_named_wrongly_is_noticed() {
    for wrong in [
        "attacks/nothing",
        "attacks/access: sing",
        "gate_model: nothing",
        "nothing: deeper",
        "lints/CUB999",
    ] {
        assert!(problem(wrong).is_some(), "{wrong}");
    }
}

#[test]
fn attacks_succeed_without_what_the_table_says() {
    for row in rows() {
        let programs = (row.tests.iter()).filter_map(|test| program(test.split(": ").next()?));
        let said: String = programs
            .flat_map(|text| {
                let lines = text.lines().filter(|line| line.contains("without: "));
                lines.map(|line| format!("{line} ")).collect::<Vec<_>>()
            })
            .collect();
        for defence in &row.without {
            let is_said = said.split_whitespace().any(|word| word == defence);
            assert!(is_said, "{}: no run without `{defence}`", row.attack);
        }
    }
}

/// An attack that only programs try is seen to succeed without something, or the table says why nothing can show it.
#[test]
fn every_attack_is_seen_to_succeed_or_says_why_not() {
    for row in rows() {
        let is_program = |test: &String| test.split(": ").next().and_then(program).is_some();
        let shown = !row.without.is_empty() || row.is_explained;
        assert!(shown || !row.tests.iter().all(is_program), "{}", row.attack);
    }
}

#[test]
fn every_attack_and_every_defence_has_a_row() {
    let rows = rows();
    let named: BTreeSet<&str> = (rows.iter())
        .flat_map(|row| &row.tests)
        .filter_map(|test| test.split(": ").next()?.strip_prefix("attacks/"))
        .collect();
    for entry in fs::read_dir(project().join("tests/attacks")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            assert!(named.contains(&*name), "no row for tests/attacks/{name}");
        }
    }
    let left_out: BTreeSet<&str> = (rows.iter())
        .flat_map(|row| &row.without)
        .map(String::as_str)
        .collect();
    for defence in Defence::ALL {
        let name = defence.name();
        assert!(left_out.contains(name), "no row without `{name}`");
    }
}
