//! Pointers and lengths in structs and arrays.

use super::*;

const STREAM: &str = "typedef unsigned char Byte; typedef Byte Bytef;\n\
    typedef void *(*alloc_func)(void *opaque, unsigned items, unsigned size);\n\
    typedef void (*free_func)(void *opaque, void *address);\n\
    typedef struct z_stream_s {\n\
        const Bytef *next_in; unsigned avail_in; unsigned long total_in;\n\
        Bytef *next_out; unsigned avail_out; unsigned long total_out;\n\
        const char *msg; struct internal_state *state;\n\
        alloc_func zalloc; free_func zfree; void *opaque;\n\
        int data_type; unsigned long adler; unsigned long reserved;\n\
    } z_stream;\n\
    int f(z_stream *strm, int flush) { return flush; }\n";

#[test]
fn a_stream() {
    let lines = r#"
        arg.strm = { lend = "inout", keep = "end" }
        arg."strm.next_in" = { lend = "in", bytes = "strm.avail_in" }
        arg."strm.next_out" = { lend = "out", bytes = "strm.avail_out", used = "moved" }
        arg."strm.zalloc" = { value = 0 }
        arg."strm.zfree" = { value = 0 }
        arg."strm.opaque" = { value = 0 }
        arg."strm.state" = { lend = "handle" }
    "#;
    assert_eq!(
        shown_in(STREAM, lines),
        [
            "0 in+out+staged+keep 112 used - = 7",
            "0+0 in 0+8:u4x1 used -",
            "0+24 out 0+32:u4x1 used moved",
            "0+64 value 8 used - = 0",
            "0+72 value 8 used - = 0",
            "0+80 value 8 used - = 0",
            "0+48 pointer",
        ]
    );
}

#[test]
fn a_stream_by_position_and_without_a_gate_that_ends_it() {
    let policy = policy(
        r##"
        arg."#1" = { lend = "inout", keep = "g" }
        arg."strm.next_in" = { lend = "in", bytes = "#1.avail_in*flush" }
        [cubicle.lib.function.g]
        arg.strm = { lend = "inout" }
        "##,
    );
    let signature = compiled(STREAM);
    let (resolved, findings) = resolved(&policy, "f", &signature);
    assert_eq!(findings, Findings::new());
    let shown: Vec<_> = resolved.lends.iter().map(show).collect();
    assert_eq!(
        shown[..2],
        [
            format!("0 in+out+staged+keep 112 used - = {}", u32::MAX),
            "0+0 in 0+8:u4x1:i4x1 used -".to_owned(),
        ]
    );
}

const VECTORS: &str = "typedef unsigned long size_t;\n\
    struct iovec { void *base; size_t len; };\n\
    struct message { struct iovec *vectors; int count; struct { char *text; short size; } name; char **words; };\n\
    int f(struct iovec *iov, int n, struct message *m, char **argv) { return n; }\n";

#[test]
fn elements_of_arrays() {
    assert_eq!(
        shown_in(
            VECTORS,
            r#"
            arg.iov = { lend = "in", count = "n" }
            arg."iov[].base" = { lend = "out", bytes = "iov[].len", used = "result" }
            "#
        ),
        [
            "0 in+staged 1:i4x16 used - by 16",
            "0+0 out 0+8:u8x1 used result:i4x1",
        ]
    );
    assert_eq!(
        shown_in(
            VECTORS,
            r#"
            arg.argv = { lend = "in", count = "n" }
            arg."argv[]" = { lend = "in", bytes = "cstr" }
            "#
        ),
        ["3 in+staged 1:i4x8 used - by 8", "0+0 in cstr used -"]
    );
}

