//! Links the plain program at a fixed address, which is what the partitioned one has too.
//!
//! The attack needs the address of one variable. With address-space
//! randomisation it would need a second bug first, one that tells an address;
//! this sample leaves that out, so that the attack works every time.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-arg-bins=-no-pie");
}
