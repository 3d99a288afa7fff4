//! gdb with the script that lies beside the images: breakpoints in every cubicle, with
//! source lines, and backtraces through gates, in programs as people have them.

#[path = "common/outside.rs"]
mod outside;
#[path = "common/target.rs"]
mod target;

use std::process::Command;
use target::shared_target;

use camino::{Utf8Path, Utf8PathBuf};

use outside::tool;

/// Builds a sample; its program, and the script for gdb.
fn build(sample: &str) -> (Utf8PathBuf, Utf8PathBuf) {
    build_in("samples", sample)
}

/// The same for a project in this folder of the repository.
fn build_in(folder: &str, sample: &str) -> (Utf8PathBuf, Utf8PathBuf) {
    let target = shared_target("debugger");
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = tool(root.join(folder).join(sample))
        .args(["build", "--locked", "--quiet", "--target-dir"])
        .arg(&target)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let folder = target.join("x86_64-unknown-linux-gnu/debug");
    // One of them is of the last build: the newest.
    let scripts = folder.join("cubicle").read_dir_utf8().unwrap();
    let scripts = scripts.map(|entry| entry.unwrap().into_path().join("gdb.py"));
    let name = if sample == "flate2" {
        "streams"
    } else {
        sample
    };
    let own = scripts.filter(|path| {
        let stem = path
            .parent()
            .and_then(Utf8Path::file_name)
            .unwrap_or_default();
        stem.starts_with(&format!("{name}-")) && path.is_file()
    });
    let newest = own.max_by_key(|path| path.metadata().unwrap().modified().unwrap());
    (folder.join(name), newest.expect("a script"))
}

/// What gdb says to these commands.
fn gdb(script: &Utf8Path, program: &Utf8Path, commands: &[&str]) -> String {
    let mut command = Command::new("gdb");
    command.args(["-nx", "-batch", "-iex", "set auto-load no"]);
    command.args(["-x", script.as_str(), "-ex", "set width 0"]);
    for one in commands {
        command.args(["-ex", one]);
    }
    let output = command.arg(program).output().expect(
        "gdb is needed here; `./check` installs it, or: apt-get install --no-install-recommends gdb",
    );
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!said.contains("Python Exception"), "{said}");
    said
}

/// The frames of a backtrace, without numbers and addresses.
fn frames(said: &str) -> Vec<&str> {
    let lines = said.lines().filter(|line| line.starts_with('#'));
    lines
        .map(|line| {
            let line = line.split_once(' ').map_or("", |(_, rest)| rest.trim());
            line.split_once(" in ").map_or(line, |(_, rest)| rest)
        })
        .collect()
}

/// The places of these words in the frames, in this order.
fn in_order(said: &str, wanted: &[&str]) {
    let frames = frames(said);
    let mut rest = frames.iter();
    for words in wanted {
        assert!(
            rest.any(|frame| words.split(' ').all(|word| frame.contains(word))),
            "no `{words}` where it should be in:\n{said}"
        );
    }
}

#[test]
fn a_c_library_is_called_through_its_gate() {
    let (program, script) = build("flate2");
    let said = gdb(
        &script,
        &program,
        &[
            "break deflateReset",
            "run",
            "backtrace",
            "up 3",
            "info locals",
        ],
    );
    assert!(said.contains("deflate.c:"), "{said}");
    in_order(
        &said,
        &[
            "deflateReset deflate.c",
            "deflateInit2_ deflate.c",
            "gate app -> zlib::deflateInit2_",
            "mz_deflateInit2 ffi/c.rs",
            "Compress::new mem.rs",
            "streams::main main.rs",
        ],
    );
}

#[test]
fn recursion_through_three_cubicles_is_followed_to_the_end() {
    let (program, script) = build("three");
    let said = gdb(
        &script,
        &program,
        &["break legacy_descend if depth == 0", "run", "backtrace"],
    );
    let round = |depth: u32| {
        [
            format!("legacy_descend depth={depth}, legacy.cpp"),
            "gate engine -> legacy::legacy_descend".to_owned(),
            format!("engine_descend depth={}, descend.rs", depth + 1),
            "gate app -> engine::engine_descend".to_owned(),
            format!("app_descend depth={}, exports.rs", depth + 2),
        ]
    };
    let mut wanted: Vec<String> = Vec::new();
    for depth in [0, 3, 6] {
        wanted.extend(round(depth));
    }
    wanted.push("three::main main.rs".to_owned());
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    in_order(&said, &wanted);
    // The variables are those of each side.
    assert!(said.contains("depth=8, sum=2,"), "{said}");
}

/// Where a program ends, the innermost frame is the monitor's; a core says what it was asked, and by whom.
#[test]
fn cores_lead_out_of_the_monitor() {
    let (program, script) = build_in("tests/projects", "cores");
    let wanted = [
        "the monitor",
        "give_up library.c",
        "library_end library.c",
        "gate app -> library::library_end",
        "cores::finish main.rs",
        "cores::main main.rs",
    ];
    for how in ["abort", "fault"] {
        let core = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("core-{how}"));
        let write = format!("generate-core-file {core}");
        let read = format!("core-file {core}");
        // The signal by which the monitor ends the program, behind the one that it handles.
        let stop = if how == "fault" {
            "handle SIGSEGV stop"
        } else {
            "handle SIGABRT stop"
        };
        let run = format!("run {how}");
        let mut commands = vec![stop, &run];
        if how == "fault" {
            commands.push("continue");
        }
        commands.extend([
            "backtrace",
            &write,
            "kill",
            "echo FROM THE CORE\\n",
            &read,
            "backtrace",
        ]);
        let said = gdb(&script, &program, &commands);
        let (alive, dead) = said.split_once("FROM THE CORE").expect(&said);
        in_order(alive, &wanted);
        in_order(dead, &wanted);
        // Not the address space that is reserved for arenas, 64 GiB each.
        let size = core.metadata().unwrap().len();
        assert!(size < 1 << 30, "{core} has {size} bytes");
        std::fs::remove_file(&core).unwrap();
    }
}

/// Each cubicle's std finds names and lines of its own in the program.
#[test]
fn panics_in_every_cubicle_have_names_and_lines() {
    let (program, _) = build_in("tests/projects", "panics");
    let output = Command::new(&program)
        .env("RUST_BACKTRACE", "1")
        .output()
        .unwrap();
    // The status of a panic in `main`.
    assert_eq!(output.status.code(), Some(101), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    let mut rest = said.lines();
    for words in [
        "panicked at worker/src/lib.rs",
        "worker::summed",
        "worker/src/lib.rs:14:",
        "worker_total",
        "worker/src/lib.rs:8:",
        "panicked at src/main.rs",
        "panics::check",
        "src/main.rs:16:",
        "panics::main",
        "src/main.rs:12:",
    ] {
        assert!(
            rest.any(|line| line.contains(words)),
            "no `{words}` where it should be in:\n{said}"
        );
    }
}
