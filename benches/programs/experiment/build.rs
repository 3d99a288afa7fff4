//! Compiles speedtest1, which is SQLite's and not kept here: `SPEEDTEST1` names the file.
//! The benchmark fetches it (benches/src/experiment/source.rs).

use std::env;

fn main() {
    println!("cargo::rerun-if-env-changed=SPEEDTEST1");
    let speedtest1 = env::var("SPEEDTEST1").expect("SPEEDTEST1 names SQLite's test/speedtest1.c");
    println!("cargo::rerun-if-changed={speedtest1}");
    println!("cargo::rerun-if-changed=c");
    let sqlite = env::var("DEP_SQLITE3_INCLUDE").expect("libsqlite3-sys says where sqlite3.h is");
    let mut build = cc::Build::new();
    build.include(&sqlite).file("c/main.c").file("c/clock.c");
    if env::var_os("CARGO_FEATURE_LINUX").is_some() {
        build.define("LINUX", None);
    }
    // `main` must be there whether anything refers to it or not.
    build.cargo_metadata(false).compile("experiment");
    let mut build = cc::Build::new();
    build
        .include(&sqlite)
        .file(&speedtest1)
        .define("main", "speedtest1_main")
        .define("sqlite3_vfs_find", "find_vfs_with_clock")
        // It is somebody else's.
        .warnings(false);
    build.cargo_metadata(false).compile("speedtest1");
    let output = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    println!("cargo::rustc-link-search=native={output}");
    println!("cargo::rustc-link-lib=static:+whole-archive=experiment");
    println!("cargo::rustc-link-lib=static=speedtest1");
}
