//! From an empty interface to one with which a program passes, only by what the
//! tool prints: the program is audited, `suggest` drafts entries from the recording,
//! and the test writes them into the manifest as they are, which a person would read
//! first.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const TOOL: &str = env!("CARGO_BIN_EXE_cargo-cubicle");

/// A copy of one of the projects, with a target directory that stays.
struct Project {
    directory: tempfile::TempDir,
    target: PathBuf,
}

impl Project {
    fn copy(name: &str) -> Project {
        let project = Project {
            directory: tempfile::tempdir().unwrap(),
            target: Path::new(env!("CARGO_TARGET_TMPDIR")).join(name),
        };
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/projects");
        copy(&source.join(name), project.directory.path());
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

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
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
        let suggested = project.tool(&["suggest"]);
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

/// A person writes the cubicles, and no entry of the interface.
#[test]
fn following_suggestions_makes_flate2_pass() {
    let project = Project::copy("audit_flate2");
    let before = std::fs::read_to_string(project.manifest()).unwrap();
    assert!(!before.contains("arg.") && !before.contains("interfaces"));
    let rounds = follow(&project);
    println!("flate2: {rounds} rounds, 0 entries written by hand");

    // What is described is not recorded, and nothing is left to suggest.
    let audit = both(&project.tool(&["run", "--locked", "-q", "--audit"]));
    assert!(
        audit.contains("audit: nothing that would have been a violation"),
        "{audit}"
    );
    let suggested = project.tool(&["suggest"]);
    assert!(suggested.stdout.is_empty(), "{}", both(&suggested));
    assert!(both(&suggested).contains("describes all that was recorded"));
}

/// A person writes the cubicles, and that the application sees SQLite's memory.
#[test]
fn following_suggestions_makes_rusqlite_pass() {
    let project = Project::copy("audit_rusqlite");
    let before = std::fs::read_to_string(project.manifest()).unwrap();
    assert!(!before.contains("arg.") && !before.contains("interfaces"));
    let rounds = follow(&project);
    println!("rusqlite: {rounds} rounds, 0 entries written by hand");
}
