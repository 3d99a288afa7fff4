//! The `main` of a cubicle that has none of its own, what makes threads in the one that
//! has, one of which is linked into each image, and what keeps counts: C objects.

use super::variable;
use std::path::PathBuf;
use std::process::Command;

/// Compiles `parked.c`, `spare.c` and `counts.c` of `runtime/api` to objects in `OUT_DIR`.
pub fn build() {
    for name in ["parked", "spare", "counts"] {
        compile(name);
    }
}

fn compile(name: &str) {
    let folder = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("../runtime/api");
    let source = folder.join(format!("{name}.c"));
    let output = PathBuf::from(variable("OUT_DIR")).join(format!("{name}.o"));
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
