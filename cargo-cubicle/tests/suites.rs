//! The own test suites of crates that nobody here wrote, with their C libraries
//! in cubicles: what passes plainly passes partitioned. The crates and what is
//! known about them are data, in `tests/suites` (see its README).

#[path = "common/copy.rs"]
mod copy;
#[path = "common/outside.rs"]
mod outside;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};

use copy::{copy, update};
use outside::{outside, tool};

/// What `suite.toml` says.
#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Description {
    /// The sample that has the crate among its dependencies.
    sample: String,
    features: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    files: Vec<Utf8PathBuf>,
    /// Reasons, by target and test: "tests/x.rs: name".
    #[serde(default)]
    excluded: BTreeMap<String, String>,
    /// Per cent.
    most_excluded: usize,
}

/// A crate, copied and ready to be tested.
struct Suite {
    name: &'static str,
    /// The workspace, whose only member has the suite's name.
    folder: Utf8PathBuf,
    description: Description,
}

/// One run of tests: what became of each, by target and name.
struct Results {
    /// The whole output, for a person to read.
    output: String,
    success: bool,
    tests: BTreeMap<String, String>,
}

/// Who builds and runs it.
#[derive(Clone, Copy)]
enum By {
    Cargo,
    Tool,
}

#[test]
fn flate2_passes_its_own_tests() {
    Suite::prepare("flate2").check(&[]);
}

#[test]
#[ignore = "takes minutes"]
fn rusqlite_passes_its_own_tests() {
    Suite::prepare("rusqlite").check(&[]);
}

#[test]
#[ignore = "takes minutes: emulated"]
fn flate2_passes_its_own_tests_under_keys() {
    Suite::prepare("flate2").check(&["--vm", "--install"]);
}

#[test]
#[ignore = "takes minutes: emulated"]
fn rusqlite_passes_its_own_tests_under_keys() {
    Suite::prepare("rusqlite").check(&["--vm", "--install"]);
}

impl Suite {
    fn prepare(name: &'static str) -> Suite {
        let repository = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let data = repository.join("tests/suites").join(name);
        let text = fs::read_to_string(data.join("suite.toml")).unwrap();
        let description: Description = toml::from_str(&text).unwrap();
        let sample = repository.join("samples").join(&description.sample);
        let folder = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("suites");
        let folder = folder.join(name);
        copy(&sources(name, &sample), &folder.join(name));
        for file in ["Cargo.lock", "Cubicle.toml"] {
            let bytes = fs::read(data.join(file)).unwrap();
            update(&folder.join(file), &bytes);
        }
        let workspace = format!("[workspace]\nresolver = \"3\"\nmembers = [\"{name}\"]\n");
        update(&folder.join("Cargo.toml"), workspace.as_bytes());
        Suite {
            name,
            folder,
            description,
        }
    }

    /// Runs the suite plainly and partitioned, and compares.
    fn check(&self, machine: &[&str]) {
        let plain = self.run(By::Cargo, &[], &[]);
        assert!(plain.success, "{}", plain.output);
        assert!(plain.tests.len() > 50, "{}", plain.output);

        let excluded = &self.description.excluded;
        for test in excluded.keys() {
            assert!(plain.tests.contains_key(test), "there is no {test}");
        }
        let share = excluded.len() * 100;
        assert!(share <= self.description.most_excluded * plain.tests.len());

        let mut flags: Vec<String> = machine.iter().map(|&word| word.to_owned()).collect();
        if !machine.is_empty() {
            let files = self.description.files.iter();
            flags.extend(files.map(|file| format!("--vm-file={file}={}/{file}", self.name)));
        }
        let mut harness = vec!["--exact".to_owned()];
        for test in excluded.keys() {
            let name = test.split_once(": ").map_or("", |(_, name)| name);
            harness.extend(["--skip".to_owned(), name.to_owned()]);
        }
        let partitioned = self.run(By::Tool, &flags, &harness);
        let expected: BTreeMap<_, _> = plain
            .tests
            .into_iter()
            .filter(|(test, _)| !excluded.contains_key(test))
            .collect();
        let output = &partitioned.output;
        let differing = |(test, result): &(&String, &String)| expected.get(*test) != Some(*result);
        let changed: Vec<_> = partitioned.tests.iter().filter(differing).collect();
        assert!(changed.is_empty(), "{output}\nnot as plainly: {changed:?}");
        let ran = |test: &&String| !partitioned.tests.contains_key(*test);
        let missing: Vec<_> = expected.keys().filter(ran).collect();
        assert!(missing.is_empty(), "{output}\ndid not end: {missing:?}");
        assert!(partitioned.success, "{output}");
    }

    /// `flags` are for cargo or the tool, `harness` for the tests' own program.
    fn run(&self, by: By, flags: &[String], harness: &[String]) -> Results {
        let (mut command, target) = match by {
            By::Cargo => (outside(env!("CARGO"), &self.folder), "plain"),
            By::Tool => (tool(&self.folder), "partitioned"),
        };
        command
            .args([
                "test",
                "--locked",
                "--no-fail-fast",
                "--no-default-features",
            ])
            .args(["--target-dir", target])
            .arg(format!(
                "--features={}",
                self.description.features.join(",")
            ))
            .args(flags);
        command
            // Documentation tests are not partitioned.
            .args(["--lib", "--tests"])
            .args(["--", "--test-threads=4"])
            .args(harness)
            .envs(&self.description.environment)
            .env("RUST_BACKTRACE", "0")
            .env("CARGO_TERM_COLOR", "never");
        // Both streams in one pipe, so that their lines stay in order.
        let (mut reader, writer) = std::io::pipe().unwrap();
        command.stdout(writer.try_clone().unwrap()).stderr(writer);
        let mut child = command.spawn().unwrap();
        drop(command);
        let mut output = Vec::new();
        reader.read_to_end(&mut output).unwrap();
        let output = String::from_utf8_lossy(&output).into_owned();
        Results {
            success: child.wait().unwrap().success(),
            tests: tests(&output),
            output,
        }
    }
}

/// What became of each test. A target without a harness is one test.
fn tests(output: &str) -> BTreeMap<String, String> {
    let mut tests = BTreeMap::new();
    let mut target = "";
    for line in output.lines() {
        if let Some(rest) = line.trim_start().strip_prefix("Running ") {
            let path = rest.split(" (").next().unwrap_or(rest);
            target = path.trim_start_matches("unittests ");
            tests.insert(target.to_owned(), "ran".to_owned());
        } else if let Some((name, result)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.rsplit_once(" ... "))
        {
            let name = name.trim_end_matches(" - should panic");
            tests.insert(format!("{target}: {name}"), result.to_owned());
        }
    }
    tests
}

/// Where cargo keeps the sources of a sample's dependency; it fetches them if
/// need be.
fn sources(package: &str, sample: &Utf8Path) -> Utf8PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked"])
        .current_dir(sample)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let found = packages
        .iter()
        .find(|known| known["name"] == package && !known["source"].is_null());
    let manifest = found.unwrap()["manifest_path"].as_str().unwrap();
    Utf8Path::new(manifest).parent().unwrap().to_owned()
}
