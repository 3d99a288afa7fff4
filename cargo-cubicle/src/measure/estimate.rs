//! What a partition will cost: counted calls, and what each takes on this machine.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Built;
use super::prices::Prices;
use super::run::{Run, Taken, median};
use crate::picture::{Crossing, Kind};

/// What was found out about one program. All times are nanoseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// 1; raised when something of this changes or goes.
    pub version: u32,
    pub program: String,
    /// Gates and starts were measured with a stand-in for WRPKRU: this machine has no keys.
    pub stand_in: bool,
    pub cubicles: Vec<Cubicle>,
    /// What was called, what takes most of all first.
    pub calls: Vec<Calls>,
    /// Processor time of the plain program, a median.
    pub plain: f64,
    /// What gates and starts will take beside it.
    pub gates: f64,
    pub starts: f64,
    /// Processor time of the partitioned program, a median; none if something forbids it, or if
    /// it ended otherwise than the plain one.
    pub partitioned: Option<f64>,
    /// How the plain program ended, and how the partitioned one did if that was something else.
    pub ended: String,
    pub ended_otherwise: Option<String>,
    /// How many findings are in the way of a partition.
    pub denied: usize,
}

/// One cubicle.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cubicle {
    pub name: String,
    /// Bytes of its image in memory.
    pub image: u64,
    /// The most bytes that it had mapped beside its image, in one run.
    pub memory: Option<u64>,
    /// Until its libc was ready; not known of the main cubicle, which goes on into `main`.
    pub start: Option<f64>,
}

/// All calls of one function by one cubicle.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calls {
    pub from: String,
    pub to: String,
    pub function: String,
    pub kind: Kind,
    pub switches_fs: Option<bool>,
    pub calls: u64,
    /// What one gate takes beyond a plain call.
    pub each: f64,
    pub total: f64,
}

/// What the runs of one program were.
#[derive(Debug, Default)]
pub struct Runs {
    pub plain: Vec<Run>,
    pub partitioned: Vec<Run>,
    pub counts: Vec<u64>,
    pub taken: BTreeMap<String, Taken>,
}

impl Report {
    pub fn of(built: &Built, prices: &Prices, runs: &Runs) -> Report {
        let picture = &built.picture;
        let known = |one: &&Crossing, from: &str, to: &str, function: &str| {
            (one.from.as_str(), one.to.as_str(), one.symbol.as_str()) == (from, to, function)
        };
        let mut calls: Vec<Calls> = Vec::new();
        for (call, count) in built.calls.iter().zip(&runs.counts) {
            let crossing = picture
                .references
                .iter()
                .find(|one| known(one, &call.from, &call.to, &call.function));
            let (Some(crossing), true) = (crossing, *count > 0) else {
                continue;
            };
            let each = prices.call(crossing.kind, crossing.switches_fs);
            calls.push(Calls {
                from: call.from.clone(),
                to: call.to.clone(),
                function: call.function.clone(),
                kind: crossing.kind,
                switches_fs: crossing.switches_fs,
                calls: *count,
                each,
                total: *count as f64 * each,
            });
        }
        calls.sort_by(|one, other| other.total.total_cmp(&one.total));
        let cubicles = picture.cubicles.iter().map(|cubicle| {
            let taken = runs.taken.get(&cubicle.name);
            Cubicle {
                name: cubicle.name.clone(),
                image: cubicle.size,
                memory: taken.map(|taken| taken.memory),
                start: taken
                    .map(|taken| taken.start as f64)
                    .filter(|_| !cubicle.main),
            }
        });
        let processor =
            |runs: &[Run]| median(&runs.iter().map(|run| run.processor).collect::<Vec<_>>());
        let end = runs.plain.first().map(|run| run.end);
        let mut partitioned = runs.partitioned.iter();
        let otherwise = partitioned.find(|run| Some(run.end) != end);
        let is_measured = otherwise.is_none() && !runs.partitioned.is_empty();
        Report {
            version: 1,
            program: picture.program.clone(),
            stand_in: prices.stand_in,
            cubicles: cubicles.collect(),
            plain: processor(&runs.plain),
            gates: calls.iter().map(|calls| calls.total).sum(),
            starts: prices.start * picture.cubicles.len() as f64,
            calls,
            partitioned: is_measured.then(|| processor(&runs.partitioned)),
            ended: end.map_or(String::new(), |end| end.to_string()),
            ended_otherwise: otherwise.map(|run| run.end.to_string()),
            denied: built.denied,
        }
    }

    /// Estimated processor time, partitioned by plain.
    pub fn estimated_ratio(&self) -> f64 {
        (self.plain + self.gates + self.starts) / self.plain
    }

    /// Measured processor time, partitioned by plain.
    pub fn measured_ratio(&self) -> Option<f64> {
        Some(self.partitioned? / self.plain)
    }
}
