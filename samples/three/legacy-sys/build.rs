//! Compiles the C++ library, and brings the C++ standard library along as a
//! static one: a cubicle is a static program.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=cpp");
    let mut build = cc::Build::new();
    build
        .cpp(true)
        .std("c++17")
        .files(["cpp/legacy.cpp", "cpp/shapes.cpp", "cpp/rewind.cpp"])
        .include("cpp")
        .warnings(true)
        .extra_warnings(true)
        // Below, with the folder it is in.
        .cpp_link_stdlib(None)
        .compile("legacy");

    let output = build
        .get_compiler()
        .to_command()
        .arg("-print-file-name=libstdc++.a")
        .output()
        .expect("the C++ compiler runs: it has just compiled the library");
    let path = String::from_utf8(output.stdout).expect("the compiler prints a path");
    let path = Path::new(path.trim());
    // Without the file, the compiler prints its bare name.
    assert!(
        path.is_absolute(),
        "there is no static C++ standard library (Debian: libstdc++-dev)"
    );
    let folder = path.parent().expect("a file is in a folder");
    println!("cargo:rustc-link-search=native={}", folder.display());
    println!("cargo:rustc-link-lib=static=stdc++");
}
