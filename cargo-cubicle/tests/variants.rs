//! `--variant`: what the manifest's `merge` makes of the same sources. In the program
//! with a border between them one part cannot read the other's memory; in the variant
//! that merges them it can.

#[path = "common/target.rs"]
mod target;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use target::shared_target;

const PROJECT: &str = "tests/projects/variants";

struct Project {
    directory: tempfile::TempDir,
}

impl Project {
    fn copy() -> Project {
        let directory = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let status = Command::new("cp")
            .arg("-r")
            .args([source.join(PROJECT).join("."), directory.path().into()])
            .status();
        assert!(status.unwrap().success());
        Project { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn tool(&self, words: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_cargo-cubicle"))
            .arg("cubicle")
            .args(words.split(' '))
            .current_dir(self.directory.path())
            .env("CARGO_TARGET_DIR", shared_target("variants"))
            .output()
            .unwrap()
    }
}

fn both(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_variant_has_no_border_inside_a_group_and_relinks_by_itself() {
    let project = Project::copy();
    // There and back: nothing but the flag has changed in between.
    for _ in 0..2 {
        let apart = project.tool("run --locked -q -- read");
        let said = both(&apart);
        assert!(said.contains("part 12, window there\n"), "{said}");
        assert!(!said.contains("in place"), "{said}");
        assert_eq!(apart.status.code(), Some(86), "{said}");

        let together = project.tool("run --locked -q --variant two -- read");
        let said = both(&together);
        assert!(said.contains("part 12, window gone\n"), "{said}");
        assert!(said.contains("in place 12\n"), "{said}");
        assert!(together.status.success(), "{said}");
    }
}

#[test]
fn a_variant_that_is_not_there_is_an_error_of_the_manifest() {
    let project = Project::copy();
    let output = project.tool("build --locked -q --variant twoo");
    let said = both(&output);
    assert!(said.contains("no variant called `twoo`"), "{said}");
    assert!(said.contains("there is one called `two`"), "{said}");
    assert_eq!(output.status.code(), Some(2), "{said}");

    let without = Project::copy();
    std::fs::remove_file(without.path("Cubicle.toml")).unwrap();
    let output = without.tool("build --locked -q --variant two");
    let said = both(&output);
    assert!(
        said.contains("`--variant` is for partitioned programs"),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(2), "{said}");
}

#[test]
fn a_variant_has_a_lock_file_of_its_own() {
    let project = Project::copy();
    let accepted = |words: &str| {
        let output = project.tool(words);
        assert!(output.status.success(), "{}", both(&output));
    };
    accepted("lint -q --accept");
    let lock = std::fs::read_to_string(project.path("Cubicle.lock")).unwrap();
    assert!(lock.contains("disk"), "{lock}");
    accepted("lint -q --accept --variant two");
    let variant = std::fs::read_to_string(project.path("Cubicle.two.lock")).unwrap();
    assert!(!variant.contains("disk"), "{variant}");
    // What one of the parts was granted, the whole is granted.
    assert!(variant.contains("getpid"), "{variant}");
    assert_eq!(
        lock,
        std::fs::read_to_string(project.path("Cubicle.lock")).unwrap()
    );
    accepted("lint -q --locked");
    accepted("lint -q --locked --variant two");
}
