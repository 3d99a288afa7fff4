//! Measures what partitioning costs and prints it beside the plain build.
//!
//! `cargo run --release -p cubicle-benchmarks [-- SECTION…]`; the sections are
//! `calls`, `system-calls`, `start-up`, `size`, `tool`, `restart`, `sharing`, `zlib`, `streams`, `sqlite`, `estimates`, all by
//! default, and `experiment` and `scale`, which take long and run only when they are named.
//! It prints figures and judges none: docs/BENCHMARKS.md has the targets.

mod calls;
mod cpuid;
mod estimates;
mod experiment;
mod instructions;
mod machine;
mod programs;
mod restart;
mod sampling;
mod scale;
mod sharing;
mod size;
mod sqlite;
mod start_up;
mod streams;
mod switch_cost;
mod system_calls;
mod tool;
mod zlib;

use anyhow::bail;
use machine::Machine;
use programs::Workshop;

type Section = fn(&Machine, &Workshop) -> anyhow::Result<()>;

const SECTIONS: [(&str, Section); 13] = [
    ("calls", calls::run),
    ("system-calls", system_calls::run),
    ("start-up", start_up::run),
    ("size", size::run),
    ("tool", tool::run),
    ("restart", restart::run),
    ("sharing", sharing::run),
    ("zlib", zlib::run),
    ("streams", streams::run),
    ("sqlite", sqlite::run),
    ("estimates", estimates::run_all),
    ("experiment", experiment::run),
    ("scale", scale::run),
];

/// They take longer than all others together.
const ON_DEMAND: [&str; 2] = ["experiment", "scale"];

fn main() -> anyhow::Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    for name in &wanted {
        if !SECTIONS.iter().any(|(known, _)| known == name) {
            let known: Vec<&str> = SECTIONS.iter().map(|(name, _)| *name).collect();
            bail!("no section `{name}`; there are {}", known.join(", "));
        }
    }
    let machine = Machine::look();
    println!("{machine}");
    let workshop = Workshop::open()?;
    for (name, section) in SECTIONS {
        let by_default = wanted.is_empty() && !ON_DEMAND.contains(&name);
        if by_default || wanted.iter().any(|wanted| wanted == name) {
            section(&machine, &workshop)?;
        }
    }
    Ok(())
}
