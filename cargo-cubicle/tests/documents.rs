//! What the documents say is what the code does: every manifest in them is
//! accepted and can be built, the reference names every key, and its table of
//! system calls is the one of the plan. `UPDATE_EXPECT=1` rewrites the table.

use std::collections::BTreeSet;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_cubicle::manifest;
use cargo_cubicle::plan::system_calls::{GROUPS, Group, Support};

fn repository() -> &'static Utf8Path {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package lies in the repository")
}

fn reference() -> Utf8PathBuf {
    repository().join("docs/MANIFEST.md")
}

/// All Markdown below a folder, build output apart, sorted.
fn documents(folder: &Utf8Path, found: &mut Vec<Utf8PathBuf>) {
    let entries = folder.read_dir_utf8().expect("a readable folder");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("a readable folder").into_path())
        .collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            documents(&path, found);
        } else if path.extension() == Some("md") {
            found.push(path);
        }
    }
}

/// The fenced blocks of a language, with the number of their first line.
fn blocks(text: &str, language: &str) -> Vec<(usize, String)> {
    let fence = format!("```{language}");
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        match &mut open {
            Some(_) if line.trim() == "```" => found.extend(open.take()),
            Some((_, block)) => {
                block.push_str(line);
                block.push('\n');
            }
            None if line.trim() == fence => open = Some((index + 2, String::new())),
            None => {}
        }
    }
    assert!(open.is_none(), "a block that does not end");
    found
}

#[test]
fn every_manifest_in_a_document_can_be_built() {
    let mut paths = Vec::new();
    documents(repository(), &mut paths);
    let mut failures = Vec::new();
    let mut count = 0;
    for path in &paths {
        let text = fs::read_to_string(path).expect("a readable document");
        for (line, block) in blocks(&text, "toml") {
            count += 1;
            match manifest::parse("Cubicle.toml".into(), &block) {
                Ok(policy) => failures.extend(
                    policy
                        .unsupported()
                        .iter()
                        .map(|finding| format!("{path}:{line}: {}", finding.message)),
                ),
                Err(rejected) => {
                    failures.push(format!("{path}:{line}:\n{}", rejected.render(false)));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(
        count >= 3,
        "the documents were not found: {count} manifests"
    );
}

#[test]
fn every_interface_file_in_a_document_is_good() {
    let mut paths = Vec::new();
    documents(repository(), &mut paths);
    let mut count = 0;
    for path in &paths {
        let text = fs::read_to_string(path).expect("a readable document");
        for (line, block) in blocks(&text, "toml interface") {
            count += 1;
            if let Err(rejected) = manifest::parse_interface("interface".into(), &block) {
                panic!("{path}:{line}:\n{}", rejected.render(false));
            }
        }
    }
    assert!(count > 0, "the documents were not found");
}

/// Every key of the schema, wherever it stands.
fn keys(schema: &serde_json::Value, found: &mut BTreeSet<String>) {
    if let Some(properties) = schema.get("properties").and_then(|value| value.as_object()) {
        found.extend(properties.keys().cloned());
    }
    match schema {
        serde_json::Value::Object(fields) => fields.values().for_each(|value| keys(value, found)),
        serde_json::Value::Array(items) => items.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[test]
fn the_reference_names_every_key() {
    let text = fs::read_to_string(reference()).expect("a readable document");
    let mut known = BTreeSet::new();
    for name in ["Cubicle", "Interface"] {
        let path = repository().join(format!("docs/{name}.schema.json"));
        let schema = fs::read_to_string(path).expect("a readable schema");
        let schema = serde_json::from_str(&schema).expect("a schema in JSON");
        keys(&schema, &mut known);
    }
    let is_named = |key: &str| {
        [format!("`{key}`"), format!("`{key} = "), format!("`{key}.")]
            .iter()
            .any(|form| text.contains(form.as_str()))
    };
    // The rules of `[lint]` are on pages of their own.
    let rule = |key: &str| {
        cargo_cubicle::diagnostics::Code::all()
            .any(|code| [code.as_str(), code.name()].contains(&key))
    };
    let missing: Vec<&String> = known
        .iter()
        .filter(|key| !rule(key) && !is_named(key))
        .collect();
    assert!(missing.is_empty(), "not in docs/MANIFEST.md: {missing:?}");
    assert!(known.len() > 20, "the schema has only {known:?}");
}

const BEGIN: &str = "<!-- system-call groups: begin -->\n";
const END: &str = "<!-- system-call groups: end -->\n";

fn row(group: &Group) -> String {
    let mut grants: Vec<String> = Vec::new();
    grants.extend(group.includes.iter().map(|name| format!("all of `{name}`")));
    grants.extend(group.calls.iter().map(|call| format!("`{}`", call.name())));
    let grants = match group.support {
        Support::Enforced => grants.join(", "),
        Support::Empty => "(nothing)".to_owned(),
        Support::Missing(_) => "(not supported yet)".to_owned(),
    };
    format!("| `{}` | {} | {grants} |\n", group.name, group.summary)
}

#[test]
fn the_table_of_system_calls_is_fresh() {
    let text = fs::read_to_string(reference()).expect("a readable document");
    let rows: String = GROUPS.iter().map(row).collect();
    let table = format!("| group | what it is | calls |\n| --- | --- | --- |\n{rows}");
    let (before, rest) = text.split_once(BEGIN).expect("the table begins");
    let (_, after) = rest.split_once(END).expect("the table ends");
    let fresh = format!("{before}{BEGIN}{table}{END}{after}");
    if std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1") {
        fs::write(reference(), &fresh).expect("a writable document");
    } else {
        assert!(
            text == fresh,
            "the table in docs/MANIFEST.md is old: UPDATE_EXPECT=1 rewrites it"
        );
    }
}

#[test]
fn the_reference_is_what_the_code_says() {
    let path = repository().join("docs/REFERENCE.md");
    let fresh = cargo_cubicle::cli::reference();
    if std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1") {
        fs::write(&path, &fresh).expect("a writable document");
    }
    let text = fs::read_to_string(&path).unwrap_or_default();
    assert!(text == fresh, "{path} is old: UPDATE_EXPECT=1 rewrites it");
}

/// The targets of links to files, without their anchors.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|rest| Some(rest.split_once(')')?.0));
    targets
        .map(|target| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty() && !target.contains(':') && !target.contains(' '))
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut paths = Vec::new();
    documents(repository(), &mut paths);
    let mut count = 0;
    for path in &paths {
        let text = fs::read_to_string(path).expect("a readable document");
        for target in links(&text) {
            let there = path.parent().unwrap_or(path).join(target);
            assert!(
                there.exists(),
                "{path} leads to {target}, which is not there"
            );
            count += 1;
        }
    }
    assert!(count > 50, "only {count} links were found");
}

/// Whoever reads the book finds every page of it.
#[test]
fn the_book_has_every_page() {
    let docs = repository().join("docs");
    let book = fs::read_to_string(docs.join("README.md")).expect("the book");
    for entry in docs.read_dir_utf8().expect("a readable folder") {
        let path = entry.expect("a readable folder").into_path();
        let name = path.file_name().unwrap_or_default();
        if path.extension() == Some("md") && name != "README.md" {
            assert!(
                book.contains(&format!("({name})")),
                "{name} is not in docs/README.md"
            );
        }
    }
}