#[test]
fn arrays_in_structs_and_structs_in_structs() {
    assert_eq!(
        shown_in(
            VECTORS,
            r#"
            arg.m = { lend = "in" }
            arg."m.vectors" = { lend = "in", count = "m.count" }
            arg."m.vectors[].base" = { lend = "in", bytes = "m.vectors[].len*n" }
            arg."m.name.text" = { lend = "in", bytes = "m.name.size", negative = "cstr" }
            "#
        ),
        [
            "2 in+staged 40 used -",
            "0+0 in+staged 0+8:i4x16 used - by 16",
            "0+16 in 0+24:i2x1 or cstr used -",
            "1+0 in 1+8:u8x1:i4x1 used -",
        ]
    );
}

#[test]
fn what_others_count_with_comes_first() {
    // The elements of `iov` are counted with a number that comes later among the
    // arguments.
    assert_eq!(
        shown_in(
            "struct item { char *text; }; struct sizes { int each; int *many; };\n\
             int f(struct item *items, struct sizes *sizes) { return 0; }\n",
            r#"
            arg.items = { lend = "in", count = "*sizes.many" }
            arg."items[].text" = { lend = "in", bytes = "sizes.each" }
            "#
        ),
        [
            "1 staged 16 used -",
            "0+8 staged 4 used -",
            "0 in+staged 1+0:i4x8 used - by 8",
            "2+0 in 0+0:i4x1 used -",
        ]
    );
}

#[test]
fn pointers_that_come_back() {
    assert_eq!(
        shown_in(
            "struct list { struct list *next; int n; union { char *a; long b; } either; char *both[2]; };\n\
             int f(const char *s, const char **tail, struct list *l, struct list *many, int n)\n\
             { return n; }\n",
            r#"
            arg.s = { lend = "in", bytes = "cstr" }
            arg.tail = { lend = "out" }
            arg.l = { lend = "inout" }
            arg."l.both" = { lend = "handle" }
            arg.many = { lend = "inout", count = "n" }
            arg."many[].next" = { lend = "handle" }
            "#
        ),
        [
            "0 in cstr used -",
            "1 out+staged 8 used -",
            "1+0 pointer",
            "2 in+out+staged 40 used -",
            "3+0 pointer",
            "3 in+out+staged 4:i4x40 used - by 40",
            "5+24 pointer",
            "5+32 pointer",
        ]
    );
    // What is only read comes back as it was.
    assert_eq!(
        shown_in(
            "struct list { struct list *next; }; int f(struct list *l) { return 0; }",
            r#"arg.l = { lend = "in" }"#
        ),
        ["0 in 8 used -"]
    );
}

#[test]
fn unnamed_structs_and_tails() {
    assert_eq!(
        shown_in(
            "struct s { int kind; struct { char *p; int n; }; long tail[]; };\n\
             int f(struct s *s, int n) { return 0; }\n",
            r#"
            arg.s = { lend = "inout", bytes = "n" }
            arg."s.p" = { lend = "in", bytes = "s.n" }
            "#
        ),
        ["0 in+out+staged 1:i4x1 used -", "0+8 in 0+16:i4x1 used -"]
    );
    // One with a tail is no array, so nobody knows what pointers there are.
    assert_eq!(
        shown_in(
            "struct s { char *p; char *tail[]; }; int f(struct s *s, int n) { return 0; }\n",
            r#"arg.s = { lend = "inout", bytes = "n" }"#
        ),
        ["0 in+out 1:i4x1 used -"]
    );
}

#[test]
fn more_pointers_than_a_gate_can_translate() {
    let source = "struct s { char *p[70]; char *q; };\n\
                  int f(struct s *s, char *t) { return 0; }\n";
    let lines = r#"
        arg.s = { lend = "inout" }
        arg."s.q" = { lend = "in", bytes = "cstr" }
        arg.t = { lend = "in", bytes = "cstr" }
    "#;
    let (resolved, findings) = resolved(&policy(lines), "f", &compiled(source));
    assert_eq!(resolved.lends.len(), MOST_LENDS);
    assert!(!findings.has_denied());
    let finding = findings.into_iter().next().expect("a warning");
    assert!(finding.message.contains("`s.p[63]`"), "{finding:?}");
    assert!(!finding.message.contains("`s.p[60]`"), "{finding:?}");
}

