//! The images of the single cubicles, which lie beside the composed file and
//! carry the debug information. Each is opened when something in it is asked for.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use addr2line::Context;
use addr2line::gimli::{Dwarf, EndianRcSlice, LittleEndian, SectionId};
use camino::{Utf8Path, Utf8PathBuf};
use object::Object;

use crate::graph::contents::{ContentsError, contents};

/// The images of one composed file.
pub struct Images {
    /// Where to look, best first; empty if the file does not say how its images are called.
    directories: Vec<Utf8PathBuf>,
    opened: RefCell<BTreeMap<String, Result<Image, String>>>,
}

/// One image. The relocations that the linker kept in it are done: whoever applies
/// them again, as `addr2line::Loader` does, finds some that mean nothing any more.
struct Image {
    lines: Context<EndianRcSlice<LittleEndian>>,
    symbols: Vec<(u64, String)>,
}

impl Image {
    fn open(path: &Utf8Path) -> Result<Image, Box<dyn std::error::Error>> {
        let bytes = std::fs::read(path)?;
        let elf = object::File::parse(&*bytes)?;
        let load = |id: SectionId| -> Result<_, ContentsError> {
            let section = elf.section_by_name(id.name());
            let data = section.map_or(Ok(Cow::Borrowed(&[][..])), |section| contents(&section))?;
            Ok(EndianRcSlice::new(Rc::from(&*data), LittleEndian))
        };
        let lines = Context::from_dwarf(Dwarf::load(load)?)?;
        let symbols = elf.symbol_map();
        let symbols = symbols.symbols().iter();
        Ok(Image {
            lines,
            symbols: symbols
                .map(|symbol| (symbol.address(), symbol.name().to_owned()))
                .collect(),
        })
    }

    /// The symbol that begins at or before an address, by the next one at most.
    fn symbol(&self, address: u64) -> Option<&str> {
        let behind = self.symbols.partition_point(|(start, _)| *start <= address);
        let (_, name) = self.symbols.get(behind.checked_sub(1)?)?;
        Some(name)
    }
}

/// What an address in a cubicle's code is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position {
    /// The function as its author wrote it; the innermost if others were inlined.
    pub function: Option<String>,
    pub file: Option<Utf8PathBuf>,
    /// From 1.
    pub line: Option<u32>,
}

impl Images {
    /// The images of the file at `binary`: beside it or, for a file in a folder of
    /// its own such as cargo's `deps` and `examples`, one folder up.
    pub fn beside(binary: &Utf8Path, stem: Option<&str>) -> Images {
        let own = match binary.parent() {
            Some(parent) if !parent.as_str().is_empty() => parent,
            _ => Utf8Path::new("."),
        };
        // A stem that leads elsewhere is none.
        let stem = stem.filter(|stem| !stem.is_empty() && *stem != ".." && !stem.contains('/'));
        let directories = match stem {
            Some(stem) => {
                let above = own
                    .canonicalize_utf8()
                    .ok()
                    .and_then(|own| Some(own.parent()?.to_owned()));
                [Some(own.to_owned()), above]
                    .into_iter()
                    .flatten()
                    .map(|base| base.join("cubicle").join(stem))
                    .collect()
            }
            None => Vec::new(),
        };
        Images {
            directories,
            opened: RefCell::default(),
        }
    }

    /// The folder that is there.
    pub fn folder(&self) -> Option<Utf8PathBuf> {
        self.directories.iter().find(|path| path.is_dir()).cloned()
    }

    /// What lies at `address` of `cubicle`, as far as its image says. An error says
    /// why there is nothing to read.
    pub fn position(&self, cubicle: &str, address: u64) -> Result<Position, String> {
        let mut opened = self.opened.borrow_mut();
        let image = opened
            .entry(cubicle.to_owned())
            .or_insert_with(|| self.open(cubicle));
        let image = image.as_ref().map_err(Clone::clone)?;
        Ok(look_up(image, address).unwrap_or_default())
    }

    fn open(&self, cubicle: &str) -> Result<Image, String> {
        if self.directories.is_empty() {
            return Err(
                "the file does not say where its images are (it has no section .cubicle.name)"
                    .into(),
            );
        }
        if cubicle.contains('/') {
            return Err(format!("`{cubicle}` is no cubicle's name"));
        }
        let paths = self
            .directories
            .iter()
            .map(|directory| directory.join(format!("{cubicle}.elf")));
        let mut missing = Vec::new();
        for path in paths {
            if path.is_file() {
                return Image::open(&path).map_err(|error| format!("{path}: {error}"));
            }
            missing.push(path.into_string());
        }
        Err(format!(
            "the image of `{cubicle}` is missing: {}",
            missing.join(" or ")
        ))
    }
}

fn look_up(image: &Image, address: u64) -> Option<Position> {
    let mut position = Position::default();
    // Frames come innermost first, and the innermost holds the line that is executed.
    let frames = image.lines.find_frames(address).skip_all_loads();
    if let Some(frame) = frames.ok()?.next().ok()? {
        position.function = frame
            .function
            .and_then(|name| Some(name.demangle().ok()?.into_owned()));
        if let Some(location) = frame.location {
            position.file = location.file.map(Utf8PathBuf::from);
            position.line = location.line.filter(|line| *line > 0);
        }
    }
    if position.function.is_none() {
        position.function = image.symbol(address).map(super::readable);
    }
    Some(position)
}
