//! This program in the place of rustdoc, for documentation tests.
//!
//! rustdoc compiles and links them itself, without cargo's compiler wrapper.
//! They are not partitioned, but their dependencies were compiled for a fixed
//! address, so the tests must be linked that way too.

use std::ffi::OsString;
use std::process::Command;

use super::session::Session;

/// rustdoc as cargo would have called it, with the flags the libraries need.
pub fn command(session: &Session, arguments: &[OsString]) -> Command {
    let mut command = Command::new(&session.rustdoc);
    command.args(arguments);
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    if super::RustcCall::parse(words).is_for_target() {
        command
            .args([
                "-C",
                "target-feature=+crt-static",
                "-C",
                "relocation-model=static",
            ])
            .arg(format!("-Clinker={}", session.driver));
    }
    command
}
