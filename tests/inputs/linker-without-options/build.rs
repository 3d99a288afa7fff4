fn main() {
    println!("cargo:rustc-link-arg=-fuse-ld=bfd");
}
