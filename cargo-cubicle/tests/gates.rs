//! Golden tests of gates: `tests/gates/NAME.gate` at the repository's root says
//! what a gate is, `NAME.expected` holds its instructions. Adding one is adding
//! a file; `UPDATE_EXPECT=1` writes what is expected, and a reader of the diff
//! judges it.

use cargo_cubicle::gates::spec::{WORDS_IN_REGISTERS, WORDS_OF_CALLBACKS};
use cargo_cubicle::gates::unintended;
use cargo_cubicle::gates::{
    ErrnoOffsets, Fault, GateKind, GateResult, GateShape, GateSpec, GateTarget, Mechanism,
    MonitorEntries, call, listing,
};
use cargo_cubicle::graph::{declaration, shape::CallShape};
use cubicle_abi::defences::Defences;
use cubicle_abi::layout;
use cubicle_abi::rights::{Rights, cubicle_key, cubicle_rights};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// One `.gate` file. What it leaves out is zero or no; a call goes from cubicle
/// 0 to cubicle 1 through gate 0.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    kind: Kind,
    mechanism: MechanismName,
    #[serde(default)]
    index: usize,
    #[serde(default)]
    from: usize,
    #[serde(default = "one")]
    to: usize,
    /// Cubicles whose memory the caller reads and writes.
    #[serde(default)]
    from_sees: BTreeSet<usize>,
    /// Cubicles whose memory the callee reads and writes.
    #[serde(default)]
    to_sees: BTreeSet<usize>,
    #[serde(default)]
    integers: usize,
    #[serde(default)]
    vectors: usize,
    #[serde(default)]
    stack_words: usize,
    /// A C declaration that says all of the shape instead.
    signature: Option<String>,
    #[serde(default)]
    variadic: bool,
    #[serde(default)]
    result_integers: usize,
    #[serde(default)]
    result_vectors: usize,
    #[serde(default)]
    fs: bool,
    #[serde(default)]
    callee_x87: bool,
    /// Leave what vector, mask and x87 registers hold.
    #[serde(default)]
    unscrubbed: bool,
    /// The callee may be restarted.
    #[serde(default)]
    restarts: bool,
    errno: Option<Errno>,
    /// The number of the callback that it calls, instead of a function.
    callback: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Errno {
    callee: i32,
    caller: i32,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Fast,
    Union,
    CallerSees,
    CalleeSees,
    Lending,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum MechanismName {
    Pku,
    Pagetable,
    StandIn,
}

/// Where the function lies in the slot of its cubicle.
const FUNCTION: u64 = 0x1_2340;

fn one() -> usize {
    1
}

/// Where the monitor would stand: fixed, so that listings stay the same.
const MONITOR: MonitorEntries = MonitorEntries {
    switch_pages: layout::MONITOR_BASE + 0x1000,
    system_call: layout::MONITOR_BASE + 0x2000,
    gate_enter: layout::MONITOR_BASE + 0x3000,
    gate_leave: layout::MONITOR_BASE + 0x4000,
    without: Defences::NONE,
};

impl Described {
    fn spec(&self) -> GateSpec {
        GateSpec {
            function: "example".into(),
            index: self.index,
            from: self.from,
            to: self.to,
            rights_from: rights(self.from, &self.from_sees),
            rights_to: rights(self.to, &self.to_sees),
            target: match self.callback {
                None => GateTarget::Function(layout::slot(self.to) + FUNCTION),
                Some(number) => GateTarget::Callback(number),
            },
            kind: match self.kind {
                Kind::Fast => GateKind::Fast,
                Kind::Union => GateKind::Union,
                Kind::CallerSees => GateKind::CallerSees,
                Kind::CalleeSees => GateKind::CalleeSees,
                Kind::Lending => GateKind::Lending,
            },
            shape: self.shape(),
            switch_fs: self.fs,
            callee_uses_x87: self.callee_x87,
            scrub_vectors: !self.unscrubbed,
            errno: self.errno.as_ref().map(|errno| ErrnoOffsets {
                callee: errno.callee,
                caller: errno.caller,
            }),
            fault: self.restarts.then_some(Fault {
                value: -1i64 as u64,
                errno: 5,
            }),
        }
    }

    /// From the C signature, or word by word for what C cannot say in one line.
    fn shape(&self) -> GateShape {
        if let Some(signature) = &self.signature {
            let signature = declaration::parse(signature).expect("a C declaration");
            let shape = CallShape::of(&signature).expect("a shape a gate can carry");
            return GateShape::of(&shape);
        }
        GateShape {
            integers: self.integers,
            vectors: self.vectors,
            stack_words: self.stack_words,
            variadic: self.variadic,
            result: GateResult {
                integers: self.result_integers,
                vectors: self.result_vectors,
            },
        }
    }

    fn mechanism(&self) -> Mechanism {
        match self.mechanism {
            MechanismName::Pku => Mechanism::Pku,
            MechanismName::Pagetable => Mechanism::PageTable,
            MechanismName::StandIn => Mechanism::StandIn,
        }
    }

    /// A kind that rests on one side seeing the other needs that it does.
    fn is_consistent(&self) -> bool {
        match self.kind {
            Kind::CallerSees => self.from_sees.contains(&self.to),
            Kind::CalleeSees => self.to_sees.contains(&self.from),
            _ => true,
        }
    }
}

fn rights(cubicle: usize, sees: &BTreeSet<usize>) -> Rights {
    sees.iter().fold(cubicle_rights(cubicle), |rights, seen| {
        rights.writing(cubicle_key(*seen))
    })
}

fn emit(described: &Described, mechanism: Mechanism) -> Vec<u8> {
    call::emit(&described.spec(), mechanism, &MONITOR).expect("a gate that fits")
}

fn listed(described: &Described, mechanism: Mechanism) -> (String, usize, usize) {
    let code = emit(described, mechanism);
    let (text, count) = listing::listing(&code, layout::gate(described.index));
    (text, count, code.len())
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/gates")
}

/// Every `.gate` file in order of its name.
fn all() -> Vec<(PathBuf, Described)> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder())
        .expect("tests/gates")
        .map(|entry| entry.expect("an entry of tests/gates").path())
        .filter(|path| path.extension().is_some_and(|end| end == "gate"))
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a text");
            let described: Described =
                toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(described.is_consistent(), "{}", path.display());
            (path, described)
        })
        .collect()
}

