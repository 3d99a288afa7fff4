//! Builds small real projects through the tool, and looks at what cargo and the
//! captured link line make of them.

mod project;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use camino::Utf8Path;
use cargo_cubicle::capture::{ArchiveKind, LibraryMode, LinkItem, LinkLine, Lto, Strip, TARGET};
use project::{MANIFEST, Project, is_static, link_line, ok, text};

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

    let line = link_line(&app);
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
    cargo_cubicle::pipeline::run(&line).unwrap();
    assert!(fs::read(&line.output).unwrap() == before);
}

#[test]
fn only_what_changed_is_linked_again() {
    let project = Project::new();
    let tool = project.root_of("cargo-cubicle");
    fs::copy(env!("CARGO_BIN_EXE_cargo-cubicle"), &tool).unwrap();
    let build_with = |flags: &[&str]| {
        let mut command = project.command(&tool);
        let output = ok(command.args(["cubicle", "build", "-v"]).args(flags));
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
    let build = || build_with(&[]);
    let plain_build = || {
        let cargo = std::env::var("CARGO").unwrap();
        ok(project
            .command(cargo)
            .args(["build", "-v", "--target", TARGET]))
    };
    build();
    assert_eq!(build(), ["Fresh", "Fresh", "Fresh"]);

    let interface = "schema = 1\n[function.whatever]\n";
    project.write("app/manifests/own.toml", interface);
    let manifest = format!("{MANIFEST}interfaces = [\"own\"]\n");
    project.write("app/Cubicle.toml", &manifest);
    assert_eq!(build(), ["Dirty", "Fresh", "Fresh"]);
    assert_eq!(build(), ["Fresh", "Fresh", "Fresh"]);
    project.write("app/manifests/own.toml", &format!("{interface}# changed\n"));
    assert_eq!(build(), ["Dirty", "Fresh", "Fresh"]);
    assert_eq!(build(), ["Fresh", "Fresh", "Fresh"]);

    // Another manifest that comes into being, and disappears.
    assert!(!is_static(&project.program("plain")));
    let manifest = project.write("plain/Cubicle.toml", MANIFEST);
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

    // A benchmark build, and back.
    let benchmark = ["--benchmark-stand-in"];
    assert_eq!(build_with(&benchmark), ["Dirty", "Dirty", "Fresh"]);
    assert_eq!(build_with(&benchmark), ["Fresh", "Fresh", "Fresh"]);
    let said = ok(&mut project.command(project.program("app")));
    assert!(said.contains("BENCHMARK BUILD"), "{said}");
    assert_eq!(build(), ["Dirty", "Dirty", "Fresh"]);
    let said = ok(&mut project.command(project.program("app")));
    assert!(!said.contains("BENCHMARK BUILD"), "{said}");

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
        link_line(&project.program("app")).profile.strip,
        Strip::Symbols
    );
}

#[test]
fn a_linker_in_the_flags_is_used() {
    let project = Project::new();
    let linker = project.script("tools/linker", "touch linked; exec cc \"$@\"");
    let mut command = project.tool(&["build", "-p", "app", "--bin", "second"]);
    ok(command.env(
        "CARGO_ENCODED_RUSTFLAGS",
        format!("-C\x1flinker={}", linker.display()),
    ));
    let line = link_line(&project.program("second"));
    assert_eq!(line.driver, linker.to_str().unwrap());
    assert!(project.root().join("linked").is_file());
    assert!(is_static(&project.program("second")));
}

#[test]
fn a_manifest_may_lie_elsewhere() {
    let project = Project::new();
    fs::remove_file(project.root_of("app/Cubicle.toml")).unwrap();
    let output = project.ok(&["build", "-p", "plain"]);
    assert!(output.contains("this is a plain build"), "{output}");
    assert!(!is_static(&project.program("plain")));

    let manifest = project
        .write("other/one.toml", MANIFEST)
        .canonicalize()
        .unwrap();
    project.ok(&[
        "build",
        "-p",
        "plain",
        "--cubicle-manifest",
        "other/one.toml",
    ]);
    let line = link_line(&project.program("plain"));
    assert_eq!(line.manifest, manifest.to_str().unwrap());

    // The workspace's own applies where a package has none.
    fs::rename(&manifest, project.root_of("Cubicle.toml")).unwrap();
    project.ok(&["build", "-p", "plain"]);
    let line = link_line(&project.program("plain"));
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

    // A driver that knows no directories stands for a machine without libc6-dev.
    let driver = project.script(
        "bare",
        "case $1 in -print-search-dirs) echo 'libraries: =/none' ;; *) exec cc \"$@\" ;; esac",
    );
    let mut command = project.tool(&["build", "-p", "app", "--target-dir", "bare target"]);
    command.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", driver);
    let words = [
        "the static C library is not installed",
        "libc.a, ",
        "libgcc_eh.a, ",
        "libc6-dev",
    ];
    fails(&mut command, 1, &words);

    // A package that is nothing but a shared library.
    let only = "[package]\nname = \"only\"\nversion = \"0.1.0\"\n[workspace]\n[lib]\ncrate-type = [\"cdylib\"]\n";
    let cargo_toml = project.write("only/Cargo.toml", only);
    project.write("only/src/lib.rs", "");
    project.write("only/Cubicle.toml", MANIFEST);
    let mut command = project.tool(&["build", "--manifest-path"]);
    fails(command.arg(cargo_toml), 101, &["cdylib", "--exclude only"]);

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
    // What the tool says to the monitor is not the program's business.
    assert!(run("report").status.success());

    // A signal to the tool reaches the program, and ends both.
    let mut command = project.tool(&["run", "-q", "-p", "app", "wait"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    // SAFETY: the child was not waited for, so its id is still its own.
    unsafe { libc::kill(child.id() as i32, libc::SIGTERM) };
    assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGTERM));
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n", "nobody holds the other end any more");

    let mut command = project.tool(&["run", "-q", "-p", "app", "--", "environment"]);
    let wrapper = project.script("wrapper", "exec \"$@\"");
    let output = ok(command.env("RUSTC_WRAPPER", &wrapper).env("CFLAGS", "-O1"));
    assert!(
        output.contains(&format!("\nRUSTC_WRAPPER={}\n", wrapper.display())),
        "{output}"
    );
    assert!(output.contains("\nCFLAGS=-O1\n"), "{output}");
    for own in ["CUBICLE_SESSION", "CUBICLE_TOOL", "CUBICLE_REPORT_FD"] {
        assert!(!output.contains(own), "{output}");
    }

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
    assert!(
        output.contains("test as_many_threads_as_anywhere ... ok"),
        "{output}"
    );
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
