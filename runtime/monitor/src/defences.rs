//! Which defences this program goes without.

use cubicle_abi::defences::{Defence, Defences};

/// Does this program go without `defence`? No program does but those that the
/// tests build to see an attack succeed. It is asked where something is about to
/// be refused, so that it costs nothing where nothing is.
pub fn off(defence: Defence) -> bool {
    without().has(defence)
}

/// All that this program goes without.
pub fn without() -> Defences {
    crate::process::plan().map_or(Defences::NONE, |plan| plan.header().without)
}
