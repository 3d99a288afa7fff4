//! Tells the build scripts of dependent crates where `cubicle.h` is.

fn main() {
    println!("cargo::rerun-if-changed=cubicle.h");
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it for build scripts");
    println!("cargo::metadata=include={folder}");
}
