//! The same sources are the same program, to the byte: in another folder, with another
//! home and another mode for new files, with one job and with many.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples");

/// Copies the sources of a sample.
fn copy(from: &Utf8Path, to: &Utf8Path) {
    fs::create_dir_all(to).unwrap();
    for entry in from.read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type().unwrap().is_dir() {
            true if entry.file_name() == "target" => {}
            true => copy(from, &to),
            false => {
                fs::copy(from, &to).unwrap();
            }
        }
    }
}

fn build(sample: &str, folder: &Utf8Path, home: Option<&Utf8Path>, words: &[&str]) -> Vec<u8> {
    copy(&Utf8Path::new(SAMPLES).join(sample), folder);
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-cubicle"));
    command
        .args(["cubicle", "build", "--locked", "--quiet", "--release"])
        // Debug information says in which folder a program was built, as cargo's does.
        .args(["--config", "profile.release.debug=false"])
        .args(words)
        .current_dir(folder);
    for (name, _) in std::env::vars() {
        if name.starts_with("CARGO_") && name != "CARGO_HOME" {
            command.env_remove(name);
        }
    }
    if let Some(home) = home {
        command.env("CARGO_HOME", home).env("USER", "somebody");
        // SAFETY: umask is safe between fork and exec.
        unsafe {
            command.pre_exec(|| {
                libc::umask(0o077);
                Ok(())
            });
        }
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let program = folder
        .join("target/x86_64-unknown-linux-gnu/release")
        .join(sample);
    fs::read(program).unwrap()
}

/// A home of cargo's elsewhere, with the same crates in it.
fn other_home(folder: &Utf8Path) -> Utf8PathBuf {
    let home = folder.join("home of another");
    fs::create_dir(&home).unwrap();
    let own = std::env::var("CARGO_HOME").unwrap_or_else(|_| {
        let user = std::env::var("HOME").expect("a home");
        format!("{user}/.cargo")
    });
    let registry = Utf8Path::new(&own).join("registry");
    std::os::unix::fs::symlink(registry, home.join("registry")).unwrap();
    home
}

fn check(sample: &str) {
    let directory = tempfile::tempdir().unwrap();
    let directory = Utf8Path::from_path(directory.path()).unwrap();
    let first = build(sample, &directory.join("a"), None, &[]);
    let home = other_home(directory);
    let second = build(
        sample,
        &directory.join("quite/another/place"),
        Some(&home),
        &["--jobs=1"],
    );
    let differ = first
        .iter()
        .zip(&second)
        .position(|(one, other)| one != other);
    assert_eq!(differ, None, "{sample}");
    assert_eq!(first.len(), second.len(), "{sample}");
    // And nothing in it says where it was made.
    let text = String::from_utf8_lossy(&first);
    assert!(!text.contains(directory.as_str()), "{sample}");
}

#[test]
fn rust_cpp_and_rust() {
    check("three");
}

#[test]
fn a_c_library_and_a_crate_of_the_registry() {
    check("deflate");
}