#[test]
fn gates_are_as_expected() {
    let update = std::env::var("UPDATE_EXPECT").is_ok_and(|value| value == "1");
    let mut wrong = Vec::new();
    for (path, described) in all() {
        let (text, count, size) = listed(&described, described.mechanism());
        let switches = text.matches("wrpkru").count();
        let found = format!("{count} instructions, {size} bytes, {switches} wrpkru\n\n{text}");
        let expected = path.with_extension("expected");
        if update {
            std::fs::write(&expected, &found).expect("tests/gates is writable");
        } else if std::fs::read_to_string(&expected).ok().as_deref() != Some(&found) {
            wrong.push(format!("{}:\n{found}", expected.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "these differ (UPDATE_EXPECT=1 rewrites them):\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_expectation_has_a_gate() {
    for entry in std::fs::read_dir(folder()).expect("tests/gates") {
        let path = entry.expect("an entry").path();
        let twin = match path.extension().and_then(|end| end.to_str()) {
            Some("gate") => path.with_extension("expected"),
            Some("expected") => path.with_extension("gate"),
            _ => panic!("{} is neither", path.display()),
        };
        assert!(
            twin.exists(),
            "{} has no {}",
            path.display(),
            twin.display()
        );
    }
}

#[test]
fn every_kind_and_mechanism_is_covered() {
    let gates = all();
    for kind in [
        Kind::Fast,
        Kind::Union,
        Kind::CallerSees,
        Kind::CalleeSees,
        Kind::Lending,
    ] {
        for mechanism in [
            MechanismName::Pku,
            MechanismName::Pagetable,
            MechanismName::StandIn,
        ] {
            // Callbacks are always checked.
            for callback in [false, true]
                .into_iter()
                .take(1 + usize::from(kind != Kind::Fast))
            {
                let covered = gates.iter().any(|(_, gate)| {
                    gate.kind == kind
                        && gate.mechanism == mechanism
                        && gate.callback.is_some() == callback
                });
                assert!(
                    covered,
                    "no {kind:?} gate with {mechanism:?}, callback: {callback}"
                );
            }
        }
    }
}

#[test]
fn two_or_four_switches() {
    for (path, described) in all() {
        let (text, _, _) = listed(&described, Mechanism::Pku);
        let expected = match described.kind {
            Kind::Fast | Kind::CallerSees | Kind::CalleeSees => 2,
            Kind::Union | Kind::Lending => 4,
        };
        assert_eq!(
            text.matches("wrpkru").count(),
            expected,
            "{}",
            path.display()
        );
    }
}

/// Without their addresses, and with one word for every switch and every
/// reading of the rights.
fn normalised(text: &str) -> Vec<String> {
    let lines: Vec<String> = text.lines().map(without_addresses).collect();
    let mut result = Vec::new();
    let mut rest = lines.as_slice();
    while !rest.is_empty() {
        match SWITCHES.iter().find(|(form, _)| matches_form(rest, form)) {
            Some((form, word)) => {
                result.push((*word).to_string());
                // The rights that are switched to are part of what is compared.
                if *word == "switch" {
                    result.push(rest[0].clone());
                }
                rest = &rest[form.len()..];
            }
            None => {
                result.push(rest[0].clone());
                rest = &rest[1..];
            }
        }
    }
    result
}

/// What stands for a switch and for reading the rights, by how lines start.
const SWITCHES: [(&[&str], &str); 5] = [
    (
        &["mov eax, 0", "xor ecx, ecx", "xor edx, edx", "wrpkru"],
        "switch",
    ),
    (&["mov eax, 0", "lea rcx, [", "jmp"], "switch"),
    (
        &[
            "mov eax, 0",
            "mov gs:[4], eax",
            "imul rax, rax",
            "imul rax, rax",
            "imul rax, rax",
            "imul rax, rax",
            "lfence",
            "mov eax, 0",
        ],
        "switch",
    ),
    (&["xor ecx, ecx", "rdpkru"], "read"),
    (&["mov eax, gs:[4]"], "read"),
];

fn matches_form(lines: &[String], form: &[&str]) -> bool {
    lines.len() >= form.len()
        && form
            .iter()
            .zip(lines)
            .all(|(start, line)| line.starts_with(start))
}

/// Drops the offset before an instruction and the target of a jump, both of
/// which move with the length of a switch.
fn without_addresses(line: &str) -> String {
    let instruction = line.trim_start().split_once("  ").expect("an offset").1;
    let name = instruction.split(' ').next().unwrap_or_default();
    let jumps = name.starts_with('j') || name == "call";
    if jumps { name } else { instruction }.to_string()
}

#[test]
fn mechanisms_differ_only_in_the_switch() {
    for (path, described) in all() {
        let with = |mechanism| normalised(&listed(&described, mechanism).0);
        let keys = with(Mechanism::Pku);
        assert!(keys.iter().filter(|line| *line == "switch").count() >= 2);
        assert!(keys.iter().filter(|line| *line == "read").count() == 1);
        assert!(!keys.iter().any(|line| line == "wrpkru"));
        assert_eq!(keys, with(Mechanism::StandIn), "{}", path.display());
        let mut pages = with(Mechanism::PageTable);
        if described.kind == Kind::Lending {
            // Page tables never close the monitor's memory, so its rights are
            // both sides'.
            let spec = described.spec();
            let both = format!("eax, {:#X}", spec.rights_from.union(spec.rights_to).0);
            for line in &mut pages {
                *line = line.replace(&both.replace("0X", "0x"), "eax, 0");
            }
        }
        assert_eq!(keys, pages, "{}", path.display());
    }
}

/// Rule 2: nothing stands between a switch and its comparison, and no
/// instruction of 32-bit mode gets further.
#[test]
fn every_wrpkru_is_proven() {
    for (path, described) in all() {
        let (text, _, _) = listed(&described, Mechanism::Pku);
        let lines: Vec<String> = text.lines().map(without_addresses).collect();
        for (number, line) in lines.iter().enumerate() {
            if line == "wrpkru" {
                let compared = lines[number - 3].replace("mov eax", "cmp eax");
                assert_eq!(lines[number + 1], compared, "{}", path.display());
                assert_eq!(lines[number + 2], "jne", "{}", path.display());
                assert_eq!(lines[number + 3], "rdgsbase ecx", "{}", path.display());
            }
        }
    }
}

/// Whoever builds a library chooses where its functions lie. No displacement
/// of a gate may be made to hold WRPKRU or XRSTOR.
#[test]
fn a_chosen_address_gains_nothing() {
    // The last two are SYSENTER and SYSCALL in the half that padding does not change.
    for hostile in [
        0x10ef_010f_u64,
        0x1028_ae0f,
        0x28ae_0f44,
        0x2fae_0fff,
        0x340f_8000,
        0x050f_8000,
    ] {
        let mut gates = all().into_iter();
        let union = gates.find(|(path, _)| path.ends_with("union.gate"));
        let mut spec = union.expect("the plainest of them").1.spec();
        let function = layout::slot(spec.to) + FUNCTION;
        let plain = call::emit(&spec, Mechanism::Pku, &MONITOR).unwrap();
        for behind in ends_of_jumps(&plain, layout::gate(spec.index), function) {
            spec.target = GateTarget::Function(behind + hostile);
            let code = call::emit(&spec, Mechanism::Pku, &MONITOR).unwrap();
            let bytes = (hostile as u32).to_le_bytes();
            assert!(code.windows(4).all(|window| window != bytes));
            assert_eq!(unintended::find_in_gate(&code), None);
            let wrpkru = code
                .windows(3)
                .filter(|window| *window == [0x0f, 0x01, 0xef]);
            assert_eq!(wrpkru.count(), 4);
            let restores = code
                .windows(3)
                .any(|window| window[..2] == [0x0f, 0xae] && (0x28..0x30).contains(&window[2]));
            assert!(!restores);
        }
    }
}

/// Addresses behind the gate's call of its function and its jump to it.
fn ends_of_jumps(code: &[u8], address: u64, target: u64) -> Vec<u64> {
    let found: Vec<u64> = iced_x86::Decoder::with_ip(64, code, address, 0)
        .into_iter()
        .filter(|instruction| instruction.near_branch_target() == target)
        .map(|instruction| instruction.next_ip())
        .collect();
    assert_eq!(found.len(), 2);
    found
}

/// Everything that a manifest and a signature can ask for, at once, in each kind and mechanism: no
/// gate outgrows its place. (More arguments go through the monitor: `tests/inputs/gate-many-words`.)
#[test]
fn the_largest_gates_fit_their_place() {
    let everything = |kind: &str, words: usize, callback: &str| -> GateSpec {
        let index = layout::MAXIMUM_GATES - 1;
        let text = format!(
            "kind = {kind:?}\nmechanism = \"pku\"\nindex = {index}\nfrom = 12\nto = 13\nfrom_sees = [13]\nto_sees = [12]\n\
             integers = 6\nvectors = 8\nstack_words = {words}\nvariadic = true\nresult_integers = 1\n\
             result_vectors = 1\nfs = true\ncallee_x87 = true\nrestarts = true\n{callback}\
             errno = {{ callee = -2000000000, caller = -2000000000 }}\n"
        );
        toml::from_str::<Described>(&text).expect("a gate").spec()
    };
    for mechanism in [Mechanism::Pku, Mechanism::PageTable, Mechanism::StandIn] {
        for kind in ["fast", "union", "caller-sees", "callee-sees", "lending"] {
            for (words, callback) in [
                (WORDS_IN_REGISTERS, ""),
                (WORDS_OF_CALLBACKS, "callback = 255\n"),
            ] {
                let gate = call::emit(&everything(kind, words, callback), mechanism, &MONITOR);
                assert!(gate.is_ok(), "{kind} {mechanism:?}: {gate:?}");
            }
        }
    }
}
