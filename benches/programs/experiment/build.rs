//! Compiles speedtest1, which is SQLite's and not kept here: `SPEEDTEST1` names the file, which the
//! benchmark fetches (benches/src/experiment/source.rs). Without it the program is the sample's.

use std::env;

const PARTS: [&str; 6] = ["alloc", "boot", "clock", "plat", "ramfs", "vfscore"];

fn main() {
    println!("cargo::rerun-if-env-changed=SPEEDTEST1");
    println!("cargo::rerun-if-changed=c");
    println!("cargo::rerun-if-changed=twin");
    // How fast code is depends on where it happens to lie: a number here gives another order.
    println!("cargo::rerun-if-env-changed=LAYOUT");
    if let Ok(number) = env::var("LAYOUT") {
        println!("cargo::rustc-link-arg=-Wl,--shuffle-sections=.text*={number}");
    }
    let sqlite = env::var("DEP_SQLITE3_INCLUDE").expect("libsqlite3-sys says where sqlite3.h is");
    let sample = "../../../samples/sqlite-os";
    println!("cargo::rerun-if-changed={sample}");
    let mut build = cc::Build::new();
    build.include(&sqlite).cargo_metadata(false);
    let speedtest1 = env::var("SPEEDTEST1").ok();
    match &speedtest1 {
        Some(_) => build.file("c/main.c").file("c/clock.c"),
        None => build.file(format!("{sample}/app/main.c")),
    };
    if env::var_os("CARGO_FEATURE_LINUX").is_some() {
        build.define("LINUX", None);
    } else {
        build.include(format!("{sample}/app"));
        build.files(["start", "vfs"].map(|name| format!("{sample}/app/{name}.c")));
        // Partitioned, the library OS is the manifest's.
        if env::var_os("CARGO_FEATURE_PROCESSES").is_some() {
            println!("cargo::rerun-if-env-changed=PARTITION");
            let partition = env::var("PARTITION").expect("PARTITION says which process has what");
            for definition in partition.split_whitespace() {
                build.flag(format!("-D{definition}"));
            }
            build.define("PROCESS", "0").include(format!("{sample}/os"));
            build.files(["first", "stubs", "transport"].map(|name| format!("twin/{name}.c")));
        } else if env::var_os("CARGO_CFG_CUBICLE").is_none() {
            build.include("../../../runtime/api");
            build.files(PARTS.map(|part| format!("{sample}/os/{part}.c")));
        }
    }
    // The manifest's name for what belongs to the program.
    build.compile("program");
    let output = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    println!("cargo::rustc-link-search=native={output}");
    // Whole, because `main` is in it.
    println!("cargo::rustc-link-lib=static:+whole-archive=program");
    if let Some(speedtest1) = speedtest1 {
        compile(&speedtest1, &sqlite);
        println!("cargo::rustc-link-lib=static=speedtest1");
    }
}

/// As it is, under other names: it has a `main`, and asks SQLite for its clock (`c/clock.c`).
fn compile(speedtest1: &str, sqlite: &str) {
    println!("cargo::rerun-if-changed={speedtest1}");
    cc::Build::new()
        .include(sqlite)
        .file(speedtest1)
        .define("main", "speedtest1_main")
        .define("sqlite3_vfs_find", "find_vfs_with_clock")
        // It is somebody else's.
        .warnings(false)
        .cargo_metadata(false)
        .compile("speedtest1");
}
