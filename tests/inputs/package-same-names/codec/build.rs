use std::process::Command;

/// Compiles with these flags, and makes an archive of the objects.
fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    let run = |command: &str| {
        let status = Command::new("sh").args(["-ec", command]).status();
        assert!(status.unwrap().success(), "{command}");
    };
    run(&format!("mkdir -p {out}/one {out}/two; cc -c -g one.c -o {out}/one/part.o; cc -c -g two.c -o {out}/two/part.o; ar cqs {out}/libcodec.a {out}/one/part.o {out}/two/part.o", out = out));
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-search=native={out}");
    println!("cargo:rustc-link-lib=static=codec");
}
