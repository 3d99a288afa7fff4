//! Objects that a callee remembers between calls.
//!
//! A function begins to keep an object if its address was new when it was passed,
//! the callee held it afterwards, and it is passed again later. The function that
//! ends it is the one behind which it was only ever begun anew; of several, the one
//! whose name says so.

use std::collections::{BTreeMap, BTreeSet};

use super::evidence::{Crossing, Evidence, Sample};
use super::types::{self, Data};
use super::{Confidence, Known};
use crate::audit::When;

/// Until when.
#[derive(Debug, Clone)]
pub struct Keep {
    /// The function that ends it, if there is one.
    pub until: Option<String>,
    pub confidence: Confidence,
}

/// What is kept, by where it begins.
pub fn find(evidence: &Evidence, known: &Known<'_>) -> BTreeMap<Crossing, Keep> {
    let mut search = Search {
        evidence,
        known,
        again: Again::new(),
    };
    search.again = search.of_one_type();
    let held = search.held();
    let begins: BTreeSet<&Crossing> = search
        .again
        .iter()
        .filter(|(crossing, earlier)| earlier.contains(&None) && search.is_held(crossing, &held))
        .filter(|(crossing, _)| search.is_needed_later(crossing))
        .map(|(crossing, _)| crossing)
        .collect();
    begins
        .iter()
        .map(|begin| ((*begin).clone(), search.end(begin, &begins)))
        .collect()
}

/// How arguments were passed the last time before; `None`: not at all.
type Again = BTreeMap<Crossing, BTreeSet<Option<Crossing>>>;

struct Search<'a> {
    evidence: &'a Evidence,
    known: &'a Known<'a>,
    again: Again,
}

/// A struct's name, and whose function it was passed to.
type Held = BTreeSet<(String, String)>;

