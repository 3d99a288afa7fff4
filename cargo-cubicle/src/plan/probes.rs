//! What an audit looks at in each call: arguments, the result, and what lies in
//! the structs that pointers lead to; and gates for calls that nobody described.

use std::collections::{BTreeSet, VecDeque};

use cubicle_abi::plan::{
    ArgumentPlace, MOST_PROBES, PLACE_ARGUMENT, PLACE_FIELD, PLACE_RESULT, PROBE_POINTER,
    PROBE_STRING, Place,
};

use super::Gate;
use crate::gates::spec::GateResult;
use crate::gates::{Fault, GateKind, GateShape};
use crate::graph::shape::{self, CallShape, ResultPlace};
use crate::graph::signature::{Pointer, Signature, Type, TypeKind};

/// How many pointers one after the other a probe's path may follow.
const DEEPEST: usize = 2;

/// The path of a result.
pub const RESULT: &str = "result";

/// The name of the gates for callbacks that nobody described.
pub const CALLBACK: &str = "a callback";

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// As the manifest writes it: `strm.next_in`; `*n` for what is no struct.
    pub path: String,
    pub place: Place,
    /// The ABI's `PROBE_` flags.
    pub flags: u32,
    /// Bytes of the value.
    pub size: u32,
}

/// All probes of a function's gate: arguments first, then what is nearer before
/// what is further away, as many as there may be.
pub fn of(signature: &Signature, shape: &CallShape) -> Vec<Probe> {
    let mut probes = Probes {
        signature,
        list: Vec::new(),
        waiting: VecDeque::new(),
    };
    let named = signature.parameters.iter();
    let named = named.map(|parameter| (parameter.name.as_deref(), &parameter.type_));
    let slots = signature.slots.iter().flatten().map(|type_| (None, type_));
    for (index, (name, type_)) in named.chain(slots).enumerate() {
        let path = name.map_or_else(|| format!("#{}", index + 1), str::to_owned);
        if let Some(place) = shape.parameters.get(index).and_then(argument) {
            probes.add(path, place, 0, type_);
        }
    }
    let in_rax = matches!(
        shape.result,
        ResultPlace::Integer | ResultPlace::IntegerPair | ResultPlace::IntegerThenSse
    );
    if let (Some(type_), true) = (&signature.result, in_rax) {
        let place = Place {
            kind: PLACE_RESULT,
            ..Place::default()
        };
        // What it leads to belongs to the callee.
        probes.add(RESULT.to_owned(), place, DEEPEST, type_);
    }
    while let Some((parent, depth, pointer)) = probes.waiting.pop_front() {
        probes.inside(parent, depth, &pointer);
    }
    probes.list
}

/// The integer register or the word of the stack that carries an argument.
fn argument(place: &shape::Place) -> Option<Place> {
    const FIRST_STACK_WORD: ArgumentPlace = 6;
    let index = match place {
        shape::Place::Integer(register) => u32::from(*register),
        shape::Place::Stack { word, words: 1 } => FIRST_STACK_WORD + word,
        _ => return None,
    };
    Some(Place {
        kind: PLACE_ARGUMENT,
        index,
        offset: 0,
    })
}

struct Probes<'a> {
    signature: &'a Signature,
    list: Vec<Probe>,
    /// Pointers of which it is still to be seen what they lead to: their probe,
    /// how many pointers lead to them, and their type.
    waiting: VecDeque<(usize, usize, Pointer)>,
}

impl Probes<'_> {
    fn add(&mut self, path: String, place: Place, depth: usize, type_: &Type) {
        if self.list.len() == MOST_PROBES {
            return;
        }
        let (flags, size) = match &type_.kind {
            TypeKind::Pointer(pointer) => {
                let number = self.list.len();
                self.waiting.push_back((number, depth, pointer.clone()));
                let characters = self.signature.data(pointer).is_some_and(is_character);
                let string = if characters { PROBE_STRING } else { 0 };
                (PROBE_POINTER | string, 8)
            }
            TypeKind::Integer { bytes, .. } if *bytes <= 8 => (0, u32::from(*bytes)),
            _ => return,
        };
        self.list.push(Probe {
            path,
            place,
            flags,
            size,
        });
    }

    fn inside(&mut self, parent: usize, depth: usize, pointer: &Pointer) {
        if depth == DEEPEST {
            return;
        }
        let Some(target) = self.signature.data(pointer).cloned() else {
            return;
        };
        let place = |offset| Place {
            kind: PLACE_FIELD,
            index: parent as u32,
            offset,
        };
        let path = self.list[parent].path.clone();
        match &target.kind {
            TypeKind::Aggregate(aggregate) if !aggregate.is_union && !path.starts_with('*') => {
                for member in &aggregate.members {
                    if let (Some(name), None) = (&member.name, &member.bits) {
                        let path = format!("{path}.{name}");
                        self.add(path, place(member.offset), depth + 1, &member.type_);
                    }
                }
            }
            TypeKind::Integer { .. } | TypeKind::Pointer(_) if !is_character(&target) => {
                self.add(format!("*{path}"), place(0), depth + 1, &target);
            }
            _ => {}
        }
    }
}

fn is_character(type_: &Type) -> bool {
    matches!(type_.kind, TypeKind::Integer { bytes: 1, .. })
}

/// For each pair of cubicles of which one calls the other, a gate in each
/// direction that can carry most calls: functions that crossed as pointers
/// without anybody saying so are called through them.
pub fn callbacks(gates: &[Option<Gate>]) -> Vec<Option<Gate>> {
    let known = gates.iter().flatten();
    let first = known.clone().filter(|gate| gate.is_callback()).count();
    let pairs: BTreeSet<(usize, usize)> = known
        .flat_map(|gate| [(gate.from, gate.to), (gate.to, gate.from)])
        .collect();
    let pairs = pairs.into_iter().enumerate();
    pairs
        .map(|(number, (from, to))| {
            Some(Gate {
                symbol: CALLBACK.to_owned(),
                callback: Some(first + number),
                from,
                to,
                kind: GateKind::Lending,
                shape: GateShape {
                    integers: 6,
                    vectors: 8,
                    stack_words: 8,
                    variadic: true,
                    result: GateResult {
                        integers: 2,
                        vectors: 2,
                    },
                },
                lends: Vec::new(),
                errno: false,
                fault: Fault::default(),
                probes: anything(),
            })
        })
        .collect()
}

/// All that may be a pointer in a call of which nothing is known.
fn anything() -> Vec<Probe> {
    let arguments = (0..6).map(|index| (format!("#{}", index + 1), PLACE_ARGUMENT, index));
    arguments
        .chain([(RESULT.to_owned(), PLACE_RESULT, 0)])
        .map(|(path, kind, index)| Probe {
            path,
            place: Place {
                kind,
                index,
                offset: 0,
            },
            flags: PROBE_POINTER | PROBE_STRING,
            size: 8,
        })
        .collect()
}
