//! The tool's interface files on the real libraries: C programs call every
//! function that a file describes, and say the same partitioned as plainly, on
//! this machine and, if `CUBICLE_TEST_VM=1` asks for it, under protection keys in
//! the emulated one.

#[path = "common/emulation.rs"]
mod emulation;
#[path = "common/target.rs"]
mod target;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use target::shared_target;

use cargo_cubicle::manifest;

const TOOL: &str = env!("CARGO_BIN_EXE_cargo-cubicle");

/// Described, but only in builds of SQLite with options that the bundled one
/// does not have.
const NOT_BUILT: [&str; 7] = [
    "sqlite3_preupdate_hook",
    "sqlite3_preupdate_new",
    "sqlite3_preupdate_old",
    "sqlite3_snapshot_get",
    "sqlite3_snapshot_open",
    "sqlite3_snapshot_recover",
    "sqlite3_unlock_notify",
];

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/projects/interfaces")
}

#[test]
fn every_function_of_an_interface_file_is_called() {
    let mut missing = Vec::new();
    for (name, text) in manifest::EMBEDDED_INTERFACES {
        let program = project().join("c").join(name).with_extension("c");
        let program = std::fs::read_to_string(program).unwrap();
        let interface = manifest::parse_interface(name.into(), text).unwrap();
        for symbol in interface.functions.into_keys() {
            // The names with an underscore stand behind macros.
            let called = format!("{}(", symbol.trim_end_matches('_'));
            if !program.contains(&called) {
                missing.push(symbol);
            }
        }
    }
    assert_eq!(missing, NOT_BUILT);
}

fn text(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}: {stdout}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    stdout.into_owned()
}

#[test]
fn the_libraries_behave_as_they_do_plainly() {
    let target = shared_target("interfaces");
    let files = target.join("files");
    std::fs::create_dir_all(&files).unwrap();
    let run = |command: &mut Command, folder: &Path| {
        let command = command
            .args(["--locked", "-q", "--target-dir"])
            .arg(&target)
            .arg("--")
            .arg(folder)
            .current_dir(project());
        text(&command.output().unwrap())
    };
    let plain = run(Command::new(env!("CARGO")).arg("run"), files.as_std_path());
    assert!(plain.contains("zlib: done") && plain.ends_with("sqlite3: done\n"));
    let partitioned = run(
        Command::new(TOOL).args(["cubicle", "run"]),
        files.as_std_path(),
    );
    assert_eq!(partitioned, plain);

    // A machine with keys has just shown it.
    if emulation::is_wanted() && !cargo_cubicle::vm::host_has_keys() {
        let mut command = Command::new(TOOL);
        command.args(["cubicle", "run", "--vm", "--install"]);
        assert_eq!(run(&mut command, Path::new("/tmp")), plain);
    }
}
