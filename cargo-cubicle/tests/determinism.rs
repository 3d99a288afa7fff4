//! The same sources are the same program, to the byte: in another folder, with another
//! home and another mode for new files, by another user, with one job and with many.

#[path = "common/copy.rs"]
mod copy;
#[path = "common/outside.rs"]
mod outside;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};

use copy::copy;
use outside::{outside, tool};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples");

/// Builds the project at `source`, in a copy of it.
fn build(source: &str, folder: &Utf8Path, home: Option<&Utf8Path>, words: &[&str]) -> Vec<u8> {
    copy(Utf8Path::new(source), folder);
    let mut command = tool(folder);
    command.args(WORDS).args(words);
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
    fs::read(program(folder, source)).unwrap()
}

/// Debug information says in which folder a program was built, as cargo's does.
const WORDS: [&str; 6] = [
    "build",
    "--locked",
    "--quiet",
    "--release",
    "--config",
    "profile.release.debug=false",
];

/// What was built in `folder`; it is called as the folder of its source is.
fn program(folder: &Utf8Path, source: &str) -> Utf8PathBuf {
    let built = folder.join("target/x86_64-unknown-linux-gnu/release");
    built.join(Utf8Path::new(source).file_name().unwrap())
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
    let source = format!("{SAMPLES}/{sample}");
    let first = build(&source, &directory.join("a"), None, &[]);
    let home = other_home(directory);
    let second = build(
        &source,
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

/// Another user of the machine, with a home, a group and a toolchain of their own.
#[test]
fn two_users() {
    // SAFETY: it has no preconditions.
    if unsafe { libc::geteuid() } != 0 {
        eprintln!("skipped: only root can build as another user");
        return;
    }
    let may_mount = Command::new("unshare").args(["--mount", "true"]).status();
    if !may_mount.is_ok_and(|status| status.success()) {
        eprintln!("skipped: root may not mount here, and another user cannot see root's toolchain");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let directory = Utf8Path::from_path(directory.path()).unwrap();
    fs::set_permissions(directory, Permissions::from_mode(0o755)).unwrap();
    // Rust, and C that the tool compiles; no crate of the registry, which is in root's home.
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/projects/children");
    let first = build(source, &directory.join("mine"), None, &[]);

    let [theirs, home, toolchain] =
        ["theirs", "home", "toolchain"].map(|name| directory.join(name));
    copy(Utf8Path::new(source), &theirs);
    fs::create_dir(&home).unwrap();
    fs::create_dir(&toolchain).unwrap();
    give_away(&theirs);
    give_away(&home);
    let tool = directory.join("cargo-cubicle");
    fs::copy(env!("CARGO_BIN_EXE_cargo-cubicle"), &tool).unwrap();
    let rustc = outside("rustc", &theirs)
        .args(["--print", "sysroot"])
        .output();
    let own_toolchain = String::from_utf8(rustc.unwrap().stdout).unwrap();
    let output = outside("unshare", &theirs)
        .args(["--mount", "sh", "-c"])
        .arg("mount --bind \"$1\" \"$2\" && shift 2 && exec setpriv \"$@\"")
        .args(["sh", own_toolchain.trim_end(), toolchain.as_str()])
        .args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")])
        .args(["--clear-groups", tool.as_str(), "cubicle"])
        .args(WORDS)
        .arg("--offline")
        // Of the cargo that runs this test.
        .env_remove("CARGO")
        .env(
            "PATH",
            format!("{toolchain}/bin:/usr/bin:/bin:/usr/sbin:/sbin"),
        )
        .env("HOME", &home)
        .env("CARGO_HOME", home.join("cargo"))
        .env("USER", "nobody")
        .env("LOGNAME", "nobody")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let second = program(&theirs, source);
    assert_eq!(second.metadata().unwrap().uid(), NOBODY);
    assert!(first == fs::read(second).unwrap(), "the programs differ");
}

/// The user `nobody` of Linux distributions.
const NOBODY: u32 = 65534;

/// Makes a folder that user's, with all that is in it.
fn give_away(path: &Utf8Path) {
    std::os::unix::fs::lchown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if path.is_dir() {
        for entry in path.read_dir_utf8().unwrap() {
            give_away(entry.unwrap().path());
        }
    }
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
