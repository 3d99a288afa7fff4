//! Manual pages and completions, as `cargo cubicle manual` writes them: there is a page for each
//! command, and a shell completes with what it is given.

#[path = "common/outside.rs"]
mod outside;

use std::fs;

use camino::Utf8Path;

use outside::{outside, tool};

fn written() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let output = tool(directory.path()).args(["manual", "share"]).output();
    assert!(output.as_ref().unwrap().status.success(), "{output:?}");
    directory
}

#[test]
fn each_command_has_a_page() {
    let directory = written();
    let pages = directory.path().join("share/man/man1");
    let help = tool(directory.path()).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = commands.take_while(|line| !line.is_empty());
    let mut count = 0;
    // What is longer goes on further to the right.
    let commands = commands.filter(|line| !line.starts_with("   "));
    for command in commands.filter_map(|line| line.split_whitespace().next()) {
        if command == "help" {
            continue;
        }
        let page = pages.join(format!("cargo-cubicle-{command}.1"));
        let text = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{page:?}: {error}"));
        assert!(text.contains(".SH OPTIONS"), "{text}");
        count += 1;
    }
    assert!(count > 10, "{help}");
    // Exit statuses and places stand in the pages, too.
    let build = fs::read_to_string(pages.join("cargo-cubicle-build.1")).unwrap();
    assert!(build.contains("Exit status"), "{build}");
}

#[test]
fn bash_completes() {
    let directory = written();
    let share = Utf8Path::from_path(directory.path()).unwrap().join("share");
    let script = share.join("bash-completion/completions/cargo-cubicle");
    let complete = |words: &str| {
        let count = words.split(' ').count();
        let text = format!(
            "source {script}\nCOMP_WORDS=({words})\nCOMP_CWORD={}\n\
             function=$(complete -p cargo-cubicle | sed 's/.*-F \\([^ ]*\\).*/\\1/')\n\
             $function cargo-cubicle \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"\necho \"${{COMPREPLY[@]}}\"",
            count - 1
        );
        let output = outside("bash", directory.path())
            .args(["-c", &text])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(complete("cargo-cubicle exp"), "explain\n");
    assert!(complete("cargo-cubicle lint --acc").contains("--accept"));
}
