//! Builds what the tool carries inside itself. One module per piece, each of
//! which writes one file into `OUT_DIR`.

#[path = "build/init.rs"]
mod init;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    init::build();
}