impl Search<'_> {
    fn data(&self, (cubicle, function, path): &Crossing) -> Option<Data<'_>> {
        let signature = self
            .known
            .signatures
            .get(&(cubicle.clone(), function.clone()))?;
        Data::of(signature, types::at(signature, path)?)
    }

    /// Memory is used again: what led to another type before was another object.
    fn of_one_type(&self) -> Again {
        let name = |crossing: &Crossing| {
            let data = self.data(crossing)?;
            data.name().map(str::to_owned)
        };
        let again = self.evidence.again.iter();
        again
            .map(|(crossing, earlier)| {
                let own = name(crossing);
                let earlier = earlier.keys().map(|earlier| {
                    let earlier = earlier.as_ref()?;
                    (name(earlier) == own).then(|| earlier.clone())
                });
                (crossing.clone(), earlier.collect())
            })
            .collect()
    }

    /// Structs that a callee was seen to hold. What holds true for one function
    /// that is passed such a struct does for the others.
    fn held(&self) -> Held {
        let mut held = Held::new();
        for crossing in self.again.keys() {
            let Some(data) = self.data(crossing).filter(Data::is_struct) else {
                continue;
            };
            if let Some(name) = data.name()
                && self
                    .samples(crossing)
                    .any(|sample| holds(sample, &crossing.2))
            {
                held.insert((crossing.0.clone(), name.to_owned()));
            }
        }
        held
    }

    fn samples(&self, (cubicle, function, _): &Crossing) -> impl Iterator<Item = &Sample> {
        let key = (cubicle.clone(), function.clone());
        let calls = self.evidence.functions.get(&key);
        calls.into_iter().flat_map(|calls| &calls.samples)
    }

    fn is_held(&self, crossing: &Crossing, held: &Held) -> bool {
        let data = self.data(crossing);
        let of_struct = data.as_ref().filter(|data| data.is_struct());
        if let Some(name) = of_struct.and_then(Data::name) {
            return held.contains(&(crossing.0.clone(), name.to_owned()));
        }
        // Freed memory may still hold anything once.
        let mut searched = 0;
        let mut found = 0;
        for sample in self.samples(crossing) {
            if let Some(value) = sample.values.get(&crossing.2)
                && value.searched
            {
                searched += 1;
                found += usize::from(value.remembered);
            }
        }
        found > 0 && found * 2 >= searched
    }

    fn is_needed_later(&self, crossing: &Crossing) -> bool {
        let passed_again = self
            .again
            .values()
            .any(|earlier| earlier.contains(&Some(crossing.clone())));
        let (cubicle, function, path) = crossing;
        let key = (cubicle.clone(), function.clone());
        let calls = self.evidence.functions.get(&key);
        let later = calls.into_iter().flat_map(|calls| &calls.later);
        let touched_later = later
            .filter(|access| access.when == When::Later)
            .any(|access| access.path.as_ref() == Some(path));
        passed_again || touched_later
    }

    fn end(&self, begin: &Crossing, begins: &BTreeSet<&Crossing>) -> Keep {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![begin.clone()];
        while let Some(from) = waiting.pop() {
            for next in self.successors(&from) {
                if !begins.contains(next) && reached.insert(next.clone()) {
                    waiting.push(next.clone());
                }
            }
        }
        let ends = reached
            .iter()
            .filter(|crossing| self.successors(crossing).all(|next| begins.contains(next)));
        let ends: Vec<&str> = ends.map(|(_, function, _)| function.as_str()).collect();
        let named: Vec<&str> = ends.iter().copied().filter(|name| says_end(name)).collect();
        match (named.as_slice(), ends.as_slice()) {
            ([end], _) => Keep {
                until: Some((*end).to_owned()),
                confidence: Confidence::Sure,
            },
            ([], [end]) => Keep {
                until: Some((*end).to_owned()),
                confidence: Confidence::Guess,
            },
            _ => self.end_by_name(begin, named.first().copied()),
        }
    }

    /// Nothing that was seen says which: a function of the same cubicle that is
    /// called so, and takes the same type.
    fn end_by_name(&self, begin: &Crossing, first: Option<&str>) -> Keep {
        let type_ = self.data(begin);
        let wanted = type_.as_ref().and_then(Data::name);
        let takes = |signature: &crate::graph::signature::Signature| {
            types::arguments(signature).iter().any(|path| {
                let type_ = types::at(signature, path);
                let data = type_.and_then(|type_| Data::of(signature, type_));
                data.is_some_and(|data| data.name().is_some() && data.name() == wanted)
            })
        };
        let functions = self.known.signatures.iter();
        let by_name = functions
            .filter(|((cubicle, name), signature)| {
                *cubicle == begin.0 && says_end(name) && takes(signature)
            })
            .map(|((_, name), _)| name.as_str())
            .max_by_key(|name| common_prefix(name, &begin.1));
        Keep {
            until: first.or(by_name).map(str::to_owned),
            confidence: Confidence::Guess,
        }
    }

    fn successors<'s>(&'s self, from: &'s Crossing) -> impl Iterator<Item = &'s Crossing> {
        self.again
            .iter()
            .filter(|(_, earlier)| earlier.contains(&Some(from.clone())))
            .map(|(crossing, _)| crossing)
    }
}

/// The callee held the pointer after the call, or what the pointer leads to led to
/// something that leads back.
fn holds(sample: &Sample, path: &str) -> bool {
    let Some(value) = sample.values.get(path) else {
        return false;
    };
    let inside = format!("{path}.");
    let mut others = sample.values.iter();
    let leads_back = others.any(|(other, inner)| {
        other.starts_with(&inside) && value.before.0 != 0 && inner.before == value.before
    });
    value.remembered || leads_back
}

/// Names of functions that end something.
fn says_end(name: &str) -> bool {
    const WORDS: [&str; 9] = [
        "end", "close", "free", "finali", "destroy", "release", "delete", "dispose", "cleanup",
    ];
    let name = name.to_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

fn common_prefix(one: &str, other: &str) -> usize {
    let pairs = one.bytes().zip(other.bytes());
    pairs.take_while(|(a, b)| a == b).count()
}
