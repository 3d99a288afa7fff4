//! What the figures were measured on.

use std::arch::x86_64::{__cpuid, __cpuid_count};
use std::fmt;
use std::fs;

use crate::programs::Form;

pub struct Machine {
    processor: String,
    kernel: String,
    processors: usize,
    /// The processor has protection keys and the kernel has switched them on.
    pub keys: bool,
}

impl Machine {
    pub fn look() -> Machine {
        let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = information
            .lines()
            .find(|line| line.starts_with("model name"))
            .and_then(|line| line.split_once(':'))
            .map_or("unknown", |(_, name)| name.trim())
            .to_owned();
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Machine {
            processor,
            kernel: kernel.trim().to_owned(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            // OSPKE (Intel SDM, CPUID leaf 7, ECX bit 4).
            keys: __cpuid(0).eax >= 7 && __cpuid_count(7, 0).ecx & 1 << 4 != 0,
        }
    }

    /// The processor, and the kernel.
    pub fn name(&self) -> String {
        format!(
            "{}, {} processors, Linux {}",
            self.processor, self.processors, self.kernel
        )
    }

    /// The forms to build, besides the plain one. With keys the real thing
    /// needs no stand-in; without them the default form is page tables.
    pub fn forms(&self) -> &'static [Form] {
        if self.keys {
            &[Form::Default]
        } else {
            &[Form::StandIn, Form::Default]
        }
    }

    /// How a form's lines are labelled.
    pub fn label(&self, form: Form) -> &'static str {
        match form {
            Form::Plain => "plain",
            Form::StandIn => "stand-in",
            Form::Default if self.keys => "pku",
            Form::Default => "pagetable",
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        write!(
            f,
            "{}, {}; load at start {}",
            self.name(),
            if self.keys {
                "protection keys"
            } else {
                "no protection keys: a stand-in takes about the time of WRPKRU, and protects nothing"
            },
            load.split(' ').next().unwrap_or("unknown"),
        )
    }
}
