//! Programs that go without some defences, so that tests can see an attack
//! succeed that is otherwise refused.
//!
//! Nothing a user writes asks for one: this program never calls [`allow`]. The
//! tool that the tests build for themselves does (`tests/undefended`), and takes
//! the names from a file beside the manifest.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use camino::Utf8Path;
use cubicle_abi::defences::{Defence, Defences};
use cubicle_abi::rights::{KEY_MONITOR, KEY_PUBLIC, KEYS};

use super::Cubicle;

/// The file beside a manifest that lists the names of defences to go without.
pub const FILE: &str = "Cubicle.without";

static ALLOWED: AtomicBool = AtomicBool::new(false);

/// Lets this process compose programs that go without defences.
pub fn allow() {
    ALLOWED.store(true, Ordering::Relaxed);
}

/// What the program with this manifest goes without.
pub(super) fn of(manifest: &Utf8Path) -> anyhow::Result<Defences> {
    if !ALLOWED.load(Ordering::Relaxed) {
        return Ok(Defences::NONE);
    }
    let path = manifest.with_file_name(FILE);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let mut without = Defences::NONE;
    for name in text.split_whitespace() {
        let mut all = Defence::ALL.iter();
        match all.find(|defence| defence.name() == name) {
            Some(defence) => without = without.with(*defence),
            None => bail!("{path}: there is no defence `{name}`"),
        }
    }
    Ok(without)
}

/// Opens every cubicle's memory to all others, and the monitor's and what is public, too. No two have the same
/// rights even so: each has a key of its own open that nobody's memory has.
pub(super) fn open_all(cubicles: &mut [Cubicle]) {
    let keys: Vec<u32> = cubicles.iter().map(|cubicle| cubicle.key).collect();
    for (cubicle, unused) in cubicles.iter_mut().zip((0..KEYS).rev()) {
        let opened = keys.iter().chain([&KEY_MONITOR, &KEY_PUBLIC, &unused]);
        cubicle.rights = opened.fold(cubicle.rights, |rights, key| rights.writing(*key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_different_and_sets_hold_them_all() {
        let names: std::collections::BTreeSet<&str> =
            Defence::ALL.iter().map(|defence| defence.name()).collect();
        assert_eq!(names.len(), Defence::ALL.len());
        let every = Defence::ALL
            .iter()
            .fold(Defences::NONE, |set, defence| set.with(*defence));
        assert!(every.iter().eq(Defence::ALL.iter().copied()));
        assert_eq!(Defences::NONE.iter().count(), 0);
    }

    #[test]
    fn this_tool_leaves_nothing_out() {
        // As no process of it calls `allow`, the file is not even looked for.
        let nowhere = Utf8Path::new("/nowhere/Cubicle.toml");
        assert_eq!(of(nowhere).unwrap(), Defences::NONE);
    }
}
