//! Functions that cross as pointers: called back, or better replaced.

use std::collections::{BTreeMap, BTreeSet};

use super::evidence::{Called, Crossing, Evidence, Sample};
use super::extent::{self, Seen};
use super::types::{self, Data};
use super::{Confidence, Known, direction, guess};
use crate::graph::shape::{CallShape, Place};
use crate::graph::signature::Signature;
use crate::manifest::ArgumentRule;

/// What becomes of function pointers in structs: by who is passed the struct, its
/// name and the field's.
#[derive(Debug, Default)]
pub struct Hooks {
    /// Those that hand out the caller's memory, or take it back: an allocator's.
    replaced: BTreeSet<(String, String, String)>,
    /// Where one of them was called.
    called: BTreeMap<(String, String, String), Crossing>,
}

impl Hooks {
    pub fn is_replaced(&self, cubicle: &str, holder: &str, field: &str) -> bool {
        let key = (cubicle.to_owned(), holder.to_owned(), field.to_owned());
        self.replaced.contains(&key)
    }

    pub fn called(&self, cubicle: &str, holder: &str, field: &str) -> Option<&Crossing> {
        let key = (cubicle.to_owned(), holder.to_owned(), field.to_owned());
        self.called.get(&key)
    }
}

/// An allocator's functions: one returned memory of its own that the other side then
/// used.
pub fn is_allocator(called: &[Called]) -> bool {
    called.iter().any(|one| one.result_touched)
}

/// Looks at all function pointers in structs that were called.
pub fn hooks(evidence: &Evidence, known: &Known<'_>) -> Hooks {
    let mut hooks = Hooks::default();
    let mut allocators = BTreeSet::new();
    let mut fields = Vec::new();
    for (crossing, called) in &evidence.called {
        let (cubicle, function, path) = crossing;
        let Some((holder, field)) = path.rsplit_once('.') else {
            continue;
        };
        let signature = known.signatures.get(&(cubicle.clone(), function.clone()));
        let Some(signature) = signature else {
            continue;
        };
        let holder = types::at(signature, holder).and_then(|type_| Data::of(signature, type_));
        let Some(holder) = holder.as_ref().and_then(Data::name) else {
            continue;
        };
        let key = (cubicle.clone(), holder.to_owned(), field.to_owned());
        hooks.called.insert(key.clone(), crossing.clone());
        if is_allocator(called) {
            allocators.insert((cubicle.clone(), holder.to_owned()));
            hooks.replaced.insert(key.clone());
        }
        fields.push((key, called));
    }
    hooks.replaced.extend(replaced_by_manifest(known));
    // Whoever takes back what an allocator handed out goes with it.
    for (key, called) in fields {
        let beside = allocators.contains(&(key.0.clone(), key.1.clone()));
        let frees = ["free", "dealloc", "release"]
            .iter()
            .any(|word| key.2.contains(word));
        let takes_back = called.iter().any(|one| {
            one.samples.iter().any(|sample| {
                sample.values.iter().any(|(path, value)| {
                    let owner = value.owner.as_deref();
                    path.starts_with('#') && owner == Some(one.callback.owner.as_str())
                })
            })
        });
        if beside && (frees || takes_back) {
            hooks.replaced.insert(key);
        }
    }
    hooks
}

/// What the manifest replaces already, in some function.
fn replaced_by_manifest(known: &Known<'_>) -> Vec<(String, String, String)> {
    let mut replaced = Vec::new();
    for ((cubicle, name), signature) in known.signatures {
        let functions = known.policy.cubicles.get(cubicle);
        let Some(function) = functions.and_then(|cubicle| cubicle.functions.get(name)) else {
            continue;
        };
        for argument in function.args.values() {
            let path = argument.path.to_string();
            let (ArgumentRule::Value(_), Some((holder, field))) =
                (&argument.rule, path.rsplit_once('.'))
            else {
                continue;
            };
            let holder = types::at(signature, holder);
            let holder = holder.and_then(|type_| Data::of(signature, type_));
            if let Some(holder) = holder.as_ref().and_then(Data::name) {
                replaced.push((cubicle.clone(), holder.to_owned(), field.to_owned()));
            }
        }
    }
    replaced
}

