use std::process::Command;

/// Compiles with these flags, and makes an archive of the objects.
fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    let run = |command: &str| {
        let status = Command::new("sh").args(["-ec", command]).status();
        assert!(status.unwrap().success(), "{command}");
    };
    run(&format!("cc -c -g lib.c -o {out}/lib.o; truncate -s 700 {out}/lib.o; ar crS {out}/libcodec.a {out}/lib.o", out = out));
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-search=native={out}");
    println!("cargo:rustc-link-lib=static:-bundle=codec");
}
