//! From an address in a linked image to the function and source line.

use gimli::{EndianArcSlice, LittleEndian};
use object::Object;
use std::sync::Arc;

use super::contents::{ContentsError, contents};

/// Why the line information of an image cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LinesError {
    /// Not an ELF file, or a damaged one.
    #[error("this is not a readable ELF file: {0}")]
    Object(#[from] object::Error),
    /// One of its sections is.
    #[error("the debug information is damaged: {0}")]
    Contents(#[from] ContentsError),
    /// The debug information is damaged.
    #[error("the debug information is damaged: {0}")]
    Dwarf(#[from] gimli::Error),
}

/// The line information of one linked image.
pub struct Lines {
    context: addr2line::Context<EndianArcSlice<LittleEndian>>,
}

/// Where an address comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The innermost function, demangled; the inlined one, if it was inlined.
    pub function: Option<String>,
    /// The function that contains the instruction, demangled: the same as
    /// `function`, or what that was inlined into.
    pub outer: Option<String>,
    /// The source file of the innermost function's line.
    pub file: Option<String>,
    /// The line, counted from 1.
    pub line: Option<u32>,
}

impl Lines {
    /// Reads the line information of a linked image (not of an object file,
    /// whose addresses mean nothing yet).
    ///
    /// # Errors
    /// If it is not an ELF file or its units cannot be listed. An image
    /// without debug information is no error: every look-up answers `None`.
    pub fn read(bytes: &[u8]) -> Result<Self, LinesError> {
        let file = object::File::parse(bytes)?;
        let dwarf = gimli::Dwarf::load(|id| {
            let data = match file.section_by_name(id.name()) {
                Some(section) => contents(&section)?,
                None => Default::default(),
            };
            let data: Arc<[u8]> = Arc::from(data.as_ref());
            Ok::<_, ContentsError>(EndianArcSlice::new(data, LittleEndian))
        })?;
        let context = addr2line::Context::from_dwarf(dwarf)?;
        Ok(Lines { context })
    }

    /// Looks up an address of the image. For a return address ask for one
    /// less: the call may be the last instruction of its line.
    pub fn lookup(&self, address: u64) -> Option<Location> {
        let mut frames = self.context.find_frames(address).skip_all_loads().ok()?;
        let mut found: Option<Location> = None;
        while let Ok(Some(frame)) = frames.next() {
            let name = frame
                .function
                .as_ref()
                .and_then(|name| Some(name.demangle().ok()?.into_owned()));
            if let Some(location) = &mut found {
                location.outer = name;
                continue;
            }
            let place = frame.location.as_ref();
            found = Some(Location {
                function: name.clone(),
                outer: name,
                file: place.and_then(|place| Some(place.file?.to_owned())),
                line: place.and_then(|place| place.line),
            });
        }
        found
    }
}
