//! The `main` of a cubicle that has none of its own: a C object, linked into
//! every such image.

use super::variable;
use std::path::PathBuf;
use std::process::Command;

/// Compiles `runtime/api/parked.c` to `OUT_DIR/parked.o`.
pub fn build() {
    let source = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("../runtime/api/parked.c");
    let output = PathBuf::from(variable("OUT_DIR")).join("parked.o");
    println!("cargo::rerun-if-changed={}", source.display());
    let status = Command::new("cc")
        .args("-c -O2 -g0 -fno-pic -fno-stack-protector -fcf-protection=none".split(' '))
        .args("-ffunction-sections -Wall -Wextra -Werror".split(' '))
        .arg(&source)
        .arg("-o")
        .arg(&output)
        .status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => panic!("{} does not compile ({status})", source.display()),
        Err(error) => panic!("cannot run the C compiler `cc`: {error}"),
    }
}
