//! What the composed file itself can tell: symbols, and the bytes of its code.

use std::fs::File;

use camino::{Utf8Path, Utf8PathBuf};
use memmap2::Mmap;
use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol, SymbolKind};
use thiserror::Error;

use super::images::Images;

/// Holds the stem under which the images lie.
const NAME_SECTION: &str = ".cubicle.name";

/// How far behind the end of a variable an address is still called its neighbour, in bytes.
const NEIGHBOURHOOD: u64 = 4096;

/// Why a file cannot explain a violation at all.
#[derive(Debug, Error)]
pub enum SymbolizeError {
    #[error("{path}: {source}")]
    Io {
        path: Utf8PathBuf,
        source: std::io::Error,
    },
    #[error("{path} is not an ELF file: {source}")]
    Format {
        path: Utf8PathBuf,
        source: object::Error,
    },
}

/// A symbol called `cubicle::name` in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    pub cubicle: String,
    /// As the linker knows it.
    pub name: String,
    pub address: u64,
    /// In bytes; 0 where the symbol does not say.
    pub size: u64,
    global: bool,
    function: bool,
}

/// A composed file, and where its images are.
pub struct Binary {
    content: Mmap,
    symbols: Vec<Symbol>,
    pub(super) images: Images,
}

impl Binary {
    /// Opens a file that `cargo cubicle` made. Any other static program works too,
    /// but explains little.
    pub fn open(path: &Utf8Path) -> Result<Binary, SymbolizeError> {
        let io = |source| SymbolizeError::Io {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(io)?;
        // SAFETY: the mapping is private and only read; whoever shortens the file
        // meanwhile ends this program, not the safety of another.
        let content = unsafe { Mmap::map(&file) }.map_err(io)?;
        let format = |source| SymbolizeError::Format {
            path: path.to_owned(),
            source,
        };
        let elf = object::File::parse(&*content).map_err(format)?;
        let stem = elf.section_by_name(NAME_SECTION).and_then(|section| {
            let text = String::from_utf8(section.data().ok()?.to_vec()).ok()?;
            Some(text.trim_end_matches('\0').to_owned())
        });
        let symbols = elf
            .symbols()
            .filter_map(|symbol| read_symbol(&symbol))
            .collect();
        let images = Images::beside(path, stem.as_deref());
        Ok(Binary {
            symbols,
            images,
            content,
        })
    }

    /// The symbol in which `address` lies. Of several the smallest, then the one
    /// that others may refer to, then the plainest name.
    pub fn symbol_at(&self, address: u64) -> Option<&Symbol> {
        let within = |symbol: &&Symbol| {
            symbol.address <= address && address - symbol.address < symbol.size.max(1)
        };
        self.symbols
            .iter()
            .filter(within)
            .min_by_key(|symbol| (symbol.size.max(1), plainness(symbol)))
    }

    /// The variable of `cubicle` that ends closest before `address`: what somebody
    /// who wrote too far probably meant to write to.
    pub fn variable_before(&self, cubicle: &str, address: u64) -> Option<&Symbol> {
        let end = |symbol: &Symbol| symbol.address.saturating_add(symbol.size);
        let near = |symbol: &&Symbol| {
            !symbol.function
                && symbol.size > 0
                && symbol.cubicle == cubicle
                && end(symbol) <= address
                && address - end(symbol) < NEIGHBOURHOOD
        };
        self.symbols
            .iter()
            .filter(near)
            .min_by_key(|symbol| (address - end(symbol), plainness(symbol)))
    }

    /// What lies at `address` of a cubicle's code, as far as its image says.
    pub fn position(&self, cubicle: &str, address: u64) -> Option<super::Position> {
        self.images.position(cubicle, address).ok()
    }

    /// How many bytes the instruction at `address` moves at once, if that can be told.
    pub fn width(&self, address: u64, access: super::Access) -> Option<usize> {
        super::access::width(self.bytes_at(address)?, access)
    }

    /// The stem under which the images lie, and the folder with them.
    pub fn folder(&self) -> Option<Utf8PathBuf> {
        self.images.folder()
    }

    /// The bytes that the file puts at `address`, from there to the end of their segment.
    pub fn bytes_at(&self, address: u64) -> Option<&[u8]> {
        let elf = object::File::parse(&*self.content).ok()?;
        elf.segments().find_map(|segment| {
            let offset = usize::try_from(address.checked_sub(segment.address())?).ok()?;
            segment
                .data()
                .ok()?
                .get(offset..)
                .filter(|bytes| !bytes.is_empty())
        })
    }
}

/// The smaller, the better a name among several for one thing.
fn plainness(symbol: &Symbol) -> (bool, usize, &str) {
    let underscores = symbol.name.len() - symbol.name.trim_start_matches('_').len();
    (!symbol.global, underscores, &symbol.name)
}

fn read_symbol<'data>(symbol: &impl ObjectSymbol<'data>) -> Option<Symbol> {
    if symbol.is_undefined()
        || matches!(
            symbol.kind(),
            SymbolKind::File | SymbolKind::Section | SymbolKind::Tls
        )
    {
        return None;
    }
    // The cubicle ends at the first pair of colons; the symbol may have more.
    let (cubicle, name) = symbol.name().ok()?.split_once("::")?;
    Some(Symbol {
        cubicle: cubicle.to_owned(),
        name: name.to_owned(),
        address: symbol.address(),
        size: symbol.size(),
        global: symbol.is_global(),
        function: symbol.kind() == SymbolKind::Text,
    })
}
