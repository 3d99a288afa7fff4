//! Violations, planted in a good program one at a time. Each must be noticed by the rule
//! that it breaks.

use std::collections::BTreeSet;
use std::mem::offset_of;

use cargo_cubicle::verify::{Place, PlaceKind, Rule, verify};
use cubicle_abi::layout::{
    GATE_STRIDE, MONITOR_BASE, PLAN_BASE, SLOT_SIZE, gate, slot, system_call_gate,
};
use cubicle_abi::plan::{
    Cubicle, GATE_CALLER_SEES, GATE_FAST, GATE_FS, GATE_LENDING, GATE_UNION, Gate, Header,
    ISOLATION_AUDIT, ISOLATION_STAND_IN, KeyedWindow, MECHANISM_PAGETABLE, MECHANISM_PKU, Segment,
    Text,
};
use cubicle_abi::rights::Rights;
use cubicle_abi::thread_block::frame_at;
use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic};
use object::elf::{PT_GNU_STACK, PT_LOAD};

use crate::good::{CUBICLES, Edited, GATES, Good, TEXTS, WINDOWS};

mod forbidden;
mod gates;
mod monitor;
mod plan;
mod references;
mod rights;
mod segments;
mod stubs;

/// A violation: the rule that notices, words of its message, and how to plant it.
type Plant<'a> = (
    Rule,
    &'static str,
    Box<dyn Fn(&mut Edited) + Send + Sync + 'a>,
);

/// Numbers of cubicles: they are ordered by name.
const AGAIN: usize = 0;
const APP: usize = 1;
const BOTH: usize = 2;
const LENDER: usize = 3;

const LOAD: u32 = PT_LOAD.0;
const STACK: u32 = PT_GNU_STACK.0;
/// Offsets of fields of a program header.
const TYPE: usize = 0;
const FLAGS: usize = 4;
const ADDRESS: usize = 16;
const FILE_SIZE: usize = 32;
const MEMORY_SIZE: usize = 40;

pub fn rules(good: &Good) -> BTreeSet<Rule> {
    all(good).into_iter().map(|(rule, _, _)| rule).collect()
}

/// Plants all of them, on all processors.
pub fn try_all(good: &Good) {
    let plants = all(good);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let missed = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(|| {
                while let Some((rule, words, plant)) =
                    plants.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                {
                    if let Some(found) = not_noticed(good, *rule, words, plant) {
                        let text = format!("{rule}: {words:?} is not among {found:#?}");
                        missed.lock().unwrap().push(text);
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().unwrap();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    println!("{} violations noticed", plants.len());
}

/// What was found instead.
fn not_noticed(
    good: &Good,
    rule: Rule,
    words: &str,
    plant: &dyn Fn(&mut Edited),
) -> Option<Vec<String>> {
    let mut edited = good.edit();
    plant(&mut edited);
    assert!(edited.bytes != good.bytes, "{words}: nothing was changed");
    let report = verify(&edited.bytes, None).unwrap_or_else(|error| panic!("{words}: {error}"));
    let noticed = |finding: &cargo_cubicle::verify::Finding| {
        finding.rule == rule && finding.to_string().contains(words)
    };
    match report.findings.iter().any(noticed) {
        true => None,
        false => Some(
            report
                .findings
                .iter()
                .take(5)
                .map(ToString::to_string)
                .collect(),
        ),
    }
}

fn all(good: &Good) -> Vec<Plant<'_>> {
    let mut plants = Vec::new();
    segments::segments(good, &mut plants);
    rights::rights(&mut plants);
    forbidden::forbidden(good, &mut plants);
    gates::gates(good, &mut plants);
    stubs::stubs(good, &mut plants);
    monitor::monitor(good, &mut plants);
    references::references(good, &mut plants);
    plan::plan(&mut plants);
    plants
}

fn add<'a>(
    plants: &mut Vec<Plant<'a>>,
    rule: Rule,
    words: &'static str,
    plant: impl Fn(&mut Edited) + Send + Sync + 'a,
) {
    plants.push((rule, words, Box::new(plant)));
}

/// Start of the first segment of a cubicle that is as described.
fn segment(good: &Good, cubicle: usize, writable: bool, executable: bool) -> u64 {
    let file = good.file();
    let range = slot(cubicle)..slot(cubicle) + SLOT_SIZE;
    let mut segments = file
        .segments
        .iter()
        .filter(|one| range.contains(&one.address));
    let found = segments.find(|one| (one.writable, one.executable) == (writable, executable));
    found.expect("every image has one").address
}

fn monitor_text(good: &Good) -> u64 {
    let file = good.file();
    let mut segments = file.segments.iter();
    let text = segments.find(|one| one.executable && one.address < MONITOR_BASE * 2);
    text.expect("the monitor has text").address
}

/// The code of a place.
#[derive(Clone)]
struct Code {
    place: Place,
    instructions: Vec<Instruction>,
}

impl Code {
    /// Where in memory, that is in the plan, what stands at `address` of the text is.
    fn at(&self, address: u64) -> u64 {
        PLAN_BASE + self.place.offset as u64 + (address - self.place.address)
    }

    fn end(&self) -> u64 {
        PLAN_BASE + (self.place.offset + self.place.size) as u64
    }

    /// Number of the instruction after `from` that is one of these.
    fn find(&self, from: usize, mnemonic: Mnemonic) -> usize {
        let mut rest = self.instructions.iter().skip(from);
        from + rest
            .position(|one| one.mnemonic() == mnemonic)
            .expect("such an instruction")
    }

    /// NOPs instead of an instruction.
    fn drop(&self, file: &mut Edited, number: usize) {
        let one = &self.instructions[number];
        file.put(self.at(one.ip()), &vec![0x90; one.len()]);
    }

    /// Other last bytes of an instruction.
    fn end_with(&self, file: &mut Edited, number: usize, bytes: &[u8]) {
        let one = &self.instructions[number];
        file.put(self.at(one.next_ip()) - bytes.len() as u64, bytes);
    }

    /// Another target of a jump or call.
    fn lead_to(&self, file: &mut Edited, number: usize, target: u64) {
        let distance = target.wrapping_sub(self.instructions[number].next_ip()) as u32;
        self.end_with(file, number, &distance.to_le_bytes());
    }
}

fn place_of(good: &Good, mechanism: u32, wanted: impl Fn(PlaceKind) -> bool) -> Code {
    let mut places = good.places().into_iter();
    let place = places.find(|one| one.mechanism == mechanism && wanted(one.kind));
    let place = place.expect("such a place");
    let code = good
        .edit()
        .at(PLAN_BASE + place.offset as u64, place.size)
        .to_vec();
    let decoder = Decoder::with_ip(64, &code, place.address, DecoderOptions::NONE);
    Code {
        place,
        instructions: decoder.into_iter().collect(),
    }
}

fn number_of_gate(good: &Good, name: &str) -> usize {
    let file = good.file();
    let mut gates = file.plan.gates.iter().flatten();
    gates
        .find(|gate| gate.name == name)
        .expect("such a gate")
        .number
}

fn place_of_gate(good: &Good, name: &str, mechanism: u32) -> Code {
    let number = number_of_gate(good, name);
    place_of(good, mechanism, |kind| kind == PlaceKind::Gate(number))
}
