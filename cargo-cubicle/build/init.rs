//! The first process of the emulated machine: a static program without
//! dependencies, so the compiler alone is enough.

use super::variable;
use std::path::PathBuf;
use std::process::Command;

/// Compiles `runtime/init` to `OUT_DIR/init`.
pub fn build() {
    let source = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("../runtime/init/src");
    let output = PathBuf::from(variable("OUT_DIR")).join("init");
    println!("cargo::rerun-if-changed={}", source.display());
    let status = Command::new(variable("RUSTC"))
        .args("--crate-name init --crate-type bin --edition 2024".split(' '))
        .args("--target x86_64-unknown-linux-gnu".split(' '))
        .args("-C target-feature=+crt-static -C opt-level=s -C strip=symbols".split(' '))
        // It cannot unwind into anything, and smaller boots faster.
        .args(["-C", "panic=abort", "-C", "lto=fat"])
        // No path of this machine in what is embedded.
        .arg(format!("--remap-path-prefix={}=init", source.display()))
        .arg(source.join("main.rs"))
        .arg("-o")
        .arg(&output)
        .status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => panic!("the emulated machine's first process does not compile ({status})"),
        Err(error) => panic!("cannot run the compiler: {error}"),
    }
}
