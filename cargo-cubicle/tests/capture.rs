//! Builds small real projects through the tool, and looks at what cargo and the
//! captured link line make of them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use camino::Utf8Path;
use cargo_cubicle::capture::{
    self, ArchiveKind, LibraryMode, LinkItem, LinkLine, Lto, Strip, TARGET,
};
use object::{Object, ObjectKind};

/// A workspace: `app` (two binaries, a manifest, a build script, a procedural
/// macro), `plain` (no manifest), `csum-sys` (C), all in a path with a space.
struct Project {
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
        "report" => {
            let fd: i32 = std::env::var("CUBICLE_REPORT_FD").unwrap().parse().unwrap();
            std::fs::write(format!("/proc/self/fd/{fd}"), "{\"kind\":\"violation\"}\n").unwrap();
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
fn one_thread() {
    assert_eq!(std::env::var("RUST_TEST_THREADS").unwrap(), "1");
    assert_eq!(csum_sys::sum(b"abc"), 294);
}
"#;

impl Project {
    fn new() -> Project {
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
            ("app/Cubicle.toml", "schema = 1\n"),
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
                "[package]\nname = \"csum-sys\"\nversion = \"0.4.0\"\nedition = \"2024\"\nlinks = \"csum\"\n",
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
    run("gcc", &["-c", "-O2", "-g", "csum.c", "-o", &object]);
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

    fn root(&self) -> PathBuf {
        self.directory
            .path()
            .canonicalize()
            .unwrap()
            .join("my work")
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.root_of(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn root_of(&self, path: &str) -> PathBuf {
        self.directory.path().join("my work").join(path)
    }

    fn script(&self, path: &str, text: &str) -> PathBuf {
        let path = self.write(path, &format!("#!/bin/sh\n{text}\n"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.canonicalize().unwrap()
    }

    /// A command in the workspace, without what `cargo test` adds to the
    /// environment or a developer may have set.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
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

    fn tool(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_cargo-cubicle"));
        command.arg("cubicle").args(arguments);
        command
    }

    fn ok(&self, arguments: &[&str]) -> String {
        ok(&mut self.tool(arguments))
    }

    /// The program in the default target directory.
    fn program(&self, name: &str) -> PathBuf {
        self.root().join(format!("target/{TARGET}/debug/{name}"))
    }

    fn link_line(&self, program: &Path) -> LinkLine {
        link_line(program)
    }
}

/// What the program wrote to both streams; it must succeed.
fn ok(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}", text(&output));
    text(&output)
}

fn text(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]]
        .map(String::from_utf8_lossy)
        .concat()
}

/// Finds the line of an uplifted program: cargo's hard link has another name.
fn link_line(program: &Path) -> LinkLine {
    use std::os::unix::fs::MetadataExt;
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
fn is_static(program: &Path) -> bool {
    let bytes = fs::read(program).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let interpreter = file.section_by_name(".interp").is_some();
    file.kind() == ObjectKind::Executable && !interpreter
}

#[test]
fn a_workspace_is_captured_completely() {
    let project = Project::new();
    let output = project.ok(&["build"]);
    assert!(!output.contains("warning"), "{output}");
    let app = project.program("app");
    assert!(is_static(&app) && is_static(&project.program("second")));
    assert!(!is_static(&project.program("plain")));
    assert!(ok(&mut project.command(project.program("plain"))).contains("plain 97"));
    assert!(ok(&mut project.command(project.program("second"))).contains("second 98"));
    let output = ok(&mut project.command(&app));
    assert!(output.contains("sum 294 LOUD true"), "{output}");

    let line = project.link_line(&app);
    let root = project.root();
    assert_eq!(line.driver, "cc");
    assert_eq!(
        line.manifest,
        root.join("app/Cubicle.toml").to_str().unwrap()
    );
    assert_eq!(
        (line.program.package.as_str(), line.program.version.as_str()),
        ("app", "1.2.3")
    );
    assert_eq!(
        (line.binary_name.as_deref(), line.test, line.lto),
        (Some("app"), false, Lto::Off)
    );
    assert_eq!(
        (
            line.profile.directory_name.as_str(),
            line.profile.debuginfo.as_str()
        ),
        ("debug", "2")
    );
    assert!(
        line.inputs()
            .all(|path| path.is_file() && path.is_absolute())
    );

    let mut crates = Vec::new();
    for item in &line.items {
        match item {
            LinkItem::Object(path) => assert!(path.starts_with(line.directory.join("objects"))),
            LinkItem::Archive(archive) => {
                crates.push(archive.crate_name.clone().unwrap());
                let of_toolchain = archive.kind == ArchiveKind::Toolchain;
                assert_eq!(of_toolchain, archive.record.is_none(), "{archive:?}");
                if archive.crate_name.as_deref() == Some("csum_sys") {
                    let record = archive.record.as_ref().unwrap();
                    assert_eq!(
                        (record.package.as_str(), record.links.as_deref()),
                        ("csum-sys", Some("csum"))
                    );
                    assert_eq!(record.native_libraries, ["static=csum", "m"]);
                    assert_eq!(record.directory, root.join("csum-sys").to_str().unwrap());
                }
            }
            LinkItem::Library(library) => {
                assert!(library.file.as_ref().unwrap().as_str().ends_with(".a"));
                if library.name == "c" {
                    assert_eq!(library.mode, LibraryMode::Static);
                }
            }
            _ => {}
        }
    }
    for name in ["csum_sys", "std", "core", "compiler_builtins"] {
        assert!(
            crates.iter().any(|known| known == name),
            "{name} in {crates:?}"
        );
    }
    assert!(!crates.contains(&"shout".to_owned()));

    // What was kept is enough to link the program again, to the same bytes.
    let before = fs::read(&line.output).unwrap();
    fs::remove_file(&line.output).unwrap();
    capture::link(&line).unwrap();
    assert!(fs::read(&line.output).unwrap() == before);
}

#[test]
fn only_what_changed_is_linked_again() {
    let project = Project::new();
    let tool = project.root_of("cargo-cubicle");
    fs::copy(env!("CARGO_BIN_EXE_cargo-cubicle"), &tool).unwrap();
    let build = || {
        let mut command = project.command(&tool);
        let output = ok(command.args(["cubicle", "build", "-v"]));
        let state = |package: &str| {
            let line = output
                .lines()
                .find(|line| line.contains(&format!(" {package} v")));
            line.expect(&output)
                .split_whitespace()
                .next()
                .unwrap()
                .to_owned()
        };
        [state("app"), state("plain"), state("csum-sys")]
    };
    let plain_build = || {
        let cargo = std::env::var("CARGO").unwrap();
        ok(project
            .command(cargo)
            .args(["build", "-v", "--target", TARGET]))
    };
    build();
    assert_eq!(build(), ["Fresh", "Fresh", "Fresh"]);

    project.write("app/Cubicle.toml", "schema = 1 # changed\n");
    assert_eq!(build(), ["Dirty", "Fresh", "Fresh"]);
    assert_eq!(build(), ["Fresh", "Fresh", "Fresh"]);

    // Another manifest that comes into being, and disappears.
    assert!(!is_static(&project.program("plain")));
    let manifest = project.write("plain/Cubicle.toml", "schema = 1\n");
    assert_eq!(build()[1..], ["Dirty", "Fresh"]);
    assert!(is_static(&project.program("plain")));
    fs::remove_file(manifest).unwrap();
    assert_eq!(build()[1..], ["Dirty", "Fresh"]);
    assert!(!is_static(&project.program("plain")));

    // A new build of the tool.
    let file = fs::File::options().append(true).open(&tool).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    drop(file);
    assert_eq!(build(), ["Dirty", "Dirty", "Fresh"]);
    assert_eq!(build(), ["Fresh", "Fresh", "Fresh"]);

    // A plain build takes nothing from a partitioned one, nor the reverse.
    assert!(is_static(&project.program("app")));
    assert!(plain_build().contains("Dirty app"));
    assert!(!is_static(&project.program("app")));
    assert_eq!(build()[0], "Dirty");
    assert!(is_static(&project.program("app")));
}

#[test]
fn the_users_settings_are_kept() {
    let project = Project::new();
    let log = project.root().join("log");
    let note = |word: &str| format!("echo {word} \"$@\" >> '{}'", log.display());
    let wrapper = project.script(
        "tools/wrapper",
        &format!("{}\nexec \"$@\"", note("WRAPPER")),
    );
    project.script(
        "tools/linker",
        &format!("{}\nexec cc \"$@\"", note("LINKER")),
    );
    project.write(
        ".cargo/config.toml",
        &format!(
            "[build]\nrustflags = [\"--cfg\", \"from_config\"]\n[target.{TARGET}]\nlinker = \"tools/linker\"\n"
        ),
    );
    // From elsewhere, into a directory of its own, with a profile and a feature.
    let mut command = project.tool(&["build", "--manifest-path", "app/Cargo.toml"]);
    command.args([
        "--profile",
        "small",
        "--bin",
        "app",
        "-F",
        "extra",
        "--target-dir",
        "my target",
    ]);
    let output = ok(command.env("RUSTC_WRAPPER", &wrapper));
    let profile = project.root().join(format!("my target/{TARGET}/small"));
    assert!(!profile.join("second").exists(), "{output}");
    let app = profile.join("app");
    assert!(is_static(&app));
    let output = ok(&mut project.command(&app));
    assert!(output.contains("flags false true true"), "{output}");
    let line = link_line(&app);
    assert!(
        line.driver.ends_with("/my work/tools/linker"),
        "{}",
        line.driver
    );
    assert_eq!(line.profile.strip, Strip::Symbols);
    assert_eq!(
        (
            line.profile.opt_level.as_str(),
            line.profile.debuginfo.as_str()
        ),
        ("s", "0")
    );
    let log = fs::read_to_string(log).unwrap();
    for expected in [
        "WRAPPER",
        "--crate-name csum_sys",
        "--crate-name app",
        "LINKER",
    ] {
        assert!(log.contains(expected), "{expected} in {log}");
    }

    // RUSTFLAGS replaces the configured flags, as cargo has it.
    let mut command = project.tool(&["run", "-q", "-p", "app", "--bin", "app"]);
    let output = ok(command.env("RUSTFLAGS", "--cfg from_env -C link-arg=-Wl,-s"));
    assert!(output.contains("flags true false false"), "{output}");
    assert_eq!(
        project.link_line(&project.program("app")).profile.strip,
        Strip::Symbols
    );
}

#[test]
fn a_manifest_may_lie_elsewhere() {
    let project = Project::new();
    fs::remove_file(project.root_of("app/Cubicle.toml")).unwrap();
    let output = project.ok(&["build", "-p", "plain"]);
    assert!(output.contains("this is a plain build"), "{output}");
    assert!(!is_static(&project.program("plain")));

    let manifest = project
        .write("other/one.toml", "schema = 1\n")
        .canonicalize()
        .unwrap();
    project.ok(&[
        "build",
        "-p",
        "plain",
        "--cubicle-manifest",
        "other/one.toml",
    ]);
    let line = project.link_line(&project.program("plain"));
    assert_eq!(line.manifest, manifest.to_str().unwrap());

    // The workspace's own applies where a package has none.
    fs::rename(&manifest, project.root_of("Cubicle.toml")).unwrap();
    project.ok(&["build", "-p", "plain"]);
    let line = project.link_line(&project.program("plain"));
    assert_eq!(
        line.manifest,
        project.root().join("Cubicle.toml").to_str().unwrap()
    );
}

#[test]
fn what_cannot_be_is_an_error_that_says_what_to_change() {
    let project = Project::new();
    let fails = |command: &mut Command, status: i32, words: &[&str]| {
        let output = command.output().unwrap();
        let text = text(&output);
        assert_eq!(output.status.code(), Some(status), "{text}");
        for word in words {
            assert!(text.contains(word), "`{word}` in {text}");
        }
        assert!(!text.contains("didn't exit successfully"), "{text}");
    };
    fails(
        &mut project.tool(&["build", "--target", "wasm32-wasip1"]),
        2,
        &["wasm32-wasip1", TARGET],
    );
    fails(
        &mut project.tool(&["build", "--cubicle-manifest", "none.toml"]),
        2,
        &["none.toml"],
    );
    fails(&mut project.tool(&["bulid"]), 2, &["build"]);
    fails(&mut project.tool(&["build", "-p", "none"]), 101, &["none"]);
    let mut command = project.tool(&["build", "-p", "app"]);
    command.env("RUSTFLAGS", "-C target-feature=-crt-static");
    fails(&mut command, 2, &["-crt-static", "RUSTFLAGS"]);

    // A library of which there is only a shared one.
    project.write(
        "csum-sys/build.rs",
        r#"fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    let library = format!("{out}/libcsum.so");
    let gcc = std::process::Command::new("gcc").args(["-shared", "-fPIC", "csum.c", "-o", &library]).status();
    assert!(gcc.unwrap().success());
    println!("cargo:rustc-link-search=native={out}");
    println!("cargo:rustc-link-lib=csum");
}
"#,
    );
    let words = [
        "`csum` exists only as a shared library",
        "libcsum.so",
        "`csum-sys`",
        "CSUM_STATIC=1",
        "vendored",
    ];
    fails(&mut project.tool(&["build", "-p", "app"]), 1, &words);
    assert!(!project.program("app").exists());
}

#[test]
fn run_passes_everything_through() {
    let project = Project::new();
    let run = |word: &str| {
        project
            .tool(&["run", "-q", "-p", "app", word])
            .output()
            .unwrap()
    };
    let output = run("");
    assert!(
        output.status.success() && text(&output).contains("sum 294"),
        "{}",
        text(&output)
    );
    assert_eq!(run("status").status.code(), Some(86));
    assert_eq!(run("abort").status.signal(), Some(libc::SIGABRT));
    let output = run("report");
    assert!(String::from_utf8_lossy(&output.stderr).contains("{\"kind\":\"violation\"}"));

    let mut command = project.tool(&["run", "-q", "-p", "app", "--", "environment"]);
    let wrapper = project.script("wrapper", "exec \"$@\"");
    let output = ok(command.env("RUSTC_WRAPPER", &wrapper).env("CFLAGS", "-O1"));
    assert!(
        output.contains(&format!("\nRUSTC_WRAPPER={}\n", wrapper.display())),
        "{output}"
    );
    assert!(
        output.contains("\nCFLAGS=-O1\n") && output.contains("\nCUBICLE_REPORT_FD="),
        "{output}"
    );
    assert!(
        !output.contains("CUBICLE_SESSION") && !output.contains("CUBICLE_TOOL"),
        "{output}"
    );

    // A runner of the user's own, as one string and as an array.
    project.script("runner", "echo RUNNER \"$1\"; shift; exec \"$@\"");
    for runner in ["\"./runner x\"", "[\"./runner\", \"x y\"]"] {
        project.write(
            ".cargo/config.toml",
            &format!("[target.{TARGET}]\nrunner = {runner}\n"),
        );
        let output = text(&run("status"));
        assert!(output.contains("RUNNER x"), "{output}");
    }
}

#[test]
fn tests_run_partitioned_and_documentation_tests_run() {
    let project = Project::new();
    let output = project.ok(&["test", "-p", "app", "-p", "csum-sys"]);
    assert!(output.contains("test one_thread ... ok"), "{output}");
    assert!(
        output.contains("src/lib.rs - sum (line 2) ... ok"),
        "{output}"
    );
    let lines = fs::read_dir(
        project
            .root()
            .join(format!("target/{TARGET}/debug/cubicle")),
    )
    .unwrap();
    let harness = lines
        .filter_map(|entry| {
            let path = entry.unwrap().path().join("link.json");
            LinkLine::load(Utf8Path::from_path(&path).unwrap()).ok()
        })
        .find(|line| line.test && line.program.crate_name == "app")
        .expect("the harness was captured");
    assert!(is_static(harness.output.as_std_path()));
    let output = project
        .tool(&["test", "-p", "app"])
        .env("RUST_TEST_THREADS", "2")
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(101),
        "the user's number of threads is kept"
    );
}

#[test]
fn link_time_optimisation_leaves_its_archives() {
    let project = Project::new();
    project.ok(&[
        "build",
        "-p",
        "app",
        "--bin",
        "app",
        "--profile",
        "dissolved",
    ]);
    let app = project
        .root()
        .join(format!("target/{TARGET}/dissolved/app"));
    let line = link_line(&app);
    assert_eq!(line.lto, Lto::Fat);
    assert!(line.inputs().all(Utf8Path::is_file));
    let archive = line.items.iter().find_map(|item| match item {
        LinkItem::Archive(archive) if archive.crate_name.as_deref() == Some("csum_sys") => {
            Some(archive)
        }
        _ => None,
    });
    let archive = archive.expect("the C objects are still in an archive of their own");
    assert_eq!(
        archive.record.as_ref().unwrap().links.as_deref(),
        Some("csum")
    );
    assert!(archive.path.starts_with(line.directory.join("objects")));
}
