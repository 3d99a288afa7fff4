//! Whether this very machine has protection keys.

use std::arch::x86_64::{__cpuid, __cpuid_count};

/// Whether processor *and* kernel offer protection keys for user pages: bit 4
/// (OSPKE) of ECX, which the processor shows in leaf 7 of CPUID once the kernel
/// has switched them on (Intel SDM, volume 2A, CPUID). `pkey_alloc` is no
/// substitute: its errors differ between kernels.
pub fn host_has_keys() -> bool {
    let leaves = __cpuid(0).eax;
    leaves >= 7 && __cpuid_count(7, 0).ecx & 1 << 4 != 0
}

#[cfg(test)]
mod tests {
    #[test]
    fn agrees_with_the_kernel() {
        let flags = std::fs::read_to_string("/proc/cpuinfo").unwrap();
        let says = flags.split_whitespace().any(|flag| flag == "ospke");
        assert_eq!(super::host_has_keys(), says);
    }
}
