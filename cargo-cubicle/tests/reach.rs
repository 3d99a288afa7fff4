//! What the functions of `tests/reach/functions.c` reach, as its first lines
//! say: once compiled as gcc does by default (tables of distances), once as
//! rustc compiles (tables of addresses).

#[path = "common/target.rs"]
mod target;

use cargo_cubicle::graph::lines::Lines;
use cargo_cubicle::graph::reach::{Cause, Reach, ReachError};
use object::{Object, ObjectSymbol};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use target::shared_target;

fn link(work: &Path, source: &str, flags: &[&str]) -> Vec<u8> {
    let program: PathBuf = work.join("program");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/reach");
    let source = folder.join(source);
    let done = Command::new("gcc")
        .args(["-w", "-g", "-fcf-protection=none", "-o"])
        .arg(&program)
        .arg(source)
        .args(flags)
        .output()
        .expect("gcc runs");
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{errors}");
    std::fs::read(&program).expect("the program is there")
}

fn functions(image: &[u8]) -> BTreeMap<String, u64> {
    let file = object::File::parse(image).expect("an ELF file");
    file.symbols()
        .filter_map(|symbol| Some((symbol.name().ok()?.to_owned(), symbol.address())))
        .collect()
}

/// What the source expects: "FS", "no FS", "x87" or "no x87", and a name.
fn expectations() -> Vec<(String, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/reach/functions.c");
    let source = std::fs::read_to_string(source).expect("the source is there");
    let mut found = Vec::new();
    for line in source.lines() {
        let Some((what, names)) = line.trim_start_matches(" * ").split_once(": ") else {
            continue;
        };
        if ["FS", "no FS", "x87", "no x87"].contains(&what) {
            let names = names.split_whitespace();
            found.extend(names.map(|name| (what.to_owned(), name.to_owned())));
        }
    }
    assert!(found.len() > 30, "expectations are missing");
    found
}

