//! Where boxes stand: in columns, each caller before those that it calls, as far as they do not call back.

use std::collections::BTreeMap;

use super::Picture;

/// Column and row of each cubicle, by name; how many columns there are, and how many rows in the longest.
pub struct Layout<'p> {
    pub places: BTreeMap<&'p str, (usize, usize)>,
    pub columns: usize,
    pub rows: usize,
    /// Rows in each column.
    pub heights: Vec<usize>,
}

/// As many boxes as stand above each other at most: more become a further column.
const MOST: usize = 5;

impl<'p> Layout<'p> {
    pub fn of(picture: &'p Picture) -> Layout<'p> {
        let totals = picture.totals();
        let distance = distances(picture);
        let mut columns: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for (name, distance) in &distance {
            columns.entry(*distance).or_default().push(name);
        }
        // Beside those that call them.
        let mut order: BTreeMap<&str, f64> = BTreeMap::new();
        let mut split: Vec<Vec<&str>> = Vec::new();
        for names in columns.into_values() {
            let mut names = names;
            let weight = |name: &str| {
                let callers = totals.keys().filter(|(_, to)| *to == name);
                let rows: Vec<f64> = callers
                    .filter_map(|(from, _)| order.get(from).copied())
                    .collect();
                match rows.is_empty() {
                    true => 0.0,
                    false => rows.iter().sum::<f64>() / rows.len() as f64,
                }
            };
            names.sort_by(|one, other| weight(one).total_cmp(&weight(other)).then(one.cmp(other)));
            for (row, name) in names.iter().enumerate() {
                order.insert(name, row as f64);
            }
            split.extend(names.chunks(MOST).map(<[&str]>::to_vec));
        }
        let mut places = BTreeMap::new();
        for (column, names) in split.iter().enumerate() {
            for (row, name) in names.iter().enumerate() {
                places.insert(*name, (column, row));
            }
        }
        Layout {
            places,
            columns: split.len(),
            rows: split.iter().map(Vec::len).max().unwrap_or(0),
            heights: split.iter().map(Vec::len).collect(),
        }
    }
}

/// The longest way to each cubicle from the program; calls that close a circle are none.
fn distances(picture: &Picture) -> BTreeMap<&str, usize> {
    let mut callees: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in picture.totals().into_keys() {
        callees.entry(from).or_default().push(to);
    }
    let mut visit = Visit {
        callees: &callees,
        open: Vec::new(),
        done: Vec::new(),
    };
    let main = picture.cubicles.iter().filter(|cubicle| cubicle.main);
    for cubicle in main.chain(&picture.cubicles) {
        visit.enter(&cubicle.name);
    }
    let Visit { done, .. } = visit;
    let rank: BTreeMap<&str, usize> = done
        .iter()
        .rev()
        .enumerate()
        .map(|(rank, name)| (*name, rank))
        .collect();
    let mut distance: BTreeMap<&str, usize> = rank.keys().map(|name| (*name, 0)).collect();
    for name in done.iter().rev() {
        let own = distance[name];
        for callee in callees.get(name).into_iter().flatten() {
            if rank[callee] > rank[name] {
                distance
                    .entry(callee)
                    .and_modify(|old| *old = (*old).max(own + 1));
            }
        }
    }
    distance
}

struct Visit<'p, 'c> {
    callees: &'c BTreeMap<&'p str, Vec<&'p str>>,
    open: Vec<&'p str>,
    /// In the order in which everything that they call was seen.
    done: Vec<&'p str>,
}

impl<'p> Visit<'p, '_> {
    fn enter(&mut self, name: &'p str) {
        if self.open.contains(&name) || self.done.contains(&name) {
            return;
        }
        self.open.push(name);
        for callee in self.callees.get(name).into_iter().flatten() {
            self.enter(callee);
        }
        self.open.pop();
        self.done.push(name);
    }
}
