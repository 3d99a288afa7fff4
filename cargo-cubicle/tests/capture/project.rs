//! A small real workspace, and what can be done with it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use camino::Utf8Path;
use cargo_cubicle::capture::{LinkLine, TARGET};
use object::{Object, ObjectKind};

/// A workspace: `app` (two binaries, a manifest, a build script, a procedural
/// macro), `plain` (no manifest), `csum-sys` (C), all in a path with a space.
pub struct Project {
    directory: tempfile::TempDir,
}

const ROOT: &str = r#"
[workspace]
resolver = "3"
members = ["app", "plain", "csum-sys", "shout"]

[profile.small]
inherits = "release"
opt-level = "s"
strip = true

[profile.dissolved]
inherits = "release"
lto = "fat"
"#;

const APP_MAIN: &str = r#"
shout::shout!(loud);
fn main() {
    let word = std::env::args().nth(1).unwrap_or_default();
    match word.as_str() {
        "status" => std::process::exit(86),
        "abort" => std::process::abort(),
        "report" => assert!(std::env::var_os("CUBICLE_REPORT_FD").is_none()),
        "wait" => {
            println!("ready");
            std::thread::sleep(std::time::Duration::from_secs(20));
        }
        "environment" => {
            for (name, value) in std::env::vars() {
                println!("{name}={value}");
            }
        }
        _ => {}
    }
    println!("sum {} {} {}", csum_sys::sum(b"abc"), loud(), env!("FROM_BUILD"));
    println!("flags {} {} {}", cfg!(from_env), cfg!(from_config), cfg!(feature = "extra"));
}

#[test]
fn as_many_threads_as_anywhere() {
    assert_eq!(std::env::var_os("RUST_TEST_THREADS"), None);
    assert_eq!(csum_sys::sum(b"abc"), 294);
}
"#;

