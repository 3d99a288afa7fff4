//! The monitor: no standard library, no libc, linked at its own fixed address.

use super::variable;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the monitor's image begins. Checked against the ABI crate when the
/// tool reads the image.
const BASE: &str = "0x1000000";

/// Compiles `runtime/abi` and `runtime/monitor` to `OUT_DIR/monitor`.
pub fn build() {
    let runtime = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("../runtime");
    let output = PathBuf::from(variable("OUT_DIR"));
    println!("cargo::rerun-if-changed={}", runtime.display());
    let library = output.join("libcubicle_abi.rlib");
    compile(
        &runtime,
        &runtime.join("abi/src/lib.rs"),
        &library,
        &["--crate-name=cubicle_abi", "--crate-type=rlib"],
    );
    let extern_abi = format!("--extern=cubicle_abi={}", library.display());
    let base = format!("-Clink-arg=-Wl,--image-base={BASE}");
    compile(
        &runtime,
        &runtime.join("monitor/src/lib.rs"),
        &output.join("monitor"),
        &[
            "--crate-name=cubicle_monitor",
            "--crate-type=bin",
            "--cfg=monitor_image",
            &extern_abi,
            &base,
            "-Clink-arg=-nostdlib",
            "-Clink-arg=-nostartfiles",
            // Entered from gates only, so nothing in the image refers to them.
            "-Clink-arg=-Wl,-u,cubicle_system_call,-u,cubicle_switch_pages",
            "-Clink-arg=-Wl,-u,cubicle_gate_enter,-u,cubicle_gate_leave",
            "-Clink-arg=-static",
            "-Clink-arg=-no-pie",
            "-Clink-arg=-Wl,--build-id=none,-z,noexecstack,-z,norelro,--no-eh-frame-hdr",
            "-Ctarget-feature=+crt-static",
            "-Cstrip=debuginfo",
        ],
    );
}

fn compile(runtime: &Path, source: &Path, output: &Path, arguments: &[&str]) {
    let status = Command::new(variable("RUSTC"))
        .arg(source)
        .arg("-o")
        .arg(output)
        .args("--edition 2024 --target x86_64-unknown-linux-gnu".split(' '))
        .args("-C opt-level=2 -C panic=abort -C relocation-model=static".split(' '))
        .args("-C codegen-units=1 -C overflow-checks=off -C debug-assertions=off".split(' '))
        .args("-C force-unwind-tables=no --check-cfg cfg(monitor_image,test)".split(' '))
        // No path of this machine in what is embedded.
        .arg(format!("--remap-path-prefix={}=runtime", runtime.display()))
        .args(arguments)
        .status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => panic!("{} does not compile ({status})", source.display()),
        Err(error) => panic!("cannot run the compiler: {error}"),
    }
}
