//! A project of many crates, divided evenly among ten cubicles.

use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The program's own, and nine more.
const CUBICLES: usize = 10;

/// Writes a project whose program answers with the number of its crates, of which it is one. Each other
/// crate has a function that the program calls, across a border but for a tenth of them.
pub fn write(folder: &Path, crates: usize) -> anyhow::Result<()> {
    let mut package = String::from(
        "[package]\nname = \"scale\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n",
    );
    let mut claimed = vec![Vec::new(); CUBICLES];
    let mut declarations = String::new();
    let mut calls = String::new();
    for number in 1..crates {
        let name = format!("unit{number}");
        writeln!(package, "{name} = {{ path = \"{name}\" }}")?;
        writeln!(declarations, "use {name} as _;")?;
        writeln!(calls, "    count = unsafe {{ {name}(count) }};")?;
        claimed[number % CUBICLES].push(format!("\"{name}\""));
        let source = folder.join(&name).join("src");
        fs::create_dir_all(&source)?;
        fs::write(
            folder.join(&name).join("Cargo.toml"),
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        )?;
        fs::write(source.join("lib.rs"), unit(&name, number))?;
    }
    declarations.push_str("unsafe extern \"C\" {\n");
    for number in 1..crates {
        writeln!(declarations, "    fn unit{number}(count: u64) -> u64;")?;
    }
    declarations.push_str("}\n");
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("Cargo.toml"), package)?;
    fs::write(
        folder.join("src/main.rs"),
        format!(
            "{declarations}\nfn main() {{\n    let mut count = 1;\n{calls}    println!(\"{{count}}\");\n}}\n"
        ),
    )?;

    let mut manifest = String::from(
        "schema = 1\nisolation = \"any\"\n\n[cubicle.app]\nmain = true\nsyscalls = [\"@base\", \"@stdio\"]\n",
    );
    for (number, crates) in claimed.iter().enumerate().skip(1) {
        writeln!(
            manifest,
            "\n[cubicle.part{number}]\ncrates = [{}]\ncallers = [\"app\"]\nsyscalls = [\"@base\", \"@stdio\"]",
            crates.join(", ")
        )?;
    }
    fs::write(folder.join("Cubicle.toml"), manifest)?;
    Ok(())
}

/// A crate that does what crates do: types of its own, collections, text.
fn unit(name: &str, number: usize) -> String {
    format!(
        r#"use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {{
    pub name: String,
    pub values: Vec<u64>,
}}

#[derive(Default)]
pub struct Table {{
    entries: BTreeMap<String, Entry>,
}}

impl Table {{
    pub fn insert(&mut self, name: &str, value: u64) {{
        let entry = self.entries.entry(name.to_owned()).or_insert_with(|| Entry {{
            name: format!("{{name}} of {name}"),
            values: Vec::new(),
        }});
        entry.values.push(value);
    }}

    pub fn sum(&self) -> u64 {{
        self.entries.values().flat_map(|entry| &entry.values).sum()
    }}
}}

#[unsafe(no_mangle)]
pub extern "C" fn {name}(count: u64) -> u64 {{
    let mut table = Table::default();
    for (index, word) in "a few words of which each is entered".split(' ').enumerate() {{
        table.insert(word, index as u64 + {number});
    }}
    count + u64::from(table.sum() > 0)
}}
"#
    )
}
