//! Building a workspace of many packages, each with its outcome.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde_json::Value;

use super::outside::tool;

/// What became of a package.
#[derive(Default)]
pub struct Built {
    /// There is a program.
    pub done: bool,
    /// What the tool and compilers said, as cargo passes it on.
    pub said: Vec<Value>,
}

impl Built {
    /// What people see of it.
    pub fn rendered(&self) -> String {
        let rendered = self.said.iter().map(|message| &message["rendered"]);
        rendered.filter_map(Value::as_str).collect()
    }
}

/// Builds all packages of the workspace in `root`; by the package's name, what became
/// of it.
pub fn build_all(root: &Utf8Path) -> BTreeMap<String, Built> {
    let output = tool(root)
        .args(["build", "--workspace", "--keep-going", "--quiet"])
        .arg("--message-format=json")
        .output()
        .unwrap();
    let mut built: BTreeMap<String, Built> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let name = message["target"]["name"].as_str().unwrap_or_default();
        let package = built.entry(name.to_owned()).or_default();
        match message["reason"].as_str() {
            Some("compiler-artifact") => package.done |= !message["executable"].is_null(),
            Some("compiler-message") => package.said.push(message["message"].clone()),
            _ => {}
        }
    }
    assert!(
        built.len() > 1,
        "nothing was built:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    built
}
