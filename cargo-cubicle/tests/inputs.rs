//! The projects under `tests/inputs`: objects, archives and programs of every kind that
//! compilers and accidents make. Each is refused with an error that says what to change, or
//! becomes a program that does what it should. All of them are built with one command.
//! `tests/inputs/README.md` says how one is written.

#[path = "common/copy.rs"]
mod copy;
#[path = "common/messages.rs"]
mod messages;
#[path = "common/outside.rs"]
mod outside;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, Output};

use camino::{Utf8Path, Utf8PathBuf};
use cargo_cubicle::gates::unintended;
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, SymbolKind, elf};

use copy::copy;
use messages::{Built, build_all};

/// One folder, and what its `Cubicle.toml` says in its first lines.
struct Case {
    name: String,
    folder: Utf8PathBuf,
    /// A program without which it cannot be made.
    needs: Option<String>,
    /// Commands that make inputs, in the package's folder.
    make: Vec<String>,
    /// Pieces of what the tool must say when it refuses, in this order.
    errors: Vec<String>,
    /// Pieces of what it must say anyhow.
    warnings: Vec<String>,
    /// What the program writes; only one that is built writes something.
    stdout: Vec<String>,
    /// Functions of `lib` that held forbidden bytes when it was linked.
    inside: Vec<String>,
    /// Padding between the inputs of that link, bytes.
    padded: Option<u64>,
}

const KEYS: [&str; 7] = [
    "needs", "make", "error", "warning", "stdout", "in", "padded",
];

impl Case {
    fn read(folder: Utf8PathBuf) -> Case {
        let text = fs::read_to_string(folder.join("Cubicle.toml")).unwrap();
        let mut directives: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for line in text.lines().map_while(|line| line.strip_prefix("#@ ")) {
            let (key, value) = line
                .split_once(": ")
                .unwrap_or_else(|| panic!("{folder}: {line}"));
            assert!(KEYS.contains(&key), "{folder}: {line}");
            directives.entry(key).or_default().push(value.to_owned());
        }
        let mut take = |key| directives.remove(key).unwrap_or_default();
        let case = Case {
            name: folder.file_name().unwrap_or_default().to_owned(),
            needs: take("needs").pop(),
            make: take("make"),
            errors: take("error"),
            warnings: take("warning"),
            stdout: take("stdout"),
            inside: take("in"),
            padded: take("padded").pop().map(|size| size.parse().unwrap()),
            folder,
        };
        let refused = !case.errors.is_empty();
        assert!(
            refused == case.stdout.is_empty(),
            "{}: refused or run?",
            case.folder
        );
        case
    }

    /// Makes the package.
    fn write(&self, package: &Utf8Path) {
        copy(&self.folder, package);
        if !package.join("src").exists() {
            fs::create_dir_all(package.join("src")).unwrap();
            fs::write(package.join("src/main.rs"), "#![no_main]\n").unwrap();
        }
        if !package.join("Cargo.toml").exists() {
            let text = format!("[package]\nname = \"{}\"\nedition = \"2024\"\n", self.name);
            fs::write(package.join("Cargo.toml"), text).unwrap();
        }
        for command in &self.make {
            let output = Command::new("sh")
                .args(["-ec", command])
                .current_dir(package)
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{}: {command}\n{}",
                self.name,
                text(&output)
            );
        }
    }

    /// What is wrong with what came of it.
    fn judge(&self, built: &Built, program: &Utf8Path) -> Result<(), String> {
        let said = &built.rendered();
        if said.contains("panicked at") {
            return Err(format!("the tool failed:\n{said}"));
        }
        in_order(said, &self.warnings)?;
        if !self.errors.is_empty() {
            if built.done || program.exists() {
                return Err("it was built".to_owned());
            }
            if !said.contains("help: ") {
                return Err(format!("it does not say what to change:\n{said}"));
            }
            return in_order(said, &self.errors);
        }
        if !built.done {
            return Err(format!("it was not built:\n{said}"));
        }
        let output = Command::new("timeout")
            .arg("20")
            .arg(program)
            .output()
            .unwrap();
        let expected: String = self.stdout.iter().flat_map(|line| [line, "\n"]).collect();
        let right = output.status.success() && output.stdout == expected.as_bytes();
        match right {
            true => self.moved(program),
            false => Err(format!("{}: {}{said}", output.status, text(&output))),
        }
    }

    /// Whether there were forbidden bytes where there should be, and are none any more.
    fn moved(&self, program: &Utf8Path) -> Result<(), String> {
        if self.inside.is_empty() {
            return Ok(());
        }
        let pattern = format!(
            "{}/cubicle/{}-*/",
            program.parent().unwrap(),
            self.name.replace('-', "_")
        );
        let mut folders: Vec<_> = glob::glob(&pattern).unwrap().flatten().collect();
        assert_eq!(folders.len(), 1, "{pattern}");
        let folder = Utf8PathBuf::from_path_buf(folders.remove(0)).unwrap();
        // As it was linked at last, and as it became.
        let linked = folder.join("images/lib.elf");
        let before: BTreeSet<String> = forbidden(&linked).into_iter().collect();
        for function in &self.inside {
            // With padding they are gone at once.
            if self.padded.is_none() && !before.contains(function) {
                return Err(format!("nothing was in `{function}`, but in {before:?}"));
            }
        }
        let after = forbidden(&folder.join("lib.elf"));
        if !after.is_empty() {
            return Err(format!("there is still something in {after:?}"));
        }
        let padding = fs::metadata(folder.join("images/lib.padding.o")).is_ok();
        match padding == self.padded.is_some() {
            true => Ok(()),
            false => Err(format!("padded: {padding}")),
        }
    }
}

