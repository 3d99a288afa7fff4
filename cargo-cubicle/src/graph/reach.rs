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
mod nodes;
mod tables;
mod variables;

use image::Image;
use nodes::Node;
use std::collections::VecDeque;

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
    /// In order of their addresses, what is known of the two resources.
    nodes: Vec<Summary>,
    contains_x87: bool,
}

#[derive(Clone, Debug)]
struct Summary {
    start: u64,
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
        let mut nodes = decode::nodes(&image);
        let contains_x87 = nodes.all().iter().any(|node| node.contains_x87);
        let edges = tables::resolve(&image, &mut nodes);
        let callers = Callers::of(edges, nodes.all().len());
        let fs = callers.spread(nodes.all(), |node| node.fs);
        let x87 = callers.spread(nodes.all(), |node| node.x87);
        let steps = fs.into_iter().zip(x87);
        let nodes = nodes.all().iter().zip(steps);
        Ok(Reach {
            nodes: nodes
                .map(|(node, (fs, x87))| Summary {
                    start: node.start,
                    end: node.end,
                    fs,
                    x87,
                })
                .collect(),
            contains_x87,
        })
    }

    /// Whether anything reachable from the function that contains `address`
    /// may use the FS base. True for an address that is no code.
    pub fn uses_fs(&self, address: u64) -> bool {
        self.node(address).is_none_or(|node| node.fs.is_some())
    }

    /// The same for the x87 and MMX registers and the x87 control word.
    pub fn uses_x87(&self, address: u64) -> bool {
        self.node(address).is_none_or(|node| node.x87.is_some())
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

    fn node(&self, address: u64) -> Option<&Summary> {
        let after = self.nodes.partition_point(|node| node.start <= address);
        let node = self.nodes.get(after.checked_sub(1)?)?;
        (address < node.end).then_some(node)
    }

    fn reason(&self, address: u64, step: impl Fn(&Summary) -> Option<Step>) -> Option<Reason> {
        let mut node = self.node(address)?;
        let mut path = vec![node.start];
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
                Step::Through(next) => node = self.node(next)?,
            }
            path.push(node.start);
        }
    }
}

/// Who leads to each node.
struct Callers {
    /// To where, in order, and from where, in order.
    list: Vec<(u32, u32)>,
    /// By the number of a node: where its callers begin in the list. One more at the end.
    begins: Vec<u32>,
}

impl Callers {
    fn of(edges: tables::Edges, nodes: usize) -> Callers {
        let mut list = edges.list;
        for edge in &mut list {
            *edge = (edge.1, edge.0);
        }
        list.sort_unstable();
        let mut begins = vec![0; nodes + 1];
        for (to, _) in &list {
            begins[*to as usize + 1] += 1;
        }
        for number in 0..nodes {
            begins[number + 1] += begins[number];
        }
        Callers { list, begins }
    }

    fn of_node(&self, number: u32) -> &[(u32, u32)] {
        let number = number as usize;
        &self.list[self.begins[number] as usize..self.begins[number + 1] as usize]
    }

    /// Spreads a property from the nodes that have it to all that reach them.
    fn spread(
        &self,
        nodes: &[Node],
        own: impl Fn(&Node) -> Option<(Cause, u64)>,
    ) -> Vec<Option<Step>> {
        let mut found = vec![None; nodes.len()];
        let mut queue = VecDeque::new();
        for (number, node) in nodes.iter().enumerate() {
            if let Some((cause, instruction)) = own(node) {
                found[number] = Some(Step::Own(cause, instruction));
                queue.push_back(number as u32);
            }
        }
        while let Some(number) = queue.pop_front() {
            for (_, caller) in self.of_node(number) {
                let step = &mut found[*caller as usize];
                if step.is_none() {
                    *step = Some(Step::Through(nodes[number as usize].start));
                    queue.push_back(*caller);
                }
            }
        }
        found
    }
}
