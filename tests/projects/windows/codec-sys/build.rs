//! C that opens windows of its own finds the header where `cubicle` says.

fn main() {
    println!("cargo::rerun-if-changed=c");
    let header = std::env::var("DEP_CUBICLE_INCLUDE").expect("`cubicle` names its folder");
    let mut build = cc::Build::new();
    // Build scripts can tell a partitioned build from a plain one.
    if std::env::var_os("CARGO_CFG_CUBICLE").is_some() {
        build.define("PARTITIONED", None);
    }
    build.file("c/codec.c").include(header).compile("codec");
}
