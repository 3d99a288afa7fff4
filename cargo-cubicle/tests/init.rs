//! `cargo cubicle init` on real programs without a manifest: what it writes builds at once,
//! and the program does partitioned what it does plainly.

#[path = "common/copy.rs"]
mod copy;
#[path = "common/outside.rs"]
mod outside;
#[path = "common/target.rs"]
mod target;

use std::fs;
use std::process::Output;

use camino::{Utf8Path, Utf8PathBuf};

use copy::copy;
use outside::{outside, tool};
use target::shared_target;

struct Project {
    _directory: tempfile::TempDir,
    root: Utf8PathBuf,
    target: Utf8PathBuf,
}

impl Project {
    /// A copy of a folder of the repository, without its manifest.
    fn copy(folder: &str) -> Project {
        let directory = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(directory.path()).unwrap();
        let root = root.canonicalize_utf8().unwrap();
        copy(&repository().join(folder), &root);
        for file in ["Cubicle.toml", "Cubicle.lock"] {
            let _ = fs::remove_file(root.join(file));
        }
        Project {
            _directory: directory,
            root,
            target: shared_target("init"),
        }
    }

    fn manifest(&self) -> Utf8PathBuf {
        self.root.join("Cubicle.toml")
    }

    fn cubicle(&self, words: &[&str], arguments: &[&str]) -> Output {
        tool(&self.root)
            .args(words)
            .args(["--quiet", "--locked", "--target-dir", self.target.as_str()])
            .args(arguments.first().map(|_| "--"))
            .args(arguments)
            .output()
            .unwrap()
    }

    fn plain(&self, arguments: &[&str]) -> Output {
        outside(env!("CARGO"), &self.root)
            .args(["run", "--quiet", "--locked", "--target-dir"])
            .arg(&self.target)
            .arg("--")
            .args(arguments)
            .output()
            .unwrap()
    }
}

fn repository() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Answers with the manifest that was written.
fn works_at_once(folder: &str, arguments: &[&str]) -> String {
    let project = Project::copy(folder);
    let init = project.cubicle(&["init"], &[]);
    assert!(init.status.success(), "{folder}: {}", errors(&init));
    let written = fs::read_to_string(project.manifest()).unwrap();

    let plain = project.plain(arguments);
    assert!(plain.status.success(), "{folder}: {}", errors(&plain));
    let partitioned = project.cubicle(&["run"], arguments);
    assert!(
        partitioned.status.success(),
        "{folder}: {}\n{written}",
        errors(&partitioned)
    );
    assert_eq!(partitioned.stdout, plain.stdout, "{folder}");
    let lint = project.cubicle(&["lint", "--accept"], &[]);
    assert!(lint.status.success(), "{folder}: {}", errors(&lint));

    // What is there is somebody's.
    let again = project.cubicle(&["init"], &[]);
    assert_eq!(again.status.code(), Some(2), "{}", errors(&again));
    assert!(errors(&again).contains("there is one already"));
    assert_eq!(fs::read_to_string(project.manifest()).unwrap(), written);
    written
}

#[test]
fn ready_made_interfaces_are_used() {
    let zlib = works_at_once("samples/flate2", &[]);
    assert!(zlib.contains("crates = [\"libz-sys\"]") && zlib.contains("interfaces = [\"zlib\"]"));
    let sqlite = works_at_once("samples/rusqlite", &[]);
    assert!(sqlite.contains("sees = { sqlite = \"rw\" }"), "{sqlite}");
}

#[test]
fn other_libraries_are_described_by_their_types() {
    let input = repository().join("CHANGELOG.md").canonicalize_utf8();
    let written = works_at_once("tests/projects/libraries", &[input.unwrap().as_str()]);
    for library in ["zstd-sys", "lz4-sys", "bzip2-sys"] {
        assert!(written.contains(&format!("crates = [\"{library}\"]")));
    }
    // It is said that these were not seen in use.
    assert!(
        written.contains("from its type alone (a guess)"),
        "{written}"
    );
    assert!(!written.contains("# Not a cubicle yet"), "{written}");
}

/// A library whose variables others use stays a comment, and the rest builds.
#[test]
fn what_cannot_be_built_becomes_a_comment() {
    let sources = [
        (
            "build.rs",
            "fn main() {\n    let out = std::env::var(\"OUT_DIR\").unwrap();\n    \
             let script = \"cc -g -c odd.c -o $OUT_DIR/odd.o && ar cr $OUT_DIR/libodd.a $OUT_DIR/odd.o\";\n    \
             assert!(std::process::Command::new(\"sh\").args([\"-c\", script]).status().unwrap().success());\n    \
             println!(\"cargo::rustc-link-search={out}\\ncargo::rustc-link-lib=static=odd\");\n}\n",
        ),
        ("odd.c", "int odd_total = 99;\n"),
        (
            "src/lib.rs",
            "unsafe extern \"C\" {\n    pub static odd_total: i32;\n}\n",
        ),
        (
            "src/main.rs",
            "fn main() {\n    println!(\"{}\", unsafe { odd_sys::odd_total });\n}\n",
        ),
    ];
    let directory = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(directory.path()).unwrap();
    let library = root.join("odd-sys");
    for folder in [root.join("src"), library.join("src")] {
        fs::create_dir_all(folder).unwrap();
    }
    for (file, text) in sources {
        let place = match file {
            "src/main.rs" => root.join(file),
            _ => library.join(file),
        };
        fs::write(place, text).unwrap();
    }
    fs::write(
        library.join("Cargo.toml"),
        "[package]\nname = \"odd-sys\"\nedition = \"2024\"\nlinks = \"odd\"\n",
    )
    .unwrap();
    fs::write(
        root.join("Cargo.toml"),
        "[package]\nname = \"odd\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\nodd-sys = { path = \"odd-sys\" }\n",
    )
    .unwrap();
    let target = shared_target("init");
    let run = |words: &[&str]| {
        tool(root)
            .args(words)
            .args(["--quiet", "--target-dir", target.as_str()])
            .output()
            .unwrap()
    };
    let init = run(&["init"]);
    assert!(init.status.success(), "{}", errors(&init));
    assert!(
        errors(&init).contains("odd-sys is no cubicle yet"),
        "{}",
        errors(&init)
    );
    let written = fs::read_to_string(root.join("Cubicle.toml")).unwrap();
    assert!(written.contains("# [cubicle.odd]"), "{written}");
    let output = run(&["run"]);
    assert!(output.status.success(), "{}", errors(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "99\n");
}
