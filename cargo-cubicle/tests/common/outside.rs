//! Commands as a user would start them.

use std::path::Path;
use std::process::Command;

/// `program` in a folder, without what `cargo test` sets for the test itself.
pub fn outside(program: &str, folder: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    for (name, _) in std::env::vars() {
        if name.starts_with("CARGO_") && name != "CARGO_HOME" || name == "CUBICLE_TEST_VM" {
            command.env_remove(name);
        }
    }
    command
}

/// `cargo cubicle`, of this build, in a folder.
pub fn tool(folder: impl AsRef<Path>) -> Command {
    let mut command = outside(env!("CARGO_BIN_EXE_cargo-cubicle"), folder);
    command.arg("cubicle");
    command
}
