use super::*;
use crate::diagnostics::Code;

const MANIFEST: &str = "schema = 1\n[cubicle.app]\ncallers = [\"ap\"]\n";

fn sources() -> Sources {
    let mut sources = Sources::new();
    sources.insert("Cubicle.toml", MANIFEST);
    sources.insert("src/main.c", "int main(void)\n{\n\tdecode();\n}\n");
    sources
}

fn span(part: &str) -> Range<usize> {
    let start = MANIFEST.find(part).expect("the part is in the manifest");
    start..start + part.len()
}

#[test]
fn a_rule_with_a_manifest_span_and_a_source_line() {
    let finding = Finding::of_rule(Code::CUB001, "`app` may not call into `codec`")
        .at(Place::span(
            "Cubicle.toml",
            span("callers"),
            "not listed here",
        ))
        .at(Place::line("src/main.c", 3, "called here"))
        .help("add `app` to the callers of `codec`");
    assert_eq!(
        render([&finding], &sources(), false),
        "\
error[CUB001]: `app` may not call into `codec`
 --> Cubicle.toml:3:1
  |
3 | callers = [\"ap\"]
  | ^^^^^^^ not listed here
  |
 ::: src/main.c:3:2
  |
3 |     decode();
  |     --------- called here
  |
  = help: add `app` to the callers of `codec`

"
    );
}

#[test]
fn a_source_file_that_is_not_there_is_still_named() {
    let finding = Finding::warning("odd")
        .at(Place::line("/nowhere/inflate.c", 12, "referred to here"))
        .at(Place::note("in member `inflate.o` of `libz.a`"));
    assert_eq!(
        render([&finding], &sources(), false),
        "\
warning: odd
--> /nowhere/inflate.c:12
 = note: referred to here
 = note: in member `inflate.o` of `libz.a`

"
    );
}

#[test]
fn colour_only_on_request() {
    let finding = Finding::error("wrong").at(Place::span("Cubicle.toml", span("schema"), ""));
    assert!(!render([&finding], &sources(), false).contains('\u{1b}'));
    assert!(render([&finding], &sources(), true).contains('\u{1b}'));
}

#[test]
fn no_span_makes_it_panic() {
    let mut sources = Sources::new();
    for text in ["", "\n", "ä", "ä\r\n€", "\u{feff}a", "\t\t"] {
        sources.insert("f", text);
        for start in 0..8 {
            for end in 0..8 {
                let odd = Range { start, end };
                let finding = Finding::error("x").at(Place::span("f", odd, "here"));
                assert!(render([&finding], &sources, false).starts_with("error: x"));
            }
        }
    }
}

#[test]
fn lines_are_read_from_files_that_are_there() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = Utf8Path::from_path(folder.path()).expect("a UTF-8 path");
    let file = folder.join("decode.c");
    std::fs::write(&file, "int decode;\nint other;\n").expect("a new file");
    let findings = [
        Finding::error("wrong").at(Place::line(file.clone(), 2, "here")),
        Finding::error("wrong").at(Place::line(folder.join("gone.c"), 1, "there")),
        Finding::error("wrong").at(Place::line(file.clone(), 99, "beyond")),
    ];
    let mut sources = Sources::new();
    sources.read_lines_of(&findings);
    assert_eq!(sources.get(&file), Some("int decode;\nint other;\n"));
    let text = render(&findings, &sources, false);
    assert!(text.contains("2 | int other;"), "{text}");
    assert!(text.contains("gone.c:1"), "{text}");
    assert!(text.contains("decode.c:99"), "{text}");
}
