//! speedtest1's queries, what it prints about them, and the groups into which the
//! paper divides them.

use std::collections::BTreeMap;

use anyhow::Context;

/// The paper's group A; group B are the others, which leave SQLite more often.
const GROUP_A: [u32; 19] = [
    100, 110, 120, 140, 142, 145, 150, 160, 161, 180, 190, 230, 250, 300, 320, 400, 500, 520, 990,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    A,
    B,
}

impl Group {
    pub fn of(query: u32) -> Group {
        if GROUP_A.contains(&query) {
            Group::A
        } else {
            Group::B
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Group::A => "A",
            Group::B => "B",
        }
    }
}

/// What one run of speedtest1 printed.
#[derive(Debug, Default)]
pub struct Output {
    /// Microseconds of each query, with its title.
    pub queries: BTreeMap<u32, (String, f64)>,
    /// Of everything that the queries returned; empty without `--verify`.
    pub hash: String,
}

/// Reads the lines ` 100 - 50000 INSERTs into table with no index......   25.123s` and
/// `Verification Hash: …`. The program's clock counts microseconds where speedtest1 expects
/// milliseconds (`c/clock.c`), so what it prints as seconds are milliseconds.
pub fn read(printed: &str) -> anyhow::Result<Output> {
    let mut output = Output::default();
    for line in printed.lines() {
        if let Some(hash) = line.strip_prefix("Verification Hash: ") {
            output.hash = hash.trim().to_owned();
        } else if let Some((number, title, milliseconds)) = query(line) {
            output
                .queries
                .insert(number, (title, milliseconds * 1000.0));
        }
    }
    anyhow::ensure!(
        !output.queries.is_empty(),
        "this is not what speedtest1 prints:\n{printed}"
    );
    Ok(output)
}

fn query(line: &str) -> Option<(u32, String, f64)> {
    let (number, rest) = line.split_once(" - ")?;
    let number = number.trim().parse().ok()?;
    let (title, time) = rest.strip_suffix('s')?.rsplit_once(' ')?;
    let title = title.trim_end().trim_end_matches('.').to_owned();
    Some((number, title, time.parse().ok()?))
}

/// That every program returned the same, and which hash that is.
pub fn agree<'a>(hashes: impl Iterator<Item = (&'a str, &'a str)>) -> anyhow::Result<String> {
    let mut first: Option<(&str, &str)> = None;
    for (name, hash) in hashes {
        let (other, expected) = *first.get_or_insert((name, hash));
        anyhow::ensure!(!hash.is_empty(), "{name} returned no hash");
        anyhow::ensure!(
            hash == expected,
            "{name} returned something else than {other}: {hash} instead of {expected}"
        );
    }
    let (_, hash) = first.context("nothing was run")?;
    Ok(hash.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "-- Speedtest1 for SQLite 3.54.1 2026-10-16 14:45:20 555e07ef33f69a0957d24d8e555b\n \
        100 - 50000 INSERTs into table with no index......................   25.250s\n \
        980 - PRAGMA integrity_check......................................  1224.001s\n       \
        TOTAL....................................................... 1249.251s\n\
        Verification Hash: 8234 0123456789abcdef\n";

    #[test]
    fn reads_what_speedtest1_prints() {
        let output = read(PRINTED).unwrap();
        let title = "50000 INSERTs into table with no index".to_owned();
        assert_eq!(output.queries[&100], (title, 25_250.0));
        assert_eq!(output.queries[&980].1, 1_224_001.0);
        assert_eq!(output.queries.len(), 2);
        assert_eq!(output.hash, "8234 0123456789abcdef");
        assert!(read("Cannot open database file\n").is_err());
    }

    #[test]
    fn programs_that_return_something_else_are_found() {
        let same = [("one", "x"), ("two", "x")];
        assert_eq!(agree(same.into_iter()).unwrap(), "x");
        let other = [("one", "x"), ("two", "y")];
        let error = agree(other.into_iter()).unwrap_err().to_string();
        assert_eq!(
            error,
            "two returned something else than one: y instead of x"
        );
    }
}
