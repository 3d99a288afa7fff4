//! What was checked, and what was found.

use std::collections::BTreeMap;
use std::fmt;

use cubicle_abi::defences::Defences;
use cubicle_abi::plan::{
    GATE_CALLEE_SEES, GATE_CALLER_SEES, GATE_FAST, GATE_LENDING, GATE_SCRUBS, GATE_UNION,
    ISOLATION_ANY, ISOLATION_AUDIT, ISOLATION_PKU, ISOLATION_STAND_IN, PLAN_DUMPS,
};

use super::file::File;

/// What must hold of a file. `docs/VERIFY.md` has a section for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The plan is a whole one, and agrees with itself.
    Plan,
    /// It protects: neither a benchmark's nor an audit's build, nor one of the tests.
    Protects,
    /// What is loaded is what the plan lists, where it says; nothing is writable and
    /// executable.
    Segments,
    /// Keys and rights are those of the layout, and no two cubicles have the same.
    Rights,
    /// No instruction that changes rights or bases, at any offset, but where gates,
    /// stubs and the monitor have theirs.
    Forbidden,
    /// Every gate is what its entry in the plan says.
    Gate,
    /// So are system-call gates, resume stubs, register clearing, patched sites
    /// and stubs of callbacks.
    Stub,
    /// So are the monitor's ways to other rights.
    Monitor,
    /// No code of one image jumps or refers to another, but to its own gates and
    /// stubs.
    Branch,
    /// No constant of one image is the address of another's function.
    Pointer,
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Rule::Plan => "plan",
            Rule::Protects => "protects",
            Rule::Segments => "segments",
            Rule::Rights => "rights",
            Rule::Forbidden => "forbidden",
            Rule::Gate => "gate",
            Rule::Stub => "stub",
            Rule::Monitor => "monitor",
            Rule::Branch => "branch",
            Rule::Pointer => "pointer",
        })
    }
}

/// One violation of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub rule: Rule,
    /// In the address space of the process.
    pub address: u64,
    /// The cubicle, gate or stub that it is about.
    pub place: String,
    /// What stands there; empty if the finding is not about bytes.
    pub bytes: Vec<u8>,
    pub message: String,
}

impl Finding {
    pub(super) fn new(
        rule: Rule,
        address: u64,
        place: impl Into<String>,
        message: impl Into<String>,
    ) -> Finding {
        Finding {
            rule,
            address,
            place: place.into(),
            bytes: Vec::new(),
            message: message.into(),
        }
    }

    pub(super) fn showing(mut self, bytes: &[u8]) -> Finding {
        /// The longest instruction (Intel SDM volume 2, 2.3.11).
        const SHOWN: usize = 15;
        self.bytes = bytes[..bytes.len().min(SHOWN)].to_vec();
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "[{}] {:#x} in {}: {}",
            self.rule, self.address, self.place, self.message
        )?;
        if !self.bytes.is_empty() {
            write!(formatter, " (bytes")?;
            for byte in &self.bytes {
                write!(formatter, " {byte:02x}")?;
            }
            write!(formatter, ")")?;
        }
        Ok(())
    }
}

/// All that was found, and how much was looked at.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Violations, by rule and address.
    pub findings: Vec<Finding>,
    /// What is worth knowing and no violation.
    pub notes: Vec<String>,
    /// Names of cubicles.
    pub cubicles: Vec<String>,
    /// What the manifest asked for: `pku`, `any`.
    pub isolation: String,
    /// Gates of each kind, of functions and of callbacks.
    pub gates: BTreeMap<&'static str, usize>,
    /// Gates, stubs and routines that were decoded, each version counted.
    pub places: usize,
    /// Instructions in them.
    pub instructions: usize,
    /// Bytes of executable text, at every offset of which forbidden bytes were sought.
    pub scanned: u64,
    /// Instructions of images that were followed for branches.
    pub followed: u64,
    /// Places in images where no instruction could be decoded.
    pub undecodable: usize,
    /// WRPKRU instructions, all of them where they belong unless there are findings.
    pub switches: usize,
    /// The monitor is the one that it was compared with.
    pub own_monitor: bool,
    /// Words of constants and initial data that were looked at.
    pub words: u64,
}

impl Report {
    pub(super) fn of(file: &File<'_>) -> Report {
        let mut report = Report {
            cubicles: file
                .plan
                .cubicles
                .iter()
                .map(|one| one.name.clone())
                .collect(),
            isolation: match file.plan.header.isolation {
                ISOLATION_PKU => "pku".to_owned(),
                ISOLATION_ANY => "any".to_owned(),
                ISOLATION_STAND_IN => "none, a benchmark build".to_owned(),
                ISOLATION_AUDIT => "none, an audit build".to_owned(),
                other => format!("unknown ({other})"),
            },
            ..Report::default()
        };
        let unprotected = match file.plan.header.isolation {
            ISOLATION_PKU | ISOLATION_ANY => None,
            ISOLATION_STAND_IN => Some("it is a benchmark build, in which WRPKRU has a stand-in"),
            ISOLATION_AUDIT => {
                Some("it is an audit build, which records violations and permits them")
            }
            _ => Some("its plan asks for an isolation that does not exist"),
        };
        if let Some(why) = unprotected {
            let why = format!("nothing is protected: {why}");
            report.find(Finding::new(Rule::Protects, 0, "the plan", why));
        }
        if file.plan.header.without != Defences::NONE {
            let left_out: Vec<&str> = file
                .plan
                .header
                .without
                .iter()
                .map(|one| one.name())
                .collect();
            let why = format!("defences are left out: {}", left_out.join(", "));
            report.find(Finding::new(Rule::Protects, 0, "the plan", why));
        }
        for finding in &file.plan.problems {
            report.find(finding.clone());
        }
        for gate in file.plan.gates.iter().flatten() {
            let kind = match (gate.callback, gate.kind) {
                (Some(_), _) => "callback",
                (None, GATE_FAST) => "fast",
                (None, GATE_UNION) => "union",
                (None, GATE_CALLER_SEES) => "caller-sees",
                (None, GATE_CALLEE_SEES) => "callee-sees",
                (None, GATE_LENDING) => "lending",
                _ => "unknown",
            };
            *report.gates.entry(kind).or_default() += 1;
        }
        let gates = || file.plan.gates.iter().flatten();
        let unscrubbed = gates().filter(|gate| !gate.has(GATE_SCRUBS)).count();
        for (count, what) in [
            (
                gates().filter(|gate| gate.kind == GATE_FAST).count(),
                "prove nothing: they are fast",
            ),
            (unscrubbed, "leave vector registers as they are"),
        ] {
            if count > 0 {
                report.notes.push(format!("{count} gates {what}"));
            }
        }
        if file.plan.header.flags & PLAN_DUMPS != 0 {
            let note = "debuggers and core dumps may see the process";
            report.notes.push(note.to_owned());
        }
        report
    }

    pub(super) fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    pub(super) fn finish(&mut self) {
        self.findings.sort();
        self.findings.dedup();
    }

    /// Is there nothing wrong with it?
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}
