//! Arguments that lead to plain memory.

use super::*;

const ZLIB: &str = r#"
    arg.dest = { lend = "out", bytes = "*destLen", used = "*destLen" }
    arg.destLen = { lend = "inout" }
    arg.source = { lend = "in", bytes = "sourceLen" }
"#;

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
                "1 in+out+staged 8 used -",
                "0 out 0+0:u8x1 used 0+0:u8x1",
                "2 in 3:u8x1 used -",
            ]
        );
        let about = policy.cubicles["lib"].functions.get(function);
        assert_eq!(unlent_pointers(signature, about.map(Rules::from)), []);
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
        ["0 out 1:u8x4 used 1+0:i4x4", "2 out+staged 4 used -"]
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
    let source = "struct big { long a, b, c; };\n\
         struct big f(const char *s) { struct big b = { s[0], 0, 0 }; return b; }\n";
    let without = shown_in(source, "");
    assert_eq!(without, ["0 out+result 24 used -"]);
    let with = shown_in(source, r#"arg.s = { lend = "in", bytes = "cstr" }"#);
    assert_eq!(with, ["0 out+result 24 used -", "1 in cstr used -"]);
}

#[test]
fn errno_and_handles() {
    let policy = policy("errno = true\narg.h = { lend = \"handle\" }");
    let (resolved, findings) = resolved(&policy, "f", &declared("int f(struct h *h)"));
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
