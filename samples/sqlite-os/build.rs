//! Compiles the program, and in a plain build the library OS, too: partitioned, it is the
//! manifest's.

use std::env;

const PARTS: [&str; 6] = ["alloc", "boot", "clock", "plat", "ramfs", "vfscore"];

fn main() {
    println!("cargo::rerun-if-changed=app");
    println!("cargo::rerun-if-changed=os");
    let sqlite = env::var("DEP_SQLITE3_INCLUDE").expect("libsqlite3-sys says where sqlite3.h is");
    let mut build = cc::Build::new();
    build.include(sqlite).cargo_metadata(false);
    build.files(["app/main.c", "app/start.c", "app/vfs.c"]);
    if env::var_os("CARGO_CFG_CUBICLE").is_none() {
        // Where `cubicle.h` is, which does nothing in a plain build.
        build.include("../../runtime/api");
        build.files(PARTS.map(|part| format!("os/{part}.c")));
    }
    build.compile("program");
    let output = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    println!("cargo::rustc-link-search=native={output}");
    // Whole, because `main` is in it.
    println!("cargo::rustc-link-lib=static:+whole-archive=program");
}
