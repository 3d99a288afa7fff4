//! Where indirect branches lead: jump tables, constant tables, ifunc slots.

use super::Cause;
use super::decode::Indirect;
use super::image::Image;
use super::nodes::{Node, Nodes, Sorted};
use super::variables::Variables;
use std::collections::BTreeSet;

/// Where control goes from each node, by the numbers of nodes.
pub(super) struct Edges {
    /// All edges: from where, in order, and to where.
    pub(super) list: Vec<(u32, u32)>,
}

/// Turns every branch of every node into edges to nodes, and distrusts the
/// nodes with one that cannot be.
pub(super) fn resolve(image: &Image<'_>, nodes: &mut Nodes) -> Edges {
    // Whatever code refers to starts something new, so a table ends there.
    let labels: Sorted = nodes
        .all()
        .iter()
        .flat_map(|node| nodes.addresses(node).iter().copied())
        .collect();
    let absolute = image.absolute.iter().filter_map(|place| {
        let target = u64::from_le_bytes(image.constant(*place)?);
        image.in_code(target).then_some(target)
    });
    let relative = labels.iter().flat_map(|table| {
        let labels = &labels;
        let places = std::iter::successors(Some(table), |place| place.checked_add(4));
        let of_table = places.take_while(move |place| {
            image.relative.contains(place) && (*place == table || !labels.contains(*place))
        });
        of_table.filter_map(move |place| {
            let distance = image.constant(place).map(i32::from_le_bytes)?;
            Some(table.wrapping_add_signed(distance.into()))
        })
    });
    let branches = nodes
        .all()
        .iter()
        .flat_map(|node| nodes.targets(node).iter().copied());
    let joins: Sorted = branches.chain(absolute).chain(relative).collect();
    let resolver = Resolver {
        image,
        labels,
        joins,
        nodes,
        variables: Variables::of(nodes),
    };
    let mut list = Vec::new();
    let mut distrusted = Vec::new();
    for (number, node) in nodes.all().iter().enumerate() {
        let (found, doubts) = resolver.node(node);
        list.extend(found.into_iter().map(|target| (number as u32, target)));
        distrusted.extend(doubts.map(|(cause, at)| (number, cause, at)));
    }
    for (number, cause, at) in distrusted {
        nodes.distrust(number, cause, at);
    }
    Edges { list }
}

struct Resolver<'i> {
    image: &'i Image<'i>,
    labels: Sorted,
    /// Where branches lead to.
    joins: Sorted,
    nodes: &'i Nodes,
    variables: Variables,
}

impl Resolver<'_> {
    /// The numbers of the nodes that it leads to, and the first reason to distrust it.
    fn node(&self, node: &Node) -> (BTreeSet<u32>, Option<(Cause, u64)>) {
        let mut doubts = None;
        let mut targets: BTreeSet<u64> = self.nodes.edges(node).iter().copied().collect();
        for branch in self.nodes.indirect(node) {
            let found = match branch.from {
                Indirect::Unknown => None,
                // Who comes in from the side brings other registers along.
                _ if self.joins.has_between(branch.since, branch.address) => None,
                Indirect::Slot(slot) => self.slot(slot),
                Indirect::Table(table) => self.absolute_table(node, table),
                Indirect::Records(table) => self.records(table),
                Indirect::Pieces(code) => {
                    (node.start..node.end).contains(&code).then(BTreeSet::new)
                }
                Indirect::RelativeTable => self.relative_tables(node),
            };
            match found {
                Some(found) => targets.extend(found),
                None => {
                    doubts.get_or_insert((Cause::Indirect, branch.address));
                }
            }
        }
        let mut homes = BTreeSet::new();
        for target in targets {
            match self.nodes.number_around(target) {
                Some(home) if self.nodes.all()[home].start == node.start => {}
                Some(home) => {
                    homes.insert(home as u32);
                }
                None => {
                    doubts.get_or_insert((Cause::Outside, node.start));
                }
            }
        }
        (homes, doubts)
    }

    fn is_code(&self, address: u64) -> bool {
        self.nodes.around(address).is_some()
    }

    /// What a slot of the global offset table, or another constant, holds.
    fn slot(&self, slot: u64) -> Option<BTreeSet<u64>> {
        if let Some(resolver) = self.image.resolved.get(&slot) {
            return self.candidates(*resolver);
        }
        if !self.image.is_constant(slot) {
            let values = self.variables.values(self.image, &self.joins, slot)?;
            return values
                .iter()
                .all(|value| self.is_code(*value))
                .then_some(values);
        }
        let target = u64::from_le_bytes(self.image.constant(slot)?);
        self.is_code(target).then(|| BTreeSet::from([target]))
    }

    /// What an ifunc resolver may return: the functions whose addresses it
    /// forms or loads from constants. If it calls something, or loads a
    /// pointer from a variable, that is not known.
    fn candidates(&self, resolver: u64) -> Option<BTreeSet<u64>> {
        let node = self.nodes.around(resolver)?;
        let leaves = !self.nodes.indirect(node).is_empty() || !self.nodes.edges(node).is_empty();
        if node.start != resolver || node.calls || leaves {
            return None;
        }
        let mut found: BTreeSet<u64> = self
            .nodes
            .addresses(node)
            .iter()
            .copied()
            .filter(|address| self.image.starts.contains_key(address))
            .collect();
        for load in self.nodes.loads(node) {
            let target = u64::from_le_bytes(self.image.constant((*load)?)?);
            if self.image.in_code(target) {
                found.insert(target);
            }
        }
        (!found.is_empty()).then_some(found)
    }

    /// All tables of distances that a function refers to.
    fn relative_tables(&self, node: &Node) -> Option<BTreeSet<u64>> {
        let mut found = BTreeSet::new();
        for table in self.nodes.addresses(node) {
            let mut place = *table;
            while self.image.relative.contains(&place) {
                let distance = i32::from_le_bytes(self.image.constant(place)?);
                let target = table.wrapping_add_signed(i64::from(distance));
                let inside = (node.start..node.end).contains(&target);
                if place != *table && self.labels.contains(place) && !inside {
                    break;
                }
                found.insert(target);
                place = place.wrapping_add(4);
            }
        }
        (!found.is_empty()).then_some(found)
    }

    /// All functions in a constant variable of the program, whatever its parts
    /// are.
    fn records(&self, table: u64) -> Option<BTreeSet<u64>> {
        if !self.image.is_constant(table) {
            return None;
        }
        let (from, to) = self.image.object(table)?;
        let mut found = BTreeSet::new();
        for place in self.image.absolute.range(from..to) {
            let target = u64::from_le_bytes(self.image.constant(*place)?);
            if self.image.in_code(target) {
                found.insert(target);
            }
        }
        (!found.is_empty()).then_some(found)
    }

    /// A table of addresses. One with a symbol is a variable of the program
    /// and read as a whole; one without is a jump table, and must stay within
    /// its function.
    fn absolute_table(&self, node: &Node, table: u64) -> Option<BTreeSet<u64>> {
        if !self.image.is_constant(table) {
            return None;
        }
        let read = |place| Some(u64::from_le_bytes(self.image.constant(place)?));
        if self.image.object(table).is_some() {
            return self.records(table);
        }
        let mut found = BTreeSet::new();
        let mut place = table;
        while self.image.absolute.contains(&place) {
            let target = read(place)?;
            if !(node.start..node.end).contains(&target) {
                // Beyond a label another function's table begins.
                if place != table && self.labels.contains(place) {
                    break;
                }
                return None;
            }
            found.insert(target);
            place = place.wrapping_add(8);
        }
        (!found.is_empty()).then_some(found)
    }
}
