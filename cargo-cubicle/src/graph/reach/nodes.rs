//! All functions of an image, and what was found in them, in as little memory as will do: an
//! image may have a million.

use super::Cause;
use super::decode::{Found, IndirectBranch, Store};
use std::collections::BTreeMap;

/// A function, or code without a symbol. What it has several of is in the lists of [`Nodes`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) fs: Option<(Cause, u64)>,
    pub(super) x87: Option<(Cause, u64)>,
    pub(super) contains_x87: bool,
    pub(super) calls: bool,
    edges: Part,
    targets: Part,
    indirect: Part,
    addresses: Part,
    loads: Part,
    taken: Part,
    stores: Part,
}

/// A part of a list: where it begins and ends.
#[derive(Clone, Copy, Debug, Default)]
struct Part(u32, u32);

/// A list in which those of one node stand side by side.
#[derive(Debug)]
struct List<T>(Vec<T>);

impl<T> Default for List<T> {
    fn default() -> List<T> {
        List(Vec::new())
    }
}

impl<T> List<T> {
    fn add(&mut self, items: impl IntoIterator<Item = T>) -> Part {
        let from = self.0.len() as u32;
        self.0.extend(items);
        Part(from, self.0.len() as u32)
    }

    fn part(&self, part: Part) -> &[T] {
        &self.0[part.0 as usize..part.1 as usize]
    }
}

/// The nodes of an image, in order of their addresses.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    nodes: Vec<Node>,
    edges: List<u64>,
    targets: List<u64>,
    indirect: List<IndirectBranch>,
    addresses: List<u64>,
    loads: List<Option<u64>>,
    taken: List<u64>,
    stores: List<Store>,
}

impl Nodes {
    /// Adds one behind all others.
    pub(super) fn push(&mut self, start: u64, found: Found) {
        let node = self.packed(start, found);
        self.nodes.push(node);
    }

    fn packed(&mut self, start: u64, found: Found) -> Node {
        Node {
            start,
            end: found.end,
            fs: found.fs,
            x87: found.x87,
            contains_x87: found.contains_x87,
            calls: found.calls,
            edges: self.edges.add(found.edges),
            targets: self.targets.add(found.targets),
            indirect: self.indirect.add(found.indirect),
            addresses: self.addresses.add(found.addresses),
            loads: self.loads.add(found.loads),
            taken: self.taken.add(found.taken),
            stores: self.stores.add(found.stores),
        }
    }

    /// Puts others in the place of those that start where they do.
    pub(super) fn replace(&mut self, others: BTreeMap<u64, Found>) {
        if others.is_empty() {
            return;
        }
        self.nodes.retain(|node| !others.contains_key(&node.start));
        for (start, found) in others {
            self.push(start, found);
        }
        self.nodes.sort_by_key(|node| node.start);
    }

    pub(super) fn all(&self) -> &[Node] {
        &self.nodes
    }

    /// The last one that starts at `address` or before it.
    pub(super) fn before(&self, address: u64) -> Option<&Node> {
        let after = self.nodes.partition_point(|node| node.start <= address);
        self.nodes.get(after.checked_sub(1)?)
    }

    /// The one that contains `address`.
    pub(super) fn around(&self, address: u64) -> Option<&Node> {
        self.number_around(address)
            .map(|number| &self.nodes[number])
    }

    /// Its number.
    pub(super) fn number_around(&self, address: u64) -> Option<usize> {
        let after = self.nodes.partition_point(|node| node.start <= address);
        let number = after.checked_sub(1)?;
        (address < self.nodes[number].end).then_some(number)
    }

    /// Makes a node a user of everything, unless it was one before.
    pub(super) fn distrust(&mut self, number: usize, cause: Cause, instruction: u64) {
        let node = &mut self.nodes[number];
        node.fs.get_or_insert((cause, instruction));
        node.x87.get_or_insert((cause, instruction));
    }

    pub(super) fn edges(&self, node: &Node) -> &[u64] {
        self.edges.part(node.edges)
    }

    pub(super) fn targets(&self, node: &Node) -> &[u64] {
        self.targets.part(node.targets)
    }

    pub(super) fn indirect(&self, node: &Node) -> &[IndirectBranch] {
        self.indirect.part(node.indirect)
    }

    pub(super) fn addresses(&self, node: &Node) -> &[u64] {
        self.addresses.part(node.addresses)
    }

    pub(super) fn loads(&self, node: &Node) -> &[Option<u64>] {
        self.loads.part(node.loads)
    }

    pub(super) fn taken(&self, node: &Node) -> &[u64] {
        self.taken.part(node.taken)
    }

    pub(super) fn stores(&self, node: &Node) -> &[Store] {
        self.stores.part(node.stores)
    }
}

/// Numbers in order, each once.
#[derive(Debug, Default)]
pub(super) struct Sorted(Vec<u64>);

impl FromIterator<u64> for Sorted {
    fn from_iter<I: IntoIterator<Item = u64>>(numbers: I) -> Sorted {
        let mut numbers: Vec<u64> = numbers.into_iter().collect();
        numbers.sort_unstable();
        numbers.dedup();
        Sorted(numbers)
    }
}

impl Sorted {
    pub(super) fn contains(&self, number: u64) -> bool {
        self.0.binary_search(&number).is_ok()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().copied()
    }

    /// Is there one behind `from`, up to `to`?
    pub(super) fn has_between(&self, from: u64, to: u64) -> bool {
        let next = self.0.partition_point(|number| *number <= from);
        self.0.get(next).is_some_and(|number| *number <= to)
    }
}
