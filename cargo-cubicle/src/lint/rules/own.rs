//! What a cubicle's own objects define, static functions and variables included: everything else in its image is the
//! system's or a private copy.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use object::{Object, ObjectSymbol};

use crate::assign::{ArchiveError, ImageInputs, each_object};

/// Their names, read when somebody asks for the first time.
pub struct Own<'a> {
    inputs: &'a ImageInputs,
    names: OnceCell<BTreeSet<String>>,
}

impl<'a> Own<'a> {
    pub fn of(inputs: &'a ImageInputs) -> Own<'a> {
        Own {
            inputs,
            names: OnceCell::new(),
        }
    }

    /// Whether a symbol of the image is the cubicle's own. A static one may have the name of another.
    ///
    /// # Errors
    /// If an object cannot be read.
    pub fn holds(&self, name: &str) -> Result<bool, ArchiveError> {
        if let Some(names) = self.names.get() {
            return Ok(names.contains(name));
        }
        let mut names = BTreeSet::new();
        for path in self.inputs.owned() {
            each_object(path, |_, data| {
                let Ok(object) = object::File::parse(data) else {
                    return;
                };
                let defined = object.symbols().filter(|symbol| !symbol.is_undefined());
                names.extend(defined.filter_map(|symbol| symbol.name().ok().map(str::to_owned)));
            })?;
        }
        Ok(self.names.get_or_init(|| names).contains(name))
    }
}