pub const MANIFEST: &str = "schema = 1
isolation = \"any\"
[cubicle.app]
main = true
syscalls = [\"@base\", \"@stdio\", \"@file\"]
";

impl Project {
    pub fn new() -> Project {
        let project = Project {
            directory: tempfile::tempdir().unwrap(),
        };
        for (path, text) in [
            ("Cargo.toml", ROOT),
            (
                "app/Cargo.toml",
                "[package]\nname = \"app\"\nversion = \"1.2.3\"\nedition = \"2024\"\n\
                 default-run = \"app\"\n[features]\nextra = []\n[dependencies]\n\
                 csum-sys = { path = \"../csum-sys\" }\nshout = { path = \"../shout\" }\n",
            ),
            ("app/Cubicle.toml", MANIFEST),
            (
                "app/build.rs",
                "fn main() { println!(\"cargo:rustc-env=FROM_BUILD={}\", std::env::var(\"CARGO_CFG_TARGET_FEATURE\")\
                 .unwrap().split(',').any(|f| f == \"crt-static\"));\n\
                 println!(\"cargo:rustc-check-cfg=cfg(from_env)\");\nprintln!(\"cargo:rustc-check-cfg=cfg(from_config)\");\n\
                 println!(\"cargo:rerun-if-changed=build.rs\"); }\n",
            ),
            ("app/src/main.rs", APP_MAIN),
            (
                "app/src/bin/second.rs",
                "fn main() { println!(\"second {}\", csum_sys::sum(b\"b\")); }\n",
            ),
            (
                "plain/Cargo.toml",
                "[package]\nname = \"plain\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
                 [dependencies]\ncsum-sys = { path = \"../csum-sys\" }\n",
            ),
            (
                "plain/src/main.rs",
                "fn main() { println!(\"plain {}\", csum_sys::sum(b\"a\")); }\n",
            ),
            (
                "csum-sys/Cargo.toml",
                "[package]\nname = \"csum-sys\"\nversion = \"0.4.0\"\nedition = \"2024\"\nlinks = \"csum\"\n\
                 [lib]\ncrate-type = [\"rlib\", \"cdylib\"]\n",
            ),
            (
                "csum-sys/build.rs",
                r#"use std::process::Command;
fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    let run = |program: &str, arguments: &[&str]| {
        assert!(Command::new(program).args(arguments).status().unwrap().success());
    };
    let (object, archive) = (format!("{out}/csum.o"), format!("{out}/libcsum.a"));
    run("gcc", &["-c", "-O2", "-g", "-fPIC", "csum.c", "-o", &object]);
    run("ar", &["crs", &archive, &object]);
    println!("cargo:rerun-if-changed=csum.c");
    println!("cargo:rustc-link-search=native={out}");
    println!("cargo:rustc-link-lib=static=csum");
    println!("cargo:rustc-link-lib=m");
}
"#,
            ),
            (
                "csum-sys/csum.c",
                "#include <stddef.h>\nunsigned csum(const unsigned char *p, size_t n) { unsigned s = 0; while (n--) s += *p++; return s; }\n",
            ),
            (
                "csum-sys/src/lib.rs",
                "unsafe extern \"C\" { fn csum(p: *const u8, n: usize) -> u32; }\n\
                 /// ```\n/// assert_eq!(csum_sys::sum(b\"a\"), 97);\n/// ```\n\
                 pub fn sum(b: &[u8]) -> u32 { unsafe { csum(b.as_ptr(), b.len()) } }\n",
            ),
            (
                "shout/Cargo.toml",
                "[package]\nname = \"shout\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\nproc-macro = true\n",
            ),
            (
                "shout/src/lib.rs",
                "use proc_macro::TokenStream;\n#[proc_macro]\npub fn shout(name: TokenStream) -> TokenStream {\n\
                 format!(\"fn {name}() -> &'static str {{ \\\"LOUD\\\" }}\").parse().unwrap() }\n",
            ),
        ] {
            project.write(path, text);
        }
        project
    }

    pub fn root(&self) -> PathBuf {
        self.directory
            .path()
            .canonicalize()
            .unwrap()
            .join("my work")
    }

    pub fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.root_of(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub fn root_of(&self, path: &str) -> PathBuf {
        self.directory.path().join("my work").join(path)
    }

    pub fn script(&self, path: &str, text: &str) -> PathBuf {
        let path = self.write(path, &format!("#!/bin/sh\n{text}\n"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.canonicalize().unwrap()
    }

    /// A command in the workspace, without what `cargo test` adds to the
    /// environment or a developer may have set.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.root());
        for (name, _) in std::env::vars() {
            let kept = ["CARGO", "CARGO_HOME", "RUST_BACKTRACE"].contains(&name.as_str());
            let cargos = [
                "CARGO",
                "RUSTC",
                "RUSTFLAGS",
                "RUSTDOC",
                "RUST_TEST",
                "CUBICLE",
            ];
            if !kept && cargos.iter().any(|prefix| name.starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command
    }

    pub fn tool(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_cargo-cubicle"));
        command.arg("cubicle").args(arguments);
        command
    }

    pub fn ok(&self, arguments: &[&str]) -> String {
        ok(&mut self.tool(arguments))
    }

    /// The program in the default target directory.
    pub fn program(&self, name: &str) -> PathBuf {
        self.root().join(format!("target/{TARGET}/debug/{name}"))
    }
}

/// What the program wrote to both streams; it must succeed.
pub fn ok(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}", text(&output));
    text(&output)
}

pub fn text(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]]
        .map(String::from_utf8_lossy)
        .concat()
}

/// Finds the line of an uplifted program: cargo's hard link has another name.
pub fn link_line(program: &Path) -> LinkLine {
    let inode = program.metadata().unwrap().ino();
    let lines = fs::read_dir(program.parent().unwrap().join("cubicle")).unwrap();
    lines
        .filter_map(|entry| {
            let path = entry.unwrap().path().join("link.json");
            LinkLine::load(Utf8Path::from_path(&path).unwrap()).ok()
        })
        .find(|line| line.output.metadata().is_ok_and(|file| file.ino() == inode))
        .expect("the program was captured")
}

/// Whether the file is fixed in place and needs no loader.
pub fn is_static(program: &Path) -> bool {
    let bytes = fs::read(program).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let interpreter = file.section_by_name(".interp").is_some();
    file.kind() == ObjectKind::Executable && !interpreter
}
