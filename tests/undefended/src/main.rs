//! The tool, but that it leaves out the defences which the file
//! `Cubicle.without` beside a manifest names. For the tests of the project only:
//! nobody installs it, and what it builds says at start what is missing.

use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_cubicle::plan::without::allow();
    cargo_cubicle::cli::main()
}
