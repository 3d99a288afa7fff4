//! One call through each kind of gate.

use cargo_cubicle::gates::GateKind;

use crate::machine::Machine;
use crate::programs::{Form, Workshop};
use crate::sampling::{Samples, interleaved, median};
use crate::{instructions, switch_cost};

const ROUNDS: usize = 7;

/// Names, kinds, and whether vector, mask and x87 registers are cleared.
const KINDS: [(&str, GateKind, bool); 6] = [
    ("fast", GateKind::Fast, true),
    ("caller-sees", GateKind::CallerSees, true),
    ("callee-sees", GateKind::CalleeSees, true),
    ("union", GateKind::Union, true),
    ("unscrubbed", GateKind::Union, false),
    ("lending", GateKind::Lending, true),
];

pub fn run(machine: &Machine, workshop: &Workshop) -> anyhow::Result<()> {
    println!("\nCalls, nanoseconds for each (target: 6 beyond n × WRPKRU, checked, without FS)");
    let mut programs = vec![workshop.program("calls", Form::Plain, None)?];
    for form in machine.forms() {
        programs.push(workshop.program("calls", *form, None)?);
    }
    let paths: Vec<_> = programs.iter().map(AsRef::as_ref).collect();
    let mut costs = vec![switch_cost::measure(machine)];
    let mut all: Vec<Samples> = Vec::new();
    for samples in interleaved(&paths, ROUNDS)? {
        all.push(samples);
        costs.push(switch_cost::measure(machine));
    }
    let switch = median(&costs);
    println!(
        "  one {} by itself {switch:.1}",
        if machine.keys { "WRPKRU" } else { "stand-in" }
    );
    for (form, samples) in machine.forms().iter().zip(&all[1..]) {
        for (name, kind, scrub) in KINDS {
            for fs in [false, true] {
                let name = if fs {
                    format!("{name} FS")
                } else {
                    name.to_owned()
                };
                let count = instructions::count(kind, fs, scrub)?;
                line(
                    machine.label(*form),
                    &name,
                    &all[0],
                    samples,
                    switch,
                    &count,
                );
            }
        }
    }
    Ok(())
}

fn line(
    label: &str,
    name: &str,
    plain: &Samples,
    samples: &Samples,
    switch: f64,
    count: &instructions::Count,
) {
    let (plain, time) = (plain.median(name), samples.median(name));
    print!(
        "  {label:9} {name:15} {time:9.1}   plain {plain:.1}   beyond plain {:9.1}",
        time - plain
    );
    if label == "pagetable" {
        println!();
        return;
    }
    println!(
        "   beyond plain and {} × {} {:6.1}   {} instructions",
        count.switches,
        if label == "pku" { "WRPKRU" } else { "stand-in" },
        time - plain - count.switches as f64 * switch,
        count.instructions,
    );
}
