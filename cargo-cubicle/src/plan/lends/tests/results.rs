//! What is returned.

use super::*;

#[test]
fn pointers_into_what_is_lent() {
    assert_eq!(
        shown(
            "char *f(const char *s, int c)",
            "arg.s = { lend = \"in\", bytes = \"cstr\" }\nresult = { within = \"s\" }"
        ),
        ["0 in cstr used -", "result pointer+within = 0"]
    );
    // Nobody says so, and it may be so.
    assert_eq!(
        shown(
            "char *f(const char *s, int c)",
            "arg.s = { lend = \"in\", bytes = \"cstr\" }"
        ),
        ["0 in cstr used -", "result pointer"]
    );
    // Nothing is lent, nothing is kept: there is nothing it could lead to.
    let signature = declared("char *f(int c)");
    let shape = CallShape::of(&signature).expect("a shape");
    let text = "schema = 1\n[cubicle.app]\nmain = true\n[cubicle.lib]\nlibs = [\"lib\"]\n";
    let policy = manifest::parse(Utf8Path::new("Cubicle.toml"), text).expect("a manifest");
    let (resolved, findings) = resolve(Subject {
        policy: &policy,
        cubicle: "lib",
        function: "f",
        rules: None,
        signature: &signature,
        shape: &shape,
        number_of: &|_| None,
    });
    assert_eq!(findings, Findings::new());
    assert_eq!(resolved.lends.len(), 0);
}

/// The number of the lend a result points into changes when lends are ordered.
#[test]
fn within_a_field() {
    assert_eq!(
        shown_in(
            "struct s { char *text; int *size; }; char *f(struct s *s) { return s->text; }",
            r#"
            result = { within = "s.text" }
            arg.s = { lend = "in" }
            arg."s.text" = { lend = "in", bytes = "*s.size" }
            "#
        ),
        [
            "0 in+staged 16 used -",
            "0+8 staged 4 used -",
            "0+0 in 1+0:i4x1 used -",
            "result pointer+within = 2",
        ]
    );
}

#[test]
fn memory_of_the_callee() {
    assert_eq!(
        shown(
            "const char *f(void)",
            "result = { lend = \"in\", bytes = \"cstr\" }"
        ),
        ["result returned cstr used -"]
    );
    assert_eq!(
        shown(
            "int *f(int n, int *m)",
            "arg.m = { lend = \"out\" }\nresult = { lend = \"in\", count = \"*m\" }"
        ),
        ["1 out+staged 4 used -", "result returned 0+0:i4x4 used -"]
    );
    assert_eq!(
        shown_in(
            "struct s { long a, b; }; struct s *f(int n) { return 0; }",
            "result = { lend = \"in\", count = \"n\" }"
        ),
        ["result returned 0:i4x16 used -"]
    );
    assert_eq!(
        shown(
            "struct h *f(char *s)",
            "arg.s = { lend = \"in\" }\nresult = { lend = \"handle\" }"
        ),
        ["0 in 1 used -"]
    );
}

#[test]
fn as_much_as_was_returned() {
    assert_eq!(
        shown(
            "ssize_t f(void *p, size_t size, size_t n)",
            r#"arg.p = { lend = "out", bytes = "size*n", used = "result*size" }"#
        ),
        ["0 out 1:u8x2:u8x1 used result:i8x1:u8x1"]
    );
    // An argument of that name has a position.
    assert_eq!(
        shown(
            "void f(void *p, int result)",
            r##"arg.p = { lend = "in", bytes = "#2" }"##
        ),
        ["0 in 1:i4x1 used -"]
    );
}

#[test]
fn what_no_result_can_be() {
    let cases = [
        (
            "void f(char *s)",
            "arg.s = { lend = \"in\" }\nresult = { within = \"s\" }",
            "`f` of `lib` returns nothing",
            "result",
        ),
        (
            "int f(char *s)",
            "arg.s = { lend = \"in\" }\nresult = { within = \"s\" }",
            "`f` of `lib` does not return a pointer",
            "result",
        ),
        (
            "char *f(char *s, int n)",
            "result = { within = \"s\" }",
            "`s` of `f` of `lib` is not lent",
            "\"s\"",
        ),
        (
            "char *f(char *s, int n)",
            "result = { within = \"t\" }",
            "`f` of `lib` has no argument `t`",
            "\"t\"",
        ),
        (
            "struct h *f(int n)",
            "result = { lend = \"in\" }",
            "nothing says how large that is to which the result of `f` of `lib` points",
            "\"in\"",
        ),
        (
            "char *f(int *n)",
            "arg.n = { lend = \"in\" }\nresult = { lend = \"in\", bytes = \"*n\" }",
            "`*n` is read after the call, and nobody wrote there",
            "\"*n\"",
        ),
        (
            "int (*f(int n))(int)",
            "result = { lend = \"in\", bytes = 4 }",
            "`f` of `lib` returns a pointer to a function",
            "result",
        ),
        (
            "char *f(int n)",
            "result = { callback = true }",
            "nothing says how the result of `f` of `lib` is called back",
            "result",
        ),
        (
            "char *f(char *s)",
            "arg.s = { lend = \"out\", bytes = 8, used = \"result\" }",
            "the result of `f` of `lib` is not a length",
            "\"result\"",
        ),
        (
            "void f(char *s, int result)",
            "arg.s = { lend = \"out\", bytes = 8, used = \"result\" }",
            "the result of `f` of `lib` is not a length",
            "\"result\"",
        ),
    ];
    for (declaration, lines, message, place) in cases {
        let (finding, marked) = mistake(&declared(declaration), lines);
        assert_eq!(finding.message, message, "{declaration} {lines}");
        assert_eq!(marked, place, "{declaration} {lines}");
    }
}