#[test]
fn values_in_registers_and_fields() {
    assert_eq!(
        shown(
            "int f(char *s, unsigned char n, void (*free)(void *))",
            "arg.s = { value = 0 }\narg.n = { value = 255 }\narg.free = { value = -1 }"
        ),
        [
            "0 value 8 used - = 0",
            "1 value 1 used - = 255",
            "2 value 8 used - = -1",
        ]
    );
}

/// Each of these: C source, lines, the message, and what is marked.
#[test]
fn paths_that_lead_nowhere() {
    let types = "struct hidden; struct bits { int flag : 3; };\n\
        struct s { char *p; int n; union { char *a; long b; } u; struct bits bits;\n\
                   struct hidden *h; char *list[4]; struct bits *more; };\n\
        struct by { char *p; };\n";
    let cases = [
        (
            "int f(struct s *s)",
            "arg.\"s.q\" = { lend = \"in\", bytes = 1 }\narg.s = { lend = \"in\" }",
            "`s` of `f` of `lib` has no field `q`",
            "\"s.q\"",
            "its fields are `p`, `n`, `u`, `bits`, `h`, `list`, `more`",
        ),
        (
            "int f(struct s *s)",
            r#"arg."s.p" = { lend = "in", bytes = 1 }"#,
            "`s` of `f` of `lib` is not lent, so nothing in it can be described",
            "\"s.p\"",
            "add `arg.s = { lend = \"inout\" }`",
        ),
        (
            "int f(struct s *s)",
            "arg.s = { lend = \"handle\" }\narg.\"s.p\" = { lend = \"in\", bytes = 1 }",
            "`s` of `f` of `lib` crosses as a handle, and is not followed",
            "\"s.p\"",
            "say `arg.s = { lend = \"inout\" }` if the callee uses what it points to",
        ),
        (
            "int f(struct s *s)",
            "arg.s = { lend = \"in\" }\narg.\"s.u.a\" = { lend = \"in\", bytes = 1 }",
            "`a` in `s.u` of `f` of `lib` is part of a union",
            "\"s.u.a\"",
            "which part of a union is there only the program knows, often by an operation's number in another argument; a gate does not guess",
        ),
        (
            "int f(struct s *s, char *t)",
            "arg.t = { lend = \"in\", bytes = \"s.bits.flag\" }",
            "`flag` in `s.bits` of `f` of `lib` is a bit-field",
            "\"s.bits.flag\"",
            "it has no address: lengths and pointers are whole bytes",
        ),
        (
            "int f(struct s *s, char *t)",
            "arg.s = { lend = \"in\" }\narg.t = { lend = \"in\", bytes = \"s.h.n\" }",
            "nothing says what is where `s.h` of `f` of `lib` points",
            "\"s.h.n\"",
            "only debug information says so: compile the function with `-g` where it sees the complete type, and give no `signature`",
        ),
        (
            "int f(struct s *s, int n)",
            "arg.s = { lend = \"in\" }\narg.\"s.n.x\" = { lend = \"in\", bytes = 1 }",
            "`s.n` of `f` of `lib` has no fields",
            "\"s.n.x\"",
            "a path leads through structs and pointers to structs",
        ),
        (
            "int f(struct s **s)",
            "arg.s = { lend = \"in\" }\narg.\"s.p\" = { lend = \"in\", bytes = 1 }",
            "`s` of `f` of `lib` has no fields",
            "\"s.p\"",
            "it points to a pointer: what that one points to is `s[].…`",
        ),
        (
            "int f(struct s *s)",
            "arg.s = { lend = \"in\" }\narg.\"s.list[]\" = { lend = \"in\", bytes = 1 }",
            "`s.list` of `f` of `lib` is an array inside a struct",
            "\"s.list[]\"",
            "what lies in its elements cannot be described; give the library a pointer to an array instead",
        ),
        (
            "int f(struct s *s)",
            "arg.s = { lend = \"in\" }\narg.\"s[].p\" = { lend = \"in\", bytes = 1 }",
            "nothing says how many elements `s` of `f` of `lib` has",
            "\"s[].p\"",
            "say `count = …`, with 1 for a single one",
        ),
        (
            "int f(struct s *s)",
            "arg.s = { lend = \"in\", count = 2 }\narg.\"s[].p\" = { lend = \"in\", bytes = \"s.n\" }",
            "`s` of `f` of `lib` is described as one object and as an array of them",
            "\"s.n\"",
            "write `s[]` wherever an element is meant",
        ),
        (
            "int f(struct s *s, char *t)",
            "arg.s = { lend = \"in\", count = 2 }\narg.\"s[].p\" = { lend = \"in\", bytes = 1 }\n\
             arg.t = { lend = \"in\", bytes = \"s[].n\" }",
            "`s[].n` is another number for each element",
            "\"s[].n\"",
            "only what is lent in the same element can be counted with it",
        ),
        (
            "int f(int n, char *t)",
            "arg.\"n[]\" = { lend = \"in\", bytes = 1 }",
            "`n` of `f` of `lib` is not a pointer",
            "\"n[]\"",
            "`[]` stands for the elements of an array to which a pointer leads",
        ),
        (
            "int f(struct by s)",
            "arg.\"s.p\" = { lend = \"in\", bytes = 1 }",
            "`s` of `f` of `lib` is passed by value",
            "\"s.p\"",
            "only what a pointer leads to can be described part by part; give the function a pointer to it",
        ),
        (
            "int f(struct s *s)",
            "arg.s = { lend = \"out\" }\narg.\"s.p\" = { lend = \"in\", bytes = 1 }",
            "`s.p` of `f` of `lib` is set by nobody before the call",
            "\"s.p\"",
            "say `arg.s = { lend = \"inout\" }` if the caller sets it",
        ),
        (
            "int f(struct s *s, char *t)",
            "arg.s = { lend = \"out\" }\narg.t = { lend = \"in\", bytes = \"s.n\" }",
            "`s.n` is read before the call, and nothing is there",
            "\"s.n\"",
            "say `arg.s = { lend = \"inout\" }`",
        ),
        (
            "int f(struct s *s, char *t)",
            "arg.s = { lend = \"in\", bytes = 8 }\narg.t = { lend = \"in\", bytes = \"s.n\" }",
            "`s.n` ends 12 bytes into something of which 8 are lent",
            "\"s.n\"",
            "lend all of it",
        ),
        (
            "int f(struct s *s)",
            "arg.s = { lend = \"in\", bytes = 8 }\narg.\"s.h\" = { lend = \"in\", bytes = 1 }",
            "`s.h` of `f` of `lib` ends 40 bytes into something of which 8 are lent",
            "\"s.h\"",
            "lend all of it",
        ),
        (
            "int f(struct s *s)",
            "arg.s = { lend = \"in\" }\narg.\"s.n\" = { value = 0 }\narg.\"s.bits\" = { value = 0 }",
            "`s.bits` of `f` of `lib` is neither a pointer nor a number of at most 64 bits",
            "\"s.bits\"",
            "only those can be replaced by a value",
        ),
    ];
    for (head, lines, message, place, help) in cases {
        let signature = compiled(&format!("{types}{head} {{ return 0; }}"));
        let (finding, marked) = mistake(&signature, lines);
        assert_eq!(finding.message, message, "{head} {lines}");
        assert_eq!(finding.level, Level::Deny);
        assert_eq!(marked, place, "{head} {lines}");
        assert!(
            finding.helps.iter().any(|known| known == help),
            "{head} {lines}: {:?}",
            finding.helps
        );
    }
}

