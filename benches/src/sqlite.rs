//! SQLite row by row, in a cubicle that its caller sees, and how much of the
//! difference its gates explain.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use cargo_cubicle::graph::reach::{Cause, Reach};
use object::{Object, ObjectSymbol};

use crate::machine::Machine;
use crate::programs::{Form, Workshop};
use crate::sampling::{Samples, interleaved};

const ROUNDS: usize = 7;

/// Calls that one row (or statement) makes: through gates that leave FS alone,
/// through those that switch it, through those that lend. The program's source
/// makes them.
struct Work {
    name: &'static str,
    title: &'static str,
    gates: [u32; 3],
}

/// How the composed file names the gates from app to sqlite.
const GATE_SYMBOLS: &str = "gate::app->sqlite::";

const GATES: [&str; 3] = ["gate", "gate-fs", "gate-lending"];

const WORKS: [Work; 4] = [
    Work {
        name: "aggregate",
        title: "aggregate, per row",
        gates: [0, 0, 0],
    },
    Work {
        name: "insert",
        title: "bulk insert, per row",
        gates: [1, 5, 1],
    },
    Work {
        name: "rows",
        title: "row of three columns",
        gates: [3, 8, 0],
    },
    Work {
        name: "points",
        title: "point query",
        gates: [3, 8, 0],
    },
];

pub fn run(machine: &Machine, workshop: &Workshop) -> anyhow::Result<()> {
    println!(
        "\nSQLite, `sees`, nanoseconds (targets: aggregate 1.02 × plain, row reads 4 × plain)"
    );
    let mut programs = vec![workshop.program("sqlite", Form::Plain, None)?];
    // By page tables a row takes half a millisecond; `calls` has the price of one
    // call, and this would take half an hour.
    let forms = &machine.forms()[..1];
    for form in forms {
        programs.push(workshop.program("sqlite", *form, None)?);
    }
    let paths: Vec<_> = programs.iter().map(AsRef::as_ref).collect();
    let all = interleaved(&paths, ROUNDS)?;
    for (form, samples) in forms.iter().zip(&all[1..]) {
        let label = machine.label(*form);
        let costs = GATES.map(|name| samples.median(name) - all[0].median(name));
        println!(
            "  {label:9} one call beyond plain: without FS {:.1}, with FS {:.1}, lending {:.1}",
            costs[0], costs[1], costs[2]
        );
        for work in &WORKS {
            line(label, work, &all[0], samples, costs);
        }
    }
    reasons(&programs[1])
}

fn line(label: &str, work: &Work, plain: &Samples, samples: &Samples, costs: [f64; 3]) {
    let (plain, time) = (plain.median(work.name), samples.median(work.name));
    let calls: u32 = work.gates.iter().sum();
    let explained: f64 = work
        .gates
        .iter()
        .zip(costs)
        .map(|(calls, cost)| f64::from(*calls) * cost)
        .sum();
    print!(
        "  {label:9} {:22} {time:9.1}   plain {plain:7.1}   ratio {:6.2}   beyond plain {:8.1}",
        work.title,
        time / plain,
        time - plain
    );
    if calls == 0 {
        println!();
        return;
    }
    println!(
        "   {calls} calls × their gates {explained:8.1}, {:.0} % of it",
        100.0 * explained / (time - plain)
    );
}

/// Which of the called functions have gates that switch FS, and why.
fn reasons(program: &Path) -> anyhow::Result<()> {
    let folder = program.with_file_name("cubicle");
    let image = fs::read_dir(&folder)?
        .filter_map(|entry| Some(entry.ok()?.path().join("sqlite.elf")))
        .find(|path| path.is_file())
        .with_context(|| format!("no sqlite.elf below {}", folder.display()))?;
    let bytes = fs::read(image)?;
    let app = fs::read(program)?;
    let reach = Reach::analyse(&bytes)?;
    let file = object::File::parse(&*bytes)?;
    let names: BTreeMap<u64, &str> = file
        .symbols()
        .filter(|symbol| symbol.kind() == object::SymbolKind::Text)
        .filter_map(|symbol| Some((symbol.address(), symbol.name().ok()?)))
        .collect();
    let mut switched: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut left = Vec::new();
    for function in called(&app)? {
        let Some((address, name)) = names.iter().find(|(_, name)| **name == function) else {
            continue;
        };
        let Some(reason) = reach.fs_reason(*address) else {
            left.push(*name);
            continue;
        };
        let last = reason.path.last().and_then(|last| names.get(last));
        let last = last.copied().unwrap_or("code without a name");
        let why = match reason.cause {
            Cause::Use => format!("`{last}` uses it"),
            Cause::Indirect => format!("`{last}` calls through a pointer"),
            Cause::Outside => format!("`{last}` leads out of the image"),
            Cause::Undecodable => format!("`{last}` cannot be decoded"),
        };
        switched.entry(why).or_default().push(name);
    }
    println!("  FS is left alone for {}", left.join(", "));
    for (why, names) in switched {
        println!("  FS is switched because {why}: {}", names.join(", "));
    }
    Ok(())
}

/// The functions that the program has gates to, as its symbols name them.
fn called(program: &[u8]) -> anyhow::Result<Vec<String>> {
    let file = object::File::parse(program)?;
    let mut names: Vec<String> = file
        .symbols()
        .filter_map(|symbol| Some(symbol.name().ok()?.strip_prefix(GATE_SYMBOLS)?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}
