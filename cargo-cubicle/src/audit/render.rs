//! A recording in words: one line for each thing that was done to somebody else's
//! memory, however many instructions did it.

use std::collections::BTreeMap;

use camino::Utf8Path;

use super::record::{AccessRecord, Position, Record, When};
use super::recording::Recording;
use crate::symbolize::Access;

/// Records that say the same but for their instructions.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    cubicle: String,
    owner: String,
    what: String,
    place: String,
}

/// What is known of a group.
#[derive(Default)]
struct Seen {
    instructions: usize,
    count: u64,
    bytes: Option<(i64, i64)>,
    written: bool,
    read: bool,
    at: Option<Position>,
}

impl Recording {
    /// The lines, paths below `root` relative to it.
    pub fn render(&self, root: &Utf8Path) -> Vec<String> {
        let mut groups: BTreeMap<Group, Seen> = BTreeMap::new();
        let mut lines = Vec::new();
        for record in &self.records {
            match record {
                Record::Access(access) => self.group(access, &mut groups),
                Record::Callback(call) => lines.push(format!(
                    "`{}` calls `{}` of `{}`{}{}",
                    call.cubicle,
                    call.function
                        .as_deref()
                        .unwrap_or("a function without a name"),
                    call.owner,
                    self.passed(call.gate, call.path.as_deref(), "which crossed as "),
                    at(call.position.as_ref(), root),
                )),
                Record::SystemCall(call) => lines.push(format!(
                    "`{}` passes memory of `{}` to the system call {}{}",
                    call.cubicle,
                    call.owner,
                    call.name.clone().unwrap_or_else(|| call.number.to_string()),
                    self.passed(call.gate, call.path.as_deref(), ""),
                )),
                Record::Misuse(misuse) => lines.push(format!(
                    "`{}` misuses `{}`: {}{}",
                    misuse.cubicle,
                    misuse.name.as_deref().unwrap_or("a call about windows"),
                    std::io::Error::from_raw_os_error(misuse.error),
                    at(misuse.position.as_ref(), root),
                )),
                Record::Refused(refused) => {
                    let Some(gate) = self.gate(refused.gate) else {
                        continue;
                    };
                    lines.push(match refused.why.as_str() {
                        "function" => format!(
                            "a call of `{}` passes as a function what is none that may be passed ({})",
                            gate.function, refused.address
                        ),
                        why => format!(
                            "a call of `{}` would lend {} bytes that `{}` may not {why} itself",
                            gate.function, refused.bytes, gate.from
                        ),
                    });
                }
                _ => {}
            }
        }
        let accesses = groups.into_iter().map(|(group, seen)| {
            let verb = match (seen.read, seen.written) {
                (true, true) => "reads and writes",
                (_, true) => "writes",
                _ => "reads",
            };
            let bytes = seen.bytes.map_or(String::new(), |(low, end)| {
                format!(", bytes {low} to {end}")
            });
            let more = match seen.instructions {
                1 => String::new(),
                number => format!(" and {} more places", number - 1),
            };
            format!(
                "`{}` {verb} {} of `{}`{}{bytes}{}{more}",
                group.cubicle,
                group.place,
                group.owner,
                group.what,
                at(seen.at.as_ref(), root),
            )
        });
        let mut all: Vec<String> = accesses.collect();
        all.append(&mut lines);
        all
    }

    fn group(&self, access: &AccessRecord, groups: &mut BTreeMap<Group, Seen>) {
        let verb = match access.when {
            When::Pending | When::Never => "",
            When::Later => "remembered from ",
            When::Returned => "left by ",
        };
        let place = match &access.variable {
            Some(variable) => format!("`{variable}`"),
            None => format!("{:?} memory", access.place).to_lowercase(),
        };
        let group = Group {
            cubicle: access.cubicle.clone(),
            owner: access.owner.clone(),
            what: self.passed(access.gate, access.path.as_deref(), verb),
            place,
        };
        let seen = groups.entry(group).or_default();
        seen.instructions += 1;
        seen.count += access.count;
        seen.read |= access.access == Access::Read;
        seen.written |= access.access == Access::Write;
        if access.gate.is_some() {
            let width = access.width.unwrap_or(1) as i64;
            let end = access.end.unwrap_or(i64::MIN).max(access.high + width);
            let (low, high) = seen.bytes.unwrap_or((access.low, end));
            seen.bytes = Some((low.min(access.low), high.max(end)));
        }
        if seen.at.is_none() {
            seen.at.clone_from(&access.position);
        }
    }

    fn passed(&self, gate: Option<usize>, path: Option<&str>, verb: &str) -> String {
        match (gate.and_then(|gate| self.gate(gate)), path) {
            (Some(gate), Some(path)) => format!(" ({verb}`{path}` of `{}`)", gate.function),
            _ => " (that nobody passed)".to_owned(),
        }
    }
}

fn at(position: Option<&Position>, root: &Utf8Path) -> String {
    let Some(position) = position else {
        return String::new();
    };
    let function = position
        .function
        .as_deref()
        .map(|name| format!(" in `{name}`"));
    let line = position.file.as_deref().map(|file| {
        let path = Utf8Path::new(file);
        let shown = path.strip_prefix(root).unwrap_or(path);
        match position.line {
            Some(line) => format!(", {shown}:{line}"),
            None => format!(", {shown}"),
        }
    });
    [function, line].into_iter().flatten().collect()
}
