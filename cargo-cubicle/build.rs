//! Builds what the tool carries inside itself. One module per piece, each of
//! which writes one file into `OUT_DIR`.

#[path = "build/init.rs"]
mod init;
#[path = "build/monitor.rs"]
mod monitor;
#[path = "build/parked.rs"]
mod parked;

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    init::build();
    monitor::build();
    parked::build();
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name} for build scripts"))
}
