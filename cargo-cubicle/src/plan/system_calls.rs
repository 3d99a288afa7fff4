//! From `syscalls = ["@base", "@file", "getpid"]` to a map of numbers.
//!
//! Groups and single names are resolved for x86-64. What cannot be granted is a
//! finding at its place in the manifest, and the rest goes on.

mod barred;
mod groups;

use std::collections::BTreeSet;
use std::str::FromStr;

use cubicle_abi::plan::CUBICLE_ANY_DESCRIPTOR;
use syscalls::x86_64::Sysno;

use crate::diagnostics::{Finding, Findings};
use crate::manifest::{Located, Policy};
use crate::similar::similar;

pub use barred::{Bar, REFUSED, UNGUARDED, VIRTUAL, bar};
pub use groups::{GROUPS, Group, Support, group};

/// How many numbers the plan's bit map holds; the kernel's highest is below 480.
const NUMBERS: u32 = 512;

/// What a cubicle may ask of the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Numbers of x86-64 system calls, below 512.
    pub numbers: BTreeSet<u32>,
    /// Whether calls on descriptors may use others than 0, 1 and 2.
    pub any_descriptor: bool,
}

impl Grants {
    /// One bit for each number, as [`cubicle_abi::plan::Cubicle::granted`] has
    /// them.
    pub fn bits(&self) -> [u64; 8] {
        let mut bits = [0; 8];
        for number in self.numbers.range(..NUMBERS) {
            bits[*number as usize / 64] |= 1 << (number % 64);
        }
        bits
    }

    /// The `CUBICLE_` flags that follow from the grants.
    pub fn flags(&self) -> u64 {
        if self.any_descriptor {
            CUBICLE_ANY_DESCRIPTOR
        } else {
            0
        }
    }

    /// The names of the granted calls, in the order of their numbers.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.numbers.iter().filter_map(|number| name(*number))
    }

    fn add(&mut self, call: Sysno) {
        self.numbers.insert(call.id() as u32);
    }
}

/// The name of a system call, if there is one of this number.
pub fn name(number: u32) -> Option<&'static str> {
    Sysno::new(number as usize).map(|call| call.name())
}

/// Resolves what one cubicle's `syscalls` grants. Whatever has a finding that
/// refuses the build is left out of the grants.
pub fn resolve(policy: &Policy, names: &[Located<String>]) -> (Grants, Findings) {
    let mut grants = Grants::default();
    let mut findings = Findings::new();
    for name in names {
        let resolved = if name.starts_with('@') {
            add_group(&mut grants, name)
        } else {
            add_single(&mut grants, name)
        };
        if let Err(finding) = resolved {
            findings.push(finding.at(policy.place(&name.span, "")));
        }
    }
    (grants, findings)
}

fn add_group(grants: &mut Grants, name: &str) -> Result<(), Finding> {
    let Some(group) = group(name) else {
        let names = GROUPS.iter().map(|group| group.name);
        let finding = Finding::error(format!("`{name}` is no group of system calls"));
        return Err(match similar(name, names) {
            Some(near) => finding.help(format!("there is one called `{near}`")),
            None => finding.help("groups are `@base`, `@stdio`, `@file` and the like"),
        });
    };
    if let Support::Missing(instead) = group.support {
        return Err(Finding::error(format!("`{name}` is not supported yet")).help(instead));
    }
    group.all_calls().for_each(|call| grants.add(call));
    grants.any_descriptor |= group.any_descriptor;
    Ok(())
}

fn add_single(grants: &mut Grants, name: &str) -> Result<(), Finding> {
    let Ok(call) = Sysno::from_str(name) else {
        return Err(unknown(name));
    };
    match bar(call) {
        None => {
            grants.add(call);
            Ok(())
        }
        Some(Bar::Refused) => Err(Finding::error(format!(
            "`{name}` is refused whatever the manifest says"
        ))
        .help(
            "a cubicle could undo the isolation of the others with it; remove it, and call it \
             outside the partitioned program",
        )),
        Some(Bar::Virtual) => Err(Finding::warning(format!("`{name}` needs no grant"))
            .help("the monitor answers it itself, for every cubicle; remove it")),
        Some(Bar::Unguarded(why)) => Err(Finding::error(format!("`{name}` is not supported yet"))
            .help(format!(
                "the monitor does not guard it in this version, and it must, because {why}"
            ))),
    }
}

/// Names of the C library that the kernel's table does not have.
const OF_LIBC: [(&str, &str); 10] = [
    ("fstatat", "newfstatat"),
    ("fstat64", "fstat"),
    ("lstat64", "lstat"),
    ("stat64", "stat"),
    ("open64", "open"),
    ("lseek64", "lseek"),
    ("pread", "pread64"),
    ("pwrite", "pwrite64"),
    ("posix_fadvise", "fadvise64"),
    ("readdir", "getdents64"),
];

fn unknown(name: &str) -> Finding {
    let finding = Finding::error(format!("`{name}` is no system call of Linux on x86-64"));
    let known = OF_LIBC.iter().find(|(of_libc, _)| *of_libc == name);
    match known {
        Some((_, call)) => finding.help(format!("the kernel calls it `{call}`")),
        None => match similar(name, Sysno::iter().map(|call| call.name())) {
            Some(near) => finding.help(format!("there is one called `{near}`")),
            None => finding.help(
                "names are those of the kernel's table, such as `getpid`; groups begin with `@`",
            ),
        },
    }
}

#[cfg(test)]
mod tests;
