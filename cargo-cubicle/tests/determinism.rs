//! The same sources are the same program, to the byte: in another folder, with another
//! home and another mode for new files, with one job and with many.

#[path = "common/copy.rs"]
mod copy;
#[path = "common/outside.rs"]
mod outside;

use std::fs;
use std::os::unix::process::CommandExt;

use camino::{Utf8Path, Utf8PathBuf};

use copy::copy;
use outside::tool;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples");

fn build(sample: &str, folder: &Utf8Path, home: Option<&Utf8Path>, words: &[&str]) -> Vec<u8> {
    copy(&Utf8Path::new(SAMPLES).join(sample), folder);
    let mut command = tool(folder);
    command
        .args(["build", "--locked", "--quiet", "--release"])
        // Debug information says in which folder a program was built, as cargo's does.
        .args(["--config", "profile.release.debug=false"])
        .args(words);
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

/// Who renames folders himself, for whatever reason, gets what he asked for.
#[test]
fn renaming_is_the_users_first() {
    let directory = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(directory.path()).unwrap();
    fs::create_dir(root.join("src")).unwrap();
    let package = "[package]\nname = \"named\"\nedition = \"2024\"\n[workspace]\n";
    fs::write(root.join("Cargo.toml"), package).unwrap();
    let manifest = "schema = 1\nisolation = \"any\"\n[cubicle.app]\nmain = true\nsyscalls = [\"@base\", \"@stdio\"]\n";
    fs::write(root.join("Cubicle.toml"), manifest).unwrap();
    // A path that is not relative to the folder in which cargo runs rustc.
    fs::write(root.join("other.rs"), "pub const NAME: &str = file!();\n").unwrap();
    let main = format!(
        "#[path = \"{root}/other.rs\"]\nmod other;\nfn main() {{ println!(\"{{}}\", other::NAME); }}\n"
    );
    fs::write(root.join("src/main.rs"), main).unwrap();
    let run = |flags: Option<String>| {
        let mut command = tool(root);
        command.args(["run", "--quiet"]);
        if let Some(flags) = flags {
            command.env("RUSTFLAGS", flags);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(run(None), "/workspace/other.rs\n");
    let own = format!("--remap-path-prefix={root}=/mine");
    assert_eq!(run(Some(own)), "/mine/other.rs\n");
}
