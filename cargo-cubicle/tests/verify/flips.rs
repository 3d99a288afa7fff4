//! Every bit of gates and stubs, flipped: whatever is not noticed must be the same
//! instructions in other bytes, or stand where any value is as good.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use cargo_cubicle::verify::{File, Place, PlaceKind, check_place};
use cubicle_abi::layout::PLAN_BASE;
use cubicle_abi::plan::{
    GATE_CALLEE_SEES, GATE_CALLER_SEES, GATE_ERRNO, GATE_FAST, GATE_FS, GATE_LENDING, GATE_UNION,
    MECHANISM_PAGETABLE, MECHANISM_PKU,
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

/// One place of each kind, as it is with keys; of gates those that differ in what is switched
/// and carried. Every third bit, which is each of the eight in turn.
pub fn one_of_each_kind(good: &Good) {
    let file = good.file();
    let mut seen = BTreeSet::new();
    let without_keys = |place: &Place| {
        place.mechanism == MECHANISM_PAGETABLE && !matches!(place.kind, PlaceKind::Clear { .. })
    };
    let places = good.places().into_iter();
    let places = places.filter(|place| !without_keys(place) && seen.insert(kind(&file, place)));
    run(good, &places.collect::<Vec<_>>(), 3);
}

pub fn all(good: &Good) {
    run(good, &good.places(), 1);
}

/// On all processors.
fn run(good: &Good, places: &[Place], every: usize) {
    let next = AtomicUsize::new(0);
    let counts: Mutex<BTreeMap<String, Count>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(|| {
                let file = good.file();
                while let Some(place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let one = flip(good, &file, place, every);
                    let mut counts = counts.lock().unwrap();
                    let count = counts.entry(kind(&file, place)).or_default();
                    count.places += 1;
                    count.flips += one.flips;
                    for (class, unnoticed) in one.unnoticed {
                        *count.unnoticed.entry(class).or_default() += unnoticed;
                    }
                }
            });
        }
    });
    for (kind, count) in counts.into_inner().unwrap() {
        let unnoticed: usize = count.unnoticed.values().sum();
        println!(
            "{kind}: {} places, {} of {} flips noticed, {:?}",
            count.places,
            count.flips - unnoticed,
            count.flips,
            count.unnoticed
        );
        let same = count.unnoticed.get(&Unnoticed::SameInstructions);
        let few = same.is_none_or(|same| same * 10 < count.flips);
        assert!(few, "{kind}: too many are not noticed");
    }
}

/// Flips bits of one place.
fn flip(good: &Good, file: &File<'_>, place: &Place, every: usize) -> Count {
    let start = good.offset(PLAN_BASE + place.offset as u64);
    let code = &good.bytes[start..start + place.size];
    assert_eq!(check_place(file, place, code), []);
    let mut count = Count::default();
    let meant = listing(code, place.address);
    let mut flipped = code.to_vec();
    for bit in (0..code.len() * 8).step_by(every) {
        // What fills a place is the same everywhere; some of it will do.
        let byte = bit / 8;
        if code[byte] == 0xcc && byte % 32 != 0 {
            continue;
        }
        flipped[byte] ^= 1 << (bit % 8);
        count.flips += 1;
        if check_place(file, place, &flipped).is_empty() {
            let class = class_of(place, &meant, &listing(&flipped, place.address));
            let class = class.unwrap_or_else(|| {
                let (kind, bit) = (kind(file, place), bit % 8);
                panic!("bit {bit} of byte {byte:#x} of a {kind} is flipped, and nobody notices")
            });
            *count.unnoticed.entry(class).or_default() += 1;
        }
        flipped[byte] = code[byte];
    }
    count
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
