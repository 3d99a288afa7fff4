//! What `cargo cubicle report` estimates before a partition, beside what the partitioned program takes.

use serde_json::Value;

use crate::machine::Machine;
use crate::programs::{Workshop, run};

/// Projects whose programs end by themselves: where the gates are nearly all there is, where there are
/// many cubicles, and where there is much work for each call.
const PROJECTS: [&str; 4] = [
    "benches/programs/sqlite",
    "samples/rusqlite",
    "samples/sqlite-os",
    "samples/flate2",
];

pub fn run_all(_: &Machine, workshop: &Workshop) -> anyhow::Result<()> {
    println!(
        "\nEstimates, processor time beyond plain, ms (target: within 25 % of what is measured)"
    );
    for project in PROJECTS {
        let output = workshop.output(&format!("estimates-{}", project.replace('/', "-")));
        let text = run(workshop
            .report(&workshop.path(project), &output)
            .args(["--runs", "15"]))?;
        let report: Value = serde_json::from_str(&text)?;
        let time = |name: &str| report[name].as_f64().unwrap_or(f64::NAN) / 1e6;
        let label = match report["stand_in"].as_bool() {
            Some(false) => "pku",
            _ => "stand-in",
        };
        let estimated = time("gates") + time("starts");
        let measured = time("partitioned") - time("plain");
        println!(
            "  {label:9} {project:23} plain {:7.1}   estimated {estimated:7.2} ({:+.1} %)   measured {measured:7.2} ({:+.1} %)   estimated by measured: beyond plain {:.2}, of all {:.2}",
            time("plain"),
            100.0 * estimated / time("plain"),
            100.0 * measured / time("plain"),
            estimated / measured,
            (time("plain") + estimated) / time("partitioned"),
        );
    }
    Ok(())
}
