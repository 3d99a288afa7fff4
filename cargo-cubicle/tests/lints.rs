//! The samples under `tests/lints`: what a rule finds, in full, and programs in
//! which it finds nothing. All of them are built with one command, and not run.
//! `UPDATE_EXPECT=1` rewrites what is expected.

#[path = "common/messages.rs"]
mod messages;
#[path = "common/outside.rs"]
mod outside;

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use messages::{Built, build_all};

/// One folder.
struct Sample {
    /// `CUB014`.
    code: String,
    folder: Utf8PathBuf,
    /// The package's name: `cub014-found-result`.
    package: String,
    found: bool,
}

fn samples() -> Vec<Sample> {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/lints");
    let only = std::env::var("CUBICLE_TEST_LINT").unwrap_or_default();
    let mut samples = Vec::new();
    for rule in folders(&root) {
        let code = rule.file_name().unwrap_or_default().to_owned();
        assert!(
            cargo_cubicle::diagnostics::Code::from_code(&code).is_some(),
            "{code} is no rule"
        );
        let mut kinds = (false, false);
        for folder in folders(&rule) {
            let name = folder.file_name().unwrap_or_default().to_owned();
            let found = name.starts_with("found-");
            assert!(found || name.starts_with("clean-"), "{folder}");
            kinds = (kinds.0 | found, kinds.1 | !found);
            let package = format!("{code}-{name}").to_lowercase();
            samples.push(Sample {
                code: code.clone(),
                folder,
                package,
                found,
            });
        }
        assert_eq!(kinds, (true, true), "{code} needs samples of both kinds");
    }
    samples.retain(|sample| sample.code.starts_with(&only));
    assert!(!samples.is_empty());
    samples
}

fn folders(of: &Utf8Path) -> Vec<Utf8PathBuf> {
    let entries = of.read_dir_utf8().unwrap();
    let paths = entries.map(|entry| entry.unwrap().into_path());
    let mut folders: Vec<_> = paths.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// A workspace with one package for each sample, and one for each `part.rs`: a library that the sample uses as
/// `part`.
fn workspace(samples: &[Sample], root: &Utf8Path) {
    let mut members = String::new();
    for sample in samples {
        let mut dependencies = String::new();
        let main = sample.folder.join("main.rs");
        let main = fs::read_to_string(main).unwrap_or_else(|_| "#![no_main]\n".to_owned());
        let package = root.join(&sample.package);
        write_package(&package, "main.rs", &main);
        if let Ok(part) = fs::read_to_string(sample.folder.join("part.rs")) {
            let name = format!("{}-part", sample.package);
            write_package(&root.join(&name), "lib.rs", &part);
            dependencies = format!("part = {{ path = \"../{name}\", package = \"{name}\" }}\n");
            members.push_str(&format!("\"{name}\", "));
        }
        let manifest = fs::read_to_string(package.join("Cargo.toml")).unwrap();
        fs::write(package.join("Cargo.toml"), manifest + &dependencies).unwrap();
        members.push_str(&format!("\"{}\", ", sample.package));
        for entry in sample.folder.read_dir_utf8().unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), package.join(entry.file_name())).unwrap();
        }
    }
    let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n");
    fs::write(root.join("Cargo.toml"), manifest).unwrap();
}

fn write_package(folder: &Utf8Path, file: &str, source: &str) {
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("src").join(file), source).unwrap();
    let name = folder.file_name().unwrap();
    let manifest = format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[dependencies]\n");
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
}

/// A rule without samples says on its page where its tests are.
#[test]
fn every_rule_has_a_page_and_samples() {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for code in cargo_cubicle::diagnostics::Code::all() {
        let page = root.join(format!("docs/lints/{code}.md"));
        let page = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{page}: {error}"));
        let title = format!("# {code}, {} (", code.name());
        assert!(
            page.starts_with(&title),
            "{code}: `{title}` is not the title"
        );
        if root.join(format!("tests/lints/{code}")).is_dir() {
            assert!(
                page.contains(&format!("(../../tests/lints/{code})")),
                "{code}"
            );
            continue;
        }
        let mut named = page.split(['`', '(', ')', '[', ']']);
        let elsewhere = named.find(|word| word.contains("tests/") && root.join(word).exists());
        assert!(
            elsewhere.is_some(),
            "{code} has no samples, and its page names no tests"
        );
    }
}

#[test]
fn rules_find_what_the_samples_say() {
    let samples = samples();
    let root = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("lints");
    if root.exists() {
        fs::remove_dir_all(&root).unwrap();
    }
    fs::create_dir_all(&root).unwrap();
    workspace(&samples, &root);
    let built = build_all(&root);
    let update = std::env::var("UPDATE_EXPECT").is_ok_and(|value| value == "1");
    let mut wrong = Vec::new();
    for sample in &samples {
        let nothing = Built::default();
        let package = built.get(&sample.package).unwrap_or(&nothing);
        let of_rule =
            |message: &serde_json::Value| message["code"]["code"].as_str() == Some(&*sample.code);
        let all = package
            .rendered()
            .replace(&format!("{root}/{}/", sample.package), "")
            .replace(&format!("{}/", sample.package), "");
        let all = format!("{}\n", all.trim_end());
        if package.said.iter().any(of_rule) != sample.found {
            wrong.push(format!("{}:\n{all}", sample.package));
            continue;
        }
        if !sample.found {
            if !package.done {
                wrong.push(format!("{} was not built:\n{all}", sample.package));
            }
            continue;
        }
        let expected = sample.folder.join("expected");
        if update {
            fs::write(&expected, &all).unwrap();
        } else if fs::read_to_string(&expected).ok().as_deref() != Some(&*all) {
            wrong.push(format!("{} says otherwise:\n{all}", sample.package));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
