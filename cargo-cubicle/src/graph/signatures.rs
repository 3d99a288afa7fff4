//! The signature of every function that is called across a border: from the
//! manifest if it gives one, else from the debug information of the objects
//! that define it.

use std::collections::{BTreeMap, BTreeSet};

use super::dwarf::{Answer, DebugInfo};
use super::signature::Signature;
use super::symbols::unversioned;
use crate::assign::{ArchiveError, ImageInputs, each_object};

/// What is known of a function's signature.
#[derive(Debug, Clone)]
pub enum Known {
    Signature(Box<Signature>),
    /// The debug information lies in `.dwo` files, which are not read.
    Split,
    /// The object that defines it was compiled without debug information.
    NoDebugInfo,
}

/// Looks for the signatures of `wanted` in what a cubicle owns.
///
/// # Errors
/// If an object or archive cannot be read.
pub fn find(
    inputs: &ImageInputs,
    wanted: &BTreeSet<&str>,
) -> Result<BTreeMap<String, Known>, ArchiveError> {
    let mut found = BTreeMap::new();
    if wanted.is_empty() {
        return Ok(found);
    }
    for path in inputs.owned() {
        each_object(path, |_, data| read(data, wanted, &mut found))?;
    }
    Ok(found)
}

fn read(bytes: &[u8], wanted: &BTreeSet<&str>, found: &mut BTreeMap<String, Known>) {
    use object::{Object, ObjectSymbol};
    let Ok(object) = object::File::parse(bytes) else {
        return;
    };
    let defined: BTreeSet<&str> = object
        .symbols()
        .filter(|symbol| symbol.is_definition() && symbol.is_global())
        .filter_map(|symbol| symbol.name().ok().map(unversioned))
        .filter(|name| wanted.contains(name))
        .collect();
    if defined.is_empty() {
        return;
    }
    let Ok(info) = DebugInfo::read_those(bytes, |name| defined.contains(name)) else {
        return;
    };
    for name in defined {
        let known = match info.find(name) {
            Answer::Found(signature) => Known::Signature(Box::new(signature.clone())),
            Answer::Split => Known::Split,
            Answer::NoDebugInfo | Answer::Unknown => Known::NoDebugInfo,
        };
        let better = !matches!(found.get(name), Some(Known::Signature(_)));
        if better {
            found.insert(name.to_owned(), known);
        }
    }
}
