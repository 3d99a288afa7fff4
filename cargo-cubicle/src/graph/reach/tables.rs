//! Where indirect branches lead: jump tables, constant tables, ifunc slots.

use super::Cause;
use super::decode::{Indirect, Node};
use super::image::Image;
use super::variables::Variables;
use std::collections::{BTreeMap, BTreeSet};

/// Turns every branch of every node into edges to nodes, and distrusts the
/// nodes with one that cannot be.
pub(super) fn resolve(image: &Image, nodes: BTreeMap<u64, Node>) -> BTreeMap<u64, Node> {
    // Whatever code refers to starts something new, so a table ends there.
    let labels: BTreeSet<u64> = nodes
        .values()
        .flat_map(|node| node.addresses.iter().copied())
        .collect();
    let mut joins: BTreeSet<u64> = nodes
        .values()
        .flat_map(|node| node.targets.iter().copied())
        .collect();
    joins.extend(image.absolute.iter().filter_map(|place| {
        let target = u64::from_le_bytes(image.constant(*place)?);
        image.in_code(target).then_some(target)
    }));
    for table in &labels {
        let mut place = *table;
        while image.relative.contains(&place) && (place == *table || !labels.contains(&place)) {
            let distance = image.constant(place).map(i32::from_le_bytes);
            joins.extend(distance.map(|distance| table.wrapping_add_signed(distance.into())));
            place = place.wrapping_add(4);
        }
    }
    let resolver = Resolver {
        image,
        labels,
        joins,
        nodes: &nodes,
        variables: Variables::of(nodes.values()),
    };
    nodes
        .iter()
        .map(|(start, node)| (*start, resolver.node(*start, node)))
        .collect()
}

struct Resolver<'i> {
    image: &'i Image,
    labels: BTreeSet<u64>,
    /// Where branches lead to.
    joins: BTreeSet<u64>,
    nodes: &'i BTreeMap<u64, Node>,
    variables: Variables,
}

impl Resolver<'_> {
    fn node(&self, start: u64, node: &Node) -> Node {
        let mut resolved = node.clone();
        let mut targets = std::mem::take(&mut resolved.edges);
        for branch in &node.indirect {
            let mut between = self.joins.range(branch.since + 1..branch.address + 1);
            let found = match branch.from {
                Indirect::Unknown => None,
                // Who comes in from the side brings other registers along.
                _ if between.next().is_some() => None,
                Indirect::Slot(slot) => self.slot(slot),
                Indirect::Table(table) => self.absolute_table(start, node, table),
                Indirect::Records(table) => self.records(table),
                Indirect::Pieces(code) => (start..node.end).contains(&code).then(BTreeSet::new),
                Indirect::RelativeTable => self.relative_tables(start, node),
            };
            match found {
                Some(found) => targets.extend(found),
                None => resolved.distrust(Cause::Indirect, branch.address),
            }
        }
        for target in targets {
            match self.home(target) {
                Some(home) if home == start => {}
                Some(home) => {
                    resolved.edges.insert(home);
                }
                None => resolved.distrust(Cause::Outside, start),
            }
        }
        resolved
    }

    /// The start of the node that contains an address.
    fn home(&self, address: u64) -> Option<u64> {
        let (start, node) = self.nodes.range(..=address).next_back()?;
        (address < node.end).then_some(*start)
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
                .all(|value| self.home(*value).is_some())
                .then_some(values);
        }
        let target = u64::from_le_bytes(self.image.constant(slot)?);
        self.home(target)?;
        Some(BTreeSet::from([target]))
    }

    /// What an ifunc resolver may return: the functions whose addresses it
    /// forms or loads from constants. If it calls something, or loads a
    /// pointer from a variable, that is not known.
    fn candidates(&self, resolver: u64) -> Option<BTreeSet<u64>> {
        let node = self.nodes.get(&resolver)?;
        if node.calls || !node.indirect.is_empty() || !node.edges.is_empty() {
            return None;
        }
        let mut found: BTreeSet<u64> = node
            .addresses
            .iter()
            .copied()
            .filter(|address| self.image.starts.contains_key(address))
            .collect();
        for load in &node.loads {
            let target = u64::from_le_bytes(self.image.constant((*load)?)?);
            if self.image.in_code(target) {
                found.insert(target);
            }
        }
        (!found.is_empty()).then_some(found)
    }

    /// All tables of distances that a function refers to.
    fn relative_tables(&self, start: u64, node: &Node) -> Option<BTreeSet<u64>> {
        let mut found = BTreeSet::new();
        for table in &node.addresses {
            let mut place = *table;
            while self.image.relative.contains(&place) {
                let distance = i32::from_le_bytes(self.image.constant(place)?);
                let target = table.wrapping_add_signed(i64::from(distance));
                let inside = (start..node.end).contains(&target);
                if place != *table && self.labels.contains(&place) && !inside {
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
    fn absolute_table(&self, start: u64, node: &Node, table: u64) -> Option<BTreeSet<u64>> {
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
            if !(start..node.end).contains(&target) {
                // Beyond a label another function's table begins.
                if place != table && self.labels.contains(&place) {
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
