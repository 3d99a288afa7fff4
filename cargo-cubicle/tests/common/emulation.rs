//! Whether tests boot the emulated machine. It needs QEMU and a kernel, which not every machine may
//! get, so they do only where somebody asks for it, as the project's test command does.

/// `CUBICLE_TEST_VM=1` asks for it.
pub fn is_wanted() -> bool {
    std::env::var("CUBICLE_TEST_VM").is_ok_and(|value| value == "1")
}
