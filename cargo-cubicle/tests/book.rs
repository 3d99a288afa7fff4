//! What the tutorial and the how-tos tell people to do, done: its commands are run, its files written, and what
//! it says comes out.
//!
//! In a `console` block a line that begins with `$ ` is a command; the lines behind it are its
//! output, in which `…` stands for anything, and on a line of its own for any lines. A block whose
//! language is followed by a path is that file.

#[path = "common/outside.rs"]
mod outside;

use std::fs;
use std::path::Path;
use std::process::Stdio;

use camino::{Utf8Path, Utf8PathBuf};

use outside::{outside, tool};

const ANYTHING: &str = "…";

fn repository() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

enum Step {
    File {
        path: String,
        text: String,
    },
    Command {
        line: usize,
        words: String,
        output: Vec<String>,
    },
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((_, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let block = lines.by_ref().take_while(|(_, line)| *line != "```");
        let block: Vec<(usize, &str)> = block.collect();
        match info.split_once(' ') {
            Some((_, path)) => steps.push(Step::File {
                path: path.to_owned(),
                text: block.iter().map(|(_, line)| format!("{line}\n")).collect(),
            }),
            None if info == "console" => {
                for (index, line) in block {
                    match (line.strip_prefix("$ "), steps.last_mut()) {
                        (Some(words), _) => steps.push(Step::Command {
                            line: index + 1,
                            words: words.to_owned(),
                            output: Vec::new(),
                        }),
                        (None, Some(Step::Command { output, .. })) => output.push(line.to_owned()),
                        (None, _) => panic!("line {}: output without a command", index + 1),
                    }
                }
            }
            None => {}
        }
    }
    steps
}

/// Whether a line is what a pattern with `…` says.
fn fits(pattern: &str, line: &str) -> bool {
    let Some((before, after)) = pattern.split_once(ANYTHING) else {
        return pattern == line;
    };
    let Some(rest) = line.strip_prefix(before) else {
        return false;
    };
    let mut ends = rest
        .char_indices()
        .map(|(index, _)| index)
        .chain([rest.len()]);
    ends.any(|index| fits(after, &rest[index..]))
}

fn all_fit(patterns: &[String], lines: &[&str]) -> bool {
    match (patterns, lines) {
        ([], []) => true,
        ([pattern, others @ ..], _) if pattern == ANYTHING => {
            (0..=lines.len()).any(|skipped| all_fit(others, &lines[skipped..]))
        }
        ([pattern, others @ ..], [line, rest @ ..]) => fits(pattern, line) && all_fit(others, rest),
        _ => false,
    }
}

fn follow(document: &str) {
    let text = fs::read_to_string(repository().join(document)).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut place = Utf8PathBuf::from_path_buf(directory.path().to_owned()).unwrap();
    // cargo looks for its subcommands there.
    let tool = tool(&place);
    let tools = Path::new(tool.get_program()).parent().unwrap();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let mut commands = 0;
    for step in steps(&text) {
        let (line, words, expected) = match step {
            Step::File { path, text } => {
                fs::write(place.join(path), text).unwrap();
                continue;
            }
            Step::Command {
                line,
                words,
                output,
            } => (line, words, output),
        };
        if let Some(folder) = words.strip_prefix("cd ") {
            place.push(folder);
            continue;
        }
        let output = outside("sh", &place)
            .args(["-c", &format!("exec 2>&1; {words}")])
            .env("PATH", &path)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let lines: Vec<&str> = said.lines().collect();
        assert!(
            all_fit(&expected, &lines),
            "{document}, line {line}: `{words}` says\n{said}"
        );
        commands += 1;
    }
    assert!(commands > 0, "{document} has no commands");
}

#[test]
fn the_tutorial_does_what_it_says() {
    follow("docs/TUTORIAL.md");
}

#[test]
fn a_key_is_kept_as_it_says() {
    follow("docs/KEYS.md");
}

#[test]
fn a_partition_is_kept_right_as_it_says() {
    follow("docs/CI.md");
}

#[test]
fn output_is_compared() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let pattern = lines("one\n…\nlast … of it");
    assert!(all_fit(&pattern, &["one", "last piece of it"]));
    assert!(all_fit(&pattern, &["one", "x", "y", "last  of it"]));
    assert!(!all_fit(&pattern, &["one", "last piece"]));
    assert!(!all_fit(&pattern, &["last piece of it"]));
    assert!(!all_fit(&pattern, &["one", "last piece of it", "more"]));
    assert!(!all_fit(&[], &["what nobody expects"]));
}
