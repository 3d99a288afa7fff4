//! Functions that cross.

use super::*;

const TABLE: &str = "typedef struct sqlite3 sqlite3;\n\
    struct module {\n\
        int version;\n\
        int (*create)(sqlite3 *db, void *aux, int argc, const char *const *argv);\n\
        void (*log)(const char *text);\n\
    };\n\
    int f(sqlite3 *db, const struct module *m, void *aux, int (*compare)(const char *a, int n),\n\
          struct module *old) { return 0; }\n";

/// How a callback is shown: lend, path, whether it returns, shape of the call.
fn crossing(resolved: &ResolvedLends) -> Vec<String> {
    let shown = resolved.callbacks.iter().map(|callback| {
        let lend = &resolved.lends[callback.lend];
        assert!(lend.flags & LEND_CALLBACK != 0 && lend.value == UNNUMBERED);
        assert_eq!(callback.returns, lend.flags & LEND_OUT != 0);
        let back = if callback.returns { " back" } else { "" };
        let shape = CallShape::of(&callback.signature).expect("a shape");
        format!(
            "{} {}{back}: {shape}",
            callback.lend, callback.signature.name
        )
    });
    shown.collect()
}

#[test]
fn arguments_and_tables() {
    let resolved = good(
        &compiled(TABLE),
        r#"
        arg.m = { lend = "in" }
        arg."m.create" = { callback = true, arg."argv[]" = { lend = "in", bytes = "cstr" } }
        arg."m.log" = { value = 0 }
        arg.compare = { callback = true }
        arg.old = { lend = "inout" }
        arg."old.create" = { callback = true }
        arg."old.log" = { lend = "handle" }
        "#,
    );
    let shown: Vec<_> = resolved.lends.iter().map(show).collect();
    assert_eq!(
        shown,
        [
            "1 in+staged 24 used -",
            "0+8 in+callback = -1",
            "0+16 value 8 used - = 0",
            "3 in+callback = -1",
            "4 in+out+staged 24 used -",
            "4+8 in+callback = -1",
            "4+8 out+callback = -1",
        ]
    );
    assert_eq!(
        crossing(&resolved),
        [
            "3 f.compare: rdi, rsi -> rax",
            "1 f.m.create: rdi, rsi, rdx, rcx -> rax",
            "5 f.old.create: rdi, rsi, rdx, rcx -> rax",
            "6 f.old.create back: rdi, rsi, rdx, rcx -> rax",
        ]
    );
}

/// What a callback lends is resolved as for any function.
#[test]
fn arguments_of_callbacks() {
    let lines = r##"
        arg.compare = { callback = true, arg."#1" = { lend = "in", bytes = "#2" } }
    "##;
    let resolved = good(&compiled(TABLE), lines);
    let callback = &resolved.callbacks[0];
    let shape = CallShape::of(&callback.signature).expect("a shape");
    let policy = policy(lines);
    let of = |rule| {
        resolve(Subject {
            policy: &policy,
            cubicle: "lib",
            function: &callback.signature.name,
            rules: Some(Rules::from(rule)),
            signature: &callback.signature,
            shape: &shape,
            number_of: &|_| None,
        })
    };
    let (inner, findings) = of(&callback.rule);
    assert_eq!(findings, Findings::new());
    let shown: Vec<_> = inner.lends.iter().map(show).collect();
    assert_eq!(shown, ["0 in 1:i4x1 used -"]);
    let rules = Rules::from(&callback.rule);
    assert_eq!(unlent_pointers(&callback.signature, Some(rules)), []);
}

#[test]
fn results_and_signatures_of_their_own() {
    let resolved = good(
        &declared("void (*f(void (*init)(void), void *other))(int)"),
        r#"
        arg.init = { callback = true, signature = "int init(void *db, char **error, const void *api)" }
        arg.other = { callback = true, signature = "double other(double x)" }
        result = { callback = true }
        "#,
    );
    assert_eq!(
        crossing(&resolved),
        [
            "0 f.init: rdi, rsi, rdx -> rax",
            "1 f.other: xmm0 -> xmm0",
            "2 f.result back: rdi -> none",
        ]
    );
}

/// What remains where the callee sees the caller.
#[test]
fn what_crosses_as_something_else() {
    let mut resolved = good(
        &compiled(TABLE),
        r#"
        arg.aux = { lend = "in", bytes = 16 }
        arg.old = { lend = "inout" }
        arg."old.log" = { callback = true }
        arg."old.create" = { value = 0 }
        arg.compare = { callback = true }
        "#,
    );
    resolved.keep_what_sight_does_not_replace();
    let shown: Vec<_> = resolved.lends.iter().map(show).collect();
    assert_eq!(
        shown,
        [
            "3 in+callback = -1",
            "4 in+out+staged 24 used -",
            "1+16 in+callback = -1",
            "1+16 out+callback = -1",
            "1+8 value 8 used - = 0",
        ]
    );
    assert_eq!(
        crossing(&resolved),
        [
            "0 f.compare: rdi, rsi -> rax",
            "2 f.old.log: rdi -> none",
            "3 f.old.log back: rdi -> none",
        ]
    );
    let mut none = good(&compiled(TABLE), r#"arg.aux = { lend = "in", bytes = 16 }"#);
    none.keep_what_sight_does_not_replace();
    assert!(none.lends.is_empty());
}

#[test]
fn what_is_no_callback() {
    let cases = [
        (
            "int f(int n)",
            "arg.n = { callback = true }",
            "`n` of `f` of `lib` is not a pointer",
            "n",
        ),
        (
            "int f(char *s)",
            "arg.s = { callback = true }",
            "nothing says how `s` of `f` of `lib` is called back",
            "s",
        ),
        (
            "int f(void (*g)(void))",
            "arg.g = { callback = true, signature = \"int g(foo x)\" }",
            "the signature of `g` of `f` of `lib` is not C",
            "foo x)\"",
        ),
        (
            "int f(void (*g)(void))",
            "arg.g = { lend = \"in\" }",
            "`g` of `f` of `lib` is a pointer to a function",
            "g",
        ),
    ];
    for (declaration, lines, message, place) in cases {
        let (finding, marked) = mistake(&declared(declaration), lines);
        assert_eq!(finding.message, message, "{lines}");
        assert_eq!(marked, place, "{lines}");
    }
}

#[test]
fn a_callback_keeps_nothing() {
    let lines = r##"
        arg.compare = { callback = true, arg."#1" = { lend = "in", bytes = 4, keep = "end" } }
    "##;
    let policy = policy(lines);
    let resolved = good(&compiled(TABLE), lines);
    let callback = &resolved.callbacks[0];
    let shape = CallShape::of(&callback.signature).expect("a shape");
    let (inner, findings) = resolve(Subject {
        policy: &policy,
        cubicle: "lib",
        function: "f.compare",
        rules: Some(Rules::from(&callback.rule)),
        signature: &callback.signature,
        shape: &shape,
        number_of: &|_| None,
    });
    assert!(inner.lends.is_empty());
    let finding = findings.into_iter().next().expect("one");
    assert_eq!(finding.message, "a callback cannot keep what it is lent");
}
