//! The fuzz targets of `fuzz/targets.rs` on their seeds, and on damaged copies of them: as many as
//! a test run has time for, and `--ignored` a hundred times more. `fuzz/README.md` says how libFuzzer
//! runs them, and where the seeds come from.
//!
//! `CUBICLE_TEST_FUZZ=NAME/SEED/NUMBER` tries the one input that a failure names, `NAME/SEED` all of a seed.

#[path = "../../../fuzz/targets.rs"]
mod targets;

mod mutate;
#[path = "../common/outside.rs"]
mod outside;
mod program;
mod watch;

use std::fs;
use std::path::{Path, PathBuf};

use mutate::{Random, mutate};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Names and contents of a target's seeds.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    if target == "verify" {
        return vec![("program".to_owned(), program::build())];
    }
    let own = format!("fuzz/seeds/{target}");
    let folders = match target {
        "manifest" => vec!["tests/manifests/good", "tests/manifests/bad", "manifests"],
        _ => vec![own.as_str()],
    };
    let mut seeds = Vec::new();
    for folder in folders {
        let mut paths: Vec<PathBuf> = fs::read_dir(repository().join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
            .collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            // What interface files hold besides is all alike.
            let mut bytes = fs::read(path).unwrap();
            bytes.truncate(20_000);
            seeds.push((name, bytes));
        }
    }
    assert!(seeds.len() > 1, "no seeds for {target}");
    seeds
}

/// Tries each seed, and `copies` damaged ones of each.
fn run(target: &str, copies: usize) {
    let (_, body) = targets::ALL
        .iter()
        .find(|(name, _)| *name == target)
        .unwrap();
    let only = std::env::var("CUBICLE_TEST_FUZZ").ok();
    let seeds = seeds(target);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for (seed, bytes) in &seeds {
        for number in 0..=copies {
            let mut input = bytes.clone();
            if number > 0 {
                let other = &seeds[random.below(seeds.len())].1;
                match target {
                    "verify" => program::damage(&mut input, &mut random),
                    _ => mutate(&mut input, other, &mut random),
                }
            }
            let name = format!("{target}/{seed}/{number}");
            if only.as_ref().is_none_or(|only| name.starts_with(only)) {
                watch::over(name, &input, *body);
            }
        }
    }
}

#[test]
fn manifests() {
    run("manifest", 25);
}

#[test]
fn declarations() {
    run("declaration", 5_000);
}

#[test]
fn objects() {
    run("object", 2_500);
}

#[test]
fn archives() {
    run("archive", 2_500);
}

#[test]
fn debug_information() {
    run("dwarf", 250);
}

#[test]
fn images() {
    run("image", 250);
}

#[test]
fn programs() {
    run("verify", 60);
}

#[test]
#[ignore = "takes minutes; ./check --full runs it"]
fn a_hundred_times_more() {
    for (target, _) in targets::ALL {
        let copies = match target {
            "manifest" => 2_500,
            "dwarf" | "image" => 25_000,
            "verify" => 1_000,
            _ => 250_000,
        };
        run(target, copies);
    }
}
