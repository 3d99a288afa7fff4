//! Everything one can get wrong about plain arguments.

use super::*;

#[test]
fn names_that_do_not_exist() {
    let (finding, marked) = mistake(
        &declared("int f(char *dest, int length)"),
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
        &declared("int f(char *dest, int length)"),
        r#"arg.dest = { lend = "in", bytes = "lenght" }"#,
    );
    assert_eq!(finding.message, "`f` of `lib` has no argument `lenght`");
    assert_eq!(marked, "\"lenght\"");

    let (finding, _) = mistake(
        &declared("int f(char *, int)"),
        r##"arg."#3" = { lend = "in" }"##,
    );
    assert!(finding.helps[0].contains("positions"), "{finding:?}");
    assert_eq!(finding.helps[1], "its arguments are `#1`, `#2`");

    let (finding, _) = mistake(&declared("int f(void)"), r#"arg.x = { lend = "in" }"#);
    assert_eq!(finding.helps, ["it takes no arguments"]);
}

#[test]
fn an_argument_is_described_once() {
    let (finding, marked) = mistake(
        &declared("int f(char *s)"),
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
        let (finding, marked) = mistake(&declared(declaration), line);
        assert_eq!(finding.message, message, "{declaration} {line}");
        assert_eq!(finding.level, Level::Deny);
        assert_eq!(marked, place, "{declaration} {line}");
    }
}

#[test]
fn remedies_name_what_to_write() {
    let help =
        |declaration: &str, lines: &str| mistake(&declared(declaration), lines).0.helps.remove(0);
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
        &declared(declaration),
        r#"
        arg.s = { lend = "out", bytes = "*n" }
        arg.n = { lend = "out" }
        "#,
    );
    assert!(finding.message.contains("before the call"), "{finding:?}");
    assert_eq!(marked, "\"*n\"");
    assert_eq!(finding.helps, ["say `arg.n = { lend = \"inout\" }`"]);

    let (finding, _) = mistake(
        &declared(declaration),
        r#"
        arg.s = { lend = "out", bytes = 8, used = "*n" }
        arg.n = { lend = "in" }
        "#,
    );
    assert!(finding.message.contains("after the call"), "{finding:?}");

    let (finding, _) = mistake(
        &declared(declaration),
        r#"arg.s = { lend = "out", bytes = 8, used = "*n" }"#,
    );
    assert_eq!(finding.helps, ["add `arg.n = { lend = \"inout\" }`"]);

    let (finding, _) = mistake(
        &declared(declaration),
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
        &declared("int f(const char *s)"),
        r#"arg.s = { lend = "out", bytes = 4 }"#,
    );
    assert_eq!(finding.level, Level::Warn);
    assert_eq!(marked, "\"out\"");
}

#[test]
fn a_gate_lends_so_many_arguments_and_no_more() {
    let of = |count: usize| {
        let parameters: Vec<String> = (0..count).map(|n| format!("char *a{n}")).collect();
        let lines: Vec<String> = (0..count)
            .map(|n| format!("arg.a{n} = {{ lend = \"in\" }}"))
            .collect();
        let signature = declared(&format!("int f({})", parameters.join(", ")));
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
        &declared("int f(char *s, char *t, int n)"),
    );
    assert_eq!(findings.len(), 2);
    let shown: Vec<_> = resolved.lends.iter().map(show).collect();
    assert_eq!(shown, ["1 in 2:i4x1 used -"]);
}
