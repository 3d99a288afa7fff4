use std::process::Command;

use camino::Utf8Path;
use cubicle_abi::plan::{EXTENT_NONE, EXTENT_PRODUCT, EXTENT_STRING};

use super::*;
use crate::diagnostics::{Level, Place};
use crate::graph::declaration;
use crate::graph::dwarf::{Answer, DebugInfo};

/// A policy whose function `f` of cubicle `lib` has these lines.
fn policy(lines: &str) -> Policy {
    named("f", lines)
}

fn named(function: &str, lines: &str) -> Policy {
    let text = format!(
        "schema = 1\n[cubicle.app]\nmain = true\n[cubicle.lib]\nlibs = [\"lib\"]\n\
         callers = [\"app\"]\n[cubicle.lib.function.{function}]\n{lines}\n"
    );
    manifest::parse(Utf8Path::new("Cubicle.toml"), &text)
        .unwrap_or_else(|rejected| panic!("{}", rejected.render(false)))
}

fn signature(declaration: &str) -> Signature {
    declaration::parse(declaration).expect("a good declaration")
}

fn resolved(policy: &Policy, function: &str, signature: &Signature) -> (ResolvedLends, Findings) {
    let shape = CallShape::of(signature).expect("a shape that can be carried");
    let about = policy.cubicles["lib"].functions.get(function);
    resolve(policy, "lib", function, about, signature, &shape)
}

fn lends(declaration: &str, lines: &str) -> Vec<Lend> {
    let (lends, findings) = resolved(&policy(lines), "f", &signature(declaration));
    assert_eq!(findings, Findings::new());
    lends.lends
}

/// The only finding, and the text it points at.
fn mistake(declaration: &str, lines: &str) -> (Finding, String) {
    let policy = policy(lines);
    let (lends, findings) = resolved(&policy, "f", &signature(declaration));
    assert_eq!(findings.len(), 1, "{findings:?}");
    let finding = findings.into_iter().next().expect("one");
    if finding.level == Level::Deny {
        assert!(!finding.helps.is_empty(), "no remedy: {finding:?}");
        assert!(lends.lends.len() <= 1, "what is wrong is lent: {lends:?}");
    }
    let Some(Place::Span { span, .. }) = finding.places.first() else {
        panic!("a finding without a place: {finding:?}");
    };
    let marked = policy.text[span.clone()].to_owned();
    (finding, marked)
}

/// A short form of a lend: `0 out bytes *1:u8 used *1:u8`.
fn show(lend: &Lend) -> String {
    let extent = |extent: &Extent| match extent.kind {
        EXTENT_NONE => "-".to_owned(),
        EXTENT_CONSTANT => extent.scale.to_string(),
        EXTENT_STRING => "cstr".to_owned(),
        EXTENT_PRODUCT => {
            let operands = &extent.operands[..extent.count as usize];
            let factors = operands.iter().map(|operand| {
                let star = if operand.indirect == 1 { "*" } else { "" };
                let sign = if operand.signed == 1 { 'i' } else { 'u' };
                format!("{star}{}:{sign}{}", operand.place, operand.size)
            });
            let mut factors: Vec<String> = factors.collect();
            factors.push(extent.scale.to_string());
            factors.join("x")
        }
        other => panic!("an unknown kind of extent: {other}"),
    };
    let mut direction = Vec::new();
    for (flag, word) in [(LEND_IN, "in"), (LEND_OUT, "out"), (LEND_RESULT, "result")] {
        if lend.direction & flag != 0 {
            direction.push(word);
        }
    }
    let direction = direction.join("+");
    format!(
        "{} {direction} {} used {}",
        lend.pointer,
        extent(&lend.extent),
        extent(&lend.used)
    )
}

fn shown(declaration: &str, lines: &str) -> Vec<String> {
    lends(declaration, lines).iter().map(show).collect()
}

const ZLIB: &str = r#"
    arg.dest = { lend = "out", bytes = "*destLen", used = "*destLen" }
    arg.destLen = { lend = "inout" }
    arg.source = { lend = "in", bytes = "sourceLen" }
