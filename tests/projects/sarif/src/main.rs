//! `sarif SCHEMA`: is what stands on standard input SARIF 2.1.0? Both the schema and the
//! types that the crate `serde-sarif` makes of it say so.

use std::io::Read;

fn main() {
    let path = std::env::args().nth(1).expect("the schema's path");
    let schema = std::fs::read_to_string(path).expect("the schema can be read");
    let mut schema: serde_json::Value = serde_json::from_str(&schema).expect("the schema is JSON");
    // The standard has a pattern there that is no regular expression.
    for definition in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][definition]["properties"]["language"];
        let language = language.as_object_mut().expect("it has a language");
        assert!(language.remove("pattern").is_some());
    }
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .expect("standard input can be read");
    let document: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    let typed: serde_sarif::sarif::Sarif =
        serde_json::from_value(document).expect("it has the types of SARIF");
    let results = typed
        .runs
        .iter()
        .flat_map(|run| run.results.iter().flatten());
    println!("{} results", results.count());
}
