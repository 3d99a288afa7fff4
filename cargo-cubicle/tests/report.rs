//! `cargo cubicle report` on zlib behind flate2: what it counts is what an audit of the partitioned
//! program sees, before there is a partition and afterwards.

#[path = "common/outside.rs"]
mod outside;
#[path = "common/target.rs"]
mod target;

use std::collections::BTreeMap;
use std::fs;
use std::process::Output;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use outside::tool;
use target::shared_target;

fn sample() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/flate2")
}

fn cubicle(words: &[&str]) -> Output {
    let (before, after) = match words.iter().position(|word| *word == "--") {
        Some(index) => words.split_at(index),
        None => (words, &[][..]),
    };
    let output = tool(sample())
        .args(before)
        .args(["--quiet", "--locked", "--target-dir"])
        .arg(shared_target("report"))
        .args(after)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn report(words: &[&str]) -> Value {
    let common = ["report", "--format", "json", "--runs", "1"];
    let output = cubicle(&[&common[..], words].concat());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// How often each function was called.
fn counts(report: &Value) -> BTreeMap<String, u64> {
    let calls = report["calls"].as_array().unwrap().iter();
    calls
        .map(|call| {
            assert_eq!(
                (&call["from"], &call["to"]),
                (&"app".into(), &"zlib".into())
            );
            let function = call["function"].as_str().unwrap().to_owned();
            (function, call["calls"].as_u64().unwrap())
        })
        .collect()
}

/// The same as the monitor of an audit build has counted.
fn audited() -> BTreeMap<String, u64> {
    cubicle(&["run", "--audit"]);
    let pattern = shared_target("report").join("*/debug/cubicle/streams-*/audit.jsonl");
    let recording = glob::glob(pattern.as_str())
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let text = fs::read_to_string(recording).unwrap();
    let gates = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|record| record["record"] == "gate" && record["callback"] != true);
    gates
        .map(|gate| {
            let function = gate["function"].as_str().unwrap().to_owned();
            (function, gate["calls"].as_u64().unwrap())
        })
        .filter(|(_, calls)| *calls > 0)
        .collect()
}

#[test]
fn counted_calls_are_those_that_an_audit_sees() {
    let seen = audited();
    assert!(seen["deflate"] > 100, "{seen:?}");

    let partitioned = report(&[]);
    assert_eq!(counts(&partitioned), seen);
    assert!(partitioned["partitioned"].as_f64().unwrap() > 0.0);
    for cubicle in partitioned["cubicles"].as_array().unwrap() {
        assert!(cubicle["memory"].as_u64().unwrap() > 4096, "{cubicle}");
        let starts = cubicle["start"].as_f64().is_some_and(|start| start > 0.0);
        assert_eq!(starts, cubicle["name"] == "zlib", "{cubicle}");
    }
    let gates: f64 = partitioned["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| call["each"].as_f64().unwrap() * call["calls"].as_f64().unwrap())
        .sum();
    let said = partitioned["gates"].as_f64().unwrap();
    assert!((gates - said).abs() < 1.0, "{gates} {said}");

    let text = String::from_utf8(cubicle(&["report", "--runs", "1"]).stdout).unwrap();
    let label = match partitioned["stand_in"].as_bool().unwrap() {
        true => "stand-in",
        false => "pku",
    };
    for line in text
        .lines()
        .filter(|line| line.contains("estimated") || line.contains(" → zlib "))
    {
        assert!(line.contains(label), "{line}");
    }

    // Nothing is described, so the partition does not work yet.
    let folder = tempfile::tempdir().unwrap();
    let manifest = Utf8Path::from_path(folder.path())
        .unwrap()
        .join("planned.toml");
    let planned = "schema = 1\n[cubicle.app]\nmain = true\nsyscalls = [\"@base\", \"@stdio\", \"@file\"]\n\
                   [cubicle.zlib]\ncrates = [\"libz-sys\"]\ncallers = [\"app\"]\nsyscalls = [\"@base\"]\n";
    fs::write(&manifest, planned).unwrap();
    let planned = report(&["--cubicle-manifest", manifest.as_str()]);
    assert_eq!(counts(&planned), seen);
    assert_eq!(planned["partitioned"], Value::Null);
    assert_eq!(planned["ended"], "status 0");
    // With a violation, or, where nothing is protected, as memory of two allocators would have it.
    assert!(planned["ended_otherwise"].is_string(), "{planned}");
    assert!(planned["gates"].as_f64().unwrap() > 0.0);
}
