//! A small project, and its builds.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::outside::tool;

const MANIFEST: &str = "schema = 1
isolation = \"any\"

[cubicle.app]
main = true
c = { files = [\"app.c\"] }
syscalls = [\"@base\", \"@stdio\"]

[cubicle.lib]
c = { files = [\"lib.c\"] }
callers = [\"app\"]
";

const APP: &str = "#include <stdio.h>
int number(void);
int main(void)
{
\tprintf(\"%d\\n\", number());
}
";

/// With it the program is larger than each of its images.
const FILLING: &str = "char filling[4 << 20] = { 1 };\n";

/// A package `app`, in a folder that is removed at the end.
pub struct Project {
    directory: tempfile::TempDir,
}

impl Project {
    /// The program writes `number`.
    pub fn new(number: u32) -> Project {
        let project = Project {
            directory: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
        };
        let package = "[package]\nname = \"app\"\nedition = \"2024\"\n[workspace]\n";
        project.write("Cargo.toml", package);
        project.write("Cubicle.toml", MANIFEST);
        project.write("app.c", APP);
        fs::create_dir(project.path("src")).unwrap();
        project.write("src/main.rs", "#![no_main]\n");
        project.change(number);
        project
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// From the next build on, the program writes this number.
    pub fn change(&self, number: u32) {
        let text = format!("{FILLING}int number(void) {{ return {number} - 1 + filling[0]; }}\n");
        self.write("lib.c", &text);
    }

    pub fn program(&self) -> PathBuf {
        self.path("target/x86_64-unknown-linux-gnu/debug/app")
    }

    /// `cargo cubicle build`, in a process group of its own.
    pub fn build(&self) -> Command {
        let mut command = tool(self.directory.path());
        command.arg("build").process_group(0);
        command
    }

    /// Builds it as nothing interferes, and checks what it does.
    pub fn build_and_check(&self, number: u32) {
        let output = self.build().output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        self.check(number);
        // Nothing half-written is left beside it.
        let deps = self.program().with_file_name("deps");
        for entry in fs::read_dir(deps).unwrap() {
            let name = entry.unwrap().file_name();
            assert!(!name.to_string_lossy().starts_with('.'), "{name:?}");
        }
    }

    /// Runs the program.
    pub fn check(&self, number: u32) {
        let output = Command::new(self.program()).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            format!("{number}\n")
        );
    }
}

pub fn text(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]]
        .map(String::from_utf8_lossy)
        .concat()
}

/// The largest file below a folder whose name passes.
pub fn largest(folder: &Path, passes: &dyn Fn(&str) -> bool) -> u64 {
    let mut most = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        most = most.max(match entry.file_type().unwrap().is_dir() {
            true => largest(&entry.path(), passes),
            false if passes(&name.to_string_lossy()) => entry.metadata().unwrap().len(),
            false => 0,
        });
    }
    most
}
