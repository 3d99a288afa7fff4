//! Builds all programs with the tool, in one workspace and one command.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_cubicle::plan::without::FILE;

use crate::copy::update;
use crate::outside::{outside, tool};
use crate::program::Program;

/// Where the built programs are.
pub struct Built {
    directory: Utf8PathBuf,
    undefended: Utf8PathBuf,
}

impl Built {
    /// The program that goes without these defences.
    pub fn path(&self, program: &Program, without: &[String]) -> Utf8PathBuf {
        let directory = match without {
            [] => &self.directory,
            _ => &self.undefended,
        };
        directory.join(program.name_without(without))
    }
}

/// What a workspace's programs are built into, below its root.
const OUTPUT: &str = "target/x86_64-unknown-linux-gnu/debug";

const BUILD_SCRIPT: &str = r#"fn main() {
    let mut compiler = std::process::Command::new("c++");
    let output = compiler.arg("-print-file-name=libstdc++.a").output().unwrap();
    let path = String::from_utf8(output.stdout).unwrap();
    let folder = std::path::Path::new(path.trim()).parent().unwrap();
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-search=native={}", folder.display());
    println!("cargo:rustc-link-lib=static=stdc++");
}
"#;

/// Builds `programs`. `shared` is a folder whose files all of them may include.
pub fn build(programs: &[Program], shared: &Utf8Path) -> Built {
    let none = Vec::new();
    let all = programs.iter().map(|program| (program, &none)).collect();
    let directory = workspace("programs", all, shared, |folder| tool(folder));
    let left_out: Vec<_> = programs.iter().map(Program::left_out).collect();
    let without = programs.iter().zip(&left_out);
    let without = without.flat_map(|(program, sets)| sets.iter().map(move |set| (program, set)));
    let undefended = workspace("undefended", without.collect(), shared, |root| {
        let mut command = outside(undefended_tool().as_str(), root);
        command.arg("cubicle");
        command
    });
    Built {
        directory,
        undefended,
    }
}

/// Builds programs, each without some defences, in a workspace of this name, and
/// answers where they are.
fn workspace(
    name: &str,
    programs: Vec<(&Program, &Vec<String>)>,
    shared: &Utf8Path,
    tool: impl Fn(&Utf8Path) -> Command,
) -> Utf8PathBuf {
    let root = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let output = root.join(OUTPUT);
    if programs.is_empty() {
        return output;
    }
    fs::create_dir_all(&root).unwrap();
    let mut members = String::new();
    for (program, without) in programs {
        let name = program.name_without(without);
        members.push_str(&format!("\"{name}\", "));
        package(program, without, shared, &root.join(name));
    }
    update(
        &root.join("Cargo.toml"),
        format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n").as_bytes(),
    );
    let status = tool(&root)
        .args(["build", "--workspace", "--keep-going", "--quiet"])
        .status()
        .unwrap();
    assert!(status.success(), "the programs were not built");
    output
}

/// The tool that composes programs without defences, built beside the real one.
fn undefended_tool() -> Utf8PathBuf {
    let target = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let project = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut command = outside("cargo", &project);
    command
        .args([
            "build",
            "--quiet",
            "--locked",
            "--package",
            "cubicle-undefended",
        ])
        .args(["--target-dir", target.as_str()]);
    assert!(
        command.status().unwrap().success(),
        "no tool without defences"
    );
    target.join("debug/cubicle-undefended")
}

fn package(program: &Program, without: &[String], shared: &Utf8Path, folder: &Utf8Path) {
    fs::create_dir_all(folder.join("src")).unwrap();
    let mut hasher = DefaultHasher::new();
    let mut names = BTreeSet::new();
    for from in [shared, &program.folder] {
        for entry in from.read_dir_utf8().unwrap() {
            let entry = entry.unwrap();
            let manifest = entry.path().extension() == Some("toml");
            if manifest || !entry.file_type().unwrap().is_file() {
                continue;
            }
            let bytes = fs::read(entry.path()).unwrap();
            names.insert(entry.file_name().to_owned());
            (entry.file_name(), &bytes).hash(&mut hasher);
            update(&folder.join(entry.file_name()), &bytes);
        }
    }
    let manifest = fs::read(&program.manifest).unwrap();
    update(&folder.join("Cubicle.toml"), &manifest);
    if !without.is_empty() {
        update(&folder.join(FILE), without.join("\n").as_bytes());
    }
    let name = program.name_without(without);
    let script = if names.iter().any(|name| name.ends_with(".cpp")) {
        update(&folder.join("build.rs"), BUILD_SCRIPT.as_bytes());
        "build = \"build.rs\"\n"
    } else {
        ""
    };
    update(
        &folder.join("Cargo.toml"),
        format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n{script}").as_bytes(),
    );
    // The tool watches sources, but no headers: a change of any file changes
    // this one, and is a reason to link again.
    update(
        &folder.join("src/main.rs"),
        format!("#![no_main]\n// {:016x}\n", hasher.finish()).as_bytes(),
    );
}
