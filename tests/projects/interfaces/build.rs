//! Compiles the C programs with the headers of the libraries.

fn main() {
    println!("cargo::rerun-if-changed=c");
    let header = |name: &str| std::env::var(name).expect("a -sys crate says where its headers are");
    cc::Build::new()
        .files(["c/sqlite3.c", "c/zlib.c"])
        .include(header("DEP_Z_INCLUDE"))
        .include(header("DEP_SQLITE3_INCLUDE"))
        .warnings_into_errors(true)
        .compile("programs");
}
