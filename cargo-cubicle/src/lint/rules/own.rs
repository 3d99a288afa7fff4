//! What a cubicle's own objects define, static functions and variables included: everything else in its image is the
//! system's or a private copy.

use std::collections::BTreeSet;

use object::{Object, ObjectSymbol};

use crate::assign::{ArchiveError, ImageInputs, each_object};

/// Those of the names that are the cubicle's own. A static function may have the name of another one.
///
/// # Errors
/// If an object cannot be read.
pub fn own<'n>(
    inputs: &ImageInputs,
    names: &BTreeSet<&'n str>,
) -> Result<BTreeSet<&'n str>, ArchiveError> {
    let mut found = BTreeSet::new();
    if names.is_empty() {
        return Ok(found);
    }
    for path in inputs.owned() {
        each_object(path, |_, data| {
            let Ok(object) = object::File::parse(data) else {
                return;
            };
            let defined = object.symbols().filter(|symbol| !symbol.is_undefined());
            for name in defined.filter_map(|symbol| symbol.name().ok()) {
                found.extend(names.get(name));
            }
        })?;
    }
    Ok(found)
}