/// The functions of an image that hold forbidden bytes, but for what is meant: the dynamic loader's.
fn forbidden(image: &Utf8Path) -> Vec<String> {
    let bytes = fs::read(image).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let mut found = Vec::new();
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
            continue;
        };
        if !sh_flags.contains(elf::SHF_EXECINSTR) {
            continue;
        }
        for offset in unintended::all(section.data().unwrap()) {
            let address = section.address() + offset as u64;
            let holds = |symbol: &object::Symbol<'_, '_>| {
                symbol.kind() == SymbolKind::Text
                    && (symbol.address()..symbol.address() + symbol.size()).contains(&address)
            };
            let symbol = file.symbols().find(holds);
            let name = symbol.and_then(|symbol| symbol.name().ok().map(str::to_owned));
            found.push(name.unwrap_or_default());
        }
    }
    found.retain(|name| !name.starts_with("_dl_runtime_resolve"));
    found
}

/// Whether all pieces are in a text, one behind the other.
fn in_order(text: &str, pieces: &[String]) -> Result<(), String> {
    let mut rest = text;
    for piece in pieces {
        let at = rest
            .find(piece.as_str())
            .ok_or_else(|| format!("`{piece}` is not where it should be in:\n{text}"))?;
        rest = &rest[at + piece.len()..];
    }
    Ok(())
}

fn text(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]]
        .map(String::from_utf8_lossy)
        .concat()
}

/// `CUBICLE_TEST_INPUT` names what is tried: all that begin so.
fn cases(kind: &str) -> Vec<Case> {
    let only = std::env::var("CUBICLE_TEST_INPUT").unwrap_or_default();
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests")
        .join(kind);
    let entries = root.read_dir_utf8().unwrap();
    let mut folders: Vec<_> = entries
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.is_dir())
        .filter(|path| path.file_name().unwrap_or_default().starts_with(&only))
        .collect();
    folders.sort();
    assert!(!folders.is_empty() || !only.is_empty());
    let mut cases: Vec<Case> = folders.into_iter().map(Case::read).collect();
    cases.retain(|case| {
        let Some(program) = case.needs.as_ref().filter(|program| !is_here(program)) else {
            return true;
        };
        eprintln!("not tried: {}, for want of {program}", case.name);
        false
    });
    cases
}

fn is_here(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

#[test]
fn inputs_are_refused_with_a_reason_or_work() {
    try_all("inputs");
}

#[test]
fn accidental_forbidden_bytes_are_moved_or_refused_with_a_reason() {
    try_all("accidental");
}

fn try_all(kind: &str) {
    let cases = cases(kind);
    if cases.is_empty() {
        return;
    }
    let root = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join(kind);
    if root.exists() {
        fs::remove_dir_all(&root).unwrap();
    }
    let mut members = String::new();
    for case in &cases {
        case.write(&root.join(&case.name));
        members.push_str(&format!("\"{}\", ", case.name));
    }
    let workspace = format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n");
    fs::write(root.join("Cargo.toml"), workspace).unwrap();
    let mut built = build_all(&root);
    let output = root.join("target/x86_64-unknown-linux-gnu/debug");
    let mut wrong = Vec::new();
    for case in &cases {
        let built = built.remove(&case.name).unwrap_or_default();
        if let Err(error) = case.judge(&built, &output.join(&case.name)) {
            wrong.push(format!("== {}: {error}", case.name));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} went wrong:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}