#[test]
fn fields_are_compared_with_what_there_is() {
    let (finding, _) = mistake(
        &compiled(STREAM),
        "arg.strm = { lend = \"inout\" }\narg.\"strm.next_im\" = { value = 0 }\n\
         arg.\"strm.zalloc\" = { value = 0 }",
    );
    assert_eq!(finding.helps[0], "there is one called `next_in`");
}

#[test]
fn lengths_that_depend_on_each_other() {
    let (finding, marked) = mistake(
        &compiled("int f(int *a, int *b) { return 0; }"),
        "arg.a = { lend = \"in\", bytes = \"*b\" }\narg.b = { lend = \"in\", bytes = \"*a\" }",
    );
    assert_eq!(
        finding.message,
        "to know how much of `a` and `b` of `f` of `lib` is lent, one must know it already"
    );
    assert_eq!(marked, "\"*b\"");
    assert_eq!(finding.places.len(), 2);
}

#[test]
fn what_the_monitor_cannot_hold() {
    let (finding, marked) = mistake(
        &compiled("struct s { char *p; long more[5000]; }; int f(struct s *s) { return 0; }"),
        "arg.s = { lend = \"in\" }\narg.\"s.p\" = { lend = \"in\", bytes = 1 }",
    );
    assert_eq!(
        finding.message,
        "`s` of `f` of `lib` covers 40008 bytes, and pointers or lengths in it take part in the call"
    );
    assert_eq!(marked, "\"in\"");
    // Nobody looks into this one.
    assert_eq!(
        shown(
            "int f(char *s)",
            r#"arg.s = { lend = "inout", bytes = 1000000 }"#
        ),
        ["0 in+out 1000000 used -"]
    );
}

