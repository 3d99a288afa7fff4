//! Which functions a variable can hold: those that it starts with and those that
//! are stored to it by name, if nobody ever takes its address.
//!
//! Believed without proof: code reaches a variable by an address inside it, not by
//! an address inside another one and a distance. That is C's own rule; assembly
//! might break it.

use super::decode::Store;
use super::image::Image;
use super::nodes::{Nodes, Sorted};
use std::collections::{BTreeMap, BTreeSet};

/// What the code of a whole image does to fixed places.
pub(super) struct Variables {
    /// Addresses that are taken.
    taken: BTreeSet<u64>,
    /// Writes, by their place.
    stores: BTreeMap<u64, Vec<Store>>,
}

impl Variables {
    pub(super) fn of(nodes: &Nodes) -> Variables {
        let mut variables = Variables {
            taken: BTreeSet::new(),
            stores: BTreeMap::new(),
        };
        for node in nodes.all() {
            variables.taken.extend(nodes.taken(node));
            for store in nodes.stores(node) {
                variables
                    .stores
                    .entry(store.place)
                    .or_default()
                    .push(*store);
            }
        }
        variables
    }

    /// What the eight bytes at `slot` can hold besides null; `None` if that is
    /// not known. `joins` are the places that branches lead to.
    pub(super) fn values(
        &self,
        image: &Image<'_>,
        joins: &Sorted,
        slot: u64,
    ) -> Option<BTreeSet<u64>> {
        let (from, to, initial) = image.variable(slot)?;
        // Behind the last byte is still a pointer into it, as far as C goes.
        let is_taken = |taken: &BTreeSet<u64>| taken.range(from..=to).next().is_some();
        if is_taken(&self.taken) || is_taken(&image.pointed) {
            return None;
        }
        let mut values = BTreeSet::from([initial]);
        for store in self.stores.range(from..to).flat_map(|(_, stores)| stores) {
            let apart = store.place + store.bytes <= slot || store.place >= slot + 8;
            if store.bytes > 0 && apart {
                continue;
            }
            // Who comes in from the side brings another register along.
            let joined = joins.has_between(store.since, store.address);
            if store.place != slot || joined {
                return None;
            }
            values.insert(store.value?);
        }
        // A call of null is a fault, whatever FS is.
        values.remove(&0);
        Some(values)
    }
}