"#;

/// What gcc writes about a C file.
fn debug_info(source: &str) -> DebugInfo {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, object) = (folder.path().join("f.c"), folder.path().join("f.o"));
    std::fs::write(&file, source).expect("the source is written");
    let status = Command::new("cc")
        .args(["-g", "-c", "-o"])
        .args([&object, &file])
        .status()
        .expect("cc runs");
    assert!(status.success());
    DebugInfo::read(&std::fs::read(object).expect("an object")).expect("debug information")
}

/// The types are zlib's own, from zconf.h; the signatures from zlib.h.
#[test]
fn zlib_as_the_manifest_describes_it() {
    let info = debug_info(
        "typedef unsigned char Byte; typedef Byte Bytef;\n\
         typedef unsigned long uLong; typedef uLong uLongf;\n\
         int compress2(Bytef *dest, uLongf *destLen, const Bytef *source, uLong sourceLen,\n\
                       int level) { return level; }\n\
         int uncompress(Bytef *dest, uLongf *destLen, const Bytef *source, uLong sourceLen)\n\
         { return 0; }\n",
    );
    for function in ["compress2", "uncompress"] {
        let Answer::Found(signature) = info.find(function) else {
            panic!("{function} is not in the debug information");
        };
        let policy = named(function, ZLIB);
        let (resolved, findings) = resolved(&policy, function, signature);
        assert_eq!(findings, Findings::new());
        assert!(!resolved.errno);
        let shown: Vec<_> = resolved.lends.iter().map(show).collect();
        assert_eq!(
            shown,
            [
                "0 out *1:u8x1 used *1:u8x1",
                "1 in+out 8 used -",
                "2 in 3:u8x1 used -",
            ]
        );
        let about = policy.cubicles["lib"].functions.get(function);
        assert_eq!(unlent_pointers(signature, about), []);
        assert_eq!(unlent_pointers(signature, None).len(), 3);
    }
}

