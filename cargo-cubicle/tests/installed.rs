//! The tool as people install it: from the sources alone, started by cargo.

#[path = "common/outside.rs"]
mod outside;
#[path = "common/target.rs"]
mod target;

use std::path::Path;
use std::process::Output;

use camino::{Utf8Path, Utf8PathBuf};

use outside::{outside, tool};
use target::shared_target;

#[test]
#[ignore = "compiles the tool once more, optimised: two minutes"]
fn it_is_installed_and_builds() {
    let directory = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(directory.path()).unwrap();
    let repository = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let installed = outside(env!("CARGO"), &repository)
        .args([
            "install",
            "--quiet",
            "--locked",
            "--path",
            "cargo-cubicle",
            "--root",
        ])
        .arg(root)
        .arg("--target-dir")
        .arg(shared_target("installed"))
        .status()
        .unwrap();
    assert!(installed.success());

    let path = format!("{root}/bin:{}", std::env::var("PATH").unwrap());
    let share = root.join("share");
    let cargo = |folder: &Path, words: &[&str]| -> Output {
        let output = outside(env!("CARGO"), folder)
            .args(words)
            .env("PATH", &path)
            .env("MANPATH", share.join("man"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        output
    };
    let said = |output: Output| String::from_utf8(output.stdout).unwrap();
    let help = said(cargo(directory.path(), &["cubicle", "--help"]));
    let own = tool(directory.path()).arg("--help").output().unwrap();
    assert_eq!(help, said(own));
    cargo(directory.path(), &["cubicle", "manual", share.as_str()]);
    let help = said(cargo(directory.path(), &["help", "cubicle"]));
    assert!(help.contains("partition"), "{help}");

    // What it carries with it (the monitor, interface files, the program that measures gates) is there, too.
    let sample = repository.join("samples/flate2");
    let target = root.join("target");
    let words = ["run", "report"].map(|command| {
        let words = ["cubicle", command, "--quiet", "--locked", "--target-dir"];
        [&words[..], &[target.as_str()]].concat()
    });
    let expected = std::fs::read_to_string(sample.join("expected.txt")).unwrap();
    assert_eq!(said(cargo(sample.as_std_path(), &words[0])), expected);
    assert!(said(cargo(sample.as_std_path(), &words[1])).contains(" → zlib "));
}
