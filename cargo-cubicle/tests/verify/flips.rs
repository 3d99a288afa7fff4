//! Every bit of gates and stubs, flipped: whatever is not noticed must be the same
//! instructions in other bytes, or stand where any value is as good.

use std::collections::{BTreeMap, BTreeSet};

use cargo_cubicle::verify::{File, Place, PlaceKind, check_place};
use cubicle_abi::layout::PLAN_BASE;
use cubicle_abi::plan::{
    GATE_CALLEE_SEES, GATE_CALLER_SEES, GATE_ERRNO, GATE_FAST, GATE_FS, GATE_LENDING, GATE_UNION,
    MECHANISM_PKU,
};
use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter};

use crate::good::Good;

/// What a flip that is not noticed can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Unnoticed {
    /// The same instructions, encoded differently.
    SameInstructions,
    /// The number of a patched system call, which is nowhere else: a cubicle can ask for any,
    /// and the monitor judges it.
    NumberOfCall,
}

#[derive(Default)]
struct Count {
    places: usize,
    flips: usize,
    unnoticed: BTreeMap<Unnoticed, usize>,
}

/// For people, and what makes one place as good as another for a short run.
fn kind(file: &File<'_>, place: &Place) -> String {
    let version = match (place.kind, place.mechanism) {
        (PlaceKind::Clear { .. }, level) => format!("level {level}"),
        (_, MECHANISM_PKU) => "keys".to_owned(),
        _ => "page tables".to_owned(),
    };
    let what = match place.kind {
        PlaceKind::Clear { .. } => "clearing".to_owned(),
        PlaceKind::SystemCallGate(_) => "system-call gate".to_owned(),
        PlaceKind::ResumeStub(_) => "resume stub".to_owned(),
        PlaceKind::Site(_) => format!("site of {} bytes", place.size),
        PlaceKind::CallbackStub { .. } => "stub of a callback".to_owned(),
        PlaceKind::Unused => "unused".to_owned(),
        PlaceKind::Gate(number) => {
            let gate = file.plan.gates[number].as_ref().expect("a gate");
            let kind = match gate.kind {
                GATE_FAST => "fast",
                GATE_UNION => "union",
                GATE_CALLER_SEES => "caller-sees",
                GATE_CALLEE_SEES => "callee-sees",
                GATE_LENDING => "lending",
                other => panic!("kind {other}"),
            };
            let also = [
                (gate.callback.is_some(), " callback"),
                (gate.restarts, " restarts"),
                (gate.has(GATE_ERRNO), " errno"),
                (gate.has(GATE_FS), " fs"),
            ];
            let also: String = also
                .into_iter()
                .filter(|(is, _)| *is)
                .map(|(_, name)| name)
                .collect();
            format!("{kind} gate{also}")
        }
    };
    format!("{what}, {version}")
}

/// One place of each kind; of gates those that differ in what is switched and carried.
pub fn one_of_each_kind(good: &Good) {
    let file = good.file();
    let mut seen = BTreeSet::new();
    let places = good.places().into_iter();
    run(
        good,
        places
            .filter(|place| seen.insert(kind(&file, place)))
            .collect(),
    );
}

pub fn all(good: &Good) {
    run(good, good.places());
}

fn run(good: &Good, places: Vec<Place>) {
    let file = good.file();
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    for place in &places {
        let code = good
            .edit()
            .at(PLAN_BASE + place.offset as u64, place.size)
            .to_vec();
        assert_eq!(check_place(&file, place, &code), []);
        let count = counts.entry(kind(&file, place)).or_default();
        count.places += 1;
        let meant = listing(&code, place.address);
        for bit in 0..code.len() * 8 {
            // What fills a place is the same everywhere; some of it will do.
            let (byte, filler) = (bit / 8, code[bit / 8] == 0xcc);
            if filler && byte % 32 != 0 {
                continue;
            }
            let mut flipped = code.clone();
            flipped[byte] ^= 1 << (bit % 8);
            count.flips += 1;
            if !check_place(&file, place, &flipped).is_empty() {
                continue;
            }
            let class = class_of(place, &meant, &listing(&flipped, place.address));
            let class = class.unwrap_or_else(|| {
                panic!(
                    "bit {} of byte {:#x} of a {} is flipped, and nobody notices",
                    bit % 8,
                    bit / 8,
                    kind(&file, place)
                )
            });
            *count.unnoticed.entry(class).or_default() += 1;
        }
    }
    for (kind, count) in &counts {
        let unnoticed: usize = count.unnoticed.values().sum();
        println!(
            "{kind}: {} places, {} of {} flips noticed, {:?}",
            count.places,
            count.flips - unnoticed,
            count.flips,
            count.unnoticed
        );
        // Unused places hold no instruction at all.
        assert!(
            unnoticed * 20 < count.flips,
            "{kind}: too many are not noticed"
        );
    }
}

fn class_of(place: &Place, meant: &[String], found: &[String]) -> Option<Unnoticed> {
    if meant == found {
        return Some(Unnoticed::SameInstructions);
    }
    let is_site = matches!(place.kind, PlaceKind::Site(_)) && meant.len() == found.len();
    let differ: Vec<_> = meant
        .iter()
        .zip(found)
        .filter(|(one, other)| one != other)
        .collect();
    let number = |text: &str| text.starts_with("mov eax,");
    (is_site
        && differ
            .iter()
            .all(|(one, other)| number(one) && number(other)))
    .then_some(Unnoticed::NumberOfCall)
}

/// The instructions as people read them, by other code than the verifier's.
fn listing(code: &[u8], address: u64) -> Vec<String> {
    let mut formatter = IntelFormatter::new();
    Decoder::with_ip(64, code, address, DecoderOptions::NONE)
        .into_iter()
        .map(|instruction| {
            let mut text = String::new();
            formatter.format(&instruction, &mut text);
            text
        })
        .collect()
}
