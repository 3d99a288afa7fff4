//! Ready-made interface files: better than any draft, where there is one.

use std::collections::BTreeSet;

use super::Known;
use super::evidence::Evidence;

/// An interface file that describes what a cubicle has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    pub cubicle: String,
    /// The name of the interface.
    pub name: String,
    /// How many of the functions that others call it describes, and of how many.
    pub described: usize,
    pub called: usize,
    /// What it describes.
    pub functions: BTreeSet<String>,
}

/// Finds those that describe most of what others call. `interfaces` are names and
/// texts.
pub fn find(evidence: &Evidence, known: &Known<'_>, interfaces: &[(&str, &str)]) -> Vec<Ready> {
    let mut found = Vec::new();
    for (name, cubicle) in &known.policy.cubicles {
        let called: BTreeSet<&str> = evidence
            .functions
            .keys()
            .filter(|(owner, _)| owner == name)
            .map(|(_, function)| function.as_str())
            .filter(|function| known.signatures.contains_key(&key(name, function)))
            .collect();
        for (interface, text) in interfaces {
            if cubicle.interfaces.iter().any(|own| own.value == *interface) {
                continue;
            }
            let functions = functions(text);
            let described = called
                .iter()
                .filter(|function| functions.contains(**function))
                .count();
            if described > 0 && described * 2 > called.len() {
                found.push(Ready {
                    cubicle: name.clone(),
                    name: (*interface).to_owned(),
                    described,
                    called: called.len(),
                    functions,
                });
            }
        }
    }
    found
}

fn key(cubicle: &str, function: &str) -> (String, String) {
    (cubicle.to_owned(), function.to_owned())
}

fn functions(text: &str) -> BTreeSet<String> {
    let table: toml::Table = text.parse().unwrap_or_default();
    let functions = table.get("function").and_then(toml::Value::as_table);
    let functions = functions.into_iter().flat_map(|table| table.keys());
    functions.cloned().collect()
}
