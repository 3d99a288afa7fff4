//! The command line's words. Each file of `tests/command_line` starts with a
//! command, which runs in a package that has no manifest; the rest is what it
//! says and how it ends. `UPDATE_EXPECT=1` writes the rest.

use std::fs;
use std::process::{Command, Output};

use camino::{Utf8Path, Utf8PathBuf};

/// The tool, in an environment that is the same everywhere.
fn tool(directory: &Utf8Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-cubicle"));
    command.arg("cubicle").current_dir(directory);
    for (name, _) in std::env::vars() {
        let kept = matches!(name.as_str(), "CARGO" | "CARGO_HOME");
        if !kept && (name.starts_with("CARGO") || name.starts_with("CUBICLE") || name == "COLUMNS")
        {
            command.env_remove(name);
        }
    }
    command.env("NO_COLOR", "1");
    command
}

/// A package without a manifest.
fn package() -> (tempfile::TempDir, Utf8PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(directory.path())
        .unwrap()
        .canonicalize_utf8()
        .unwrap();
    fs::create_dir(root.join("src")).unwrap();
    fs::write(root.join("src/main.rs"), "fn main() {}\n").unwrap();
    fs::write(root.join("some.log"), "nothing special\n").unwrap();
    let package = "[package]\nname = \"hello\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    fs::write(root.join("Cargo.toml"), package).unwrap();
    (directory, root)
}

fn said(output: &Output, root: &Utf8Path) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut said = [text(&output.stdout), text(&output.stderr)].concat();
    said = said.replace(root.as_str(), "[DIRECTORY]");
    format!("{said}(status {})\n", output.status.code().unwrap())
}

#[test]
fn says_what_is_expected() {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command_line");
    let (_directory, root) = package();
    let update = std::env::var("UPDATE_EXPECT").is_ok_and(|value| value == "1");
    let mut failures = Vec::new();
    let mut cases = 0;
    for entry in folder.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        let expected = fs::read_to_string(&path).unwrap();
        let line = expected.lines().next().unwrap();
        let words = line
            .strip_prefix("$ cargo cubicle")
            .unwrap()
            .split_whitespace();
        let output = tool(&root).args(words).output().unwrap();
        let actual = format!("{line}\n{}", said(&output, &root));
        cases += 1;
        if update {
            fs::write(&path, actual).unwrap();
        } else if actual != expected {
            failures.push(format!(
                "{path}\n--- expected\n{expected}--- actual\n{actual}"
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(cases >= 10, "{cases}");
}

#[test]
fn what_the_machine_lacks_is_said_before_anything_is_built() {
    let (_directory, root) = package();
    let manifest = "schema = 1\n[cubicle.app]\nmain = true\nsyscalls = [\"@base\", \"@stdio\"]\n";
    fs::write(root.join("Cubicle.toml"), manifest).unwrap();
    let cargo = Utf8PathBuf::from(std::env::var("CARGO").unwrap());
    // Room for cargo and its compiler, but not for QEMU.
    let path = cargo.parent().unwrap();
    let output = tool(&root)
        .args(["run", "--vm"])
        .env("PATH", path)
        .output()
        .unwrap();
    let said = said(&output, &root);
    if said.starts_with("note: this machine has protection keys") {
        assert!(said.ends_with("(status 0)\n"), "{said}");
        return;
    }
    assert!(
        said.starts_with("error: the emulated machine needs QEMU (qemu-system-x86_64)\ninstall "),
        "{said}"
    );
    assert!(said.ends_with("(status 2)\n"), "{said}");
    assert!(!root.join("target").exists());

    for (word, reason) in [
        (
            "--vm-file=x=nowhere",
            "`--vm-file x=nowhere`: [DIRECTORY]/nowhere: No such file",
        ),
        (
            "--vm-env=NOT_SET_AT_ALL",
            "give it a value with `--vm-env NOT_SET_AT_ALL=VALUE`",
        ),
    ] {
        let output = tool(&root).args(["test", "--vm", word]).output().unwrap();
        let said = self::said(&output, &root);
        assert!(
            said.contains(reason) && said.ends_with("(status 2)\n"),
            "{said}"
        );
    }
}
