//! A report for people.

use std::fmt::Write;

use super::estimate::{Calls, Report};
use crate::picture::Kind;

/// So many functions are listed.
const MOST_CALLS: usize = 20;

/// The report as text. Where a stand-in was in the place of WRPKRU, each line with a time of gates says so.
pub fn text(report: &Report) -> String {
    let by = match report.stand_in {
        true => "stand-in",
        false => "pku",
    };
    let mut text = format!(
        "`{}` in {} cubicles\n\n",
        report.program,
        report.cubicles.len()
    );
    let width = |names: &mut dyn Iterator<Item = usize>| names.max().unwrap_or(0);
    let names = width(&mut report.cubicles.iter().map(|one| one.name.len())).max("cubicle".len());
    let _ = writeln!(
        text,
        "{:names$}  {:>10}  {:>12}  {:>14}",
        "cubicle", "image", "most mapped", "start"
    );
    for one in &report.cubicles {
        let memory = one.memory.map_or("-".to_owned(), bytes);
        let start = one
            .start
            .map_or("-".to_owned(), |start| format!("{} {by}", time(start)));
        let _ = writeln!(
            text,
            "{:names$}  {:>10}  {memory:>12}  {start:>14}",
            one.name,
            bytes(one.image)
        );
    }

    if report.calls.is_empty() {
        text += "\nIn this run no cubicle called another.\n";
    } else {
        let edge = |one: &Calls| format!("{} → {}", one.from, one.to);
        let edges = width(&mut report.calls.iter().map(|one| edge(one).chars().count()))
            .max("calls from → to".len());
        let functions =
            width(&mut report.calls.iter().map(|one| one.function.len())).max("function".len());
        let _ = writeln!(
            text,
            "\n{:edges$}  {:functions$}  {:>12}  {:>9}  {:>9}  gate",
            "calls from → to", "function", "calls", "each", "all"
        );
        for one in report.calls.iter().take(MOST_CALLS) {
            let gate = match one.kind {
                Kind::Forbidden => "cannot cross yet: as if lending",
                kind => kind.name(),
            };
            let fs = match one.switches_fs {
                Some(true) => ", switches FS",
                _ => "",
            };
            let _ = writeln!(
                text,
                "{:edges$}  {:functions$}  {:>12}  {:>9}  {:>9}  {gate}{fs} ({by})",
                edge(one),
                one.function,
                one.calls,
                time(one.each),
                time(one.total),
            );
        }
        if report.calls.len() > MOST_CALLS {
            let rest = &report.calls[MOST_CALLS..];
            let _ = writeln!(
                text,
                "… and {} more functions, {} calls, {} ({by})",
                rest.len(),
                rest.iter().map(|one| one.calls).sum::<u64>(),
                time(rest.iter().map(|one| one.total).sum())
            );
        }
    }

    let share = |part: f64| format!("{:+.1} %", 100.0 * part / report.plain);
    let _ = writeln!(
        text,
        "\nplain       {:>9}  processor time",
        time(report.plain)
    );
    let _ = writeln!(
        text,
        "gates       {:>9}  {} ({by}, estimated)",
        time(report.gates),
        share(report.gates)
    );
    let _ = writeln!(
        text,
        "starts      {:>9}  {} ({by}, estimated)",
        time(report.starts),
        share(report.starts)
    );
    let _ = writeln!(
        text,
        "partitioned {:>9}  {} ({by}, estimated)",
        time(report.plain + report.gates + report.starts),
        share(report.gates + report.starts)
    );
    match report.partitioned {
        Some(partitioned) => {
            let _ = writeln!(
                text,
                "partitioned {:>9}  {} ({by}, measured)",
                time(partitioned),
                share(partitioned - report.plain)
            );
        }
        None if report.denied == 0 => {
            let _ = writeln!(
                text,
                "partitioned: nothing to compare, it ended with {} and the plain program with {} (`cargo cubicle run` shows why)",
                report.ended_otherwise.as_deref().unwrap_or("nothing"),
                report.ended
            );
        }
        None => {
            let _ = writeln!(
                text,
                "partitioned: nothing to measure yet, {} in the way (`cargo cubicle lint` lists them)",
                match report.denied {
                    1 => "one finding is".to_owned(),
                    number => format!("{number} findings are"),
                }
            );
        }
    }
    text += "\nNot in the estimate: copies of lent memory beyond 64 bytes, calls back, system calls, starts of threads, page faults.\n";
    text
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds.abs() {
        small if small < 1e3 => format!("{nanoseconds:.1} ns"),
        small if small < 1e6 => format!("{:.1} µs", nanoseconds / 1e3),
        small if small < 1e9 => format!("{:.1} ms", nanoseconds / 1e6),
        _ => format!("{:.2} s", nanoseconds / 1e9),
    }
}

fn bytes(bytes: u64) -> String {
    match bytes {
        0..0x10_0000 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{:.1} MiB", bytes as f64 / 1048576.0),
    }
}