/// The rule of a function pointer that is called back, as the manifest writes it.
pub fn rule(inner: Option<&Signature>, called: &[Called]) -> (String, String, Confidence) {
    let Some(inner) = inner else {
        return (
            "{ callback = true }".to_owned(),
            "a function; nothing says what it is called with".to_owned(),
            Confidence::Guess,
        );
    };
    let samples: Vec<Sample> = called
        .iter()
        .flat_map(|one| &one.samples)
        .map(|sample| renamed(sample, inner))
        .collect();
    let owner = called.first().map(|one| one.callback.owner.as_str());
    let mut words = vec!["callback = true".to_owned()];
    let mut sure = Confidence::Sure;
    for path in types::arguments(inner) {
        let data = types::at(inner, &path).and_then(|type_| Data::of(inner, type_));
        let Some(data) = data else {
            continue;
        };
        let (value, confidence) = argument(&path, &data, &samples, owner, inner);
        sure = sure.min(confidence);
        words.push(format!("arg.{} = {value}", super::text::key(&path)));
    }
    let result = inner
        .result
        .as_ref()
        .and_then(|type_| Data::of(inner, type_));
    if result.is_some_and(|result| !result.is_function()) {
        words.push("result = { lend = \"handle\" }".to_owned());
    }
    let names: BTreeSet<&str> = called
        .iter()
        .filter_map(|one| one.callback.function.as_deref())
        .collect();
    let why = match names.first() {
        Some(first) if names.len() > 1 => {
            format!("called: `{first}` and {} others", names.len() - 1)
        }
        Some(first) => format!("called: `{first}`"),
        None => "a function that was never called".to_owned(),
    };
    if called.is_empty() {
        sure = Confidence::Guess;
    }
    (format!("{{ {} }}", words.join(", ")), why, sure)
}

/// A sample of a call of which only registers were known, with the names of its
/// arguments.
fn renamed(sample: &Sample, inner: &Signature) -> Sample {
    let names = types::arguments(inner);
    let Ok(shape) = CallShape::of(inner) else {
        return sample.clone();
    };
    let mut renamed = Sample {
        values: BTreeMap::new(),
    };
    for (path, place) in names.iter().zip(&shape.parameters) {
        let Place::Integer(register) = place else {
            continue;
        };
        let known = format!("#{}", register + 1);
        if let Some(value) = sample.values.get(&known) {
            let mut value = value.clone();
            if types::at(inner, path)
                .and_then(|type_| Data::of(inner, type_))
                .is_none()
            {
                // A number that happens to lead somewhere.
                value.owner = None;
            }
            renamed.values.insert(path.clone(), value);
        }
    }
    renamed
}

/// How the other side's pointer crosses to the function's owner.
fn argument(
    path: &str,
    data: &Data<'_>,
    samples: &[Sample],
    owner: Option<&str>,
    inner: &Signature,
) -> (String, Confidence) {
    let handle = "{ lend = \"handle\" }".to_owned();
    if data.is_function() {
        return ("{ callback = true }".to_owned(), Confidence::Guess);
    }
    let seen: Vec<Seen<'_>> = samples
        .iter()
        .filter_map(|sample| {
            let value = sample
                .values
                .get(path)
                .filter(|value| value.before.0 != 0)?;
            Some(Seen { sample, value })
        })
        .collect();
    let values: Vec<_> = seen.iter().map(|seen| seen.value).collect();
    let used = direction::Use::of(&values);
    if used.reads || used.writes {
        let word = direction::direction(&used, data, false);
        let Some(extent) = extent::infer(path, data, &seen, inner) else {
            return (handle, Confidence::Guess);
        };
        let words = [format!("lend = \"{word}\""), extent.text];
        let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
        return (format!("{{ {} }}", words.join(", ")), extent.confidence);
    }
    if data.is_character() && data.is_const() {
        return (
            "{ lend = \"in\", bytes = \"cstr\" }".to_owned(),
            Confidence::Likely,
        );
    }
    // Its own, which it gave away as a word; or never touched.
    let own = values.iter().any(|value| value.owner.as_deref() == owner);
    if own || data.is_opaque() || !values.is_empty() {
        let confidence = if own {
            Confidence::Sure
        } else {
            Confidence::Likely
        };
        return (handle, confidence);
    }
    let guess = guess::lend(path, data, &[], &[]);
    (guess, Confidence::Guess)
}
