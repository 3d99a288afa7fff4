//! Partitions under `tests/pictures`, drawn: each as it was looked at once. `UPDATE_EXPECT=1` draws them again.
//! And the two commands that show a partition, on a sample.

#[path = "common/copy.rs"]
mod copy;
#[path = "common/outside.rs"]
mod outside;
#[path = "common/target.rs"]
mod target;

use std::fs;
use std::process::Command;
use target::shared_target;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_cubicle::picture::{Crossing, Picture, dot, html, svg};

use copy::copy;
use outside::tool;

#[test]
fn partitions_are_drawn_as_they_were_looked_at() {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/pictures");
    let update = std::env::var("UPDATE_EXPECT").is_ok_and(|value| value == "1");
    let mut drawn = 0;
    for entry in folder.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        if path.extension() != Some("json") {
            continue;
        }
        let picture: Picture = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for (kind, text) in [("svg", svg::draw(&picture)), ("dot", dot::draw(&picture))] {
            let expected = path.with_extension(kind);
            if update {
                fs::write(&expected, text).unwrap();
            } else {
                let stands = fs::read_to_string(&expected).unwrap_or_default();
                assert!(text == stands, "{expected} is not what is drawn now");
            }
        }
        drawn += 1;
    }
    assert!(drawn > 0);
}

fn sample(words: &[&str]) -> (i32, String, String) {
    let target = shared_target("pictures");
    let samples = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../samples");
    let output = tool(samples.join("three"))
        .args(words)
        .args(["--quiet", "--locked", "--target-dir", target.as_str()])
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// What a lint refuses is drawn in red.
#[test]
fn a_forbidden_partition_is_drawn() {
    drawn_red("CUB001/found-stranger");
    // Being in a window permits nothing to who is no guest.
    drawn_red("CUB002/found-no-guest");
}

fn drawn_red(sample: &str) {
    let root = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures-forbidden");
    let samples = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/lints");
    copy(&samples.join(sample), &root);
    fs::create_dir_all(root.join("src")).unwrap();
    fs::write(root.join("src/main.rs"), "#![no_main]\n").unwrap();
    let package = "[package]\nname = \"forbidden\"\nedition = \"2024\"\n\n[workspace]\n";
    fs::write(root.join("Cargo.toml"), package).unwrap();
    let output = tool(&root)
        .args(["graph", "--quiet", "--format", "dot"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let red = said.lines().any(|line| {
        line.trim_start().starts_with("\"app\" -> \"lib\"") && line.contains("color=red")
    });
    assert!(red, "{output:?}");
}

#[test]
fn a_sample_is_shown_and_explained() {
    let (status, json, said) = sample(&["graph", "--format", "json"]);
    assert_eq!(status, 0, "{said}");
    let picture: Picture = serde_json::from_str(&json).unwrap();
    let names: Vec<&str> = picture
        .cubicles
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["app", "engine", "legacy"]);
    let sort = picture
        .references
        .iter()
        .find(|one| one.symbol == "legacy_sort")
        .unwrap();
    assert!(
        sort.lines.iter().any(|line| line.file.ends_with(".rs")),
        "{sort:?}"
    );

    let (status, explained, said) = sample(&["explain", "legacy::legacy_sort"]);
    assert_eq!(status, 0, "{said}");
    for words in [
        "is in cubicle `legacy`, which claims: crate legacy-sys",
        "its source begins at ",
        "a lending gate",
        "a call takes",
        "`legacy` may touch values inout",
        ".rs:",
    ] {
        assert!(explained.contains(words), "no `{words}` in:\n{explained}");
    }
    let (status, _, said) = sample(&["explain", "legacy_sord"]);
    assert_eq!(status, 2);
    assert!(said.contains("there is one called `legacy_sort`"), "{said}");
    let (status, page, _) = sample(&["explain", "unlent-pointer"]);
    assert_eq!(status, 0);
    assert!(
        page.starts_with("# CUB004, unlent-pointer (warn)"),
        "{page}"
    );
}

/// A browser, which shows the page as people see it.
fn browser() -> Command {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let is_there = |name: &&&str| Command::new(name).arg("--version").output().is_ok();
    let name = names.iter().find(is_there);
    let mut command = Command::new(name.expect("a browser: install the package chromium"));
    // Root has no sandbox, and the page is ours.
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]);
    command
}

