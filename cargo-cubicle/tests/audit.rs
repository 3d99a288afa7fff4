//! From an empty interface to one with which a program passes, only by what the
//! tool prints: the program is audited, `suggest` drafts entries from the recording,
//! and the test writes them into the manifest as they are, which a person would read
//! first.

#[path = "common/copy.rs"]
mod copy;
#[path = "common/target.rs"]
mod target;

use camino::Utf8Path;
use copy::copy;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use target::shared_target;

const TOOL: &str = env!("CARGO_BIN_EXE_cargo-cubicle");

/// A copy of a project of the repository, with a target directory that stays.
struct Project {
    directory: tempfile::TempDir,
    target: PathBuf,
}

impl Project {
    fn copy(path: &str) -> Project {
        let project = Project {
            directory: tempfile::tempdir().unwrap(),
            target: shared_target("audit").into(),
        };
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
        copy(
            Utf8Path::from_path(&source).unwrap(),
            Utf8Path::from_path(project.directory.path()).unwrap(),
        );
        project
    }

    /// A sample without its interface: a person has written the cubicles, who may
    /// call and see whom, and not one entry about a function. Nothing was accepted yet.
    fn without_interface(path: &str) -> Project {
        let project = Project::copy(path);
        std::fs::remove_file(project.directory.path().join("Cubicle.lock")).unwrap();
        let manifest = std::fs::read_to_string(project.manifest()).unwrap();
        let lines = manifest
            .lines()
            .filter(|line| !line.starts_with("interfaces"));
        let empty = lines.fold(String::new(), |all, line| all + line + "\n");
        assert!(empty.len() < manifest.len() && !empty.contains("arg."));
        std::fs::write(project.manifest(), empty).unwrap();
        project
    }

    fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(words)
            .env("CARGO_TARGET_DIR", &self.target)
            .current_dir(self.directory.path());
        command
    }

    fn tool(&self, words: &[&str]) -> Output {
        let words: Vec<&str> = ["cubicle"].iter().chain(words).copied().collect();
        self.command(TOOL, &words).output().unwrap()
    }

    fn manifest(&self) -> PathBuf {
        self.directory.path().join("Cubicle.toml")
    }

    /// Writes what was suggested into the manifest. Answers how many entries.
    fn take(&self, suggested: &str) -> usize {
        let read = |text: &str| text.parse::<toml::Table>().unwrap();
        let mut manifest = read(&std::fs::read_to_string(self.manifest()).unwrap());
        let count = merge(&mut manifest, &read(suggested));
        std::fs::write(self.manifest(), toml::to_string(&manifest).unwrap()).unwrap();
        count
    }
}

