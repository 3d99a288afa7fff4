//! Compiles the decoder.

fn main() {
    println!("cargo:rerun-if-changed=c");
    cc::Build::new()
        .file("c/flic.c")
        .include("c")
        .warnings(true)
        .extra_warnings(true)
        .compile("flic");
}