#[test]
fn extents_of_every_form() {
    assert_eq!(
        shown(
            "void f(const char *s)",
            r#"arg.s = { lend = "in", bytes = "cstr" }"#
        ),
        ["0 in cstr used -"]
    );
    assert_eq!(
        shown(
            "void f(int n, void *p)",
            "arg.p = { lend = \"out\", bytes = 32 }"
        ),
        ["1 out 32 used -"]
    );
    assert_eq!(
        shown(
            "void f(double *p, int n, short m)",
            r##"arg."#1" = { lend = "inout", count = "n" }"##
        ),
        ["0 in+out 1:i4x8 used -"]
    );
    assert_eq!(
        shown(
            "void f(char *p, unsigned char w, short h)",
            r#"arg.p = { lend = "out", bytes = "w*#3" }"#
        ),
        ["0 out 1:u1x2:i2x1 used -"]
    );
    assert_eq!(
        shown("void f(long *p)", r#"arg.p = { lend = "out", count = 3 }"#),
        ["0 out 24 used -"]
    );
    assert_eq!(
        shown(
            "void f(int64_t *p)",
            r#"arg.p = { lend = "in", bytes = "sizeof" }"#
        ),
        ["0 in 8 used -"]
    );
}

#[test]
fn used_counts_in_the_same_unit() {
    assert_eq!(
        shown(
            "int f(float *p, size_t room, int *n)",
            r#"
            arg.p = { lend = "out", count = "room", used = "*n" }
            arg.n = { lend = "out" }
            "#
        ),
        ["0 out 1:u8x4 used *2:i4x4", "2 out 4 used -"]
    );
    assert_eq!(
        shown(
            "int f(char *p, int room)",
            r#"arg.p = { lend = "out", bytes = "room", used = "cstr" }"#
        ),
        ["0 out 1:i4x1 used cstr"]
    );
}

#[test]
fn arguments_are_found_where_they_travel() {
    // SSE arguments take no integer registers; the seventh integer is the
    // first word on the stack, where `long double` takes two aligned ones.
    let declaration =
        "void f(double x, int a, int b, int c, int d, int e, int g, int n, long double y, char *p)";
    assert_eq!(
        shown(declaration, r#"arg.p = { lend = "in", bytes = "n" }"#),
        ["10 in 6:i4x1 used -"]
    );
}

#[test]
fn a_result_in_memory_is_lent_by_itself() {
    let info = debug_info(
        "struct big { long a, b, c; };\n\
         struct big f(const char *s) { struct big b = { s[0], 0, 0 }; return b; }\n",
    );
    let Answer::Found(signature) = info.find("f") else {
        panic!("f is not in the debug information");
    };
    let shape = CallShape::of(signature).expect("a shape");
    let policy = policy(r#"arg.s = { lend = "in", bytes = "cstr" }"#);
    let (without, findings) = resolve(&policy, "lib", "f", None, signature, &shape);
    assert_eq!(findings, Findings::new());
    assert_eq!(
        without.lends.iter().map(show).collect::<Vec<_>>(),
        ["0 out+result 24 used -"]
    );
    let (with, findings) = resolved(&policy, "f", signature);
    assert_eq!(findings, Findings::new());
    assert_eq!(
        with.lends.iter().map(show).collect::<Vec<_>>(),
        ["0 out+result 24 used -", "1 in cstr used -"]
    );
}

#[test]
fn errno_and_handles() {
    let policy = policy("errno = true\narg.h = { lend = \"handle\" }");
    let (resolved, findings) = resolved(&policy, "f", &signature("int f(struct h *h)"));
    assert_eq!(findings, Findings::new());
    assert!(resolved.errno);
    assert!(resolved.lends.is_empty());
}

#[test]
fn variadic_slots_have_positions() {
    assert_eq!(
        shown(
            "int f(const char *s, ..., int, char *)",
            r##"
            arg.s = { lend = "in", bytes = "cstr" }
            arg."#3" = { lend = "out", bytes = "#2" }
            "##
        ),
        ["0 in cstr used -", "2 out 1:i4x1 used -"]
    );
}

#[test]
fn names_that_do_not_exist() {
    let (finding, marked) = mistake(
        "int f(char *dest, int length)",
        r#"arg.dst = { lend = "in", bytes = "length" }"#,
    );
    assert_eq!(finding.message, "`f` of `lib` has no argument `dst`");
    assert_eq!(marked, "dst");
    assert_eq!(
        finding.helps,
        [
            "there is one called `dest`",
            "its arguments are `dest`, `length`"
        ]
    );

    let (finding, marked) = mistake(
        "int f(char *dest, int length)",
        r#"arg.dest = { lend = "in", bytes = "lenght" }"#,
    );
    assert_eq!(finding.message, "`f` of `lib` has no argument `lenght`");
    assert_eq!(marked, "\"lenght\"");

    let (finding, _) = mistake("int f(char *, int)", r##"arg."#3" = { lend = "in" }"##);
    assert!(finding.helps[0].contains("positions"), "{finding:?}");
    assert_eq!(finding.helps[1], "its arguments are `#1`, `#2`");

    let (finding, _) = mistake("int f(void)", r#"arg.x = { lend = "in" }"#);
    assert_eq!(finding.helps, ["it takes no arguments"]);
}

#[test]
fn an_argument_is_described_once() {
    let (finding, marked) = mistake(
        "int f(char *s)",
        r##"
        arg.s = { lend = "in" }
        arg."#1" = { lend = "out" }
        "##,
    );
    assert_eq!(finding.message, "`s` of `f` of `lib` is described twice");
    assert_eq!(marked, "\"#1\"");
    assert_eq!(finding.places.len(), 2);
}

/// Each of these: a declaration, a line, the message, and what is marked.
#[test]
fn types_that_do_not_fit() {
    let cases = [
        (
            "int f(int s)",
            r#"arg.s = { lend = "in" }"#,
            "`s` of `f` of `lib` is not a pointer",
            "s",
        ),
        (
            "int f(double s)",
            r#"arg.s = { lend = "handle" }"#,
            "`s` of `f` of `lib` is not a pointer",
            "s",
        ),
        (
            "int f(void (*s)(int))",
            r#"arg.s = { lend = "in", bytes = 4 }"#,
            "`s` of `f` of `lib` is a pointer to a function",
            "s",
        ),
        (
            "int f(struct h *s)",
            r#"arg.s = { lend = "in" }"#,
            "nothing says how large that is to which `s` of `f` of `lib` points",
            "\"in\"",
        ),
        (
            "int f(void *s, int n)",
            r#"arg.s = { lend = "in", count = "n" }"#,
            "nothing says how large that is to which `s` of `f` of `lib` points",
            "\"n\"",
        ),
        (
            "int f(char *s, double n)",
            r#"arg.s = { lend = "in", bytes = "n" }"#,
            "`n` of `f` of `lib` is not a length",
            "\"n\"",
        ),
        (
            "int f(char *s, int *n)",
            r#"arg.s = { lend = "in", bytes = "n" }"#,
            "`n` of `f` of `lib` is not a length",
            "\"n\"",
        ),
        (
            "int f(char *s, __int128 n)",
            r#"arg.s = { lend = "in", bytes = "n" }"#,
            "`n` of `f` of `lib` is not a length",
            "\"n\"",
        ),
        (
            "int f(char *s, float *n)",
            r#"arg.s = { lend = "in", bytes = "*n" }"#,
            "`n` of `f` of `lib` does not point to an integer",
            "\"*n\"",
        ),
        (
            "int f(char *s, void *n)",
            r#"arg.s = { lend = "in", bytes = "*n" }"#,
            "`n` of `f` of `lib` does not point to an integer",
            "\"*n\"",
        ),
        (
            "int f(char *s, int n)",
            r#"arg.s = { lend = "in", bytes = "*n" }"#,
            "`n` of `f` of `lib` does not point to an integer",
            "\"*n\"",
        ),
        (
            "int f(int *s)",
            r#"arg.s = { lend = "in", bytes = "cstr" }"#,
            "`s` of `f` of `lib` is no C string",
            "\"cstr\"",
        ),
        (
            "int f(long *s)",
            r#"arg.s = { lend = "in", count = 9223372036854775807 }"#,
            "9223372036854775807 elements of 8 bytes are too many",
            "9223372036854775807",
        ),
    ];
    for (declaration, line, message, place) in cases {
        let (finding, marked) = mistake(declaration, line);
        assert_eq!(finding.message, message, "{declaration} {line}");
        assert_eq!(finding.level, Level::Deny);
        assert_eq!(marked, place, "{declaration} {line}");
    }
}

#[test]
fn remedies_name_what_to_write() {
    let help = |declaration: &str, lines: &str| mistake(declaration, lines).0.helps.remove(0);
    assert_eq!(
        help("int f(struct h *s)", r#"arg.s = { lend = "in" }"#),
        "say how many `bytes`"
    );
    assert_eq!(
        help(
            "int f(char *s, int *n)",
            r#"arg.s = { lend = "in", bytes = "n" }"#
        ),
        "write `*n` if the length is where it points"
    );
    assert_eq!(
        help(
            "int f(char *s, int n)",
            r#"arg.s = { lend = "in", bytes = "*n" }"#
        ),
        "it is the number itself: write `n`"
    );
}

#[test]
fn a_length_behind_a_pointer_must_be_there_when_it_is_read() {
    let declaration = "int f(char *s, long *n)";
    let (finding, marked) = mistake(
        declaration,
        r#"
        arg.s = { lend = "out", bytes = "*n" }
        arg.n = { lend = "out" }
        "#,
    );
    assert!(finding.message.contains("before the call"), "{finding:?}");
    assert_eq!(marked, "\"*n\"");
    assert_eq!(finding.helps, ["say `arg.n = { lend = \"inout\" }`"]);

    let (finding, _) = mistake(
        declaration,
        r#"
        arg.s = { lend = "out", bytes = 8, used = "*n" }
        arg.n = { lend = "in" }
        "#,
    );
    assert!(finding.message.contains("after the call"), "{finding:?}");

    let (finding, _) = mistake(
        declaration,
        r#"arg.s = { lend = "out", bytes = 8, used = "*n" }"#,
    );
    assert_eq!(finding.helps, ["add `arg.n = { lend = \"inout\" }`"]);

    let (finding, _) = mistake(
        declaration,
        r#"
        arg.s = { lend = "in", bytes = "*n" }
        arg.n = { lend = "in", bytes = 4 }
        "#,
    );
    assert_eq!(finding.message, "`*n` has 8 bytes, and 4 of them are lent");
}

#[test]
fn writing_through_const_is_a_warning() {
    let (finding, marked) = mistake(
        "int f(const char *s)",
        r#"arg.s = { lend = "out", bytes = 4 }"#,
    );
    assert_eq!(finding.level, Level::Warn);
    assert_eq!(marked, "\"out\"");
}

#[test]
fn what_is_not_supported_is_not_ignored() {
    for (line, feature) in [
        ("arg.s = { value = 0 }", "`value`"),
        ("arg.s = { callback = true }", "`callback`"),
        (
            r#"arg.s = { lend = "in", bytes = 4, keep = "g" }"#,
            "`keep`",
        ),
        (
            r#"arg.s = { lend = "in", bytes = "n", negative = "cstr" }"#,
            "`negative`",
        ),
        (
            r#"arg."s.next" = { lend = "in", bytes = 4 }"#,
            "a path into a struct",
        ),
        (
            r#"arg.s = { lend = "in", bytes = "s.length" }"#,
            "a path into a struct",
        ),
    ] {
        let (finding, _) = mistake("int f(char *s, int n)", line);
        assert_eq!(finding.message, format!("{feature} is not supported yet"));
    }
}

#[test]
fn a_gate_lends_so_many_arguments_and_no_more() {
    let of = |count: usize| {
        let parameters: Vec<String> = (0..count).map(|n| format!("char *a{n}")).collect();
        let lines: Vec<String> = (0..count)
            .map(|n| format!("arg.a{n} = {{ lend = \"in\" }}"))
            .collect();
        let signature = signature(&format!("int f({})", parameters.join(", ")));
        resolved(&policy(&lines.join("\n")), "f", &signature)
    };
    let (most, findings) = of(MOST_LENDS);
    assert_eq!(findings, Findings::new());
    assert_eq!(most.lends.len(), MOST_LENDS);
    let (_, findings) = of(MOST_LENDS + 1);
    assert!(findings.has_denied());
}

#[test]
fn one_mistake_does_not_hide_another() {
    let (resolved, findings) = resolved(
        &policy(
            r#"
            arg.s = { lend = "in", bytes = "x" }
            arg.t = { lend = "in", bytes = "n" }
            arg.n = { lend = "in" }
            "#,
        ),
        "f",
        &signature("int f(char *s, char *t, int n)"),
    );
    assert_eq!(findings.len(), 2);
    let shown: Vec<_> = resolved.lends.iter().map(show).collect();
    assert_eq!(shown, ["1 in 2:i4x1 used -"]);
}

#[test]
fn addresses_that_nobody_describes() {
    let info = debug_info(
        "struct in { struct { char *p[2]; } a; }; struct plain { int x; };\n\
         int f(char *s, void (*g)(int), struct in i, struct plain p, int n, char *t)\n\
         { return n; }\n",
    );
    let Answer::Found(signature) = info.find("f") else {
        panic!("f is not in the debug information");
    };
    let policy = policy(r#"arg.t = { lend = "in", bytes = "n" }"#);
    let about = policy.cubicles["lib"].functions.get("f");
    let unlent = unlent_pointers(signature, about);
    let shown: Vec<_> = unlent
        .iter()
        .map(|one| (one.index, one.label.as_str(), one.kind))
        .collect();
    assert_eq!(
        shown,
        [
            (0, "s", UnlentKind::Data),
            (1, "g", UnlentKind::Function),
            (2, "i", UnlentKind::Inside),
        ]
    );
}