/// Tables grow; what is an entry of its own is replaced.
fn merge(into: &mut toml::Table, from: &toml::Table) -> usize {
    let is_entry = |table: &toml::Table| {
        ["lend", "value", "callback", "within"]
            .iter()
            .any(|key| table.contains_key(*key))
    };
    let mut count = 0;
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) if !is_entry(new) => {
                count += merge(old, new);
            }
            (None, toml::Value::Table(new)) if !is_entry(new) => {
                let mut table = toml::Table::new();
                count += merge(&mut table, new);
                into.insert(key.clone(), table.into());
            }
            _ => {
                into.insert(key.clone(), value.clone());
                count += 1;
            }
        }
    }
    count
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn both(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

/// Repeats audit, suggestion and taking it until the program does partitioned what
/// it does plainly, at most three times. Answers how often that was.
fn follow(project: &Project) -> usize {
    let plain = project
        .command(env!("CARGO"), &["run", "--locked", "-q"])
        .output()
        .unwrap();
    assert!(plain.status.success(), "{}", both(&plain));
    for round in 1..=3 {
        let audit = project.tool(&["run", "--locked", "-q", "--audit"]);
        let said = both(&audit);
        assert!(
            said.contains("cubicle: AUDIT: nothing is protected"),
            "{said}"
        );
        assert!(said.contains("the recording is "), "{said}");
        if round == 1 {
            // All that happens is what would have happened.
            assert_eq!(text(&audit.stdout), text(&plain.stdout), "{said}");
        }
        let suggested = project.tool(&["suggest", "--without-interfaces"]);
        assert!(suggested.status.success(), "{}", both(&suggested));
        let entries = project.take(&text(&suggested.stdout));
        println!("round {round}: {entries} entries");
        assert!(entries > 0, "{said}{}", both(&suggested));
        let partitioned = project.tool(&["run", "--locked", "-q"]);
        if partitioned.status.success() && partitioned.stdout == plain.stdout {
            return round;
        }
        println!("{}", both(&partitioned));
    }
    let manifest = std::fs::read_to_string(project.manifest()).unwrap();
    panic!("three rounds were not enough; this is what they made:\n{manifest}");
}

#[test]
fn following_suggestions_makes_flate2_pass() {
    let project = Project::without_interface("samples/flate2");
    let rounds = follow(&project);
    println!("flate2: {rounds} rounds, 0 entries written by hand");

    // What is described is not recorded, and nothing is left to suggest.
    let audit = both(&project.tool(&["run", "--locked", "-q", "--audit"]));
    assert!(
        audit.contains("audit: nothing that would have been a violation"),
        "{audit}"
    );
    let suggested = project.tool(&["suggest", "--without-interfaces"]);
    assert!(suggested.stdout.is_empty(), "{}", both(&suggested));
    assert!(both(&suggested).contains("describes all that was recorded"));
    // For zlib there is something better.
    let ready = text(&project.tool(&["suggest"]).stdout);
    assert!(ready.contains("[cubicle.zlib]\n") && ready.contains("interfaces = [\"zlib\"]"));
    assert!(!ready.contains("zlib.function"), "{ready}");
}

#[test]
fn following_suggestions_makes_rusqlite_pass() {
    let project = Project::without_interface("samples/rusqlite");
    let rounds = follow(&project);
    println!("rusqlite: {rounds} rounds, 0 entries written by hand");
}

/// Lines that are no comments: what was seen is worded by what the C library of this
/// machine does.
fn entries(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.fold(String::new(), |all, line| all + line + "\n")
}

/// Each way in which C libraries take and give memory, and what is suggested for it:
/// `suggested.toml`, which `UPDATE_EXPECT=1` writes.
#[test]
fn the_usual_habits_are_recognised() {
    let project = Project::copy("tests/projects/audit_habits");
    let audit = project.tool(&["run", "-q", "--audit"]);
    let said = both(&audit);
    for seen in [
        "`habits` reads heap memory of `app` (`source` of `habit_pack`), bytes 0 to 31",
        "`habits` calls `audit_habits::compare` of `app` (which crossed as `compare` of `habit_sort`)",
        "`habits` passes memory of `app` to the system call write (`text` of `habit_say`)",
        "`app` reads `name.0` of `habits` (left by `result` of `habit_name`)",
    ] {
        let plain = seen.replace("name.0", "name");
        let found = said.contains(seen) || said.contains(&plain);
        assert!(found, "{seen}\n{said}");
    }
    let suggested = project.tool(&["suggest"]);
    let suggested = text(&suggested.stdout);
    let expected =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/projects/audit_habits/suggested.toml");
    if std::env::var("UPDATE_EXPECT").is_ok_and(|value| value == "1") {
        std::fs::write(&expected, &suggested).unwrap();
    }
    let expected = std::fs::read_to_string(expected).unwrap();
    assert_eq!(entries(&suggested), entries(&expected));
    assert_eq!(follow(&project), 1);
}

#[test]
fn a_recording_belongs_to_its_build() {
    let project = Project::copy("tests/projects/audit_habits");
    let target = project.target.join("other-builds");
    let tool = |words: &[&str]| {
        let words: Vec<&str> = ["cubicle"].iter().chain(words).copied().collect();
        let mut command = project.command(TOOL, &words);
        command.env("CARGO_TARGET_DIR", &target).output().unwrap()
    };
    let _ = std::fs::remove_dir_all(&target);
    let nothing = tool(&["suggest"]);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(
        both(&nothing).contains("there is no recording in"),
        "{}",
        both(&nothing)
    );

    let audit = both(&tool(&["run", "-q", "--audit"]));
    let pattern = target.join("*/*/cubicle/*/audit.jsonl");
    let recordings = glob::glob(pattern.to_str().unwrap()).unwrap();
    let recording = recordings.flatten().next().expect(&audit);
    let kept = project.directory.path().join("kept.jsonl");
    std::fs::copy(&recording, &kept).unwrap();
    let kept = kept.to_str().unwrap();
    assert!(tool(&["suggest", "--from", kept]).status.success());

    // What was recorded before says nothing about a program that has changed.
    let manifest = std::fs::read_to_string(project.manifest()).unwrap();
    std::fs::write(project.manifest(), manifest + "memory = \"64M\"\n").unwrap();
    assert!(tool(&["run", "-q", "--audit"]).status.success());
    let stale = tool(&["suggest", "--from", kept]);
    assert_eq!(stale.status.code(), Some(2));
    assert!(
        both(&stale).contains("is of another build of"),
        "{}",
        both(&stale)
    );

    // Nor does a text of something else.
    std::fs::write(kept, "hello\n").unwrap();
    let other = both(&tool(&["suggest", "--from", kept]));
    assert!(other.contains("is no record of an audit"), "{other}");
}

#[test]
fn a_program_that_crashes_leaves_its_recording() {
    use std::os::unix::process::ExitStatusExt;
    let project = Project::copy("tests/projects/audit_habits");
    let audit = project.tool(&["run", "-q", "--audit", "--", "crash"]);
    let said = both(&audit);
    assert!(
        said.contains("cubicle `habits` crashed (SIGSEGV)"),
        "{said}"
    );
    assert!(
        said.contains("(`text` of `habit_vowels`), bytes 0 to 8"),
        "{said}"
    );
    assert_ne!(audit.status.code(), Some(0));
    assert!(audit.status.code().is_some() || audit.status.signal() == Some(11));
    let suggested = text(&project.tool(&["suggest"]).stdout);
    assert!(
        suggested.contains("arg.text = { lend = \"in\", bytes = \"cstr\" }"),
        "{suggested}"
    );
}