fn check(image: &[u8]) -> (Reach, BTreeMap<String, u64>) {
    let reach = Reach::analyse(image).expect("it can be analysed");
    let functions = functions(image);
    let mut wrong = Vec::new();
    for (what, name) in expectations() {
        let address = functions[&name];
        let (found, reason) = match what.ends_with("FS") {
            true => (reach.uses_fs(address), reach.fs_reason(address)),
            false => (reach.uses_x87(address), reach.x87_reason(address)),
        };
        assert_eq!(found, reason.is_some());
        if found == what.starts_with("no") {
            wrong.push(format!("{name} ({what}): {reason:x?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    (reach, functions)
}

#[test]
fn reach_follows_calls_tables_and_ifuncs() {
    let work = tempfile::tempdir().expect("a temporary folder");
    let flags = ["-static", "-no-pie", "-Wl,--emit-relocs"];
    let addresses = [
        &["-O2", "-fno-pie", "-fno-tree-switch-conversion"][..],
        &flags,
    ]
    .concat();
    let image = link(work.path(), "functions.c", &addresses);
    let (reach, functions) = check(&image);
    assert!(reach.contains_x87(), "printf of glibc has x87 code");
    assert!(reach.uses_fs(4), "an address outside counts as a user");

    let reason = reach
        .fs_reason(functions["through_two"])
        .expect("it uses FS");
    let path = [functions["through_two"], functions["uses_errno"]];
    assert_eq!((&reason.path[..2], reason.cause), (&path[..], Cause::Use));
    let reason = reach
        .fs_reason(functions["tail_pointer"])
        .expect("it uses FS");
    assert_eq!(reason.cause, Cause::Indirect);

    let lines = Lines::read(&image).expect("it has line information");
    let location = lines.lookup(functions["uses_tls"]).expect("a location");
    assert_eq!(location.function.as_deref(), Some("uses_tls"));
    assert_eq!(location.outer.as_deref(), Some("uses_tls"));
    let file = location.file.expect("a file");
    assert!(file.ends_with("functions.c"), "{file}");
    let source = include_str!("../../tests/reach/functions.c");
    let line = location.line.expect("a line") as usize;
    let text = source.lines().nth(line - 1).unwrap_or_default();
    assert!(text.contains("uses_tls"), "{text}");
    assert_eq!(lines.lookup(4), None);

    let distances = [&["-O2", "-fpie", "-fno-tree-switch-conversion"][..], &flags].concat();
    check(&link(work.path(), "functions.c", &distances));

    // The linker that images are linked with lays out slots and stubs
    // differently.
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output();
    let sysroot = sysroot.expect("rustc runs").stdout;
    let sysroot = String::from_utf8(sysroot).expect("a path");
    let folder = "lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld";
    let folder = format!("-B{}/{folder}", sysroot.trim());
    let lld = ["-O2", "-fuse-ld=lld", &folder, "-Wl,--gc-sections"];
    let lld = [&lld[..], &["-fno-tree-switch-conversion"], &flags].concat();
    check(&link(work.path(), "functions.c", &lld));
}

/// SQLite, which nobody here wrote. Its mutexes are called through a variable that
/// `sqlite3_config` fills from its caller's memory, so nothing is known of it;
/// besides, a mutex of glibc knows its owner by a thread-local.
#[test]
fn what_sqlite_reaches() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/projects/sqlite");
    let target = shared_target("sqlite");
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-cubicle"))
        .args(["cubicle", "run", "--locked", "-q", "--target-dir"])
        .arg(&target)
        .current_dir(&project)
        .output()
        .expect("the tool runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(output.stdout, b"2 43 one two forty\n", "{errors}");

    let folder = target.join("x86_64-unknown-linux-gnu/debug/cubicle");
    let image = std::fs::read_dir(&folder)
        .expect("the images lie beside the program")
        .map(|entry| entry.expect("an entry").path().join("sqlite.elf"))
        .find(|path| path.is_file())
        .expect("an image of SQLite");
    let image = std::fs::read(image).expect("a readable image");
    let reach = Reach::analyse(&image).expect("it can be analysed");
    let functions = functions(&image);
    for name in [
        "libversion_number",
        "column_count",
        "data_count",
        "value_int64",
    ] {
        let reason = reach.fs_reason(functions[&format!("sqlite3_{name}")]);
        assert_eq!(reason, None, "{name}");
    }
    for name in ["column_int64", "bind_int64", "reset", "changes64"] {
        let reason = reach.fs_reason(functions[&format!("sqlite3_{name}")]);
        let reason = reason.expect("it takes a mutex");
        let last = *reason.path.last().expect("a path");
        let mutex = ["sqlite3_mutex_enter", "sqlite3_mutex_leave"].map(|name| functions[name]);
        assert!(mutex.contains(&last), "{name}: {reason:x?}");
        assert_eq!(reason.cause, Cause::Indirect, "{name}");
    }
    // What the mutex table would lead to.
    let reason = reach.fs_reason(functions["pthreadMutexEnter"]);
    assert_eq!(reason.map(|reason| reason.cause), Some(Cause::Use));
}

#[test]
fn damaged_images_are_errors() {
    assert!(matches!(Reach::analyse(b"no"), Err(ReachError::Object(_))));
    let own = std::env::current_exe().expect("a path");
    let own = std::fs::read(own).expect("this program");
    let result = Reach::analyse(&own).map(|_| ());
    assert!(
        matches!(result, Err(ReachError::NoRelocations)),
        "{result:?}"
    );
}

#[test]
fn damage_does_not_panic() {
    let work = tempfile::tempdir().expect("a temporary folder");
    let flags = [
        "-O2",
        "-fno-pie",
        "-nostdlib",
        "-static",
        "-no-pie",
        "-Wl,--emit-relocs",
    ];
    let good = link(work.path(), "small.c", &flags);
    let reach = Reach::analyse(&good).expect("it can be analysed");
    let start = functions(&good)["_start"];
    assert!(!reach.uses_fs(start), "{:?}", reach.fs_reason(start));
    assert!(!reach.contains_x87());
    // A fixed generator (Numerical Recipes' constants), so that a failure
    // comes again.
    let mut state: u32 = 1;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    let mut different = 0;
    for _ in 0..400 {
        let mut bad = good.clone();
        for _ in 0..=random(20) {
            let place = random(bad.len());
            bad[place] = random(256) as u8;
        }
        different += match Reach::analyse(&bad) {
            Ok(reach) => usize::from(reach.uses_fs(start)),
            Err(_) => 1,
        };
        if let Ok(lines) = Lines::read(&bad) {
            lines.lookup(start);
        }
    }
    assert!(different > 10, "the damage did nothing");
}
