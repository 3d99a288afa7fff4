//! The plain program has the library too; partitioned, the manifest compiles it.
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=c");
    let out = std::env::var("OUT_DIR").unwrap();
    let (object, archive) = (format!("{out}/habits.o"), format!("{out}/libhabits.a"));
    let run = |program: &str, words: &[&str]| {
        assert!(
            Command::new(program)
                .args(words)
                .status()
                .unwrap()
                .success()
        );
    };
    run("cc", &["-c", "-O1", "-g", "c/habits.c", "-o", &object]);
    run("ar", &["crs", &archive, &object]);
    println!("cargo::rustc-link-search=native={out}");
    println!("cargo::rustc-link-lib=static=habits");
}