/// The page's elements once its script has run, at this view.
fn seen(page: &Utf8Path, view: &str) -> String {
    let home = tempfile::tempdir().unwrap();
    let output = browser()
        .arg(format!("--user-data-dir={}", home.path().display()))
        .arg(format!("file://{page}#{view}"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The opening tags of a class.
fn tags<'t>(page: &'t str, class: &str) -> Vec<&'t str> {
    let start = format!("<details class=\"{class}");
    let places = page.match_indices(&start);
    places
        .map(|(at, _)| &page[at..at + page[at..].find('>').unwrap()])
        .collect()
}

#[test]
#[ignore = "needs a browser"]
fn the_page_is_searched_filtered_and_unfolded_in_a_browser() {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/pictures");
    let directory = tempfile::tempdir().unwrap();
    let page = Utf8Path::from_path(directory.path())
        .unwrap()
        .join("page.html");
    for name in ["fourteen", "sqlite-os"] {
        let text = fs::read_to_string(folder.join(name).with_extension("json")).unwrap();
        let picture: Picture = serde_json::from_str(&text).unwrap();
        fs::write(&page, html::draw(&picture)).unwrap();
        let all = picture.references.len();
        let some = &picture.references[all / 2];
        type Fits<'f> = &'f dyn Fn(&Crossing) -> bool;
        let fits: [(String, Fits); 4] = [
            (String::new(), &|_| true),
            ("find=no+such+function".to_owned(), &|_| false),
            (format!("find={}", some.symbol), &|one| {
                let mut texts = vec![&one.symbol, &one.from, &one.to];
                texts.extend(
                    one.lines
                        .iter()
                        .flat_map(|line| [&line.file, &line.function]),
                );
                let joined = texts
                    .into_iter()
                    .fold(String::new(), |all, one| all + one + " ");
                joined.to_lowercase().contains(&some.symbol.to_lowercase())
            }),
            (format!("from={}&to={}", some.from, some.to), &|one| {
                one.from == some.from && one.to == some.to
            }),
        ];
        for (view, fits) in fits {
            let seen = seen(&page, &view);
            let expected = picture.references.iter().filter(|one| fits(one)).count();
            let symbols = tags(&seen, "symbol");
            assert_eq!(symbols.len(), all, "{name} {view}");
            let shown = symbols.iter().filter(|tag| !tag.contains(" hidden"));
            assert_eq!(shown.count(), expected, "{name} {view}");
            assert!(
                seen.contains(&format!(">{expected} of {all}</span>")),
                "{name} {view}"
            );
            // A border of which nothing is shown is not shown either.
            let borders = tags(&seen, "border");
            let empty = borders.iter().filter(|tag| tag.contains(" hidden")).count();
            assert_eq!(empty == borders.len(), expected == 0, "{name} {view}");
        }
        let seen = seen(&page, &format!("unfold={}", some.symbol));
        let open = format!("data-name=\"{}\"", some.symbol);
        let symbols = tags(&seen, "symbol");
        for tag in symbols {
            assert_eq!(tag.contains(&open), tag.ends_with(" open=\"\""), "{tag}");
        }
        if let Some(line) = some.lines.first() {
            assert!(seen.contains(&format!("{}:{}</code>", line.file, line.line)));
        }
    }
}

/// What a program calls its functions is text, whatever is in it.
#[test]
fn a_page_shows_names_as_they_are() {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/pictures");
    let text = fs::read_to_string(folder.join("three.json")).unwrap();
    let mut picture: Picture = serde_json::from_str(&text).unwrap();
    picture.program = "<script>alert(1)</script>".to_owned();
    picture.references[0].symbol = "\"><img src=x>".to_owned();
    let page = html::draw(&picture);
    assert_eq!(page.matches("<script>").count(), 1);
    assert!(!page.contains("<img"));
}
