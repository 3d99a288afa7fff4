//! `docs/HOW_IT_WORKS.md` shows what `samples/deflate` really is: the pieces between
//! marks are made from its finished program. `UPDATE_EXPECT=1` rewrites them.

mod gate;
#[path = "../common/outside.rs"]
mod outside;
#[path = "../common/target.rs"]
mod target;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_cubicle::verify::{File, Plan};
use cubicle_abi::layout::slot;
use cubicle_abi::rights::{KEY_PUBLIC, cubicle_key};
use target::shared_target;

use outside::tool;

fn build() -> Utf8PathBuf {
    let sample = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/deflate");
    let target = shared_target("how_it_works");
    let output = tool(sample)
        .args(["build", "--locked", "--quiet", "--target-dir"])
        .arg(&target)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    target.join("x86_64-unknown-linux-gnu/debug/deflate")
}

/// Each cubicle's slot and the segments in it. Sizes differ from compiler to compiler,
/// and are not shown.
fn slots(plan: &Plan) -> String {
    let mut text = String::new();
    for (index, cubicle) in plan.cubicles.iter().enumerate() {
        let name = cubicle.name.clone();
        let mut kinds: Vec<String> = Vec::new();
        for segment in &cubicle.segments {
            let what = match (segment.protection & 4 != 0, segment.protection & 2 != 0) {
                (true, _) => "text",
                (false, true) => "data",
                (false, false) => "constants",
            };
            let key = match segment.key {
                KEY_PUBLIC => "key 1, public".to_owned(),
                key => format!("key {key}"),
            };
            let line = format!("{what} ({key})");
            if kinds.last() != Some(&line) {
                kinds.push(line);
            }
        }
        text.push_str(&format!(
            "{:#011x}  {name}: {}\n",
            slot(index),
            kinds.join(", ")
        ));
    }
    text
}

/// What each cubicle may touch, key by key.
fn rights(plan: &Plan) -> String {
    let names: Vec<String> = plan
        .cubicles
        .iter()
        .map(|cubicle| cubicle.name.clone())
        .collect();
    let mut text = String::from("| | PKRU | monitor (0) | public (1) |");
    for (index, name) in names.iter().enumerate() {
        text.push_str(&format!(" {name} ({}) |", cubicle_key(index)));
    }
    text.push_str("\n| --- | --- | --- | --- |");
    text.push_str(&" --- |".repeat(names.len()));
    text.push('\n');
    for (cubicle, name) in plan.cubicles.iter().zip(&names) {
        let rights = cubicle.rights;
        text.push_str(&format!("| {name} | `{:#010x}` |", cubicle.rights.0));
        let own = (0..names.len()).map(cubicle_key);
        for key in [0, KEY_PUBLIC].into_iter().chain(own) {
            let access = match (rights.reads(key), rights.writes(key)) {
                (_, true) => "read, write",
                (true, false) => "read",
                (false, false) => "–",
            };
            text.push_str(&format!(" {access} |"));
        }
        text.push('\n');
    }
    text
}

/// What calls of a function lend, as the lock file says it.
fn lends(function: &str) -> String {
    let lock = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/deflate/Cubicle.lock");
    let text = std::fs::read_to_string(lock).unwrap();
    let lines = text
        .lines()
        .filter(|line| line.contains(&format!(": {function}: ")));
    lines.map(|line| format!("{}\n", line.trim())).collect()
}

/// Replaces what stands between the marks of each piece.
fn with_pieces(mut text: String, pieces: &[(&str, String)]) -> String {
    for (name, piece) in pieces {
        let (begin, end) = (
            format!("<!-- {name}: begin -->\n"),
            format!("<!-- {name}: end -->\n"),
        );
        let (before, rest) = text.split_once(&begin).expect("the piece begins");
        let (_, after) = rest.split_once(&end).expect("the piece ends");
        text = format!("{before}{begin}{piece}{end}{after}");
    }
    text
}

#[test]
fn the_document_shows_the_program_as_it_is() {
    let path = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/HOW_IT_WORKS.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let bytes = std::fs::read(build()).unwrap();
    let plan = File::read(&bytes).unwrap().plan;
    let code = |text: String| format!("```text\n{text}```\n");
    let fresh = with_pieces(
        text.clone(),
        &[
            ("slots", code(slots(&plan))),
            ("rights", rights(&plan)),
            ("gate", code(gate::listing(&plan, "compressBound"))),
            ("lends", code(lends("compress2"))),
        ],
    );
    if std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1") {
        std::fs::write(path, fresh).unwrap();
    } else {
        assert!(text == fresh, "{path} is old: UPDATE_EXPECT=1 rewrites it");
    }
}