#[test]
fn keeping_and_replacing() {
    let keep = |function: &str| {
        let line = format!("arg.s = {{ lend = \"in\", bytes = 4, keep = \"{function}\" }}");
        mistake(&declared("int f(char *s)"), &line)
    };
    let (finding, marked) = keep("edn");
    assert_eq!(
        finding.message,
        "nothing says what `edn` of `lib` is called with"
    );
    assert_eq!(finding.helps[0], "there is one called `end`");
    assert_eq!(marked, "\"edn\"");
    let (finding, _) = keep("nothing");
    assert_eq!(
        finding.message,
        "`nothing` of `lib` lends nothing, so nothing ends with it"
    );

    let (finding, marked) = mistake(&declared("int f(short n)"), "arg.n = { value = 65536 }");
    assert_eq!(
        finding.message,
        "65536 is too large for `n` of `f` of `lib`"
    );
    assert_eq!(marked, "65536");
    let (finding, _) = mistake(&declared("int f(double n)"), "arg.n = { value = 0 }");
    assert!(
        finding.message.contains("neither a pointer nor"),
        "{finding:?}"
    );
}

#[test]
fn negative_and_moved_need_something_to_measure() {
    let (finding, marked) = mistake(
        &declared("int f(char *s, unsigned n)"),
        r#"arg.s = { lend = "in", bytes = "n", negative = "cstr" }"#,
    );
    assert_eq!(
        finding.message,
        "the length of `s` of `f` of `lib` is never negative"
    );
    assert_eq!(marked, "\"cstr\"");
    let (finding, _) = mistake(
        &declared("int f(int *s, int n)"),
        r#"arg.s = { lend = "in", bytes = "n", negative = "cstr" }"#,
    );
    assert_eq!(finding.message, "`s` of `f` of `lib` is no C string");

    let (finding, _) = mistake(
        &declared("int f(char *s, int n)"),
        r#"arg.s = { lend = "out", bytes = "n", used = "moved" }"#,
    );
    assert_eq!(
        finding.message,
        "nothing says how far `s` of `f` of `lib` moved"
    );
    let (finding, _) = mistake(
        &compiled("struct s { char *p; }; int f(struct s *s) { return 0; }"),
        "arg.s = { lend = \"in\" }\narg.\"s.p\" = { lend = \"out\", bytes = 4, used = \"moved\" }",
    );
    assert_eq!(
        finding.helps,
        ["say `arg.s = { lend = \"inout\" }`: what the callee leaves in it is not read"]
    );
}
