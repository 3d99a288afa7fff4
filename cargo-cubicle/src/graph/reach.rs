//! What a function of a finished static image can reach: does anything it may
//! call use the FS base (thread-locals, errno, the stack protector's canary)
//! or the x87 unit?
//!
//! ```text
//!   image ──► nodes (one per function symbol, and the gaps between them)
//!              │ decode: uses FS? x87? direct branches, fall-through
//!              │ jump tables and constant tables, by the kept relocations;
//!              │ variables that only known functions are stored to
//!              ▼ ifunc slots, by what their resolver can return
//!            edges ──► whoever reaches a user is one
//! ```
//!
//! Everything that is not understood counts as using both: an indirect call
//! through a pointer in the heap, a branch out of the image (a gate), bytes that do not
//! decode. Some things are believed without proof: a function that ends in a
//! call does not return from it; a jump to "table base plus a signed entry of
//! that table" uses one of the tables of its own function; a jump to "address
//! of this function's own code plus a shifted number" stays in that function; a
//! table with a symbol is read within its bounds, and a variable reached by its
//! own address (`variables`).
//!
//! Memory of the cubicle may also be changed by one that sees it, and by an
//! attacker in it. So what is found here is never relied on for isolation: a gate
//! compares FS on the way back anyway, and a callee that runs with its caller's FS
//! because something here is wrong finds thread-locals in memory that its rights
//! do not open. It faults; it reads and changes nothing. (Where a callee sees its
//! caller that would not hold: there gates always switch.)

mod decode;
mod image;
mod tables;
mod variables;

use decode::Node;
use image::Image;
use std::collections::{BTreeMap, VecDeque};

/// Why an image cannot be analysed at all.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// Not an ELF file, or a damaged one.
    #[error("this is not a readable ELF file: {0}")]
    Object(#[from] object::Error),
    /// Not a linked x86-64 image.
    #[error("this is not a linked x86-64 image")]
    NotAnImage,
    /// Nothing says where functions begin.
    #[error("this image has no symbol table")]
    NoSymbols,
    /// Without relocations jump tables cannot be told from other data.
    #[error("this image was not linked with --emit-relocs")]
    NoRelocations,
}

/// What a use of FS or of the x87 unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// An instruction that uses it.
    Use,
    /// An indirect call or jump whose targets are not known.
    Indirect,
    /// A branch out of the image's code, to a gate for instance.
    Outside,
    /// Bytes that do not decode.
    Undecodable,
}

/// Why a function counts as a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The functions on a shortest way from the root, which is the first, to
    /// the one with the cause, by the address where each starts.
    pub path: Vec<u64>,
    /// What the last of them does.
    pub cause: Cause,
    /// The address of the instruction that does it.
    pub instruction: u64,
}

/// The answer for one image.
#[derive(Clone, Debug)]
pub struct Reach {
    /// By start: end, and what is known of the two resources.
    nodes: BTreeMap<u64, Summary>,
    contains_x87: bool,
}

#[derive(Clone, Debug)]
struct Summary {
    end: u64,
    fs: Option<Step>,
    x87: Option<Step>,
}

/// The first step on the way to a cause.
#[derive(Clone, Copy, Debug)]
enum Step {
    Own(Cause, u64),
    Through(u64),
}

impl Reach {
    /// Analyses a static image that was linked with `--emit-relocs` and is
    /// not stripped.
    ///
    /// # Errors
    /// See [`ReachError`].
    pub fn analyse(image: &[u8]) -> Result<Self, ReachError> {
        let image = Image::read(image)?;
        let nodes = decode::nodes(&image);
        let contains_x87 = nodes.values().any(|node| node.contains_x87);
        let edges = tables::resolve(&image, nodes);
        let fs = spread(&edges, |node| node.fs);
        let x87 = spread(&edges, |node| node.x87);
        let nodes = edges
            .iter()
            .map(|(start, node)| {
                let summary = Summary {
                    end: node.end,
                    fs: fs.get(start).copied(),
                    x87: x87.get(start).copied(),
                };
                (*start, summary)
            })
            .collect();
        Ok(Reach {
            nodes,
            contains_x87,
        })
    }

    /// Whether anything reachable from the function that contains `address`
    /// may use the FS base. True for an address that is no code.
    pub fn uses_fs(&self, address: u64) -> bool {
        self.node(address).is_none_or(|(_, node)| node.fs.is_some())
    }

    /// The same for the x87 and MMX registers and the x87 control word.
    pub fn uses_x87(&self, address: u64) -> bool {
        self.node(address)
            .is_none_or(|(_, node)| node.x87.is_some())
    }

    /// Whether the image contains any x87 or MMX instruction, reachable or not.
    pub fn contains_x87(&self) -> bool {
        self.contains_x87
    }

    /// Why [`Reach::uses_fs`] is true; `None` if it is not, or `address` is no
    /// code.
    pub fn fs_reason(&self, address: u64) -> Option<Reason> {
        self.reason(address, |node| node.fs)
    }

    /// Why [`Reach::uses_x87`] is true.
    pub fn x87_reason(&self, address: u64) -> Option<Reason> {
        self.reason(address, |node| node.x87)
    }

    fn node(&self, address: u64) -> Option<(u64, &Summary)> {
        let (start, node) = self.nodes.range(..=address).next_back()?;
        (address < node.end).then_some((*start, node))
    }

    fn reason(&self, address: u64, step: impl Fn(&Summary) -> Option<Step>) -> Option<Reason> {
        let (mut start, mut node) = self.node(address)?;
        let mut path = vec![start];
        loop {
            match step(node)? {
                Step::Own(cause, instruction) => {
                    return Some(Reason {
                        path,
                        cause,
                        instruction,
                    });
                }
                // Steps lead towards the cause, so this ends.
                Step::Through(next) => (start, node) = self.node(next)?,
            }
            path.push(start);
        }
    }
}

/// Spreads a property from the nodes that have it to all that reach them.
fn spread(
    nodes: &BTreeMap<u64, Node>,
    own: impl Fn(&Node) -> Option<(Cause, u64)>,
) -> BTreeMap<u64, Step> {
    let mut callers: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut found = BTreeMap::new();
    let mut queue = VecDeque::new();
    for (start, node) in nodes {
        for target in &node.edges {
            callers.entry(*target).or_default().push(*start);
        }
        if let Some((cause, instruction)) = own(node) {
            found.insert(*start, Step::Own(cause, instruction));
            queue.push_back(*start);
        }
    }
    while let Some(start) = queue.pop_front() {
        for caller in callers.get(&start).into_iter().flatten() {
            if !found.contains_key(caller) {
                found.insert(*caller, Step::Through(start));
                queue.push_back(*caller);
            }
        }
    }
    found
}
